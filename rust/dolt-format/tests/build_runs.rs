//! What is taken out of a build while text still comes makes the table that a build as a whole
//! makes, refuses what that refuses, and leaves little behind in memory.

use std::collections::BTreeSet;

use dolt_format::build::{BuiltTable, Lines, TableBuild};
use dolt_format::message::schema::TableSchema;
use dolt_format::schema::edit::{Around, SchemaEdit};
use dolt_format::{Chunk, FormatError, Traversal as _};
use proptest::prelude::*;

const TABLES: [&str; 4] = [
    "CREATE TABLE t (k varchar(20) NOT NULL, n int, PRIMARY KEY (k), KEY by_n (n))",
    "CREATE TABLE t (k varchar(20) NOT NULL, n int, PRIMARY KEY (k), UNIQUE KEY by_n (n))",
    "CREATE TABLE t (k varchar(20), n int)",
    "CREATE TABLE t (k varchar(20), n int, KEY by_k (k, n), UNIQUE KEY by_n (n))",
];

fn schema(text: &str) -> TableSchema {
    let around = Around {
        used_tags: &BTreeSet::new(),
        schemas: &[],
        foreign_keys: &[],
        collation: 309,
    };
    let edit = SchemaEdit::create("t", text.as_bytes(), around);
    edit.expect("a table").schema
}

fn text(rows: &[(String, u32)]) -> String {
    let rows = rows.iter().map(|(k, n)| format!("{k},{n}\n"));
    std::iter::once("k,n\n".to_owned()).chain(rows).collect()
}

fn whole(schema: &TableSchema, text: &str) -> Result<BuiltTable, FormatError> {
    let mut build = TableBuild::create(schema)?;
    build.feed(text.as_bytes())?;
    build.finish()
}

/// A build out of which as much as possible is taken.
struct Emptied {
    build: TableBuild,
    /// What is kept elsewhere: chunks, and the data of runs.
    chunks: Vec<Chunk>,
    disk: Vec<u8>,
    lines: Vec<Vec<u8>>,
    held_bytes_max: usize,
}

impl Emptied {
    fn new(schema: &TableSchema, sorting: bool) -> Self {
        let mut build = TableBuild::create(schema).expect("it starts");
        if sorting {
            build.sort_all();
        }
        Self {
            build,
            chunks: Vec::new(),
            disk: Vec::new(),
            lines: Vec::new(),
            held_bytes_max: 0,
        }
    }

    fn feed(&mut self, text: &[u8], bytes: usize) -> Result<(), FormatError> {
        self.build.feed(text)?;
        while let Some(leaves) = self.build.take(bytes) {
            let leaves = leaves.hash()?;
            self.lines.push(leaves.lines.to_bytes());
            self.chunks.extend(self.build.give(leaves));
        }
        while let Some(run) = self.build.take_run(bytes) {
            let run = run.sort();
            self.lines.push(run.lines.to_bytes());
            let offset = self.disk.len() as u64;
            self.disk.extend_from_slice(&run.data);
            self.build.give_run(run, offset);
        }
        self.held_bytes_max = self.held_bytes_max.max(self.build.held_bytes());
        Ok(())
    }

    fn finish(mut self, bytes: usize) -> Result<(BuiltTable, Vec<Chunk>, Lines), FormatError> {
        let mut finish = self.build.end()?;
        for mut job in finish.jobs() {
            while !job.is_over() {
                for read in job.needs() {
                    let start = usize::try_from(read.offset).expect("a small one");
                    job.feed(read.run, self.disk[start..start + read.len].to_vec())?;
                }
                if let Some(leaves) = job.next(bytes)? {
                    self.chunks.extend(finish.give(leaves.hash()?));
                }
            }
        }
        let built = finish.result()?;
        let mut lines = built.lines.clone();
        for more in &self.lines {
            lines.extend(more);
        }
        Ok((built, self.chunks, lines))
    }
}

fn emptied(
    schema: &TableSchema,
    text: &str,
    bytes: usize,
) -> Result<(BuiltTable, Vec<Chunk>, Lines), FormatError> {
    let fed = |sorting| {
        let mut emptied = Emptied::new(schema, sorting);
        for piece in text.as_bytes().chunks(500) {
            emptied.feed(piece, bytes)?;
        }
        Ok(emptied)
    };
    match fed(false) {
        Err(FormatError::OutOfOrder { .. }) => fed(true),
        other => other,
    }?
    .finish(bytes)
}

fn addresses<'a>(chunks: impl IntoIterator<Item = &'a Chunk>) -> BTreeSet<String> {
    let addresses = chunks.into_iter().map(|chunk| chunk.address().to_string());
    addresses.collect()
}

fn rows() -> impl Strategy<Value = Vec<(String, u32)>> {
    // Few keys clash, and some keys begin with another.
    let row = (0..200_000_u32, 0..3_000_000_u32);
    (prop::collection::vec(row, 0..2500), any::<bool>()).prop_map(|(rows, sorted)| {
        let mut rows: Vec<_> = rows.into_iter().map(|(k, n)| (format!("{k}"), n)).collect();
        if sorted {
            rows.sort();
        }
        rows
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn what_is_taken_away_makes_the_same_table(rows in rows(), bytes in 200..40_000_usize) {
        let text = text(&rows);
        for table in TABLES {
            let schema = schema(table);
            match (whole(&schema, &text), emptied(&schema, &text, bytes)) {
                (Ok(whole), Ok((built, taken, lines))) => {
                    prop_assert_eq!(built.table.address(), whole.table.address());
                    prop_assert_eq!(built.row_count, whole.row_count);
                    prop_assert_eq!(&built.measures, &whole.measures);
                    let chunks = addresses(taken.iter().chain(&built.chunks));
                    prop_assert!(chunks.is_superset(&addresses(&whole.chunks)));
                    let all = |lines: &Lines| {
                        let rows = lines.to_bytes();
                        let mut rows: Vec<_> = rows.chunks(12).map(<[u8]>::to_vec).collect();
                        rows.sort();
                        rows
                    };
                    prop_assert_eq!(all(&lines), all(&whole.lines));
                }
                (whole, emptied) => {
                    prop_assert_eq!(whole.map(|_| ()), emptied.map(|_| ()));
                }
            }
        }
    }
}

#[test]
fn keys_that_stand_twice_are_told_as_in_a_build_as_a_whole() {
    for (table, row, why) in [
        (TABLES[0], "0500", "stands on line 502"),
        (TABLES[1], "9999", "\"by_n\" has the same value on line"),
        (TABLES[3], "9999", "\"by_n\" has the same value on line"),
    ] {
        let mut rows: Vec<_> = (0..2000)
            .map(|n| (format!("{n:04}"), n * 7 % 2003))
            .collect();
        rows.push((row.to_owned(), rows[1200].1));
        let (schema, text) = (schema(table), text(&rows));
        let found = whole(&schema, &text).expect_err("two rows");
        assert!(found.to_string().contains(why), "{found}");
        assert_eq!(emptied(&schema, &text, 1000).map(|_| ()), Err(found));
    }
}

#[test]
fn the_last_leaf_may_end_with_the_last_row() {
    // Among so many numbers of rows are some with which a leaf ends.
    let rows: Vec<_> = (0..440).map(|n| (format!("{n:04}"), n)).collect();
    let schema = schema(TABLES[3]);
    for count in 400..rows.len() {
        let text = text(&rows[..count]);
        let mut taken = Emptied::new(&schema, true);
        taken.feed(text.as_bytes(), 4000).expect("it reads");
        let (built, ..) = taken.finish(1).expect("it builds");
        let whole = whole(&schema, &text).expect("it builds");
        assert_eq!(built.table.address(), whole.table.address(), "{count} rows");
    }
}

#[test]
fn runs_that_are_damaged_or_lost_are_missed() {
    let schema = schema(TABLES[0]);
    let rows: Vec<_> = (0..3000)
        .map(|n| (format!("{n:04}"), n * 7 % 3001))
        .collect();
    let fed = || {
        let mut emptied = Emptied::new(&schema, true);
        emptied
            .feed(text(&rows).as_bytes(), 1000)
            .expect("it reads");
        emptied
    };
    let mut damaged = fed();
    damaged.disk[5] ^= 1;
    let error = damaged.finish(1000).expect_err("other bytes");
    assert!(
        error.to_string().contains("not what was written"),
        "{error}"
    );

    let mut lost = Emptied::new(&schema, true);
    lost.build.feed(text(&rows).as_bytes()).expect("it reads");
    assert!(lost.build.take_run(1000).is_some());
    let error = lost.finish(1000).expect_err("rows are missing");
    assert!(error.to_string().contains("was not given back"), "{error}");
}

/// Bytes that a build of `count` rows held at most, of which all is taken that can be.
fn held(table: &str, count: u32, shuffled: bool) -> usize {
    let schema = schema(table);
    let mut emptied = Emptied::new(&schema, shuffled);
    emptied.feed(b"k,n\n", 20_000).expect("it reads");
    for start in (0..count).step_by(100) {
        let row = |n: u32| {
            let place = if shuffled { n * 7919 % count } else { n };
            format!(
                "{place:09},{}\n",
                n.wrapping_mul(2_654_435_761) % 2_000_000_011
            )
        };
        let rows: String = (start..count.min(start + 100)).map(row).collect();
        emptied.feed(rows.as_bytes(), 20_000).expect("it reads");
    }
    let most = emptied.held_bytes_max;
    let (built, ..) = emptied.finish(20_000).expect("it builds");
    assert_eq!(built.row_count, u64::from(count));
    most
}

#[test]
fn memory_does_not_grow_with_the_rows() {
    for (table, shuffled) in [
        (TABLES[0], false),
        (TABLES[0], true),
        (TABLES[2], true),
        (TABLES[3], false),
    ] {
        let [few, some, many] = [4000, 16_000, 64_000].map(|count| held(table, count, shuffled));
        // What is known of each leaf and of each block of sorted rows stays: a byte a row.
        for (count, held) in [(16_000, some), (64_000, many)] {
            assert!(held <= few + count, "{table}: {few}, {some}, {many} bytes");
        }
    }
}
