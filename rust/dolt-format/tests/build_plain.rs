//! Records that are read in one pass give what they give field by field, and rows become leaves as
//! they come only where that gives the same tree.

#[path = "support/store.rs"]
mod support;

use std::sync::LazyLock;

use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::message::schema::TableSchema;
use dolt_format::{Chunk, FormatError};
use proptest::prelude::*;
use support::Store;

struct Subject {
    name: String,
    schema: TableSchema,
    base: Chunk,
}

/// The tables `(k int primary key, v <type>)` of `golden/import`.
fn subjects() -> Vec<Subject> {
    let (store, root) = Store::open(&support::golden("import/remote"));
    let tables = store.tables(store.branches(root)["main"]);
    let subjects = tables.into_iter().filter_map(|(name, address)| {
        let (_, schema) = store.table(address);
        let base = store.get(address).clone();
        TableBuild::new(schema.clone(), base.clone()).ok()?;
        Some(Subject { name, schema, base })
    });
    let subjects: Vec<_> = subjects.collect();
    assert!(subjects.len() > 40, "{} tables", subjects.len());
    subjects
}

impl Subject {
    fn build(&self, text: &[u8]) -> Result<BuiltTable, FormatError> {
        let mut build = TableBuild::new(self.schema.clone(), self.base.clone())?;
        build.feed(text)?;
        build.finish()
    }
}

/// Values in the form in which they are shown, and others.
fn value() -> impl Strategy<Value = String> {
    let known = [
        "",
        "\"\"",
        "0",
        "-0",
        "007",
        "-1",
        "+1",
        " 1",
        "1 ",
        "127",
        "128",
        "-128",
        "-129",
        "255",
        "256",
        "65535",
        "8388607",
        "16777215",
        "2147483647",
        "2147483648",
        "-2147483648",
        "4294967295",
        "9223372036854775807",
        "9223372036854775808",
        "-9223372036854775808",
        "123456789012345678",
        "1234567890123456789",
        "12345678",
        "87654321",
        "1.5",
        "1e3",
        ".5",
        "2024-02-29",
        "2023-02-29",
        "0999-01-01",
        "1000-01-01",
        "9999-12-31",
        "0000-00-00",
        "2024-1-2",
        "2024-02-29 12:34:56",
        "2024-02-29 24:00:00",
        "2024-02-29 12:34:56.5",
        "2024-13-01 00:00:00",
        "2024-02-29T12:34:56",
        "12:34:56",
        "-838:59:59",
        "true",
        "a",
        "b",
        "a,b",
        "abc",
        "\\.",
        "ab\"c",
        "\"ab\"\"c\"",
        "\"a\"b",
        "\u{3000}a",
        "\u{a0}a",
        "äöü",
        "日本",
        "a\u{3000}",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "b'101'",
        "0x5",
        "2024",
        "[1, 2]",
        "{}",
        "\t",
        "a\tb",
        "\u{feff}",
        "a\0b",
        "a\rb",
    ];
    prop_oneof![
        3 => prop::sample::select(known.to_vec()).prop_map(str::to_owned),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<i16>().prop_map(|number| number.to_string()),
        1 => "[-+0-9.: eEabcxyzäß日]{0,20}",
        1 => "[0-9]{4}-[01][0-9]-[0-3][0-9]( [0-2][0-9]:[0-6][0-9]:[0-6][0-9])?",
    ]
}

thread_local! {
    static SUBJECTS: Vec<Subject> = subjects();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    /// Lines that end in CR LF are never plain.
    #[test]
    fn plain_records_are_taken_as_others_are(
        which in any::<prop::sample::Index>(),
        values in prop::collection::vec(value(), 1..4),
    ) {
        SUBJECTS.with(|subjects| -> Result<(), TestCaseError> {
            let subject = which.get(subjects);
            let text = |end: &str| {
                let rows = values.iter().enumerate();
                let rows = rows.map(|(number, value)| format!("{number},{value}{end}"));
                // Plain records are looked for up to eight bytes ahead.
                let behind = format!("70000,{end}70001,{end}");
                [format!("k,v{end}"), rows.collect(), behind].concat()
            };
            let plain = subject.build(text("\n").as_bytes());
            let other = subject.build(text("\r\n").as_bytes());
            match (plain, other) {
                (Ok(plain), Ok(other)) => {
                    prop_assert_eq!(plain.table.address(), other.table.address());
                    prop_assert_eq!(plain.measures, other.measures, "{}", subject.name);
                    prop_assert_eq!(plain.row_count, other.row_count);
                }
                (plain, other) => {
                    prop_assert_eq!(plain.map(|_| ()), other.map(|_| ()), "{}", subject.name);
                }
            }
            Ok(())
        })?;
    }
}

/// A table with two indexes, and the text of `count` rows.
fn indexed(count: usize) -> (TableSchema, Chunk, Vec<String>) {
    static FLIGHTS: LazyLock<(TableSchema, Chunk)> = LazyLock::new(|| {
        let (store, root) = Store::open(&support::golden("remotes/flights"));
        let flights = store.tables(store.branches(root)["main"])["flights"];
        (store.table(flights).1, store.get(flights).clone())
    });
    let (schema, base) = FLIGHTS.clone();
    let names: Vec<&str> = schema
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .collect();
    let mut lines = vec![names.join(",") + "\n"];
    lines.extend((1..=count).map(|id| {
        let (minute, flight) = (id % 60, id * 7 % 9973);
        format!(
            "{id},2013,1,1,517,515,2,830,819,11,UA,{flight},N14228,EWR,IAH,227,1400,5,{minute},\
             2013-01-01 10:00:00\n"
        )
    }));
    (schema, base, lines)
}

fn addresses(chunks: &[Chunk]) -> Vec<String> {
    let mut addresses: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk.address().to_string())
        .collect();
    addresses.sort();
    addresses.dedup();
    addresses
}

#[test]
fn leaves_that_are_taken_away_make_the_same_table() {
    let (schema, base, lines) = indexed(5000);
    let mut whole = TableBuild::new(schema.clone(), base.clone()).expect("it starts");
    whole.feed(lines.concat().as_bytes()).expect("it reads");
    let whole = whole.finish().expect("it builds");

    let mut build = TableBuild::new(schema, base).expect("it starts");
    let (mut chunks, mut later) = (Vec::new(), Vec::new());
    for piece in lines.concat().as_bytes().chunks(10_000) {
        build.feed(piece).expect("it reads");
        if let Some(batch) = build.take(3000) {
            let batch = batch.hash().expect("it hashes");
            // In any order, and some only after the end.
            if later.len() < 3 {
                later.push(batch);
            } else {
                chunks.extend(build.give(batch));
            }
        }
    }
    let mut finish = build.end().expect("it ends");
    later.reverse();
    for batch in later {
        chunks.extend(finish.give(batch));
    }
    for mut job in finish.jobs() {
        while let Some(batch) = job.next(8000).expect("it goes on") {
            chunks.extend(finish.give(batch.hash().expect("it hashes")));
        }
    }
    let built = dolt_format::Traversal::result(&mut finish).expect("it builds");
    assert_eq!(built.table.address(), whole.table.address());
    assert_eq!(built.row_count, 5000);
    assert_eq!(built.measures, whole.measures);
    chunks.extend(built.chunks);
    assert_eq!(addresses(&chunks), addresses(&whole.chunks));
}

#[test]
fn rows_out_of_order_are_sorted_unless_rows_before_were_taken_away() {
    let (schema, base, mut lines) = indexed(3000);
    let mut straight = TableBuild::new(schema.clone(), base.clone()).expect("it starts");
    straight.feed(lines.concat().as_bytes()).expect("it reads");
    let straight = straight.finish().expect("it builds");

    lines.swap(2500, 2600);
    let text = lines.concat();
    let mut kept = TableBuild::new(schema.clone(), base.clone()).expect("it starts");
    kept.feed(text.as_bytes()).expect("it reads");
    let kept = kept.finish().expect("it builds");
    assert_eq!(kept.table.address(), straight.table.address());

    let mut taken = TableBuild::new(schema, base).expect("it starts");
    let (before, behind) = text.as_bytes().split_at(100_000);
    taken.feed(before).expect("it reads");
    assert!(taken.take(1000).is_some());
    let error = taken.feed(behind).expect_err("it cannot go back");
    // The row with the lower key comes behind the one with the higher.
    assert_eq!(error, FormatError::OutOfOrder { line: 2502 });
}

#[test]
fn duplicates_are_told_with_both_lines() {
    let (schema, base, lines) = indexed(3000);
    for (place, line) in [(2501, 2500), (1201, 2502)] {
        let mut lines = lines.clone();
        lines.insert(2501, lines[place - 1].clone());
        let mut build = TableBuild::new(schema.clone(), base.clone()).expect("it starts");
        let fed = build.feed(lines.concat().as_bytes());
        let error = fed.and_then(|()| build.finish().map(|_| ()));
        let FormatError::DuplicateKey { line: found, why } = error.expect_err("two rows") else {
            panic!("another error");
        };
        assert_eq!(found, 2502);
        assert!(
            why.contains(&format!("stands on line {}", place.min(line + 1))),
            "{why}"
        );
    }
}

#[test]
fn a_batch_that_is_not_given_back_is_missed() {
    for lost in 0..3 {
        let (schema, base, lines) = indexed(5000);
        let mut build = TableBuild::new(schema, base).expect("it starts");
        build.feed(lines.concat().as_bytes()).expect("it reads");
        let taken = build.take(1000).expect("some leaves");
        let mut finish = build.end().expect("it ends");
        if lost != 0 {
            finish.give(taken.hash().expect("it hashes"));
        }
        for (number, mut job) in (1..).zip(finish.jobs()) {
            while let Some(batch) = job.next(1 << 20).expect("it goes on") {
                if lost != number {
                    finish.give(batch.hash().expect("it hashes"));
                }
            }
        }
        let error = dolt_format::Traversal::result(&mut finish).expect_err("rows are missing");
        assert!(
            error.to_string().contains(&format!("of tree {lost} ")),
            "{error}"
        );
    }
}
