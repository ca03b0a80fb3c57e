//! Decides where a node ends (dolt: `go/store/prolly/tree/node_splitter.go`, `keySplitter`).
//!
//! The chance that a node ends rises with its size, as the hazard of a Weibull distribution does;
//! the hash of the key alone throws the dice, so that equal items end at equal places.

use std::sync::OnceLock;

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::message::node::LEVELS_MAX;

const SIZE_MIN: usize = 512;
const SIZE_MAX: usize = 16384;
const SIZE_TARGET: f64 = 4096.0;

struct Tables {
    salts: [u64; LEVELS_MAX as usize],
    /// The Weibull distribution function at each size.
    chance: Vec<f64>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut salts = [0; LEVELS_MAX as usize];
        for (level, salt) in (1u8..).zip(&mut salts) {
            let digest = sha512_lanes::digest(&[level]);
            let (first, _) = digest.split_first_chunk().expect("a digest has 64 bytes");
            *salt = u64::from_le_bytes(*first);
        }
        // libm's expm1 equals Go's at every size; glibc's (f64::exp_m1) differs at five of them,
        // and a moved boundary moves every address above it.
        let chance = (0..=u32::try_from(SIZE_MAX).expect("SIZE_MAX is small"))
            .map(|size| {
                let p = f64::from(size) / SIZE_TARGET;
                -libm::expm1(-(p * p * p * p))
            })
            .collect();
        Tables { salts, chance }
    })
}

/// Whether a node ends behind the item just added.
///
/// `size` is the weight of all its items, this one (`item`) included; `level` is below
/// [`LEVELS_MAX`].
pub(crate) fn ends_node(level: u8, key: &[u8], size: usize, item: usize) -> bool {
    if size < SIZE_MIN {
        return false;
    }
    if size > SIZE_MAX {
        return true;
    }
    let tables = tables();
    let before = tables.chance[size - item];
    let left = 1.0 - before;
    if left <= 0.0 {
        return true;
    }
    let [b0, b1, b2, b3, ..] =
        xxh3_64_with_seed(key, tables.salts[usize::from(level)]).to_le_bytes();
    let hash = u32::from_le_bytes([b0, b1, b2, b3]);
    // Dolt compares the hash as a fraction of u32::MAX (node_splitter.go, weibullCheck): f32, or
    // dividing by 2^32, would move boundaries.
    let hash = f64::from(hash) / f64::from(u32::MAX);
    hash < (tables.chance[size] - before) / left
}

#[cfg(test)]
mod tests {
    use sha2::{Digest, Sha256};

    use super::*;

    fn golden() -> serde_json::Value {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/prolly/21-unit-vectors.json"
        );
        serde_json::from_str(&std::fs::read_to_string(path).expect("the golden")).expect("JSON")
    }

    #[test]
    fn nodes_end_where_dolts_do() {
        let vectors = golden();
        let vectors = vectors["weibull"].as_array().expect("a list");
        for vector in vectors {
            let number = |at: usize| vector[at].as_u64().expect("a number");
            let size = |at: usize| usize::try_from(number(at)).expect("a size");
            let key = hex::decode(vector[1].as_str().expect("hex")).expect("hex");
            let level = u8::try_from(number(0)).expect("a level");
            let ends = ends_node(level, &key, size(3), size(4));
            assert_eq!(Some(ends), vector[6].as_bool(), "{vector}");
        }
        assert!(vectors.len() > 50);
    }

    #[test]
    fn salts_and_chances_are_dolts() {
        let salts = golden()["salts"].as_array().cloned().expect("a list");
        let ours = tables().salts.map(|salt| format!("{salt:016x}"));
        assert_eq!(salts, ours);
        let mut digest = Sha256::new();
        tables()
            .chance
            .iter()
            .for_each(|chance| digest.update(chance.to_le_bytes()));
        assert_eq!(
            hex::encode(digest.finalize()),
            "9955985ff0e5e25d1734ec27d55180b58fbe9c027f0c3ec230741aba4e18bf0b"
        );
    }
}
