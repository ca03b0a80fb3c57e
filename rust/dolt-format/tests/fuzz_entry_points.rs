//! The entry points of the fuzz targets over the goldens, whole and damaged.

#[path = "../fuzz/src/entry_points.rs"]
pub mod entry_points;
#[path = "../fuzz/src/seeds.rs"]
pub mod seeds;

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use entry_points::{EntryPoint, TARGETS};
use seeds::Seeds;

/// Damaged inputs tried of one target.
const RUNS: usize = 10_000;

static SEEDS: LazyLock<Seeds> =
    LazyLock::new(|| seeds::load(&crate_dir().join("../../tests/golden")));

fn crate_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// Numbers that differ but are the same in each run.
struct Dice(u64);

impl Dice {
    /// A number below `sides`.
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).expect("31 bits") % sides.max(1)
    }

    fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.roll(items.len())]
    }

    /// Damages `input` in one to four places.
    fn damage(&mut self, input: &mut Vec<u8>, others: &[&Vec<u8>]) {
        for _ in 0..=self.roll(4) {
            let at = self.roll(input.len());
            match self.roll(9) {
                0 => input.truncate(at),
                1..=3 => {
                    if let Some(byte) = input.get_mut(at) {
                        *byte ^= 1 << self.roll(8);
                    }
                }
                4 | 5 => {
                    if let Some(byte) = input.get_mut(at) {
                        *byte = *self.pick(b"\x00\x01\x7f\x80\xff09,\":+-.e'()`\n\r");
                    }
                }
                6 => {
                    let number = *self.pick(&[0, 1, 1 << 15, 1 << 24, 1 << 31, u32::MAX]);
                    for (byte, new) in input.iter_mut().skip(at).zip(number.to_be_bytes()) {
                        *byte = new;
                    }
                }
                7 => {
                    let len = self.roll(40).min(input.len() - at);
                    let part = input[at..at + len].to_vec();
                    let to = self.roll(input.len());
                    input.splice(to..to, part);
                }
                _ => {
                    let other = self.pick(others);
                    let from = self.roll(other.len());
                    let len = self.roll(64).min(other.len() - from);
                    let end = (at + self.roll(64)).min(input.len());
                    input.splice(at..end, other[from..from + len].iter().copied());
                }
            }
        }
    }
}

/// Runs one input; a panic leaves it in a file, to be kept under `tests/golden/hostile/`.
fn run(target: &str, entry_point: EntryPoint, input: &[u8]) {
    if catch_unwind(|| entry_point(input)).is_err() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{target}-crash"));
        std::fs::write(&path, input).expect("it can be written");
        panic!("{target} broke on the input in {}", path.display());
    }
}

fn run_damaged(target: &str) {
    let (_, entry_point) = TARGETS
        .into_iter()
        .find(|(name, _)| *name == target)
        .expect("it is a target");
    let seeds: Vec<&Vec<u8>> = SEEDS[target].iter().collect();
    for seed in &seeds {
        run(target, entry_point, seed);
    }
    // Short seeds are quick, and no less is read of them.
    let mut short = seeds.clone();
    short.sort_by_key(|seed| seed.len());
    short.truncate(100);
    short.retain(|seed| seed.len() < 8192);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    for _ in 0..RUNS {
        let mut input = (*dice.pick(&short)).clone();
        dice.damage(&mut input, &short);
        run(target, entry_point, &input);
    }
}

macro_rules! damaged {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                run_damaged(stringify!($target));
            }
        )*

        #[test]
        fn every_target_is_here_and_in_the_fuzz_crate() {
            let here = [$(stringify!($target)),*];
            let names: Vec<&str> = TARGETS.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, here);
            let manifest = std::fs::read_to_string(crate_dir().join("fuzz/Cargo.toml"));
            let manifest = manifest.expect("it is there");
            let bins: Vec<&str> = manifest
                .lines()
                .filter_map(|line| line.strip_prefix("path = \"fuzz_targets/"))
                .filter_map(|line| line.strip_suffix(".rs\""))
                .collect();
            assert_eq!(bins, here);
            for target in here {
                let path = crate_dir().join(format!("fuzz/fuzz_targets/{target}.rs"));
                let source = std::fs::read_to_string(path).expect("it is there");
                assert!(source.contains(&format!("entry_points::{target}(data)")), "{target}");
                assert!(!SEEDS[target].is_empty(), "{target} has no seeds");
            }
        }
    };
}

damaged! {
    table_index archive_index record manifest_text manifest_item node tuple store_root root_value
    commit tag table schema foreign_keys sql_type expression create_table field_text csv_parse
    jsonl_parse render
}
