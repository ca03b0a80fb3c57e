//! `Collation`: the order of strings, and which of them are equal.
//!
//! Dolt gives each code point one weight; only their ranks matter. The ranks of all code points
//! were measured by letting dolt 2.3.1 rank them, and lie in `collation/*.zst`: runs of code points
//! whose rank is the same or rises with them, each as three numbers (code points since the last
//! run's start and rank since its rank, both as variable-length integers, the latter in zigzag;
//! and whether the rank rises).

use std::cmp::Ordering;
use std::sync::OnceLock;

/// Code points that are looked up without a search.
const DIRECT: usize = 256;
/// No run list is longer than this.
const RUNS_LEN_MAX: usize = 1 << 20;

/// How strings compare. Equal strings are one key, whatever their bytes.
#[derive(Debug, Clone, Copy, Default)]
pub struct Collation {
    /// `None` orders by code point, which is the order of the bytes.
    ranks: Option<&'static Ranks>,
}

/// The ranks of all code points. The lowest is 1.
#[derive(Debug)]
struct Ranks {
    direct: Vec<u32>,
    runs: Vec<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    start: u32,
    rank: u32,
    rises: bool,
}

macro_rules! tables {
    ($($name:literal),+ $(,)?) => {
        static TABLES: [(&str, &[u8], OnceLock<Ranks>); [$($name),+].len()] = [
            $(($name, include_bytes!(concat!("collation/", $name, ".zst")), OnceLock::new())),+
        ];
    };
}

tables!(
    "ascii_bin",
    "ascii_general_ci",
    "latin1_bin",
    "latin1_danish_ci",
    "latin1_general_ci",
    "latin1_general_cs",
    "latin1_german1_ci",
    "latin1_german2_ci",
    "latin1_spanish_ci",
    "latin1_swedish_ci",
    "utf8mb3_general_ci",
    "utf8mb3_unicode_ci",
    "utf8mb4_0900_ai_ci",
    "utf8mb4_0900_as_ci",
    "utf8mb4_0900_as_cs",
    "utf8mb4_general_ci",
    "utf8mb4_unicode_520_ci",
    "utf8mb4_unicode_ci",
);

impl Collation {
    /// The collation with this name, "" for Dolt's default; `None` if its order is not known here.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        if matches!(
            name,
            "" | "binary" | "utf8mb4_0900_bin" | "utf8mb4_bin" | "utf8mb3_bin"
        ) {
            return Some(Self::default());
        }
        let (_, packed, ranks) = TABLES.iter().find(|(known, ..)| *known == name)?;
        Some(Self {
            ranks: Some(ranks.get_or_init(|| Ranks::unpack(packed))),
        })
    }

    /// Appends the ranks of a string's characters, the plain order of which is that of strings;
    /// `false` where strings are ordered as their bytes are. Equal strings give the same.
    pub(crate) fn push_ranks(self, text: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(ranks) = self.ranks else {
            return false;
        };
        for part in text.utf8_chunks() {
            for character in part.valid().chars() {
                ranks.push(character, out);
            }
            // Dolt takes each bad byte for a replacement character.
            for _ in part.invalid() {
                ranks.push(char::REPLACEMENT_CHARACTER, out);
            }
        }
        // The end is below every rank.
        out.extend_from_slice(&[0, 0, 0]);
        true
    }
}

impl Collation {
    /// The order of two strings.
    #[must_use]
    pub fn order(self, left: &str, right: &str) -> Ordering {
        let (mut left_ranks, mut right_ranks) = (Vec::new(), Vec::new());
        if self.push_ranks(left.as_bytes(), &mut left_ranks) {
            self.push_ranks(right.as_bytes(), &mut right_ranks);
            return left_ranks.cmp(&right_ranks);
        }
        left.cmp(right)
    }

    /// Whether two strings are equal.
    #[must_use]
    pub fn equal(self, left: &str, right: &str) -> bool {
        let (mut left, mut right) = (left.chars(), right.chars());
        loop {
            match (left.next(), right.next()) {
                (None, None) => return true,
                (Some(one), Some(other)) if self.same(one, other) => {}
                _ => return false,
            }
        }
    }

    /// Whether two characters are equal.
    #[must_use]
    pub fn same(self, left: char, right: char) -> bool {
        left == right
            || self
                .ranks
                .is_some_and(|ranks| ranks.of(u32::from(left)) == ranks.of(u32::from(right)))
    }
}

impl Ranks {
    fn push(&self, character: char, out: &mut Vec<u8>) {
        let [_, high, middle, low] = self.of(u32::from(character)).to_be_bytes();
        out.extend_from_slice(&[high, middle, low]);
    }

    fn of(&self, point: u32) -> u32 {
        if let Some(rank) = self.direct.get(point as usize) {
            return *rank;
        }
        search(&self.runs, point)
    }

    fn unpack(packed: &[u8]) -> Self {
        let raw = zstd::bulk::decompress(packed, RUNS_LEN_MAX).expect("a table that was built in");
        let mut rest = raw.as_slice();
        let mut runs = Vec::new();
        let (mut start, mut rank) = (0u32, 0u32);
        while !rest.is_empty() {
            start = start.wrapping_add(take_varint(&mut rest));
            let delta = take_varint(&mut rest);
            rank = rank.wrapping_add((delta >> 1) ^ (delta & 1).wrapping_neg());
            let rises = rest.split_off_first().is_some_and(|byte| *byte == 1);
            runs.push(Run { start, rank, rises });
        }
        let direct = (0..DIRECT as u32).map(|point| search(&runs, point));
        Self {
            direct: direct.collect(),
            runs,
        }
    }
}

fn search(runs: &[Run], point: u32) -> u32 {
    let before = runs.partition_point(|run| run.start <= point);
    let run = before.checked_sub(1).and_then(|at| runs.get(at));
    run.map_or(1, |run| {
        let risen = if run.rises { point - run.start } else { 0 };
        run.rank + risen
    })
}

fn take_varint(rest: &mut &[u8]) -> u32 {
    let (mut value, mut shift) = (0, 0);
    while let Some(byte) = rest.split_off_first() {
        value |= u32::from(byte & 0x7f) << shift;
        shift += 7;
        if byte & 0x80 == 0 || shift > 28 {
            break;
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::encoding as e;
    use super::super::sort_key::push_sort_key;
    use super::*;

    fn key(collation: &str, text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let collation = Collation::named(collation).expect("a known collation");
        push_sort_key(e::BYTES, collation, Some(b"x\0"), &mut out);
        let text = format!("{text}\0");
        push_sort_key(e::STRING, collation, Some(text.as_bytes()), &mut out);
        out
    }

    #[test]
    fn case_and_accents_count_as_the_collation_says() {
        for (collation, equal) in [
            ("utf8mb4_0900_bin", &[][..]),
            ("utf8mb4_0900_ai_ci", &["a", "A", "á", "Ä"]),
            ("utf8mb4_0900_as_ci", &["a", "A"]),
            ("utf8mb4_0900_as_cs", &[]),
            ("utf8mb4_general_ci", &["a", "A", "á", "Ä"]),
            ("latin1_swedish_ci", &["a", "A", "á"]),
            ("latin1_bin", &[]),
            ("ascii_general_ci", &["a", "A"]),
        ] {
            for text in ["a", "A", "á", "Ä", "b"] {
                let same = key(collation, text) == key(collation, "a");
                let expected = text == "a" || equal.contains(&text);
                assert_eq!(same, expected, "{text:?} in {collation}");
            }
        }
    }

    #[test]
    fn shorter_strings_come_first() {
        for (name, ..) in &TABLES {
            let texts = ["", "a", "a\0", "aa", "ab", "b"];
            let keys: Vec<_> = texts.iter().map(|text| key(name, text)).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{name}");
        }
    }

    #[test]
    fn every_table_ranks_every_code_point() {
        for (name, packed, _) in &TABLES {
            let ranks = Ranks::unpack(packed);
            let all = (0..=u32::from(char::MAX)).map(|point| ranks.of(point));
            let (low, high) = all.fold((u32::MAX, 0), |(low, high), rank| {
                (low.min(rank), high.max(rank))
            });
            assert!(low == 1 && high < 1 << 24, "{name}: {low} to {high}");
        }
        assert!(Collation::named("utf8mb4_tr_0900_ai_ci").is_none());
    }
}
