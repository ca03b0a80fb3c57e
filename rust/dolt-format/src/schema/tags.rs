//! The numbers by which merges know columns, chosen as dolt chooses them.

use std::collections::BTreeSet;

use sha512_lanes::digest;

use crate::FormatError;

const BOUND_FIRST: u64 = 1 << 14;
const BOUND_FACTOR: u64 = 1 << 7;
/// Reserved for Dolt's own tables.
const BOUND_MAX: u64 = 1 << 50;

/// Words of the generator's state, and where the second of two added words starts.
const WORDS: usize = 607;
const FEED: usize = 334;
const MODULUS: u64 = (1 << 31) - 1;
const MULTIPLIER: u64 = 48271;
const SEED_OF_ZERO: u64 = 89_482_311;

/// Chooses the tag of a new column of `table`.
///
/// `earlier` are the kinds of the table's columns so far, and `used` the tags of all tables of the
/// database. (dolt: `LDC/schema/tag.go`, `AutoGenerateTag`.)
pub fn choose(
    used: &BTreeSet<u64>,
    table: &str,
    earlier: &[u8],
    column: &str,
    kind: u8,
) -> Result<u64, FormatError> {
    let mut bound = BOUND_FIRST;
    while bound / 2 < used.len() as u64 && bound < BOUND_MAX {
        bound *= BOUND_FACTOR;
    }
    let (table, column) = (simple(table), simple(column));
    let hash = digest(&[earlier, &[kind], table.as_bytes(), column.as_bytes()].concat());
    let seed = hash.first_chunk().map_or(0, |raw| i64::from_le_bytes(*raw));
    // The bound is a power of two.
    draws(seed)
        .map(|number| number & (bound - 1))
        .find(|tag| !used.contains(tag))
        .ok_or_else(|| {
            FormatError::Unsupported(format!("no tag is free for column {column:?}: use dolt"))
        })
}

/// Chooses the tags of all columns of a new `table`, given as name and kind, in their order.
pub fn choose_all<'a>(
    used: &BTreeSet<u64>,
    table: &str,
    columns: impl IntoIterator<Item = (&'a str, u8)>,
) -> Result<Vec<u64>, FormatError> {
    let mut used = used.clone();
    let mut kinds = Vec::new();
    let mut chosen = Vec::new();
    for (column, kind) in columns {
        let tag = choose(&used, table, &kinds, column, kind)?;
        used.insert(tag);
        kinds.push(kind);
        chosen.push(tag);
    }
    Ok(chosen)
}

/// Lower case, without what is neither letter nor digit.
fn simple(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|c| c.to_ascii_lowercase()).collect()
}

/// The first numbers of Go's `rand.New(rand.NewSource(seed)).Int63()`.
///
/// The generator adds two words of its state, which begins as words made of the seed over those
/// of a fixed table. Its first numbers need nothing that it wrote back.
fn draws(seed: i64) -> impl Iterator<Item = u64> {
    let seed = seed.rem_euclid(MODULUS as i64) as u64;
    let mut x = if seed == 0 { SEED_OF_ZERO } else { seed };
    let mut step = || {
        x = x * MULTIPLIER % MODULUS;
        x
    };
    for _ in 0..20 {
        step();
    }
    let words: Vec<u64> = (0..WORDS)
        .map(|_| (step() << 40) ^ (step() << 20) ^ step())
        .collect();
    let high = words
        .iter()
        .rev()
        .zip(HIGH)
        .map(|(word, fixed)| word ^ fixed);
    let low = words.iter().take(FEED).rev().zip(LOW);
    let low = low.map(|(word, fixed)| word ^ fixed);
    let numbers = high
        .zip(low)
        .map(|(high, low)| high.wrapping_add(low) & (u64::MAX >> 1));
    numbers.collect::<Vec<_>>().into_iter()
}

/// Words 606, 605, … of the table: the generator's own state after 7.8e12 numbers.
#[rustfmt::skip]
const HIGH: [u64; 64] = [
    0x39a0_0a3a_31c0_25c6, 0x7e57_a19b_735e_f03b, 0x7453_5a96_cc7a_dfd7, 0xe1de_048d_c78b_382e,
    0xa8de_6558_29aa_b207, 0xfbba_1e4a_59b0_c60c, 0xe5b5_e938_5b20_2824, 0xf579_e080_1628_96e9,
    0x51d3_a3c3_51be_10ec, 0xa7f5_03a2_8f43_1ca9, 0xc451_66d9_f693_5ff8, 0xc977_d592_999f_2194,
    0x9516_3617_49f6_428a, 0x287f_ea4c_9695_f3f4, 0x395c_6750_aa42_e65e, 0x980a_ab2f_ff6b_c784,
    0x64fc_bfa0_1dca_3978, 0x640a_711e_b0e4_9b41, 0xa848_cc5d_9cb0_e150, 0xfc99_7227_a4f0_7f8f,
    0xaaf6_77bd_80e3_0ac5, 0x8358_c5bb_1248_ac23, 0x5814_3117_e4e1_6555, 0x2c43_fd0a_9eae_c04d,
    0x4bd6_71b1_24b5_701a, 0x689a_66ba_46d1_c3bd, 0x1266_fbf7_7386_b1db, 0xcc7c_533a_7fca_95d8,
    0x7c91_d10a_8d75_740e, 0x59e4_a152_525b_1b29, 0x324f_ca6a_f2b5_c1d1, 0x1f9e_abdf_dbe2_b7bd,
    0x92d7_bb47_a4af_e838, 0xee37_e366_9f7e_9c66, 0x637e_086d_c78c_f522, 0x2267_3e39_d43f_f99b,
    0x628d_fe63_5c79_5586, 0x4947_dddd_6f3e_9e07, 0x77c2_65a7_1aeb_be54, 0xeb8d_82b1_5491_d607,
    0x5572_e7ce_3428_8668, 0x666e_b88d_8701_e16f, 0x9a77_d2f2_ef3b_d843, 0x7975_3148_c0e6_c59f,
    0x1d17_558f_6164_030c, 0x077e_19b9_a3f7_6000, 0x400e_2ba0_1968_e7c4, 0x5962_4285_53d2_0814,
    0x7d45_aa73_4f76_0b6d, 0x85b6_5048_0fd8_c2f4, 0xd5f0_bb88_16e7_e8fb, 0x8c37_8728_2349_e832,
    0xecde_dd4f_f0dd_641b, 0x8417_b417_b011_aec1, 0x058c_cf98_dc18_43f7, 0x6079_b053_1ec9_0376,
    0xe242_bb6b_b4da_36de, 0x0a46_7ca8_709a_2bb6, 0xd3c6_39c2_087d_c079, 0x8205_4730_0a5d_8af4,
    0x2a0f_fc0f_7b30_1e5c, 0xde54_2c13_7b83_84a4, 0xad6e_587f_47af_e7a6, 0x04fc_4ea5_fb44_6c97,
];

/// Words 333, 332, … of it.
#[rustfmt::skip]
const LOW: [u64; 64] = [
    0xbfb2_f4d9_68b7_59c3, 0x3b7f_c3ad_0d1c_d36b, 0xf11b_fbb3_ba3e_0841, 0x0310_89e8_7fba_b9a7,
    0x967e_3cd0_f12b_1c5f, 0xbd64_0b61_4080_2b1e, 0x32a3_1118_a95e_425f, 0x0813_7c33_80f3_2523,
    0x9024_ebcb_f8b8_e6af, 0xa4e5_a10d_2865_9104, 0xd7e7_5a07_5424_51da, 0xc9a9_cd70_8372_db93,
    0x3317_86d5_a126_f97f, 0x2536_b7a7_602f_6b4d, 0xc444_cf11_f984_0608, 0x8b82_1c0b_1005_4c75,
    0x7e61_3154_5897_0ccb, 0x0e7f_5452_a8c9_1ee0, 0x3fdd_ae41_63e0_10e4, 0xcaea_ccb9_27b0_cb5c,
    0xd36a_1f70_d4f9_a2ff, 0x4338_5b68_e51d_bffc, 0x5ee4_1cb4_0ca8_1e2c, 0x0483_11a7_625e_abd9,
    0x3c7c_1de5_b3cc_1dca, 0xd343_1110_cdd7_a998, 0x4f37_aef6_caf4_1c5d, 0x9cbb_b4be_9a92_c216,
    0x552d_69f0_428d_ce6a, 0xf727_09f9_6b28_a3c7, 0xd556_d17a_dcc5_f6fb, 0x79ed_b9a2_a6a3_87df,
    0xc73e_ddfe_1113_85e2, 0x1c91_0136_c9fd_f9c3, 0x2aea_572a_f846_7560, 0x59d6_a8cc_7a08_2707,
    0x8c06_21f7_6822_0a97, 0x036d_8003_387d_d6db, 0x01fe_31d8_c7df_7dc4, 0xeac4_0d3f_519d_2893,
    0x3faf_8d9c_775c_a781, 0x639b_a81c_88d8_88a6, 0x8f89_c0d3_396a_3b53, 0x8495_a076_8390_3295,
    0x3d78_cc36_5bad_bce1, 0x175e_e40f_58fb_d971, 0x080e_c575_7721_9247, 0x43e0_d025_4b84_715e,
    0x6369_25f5_baf8_70cd, 0xcb33_6a16_1122_7dbd, 0xd85a_9037_5e64_310d, 0x2b2b_1fce_d929_c282,
    0x1fb7_a7e1_7b9e_ccb0, 0x2fa7_be3c_cf9d_1645, 0xd3d7_e286_3218_d979, 0x5d43_6ca7_585d_28ca,
    0x1de1_979b_f565_4dd5, 0x457e_acfb_b049_eb22, 0xd396_fc0d_89f6_e211, 0x7e67_d3bd_b81b_b611,
    0x91c1_fb79_0e0d_3a54, 0x9c9c_6cd2_8e91_b74d, 0x1427_685b_19ca_ecdd, 0xcd39_a909_d7e6_8027,
];

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;

    fn golden() -> Value {
        let path = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/golden/objects/tags.json"
        );
        let text = std::fs::read_to_string(path).expect("the golden");
        serde_json::from_str(&text).expect("JSON")
    }

    #[test]
    fn tags_are_those_that_dolt_chose() {
        let golden = golden();
        let vectors = golden["vectors"].as_array().expect("vectors");
        for vector in vectors {
            let text = vector.as_str().expect("a vector");
            let (table, earlier, column, kind, tag): (String, Vec<u8>, String, u8, u64) =
                serde_json::from_str(text).expect("a vector");
            let chosen = choose(&BTreeSet::new(), &table, &earlier, &column, kind);
            assert_eq!(chosen, Ok(tag), "{text}");
        }
        assert!(vectors.len() > 200, "{}", vectors.len());
        let collisions = &golden["collisions"];
        let used: BTreeSet<u64> =
            serde_json::from_value(collisions["existing"].clone()).expect("tags");
        for (table, tag) in collisions["tables"].as_object().expect("tables") {
            let tag = tag.as_u64().expect("a tag");
            assert_eq!(choose(&used, table, &[], "i", 15), Ok(tag));
        }
    }

    #[test]
    fn numbers_are_those_of_gos_generator() {
        let golden = golden();
        for (seed, key) in [
            (42, "first_u64_for_seed_42"),
            (-7, "first_u64_for_seed_minus_7"),
        ] {
            let expected = golden["generator"][key].as_array().expect("numbers");
            for (drawn, text) in draws(seed).zip(expected) {
                let number: u64 = text.as_str().expect("text").parse().expect("a number");
                assert_eq!(drawn, number & (u64::MAX >> 1));
            }
        }
        assert_eq!(draws(0).count(), 64);
    }

    #[test]
    fn where_half_of_the_tags_are_used_the_bound_grows() {
        let used = (0..=BOUND_FIRST / 2).collect();
        let tag = choose(&used, "t", &[], "c", 15).expect("a tag");
        assert!(tag > BOUND_FIRST / 2 && tag < BOUND_FIRST * BOUND_FACTOR);
        let taken = draws(i64::MIN).count();
        assert_eq!(taken, 64);
    }
}
