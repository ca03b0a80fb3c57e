//! A table made by editing the old one equals the table built from the whole new text.

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dolt_format::build::refusal::refuses_writes;
use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::measure::Measure;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::message::schema::{Index, TableSchema};
use dolt_format::message::table::Table;
use dolt_format::tree::scan::AddressMapScan;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::value::encoding::is_adaptive;
use dolt_format::{Address, Chunk, FormatError};
use proptest::prelude::*;
use support::Store;

/// A table `(k int primary key, v <type>)`, and texts of values that it can hold.
struct Subject {
    schema: TableSchema,
    base: Chunk,
    values: Vec<String>,
}

fn index(name: &str, unique: bool, prefix: u16) -> Index {
    Index {
        name: name.to_owned(),
        index_columns: vec![1],
        key_columns: vec![1, 0],
        prefix_lengths: if prefix > 0 { vec![prefix] } else { Vec::new() },
        unique,
        ..Index::default()
    }
}

/// The tables of `golden/import`, each without an index, with one, and with a unique one.
fn subjects() -> Vec<Subject> {
    let (store, root) = Store::open(&support::golden("import/remote"));
    let mut subjects = Vec::new();
    for (name, address) in store.tables(store.branches(root)["main"]) {
        let (table, schema) = store.table(address);
        let unreadable = ["dec_", "double_", "enum_"];
        if table.rows.is_empty()
            || schema.columns.len() != 2
            || unreadable.iter().any(|prefix| name.starts_with(prefix))
            || refuses_writes(&schema).is_some()
        {
            continue;
        }
        let lines = text_of(&schema, &table, &|address| store.get(address).clone());
        let lines = String::from_utf8(lines).unwrap_or_default();
        let values = lines
            .lines()
            .filter(|line| line.split('"').count() % 2 == 1);
        let values = values.filter_map(|line| Some(line.split_once(',')?.1.to_owned()));
        let mut values: Vec<String> = values.collect();
        if matches!(
            schema.columns[1].sql_type.as_str(),
            "int" | "bigint" | "varchar(20)"
        ) {
            // Enough for unique keys in many leaves.
            values.extend((10_000..13_000).map(|number| number.to_string()));
        }
        let adaptive = is_adaptive(schema.columns[1].encoding);
        if adaptive {
            values.push("x".repeat(5000));
            values.push("y".repeat(1500));
            values.retain(|value| value.len() > 1000 || !name.starts_with("json"));
        }
        if name.starts_with("json") || values.is_empty() {
            continue;
        }
        let indexes = [
            vec![],
            vec![index("i", false, if adaptive { 7 } else { 0 })],
            vec![
                index("i", false, if adaptive { 3 } else { 0 }),
                // The same again: both have one root.
                index("j", false, if adaptive { 3 } else { 0 }),
                index("u", true, if adaptive { 5 } else { 0 }),
            ],
        ];
        for indexes in indexes {
            let schema = TableSchema {
                indexes,
                ..schema.clone()
            };
            if refuses_writes(&schema).is_some() {
                continue;
            }
            let mut subject = Subject {
                schema,
                base: store.get(address).clone(),
                values: Vec::new(),
            };
            // A short column does not hold the long values.
            let fits = |value: &&String| {
                let text = format!("k,v\n1,{value}\n");
                subject.build(&subject.base, text.as_bytes()).is_ok()
            };
            subject.values = values.iter().filter(fits).cloned().collect();
            if !subject.values.is_empty() {
                subjects.push(subject);
            }
        }
    }
    let large =
        |subject: &&Subject| subject.values.len() > 2000 && subject.schema.indexes.len() == 3;
    assert!(
        subjects.iter().filter(large).count() > 1,
        "unique keys in many leaves"
    );
    assert!(subjects.len() > 100, "{} subjects", subjects.len());
    subjects
}

/// The text of a table's rows.
fn text_of(schema: &TableSchema, table: &Table, get: &dyn Fn(Address) -> Chunk) -> Vec<u8> {
    let mut nodes = vec![table.rows.clone()];
    let mut leaves = Vec::new();
    while let Some(node) = nodes.pop() {
        if node.is_leaf() {
            leaves.push(node);
            continue;
        }
        let children = (0..node.len()).rev().map(|item| {
            Node::decode(Kind::Tuples, get(node.address(item)).contents().clone()).expect("a node")
        });
        nodes.extend(children);
    }
    let mut render = Render::new(Renderer::new(schema).expect("a renderer"), leaves).expect("it");
    loop {
        let needs = render.needs(9);
        if needs.is_empty() {
            return render.result().expect("it renders").concat();
        }
        let chunks: Vec<Chunk> = needs.into_iter().map(get).collect();
        render.feed(&chunks).expect("it takes them");
    }
}

impl Subject {
    fn text(&self, rows: &BTreeMap<u32, usize>) -> Vec<u8> {
        let mut text = String::from("k,v\n");
        for (key, value) in rows {
            let value = &self.values[value % self.values.len()];
            writeln!(text, "{key},{value}").expect("a string grows");
        }
        text.into_bytes()
    }

    fn build(&self, base: &Chunk, text: &[u8]) -> Result<BuiltTable, FormatError> {
        let mut build = TableBuild::new(self.schema.clone(), base.clone())?;
        build.feed(text)?;
        build.finish()
    }

    fn rewrite(
        &self,
        old: &BuiltTable,
        store: &Store,
        text: &[u8],
        piece: usize,
    ) -> Result<BuiltTable, FormatError> {
        let mut build = TableBuild::new(self.schema.clone(), old.table.clone())?;
        build.pass_over(Some(old.measures.clone()))?;
        for piece in text.chunks(piece) {
            build.feed(piece)?;
        }
        store.drive(&mut build.end()?)
    }
}

#[derive(Debug, Clone)]
enum Edit {
    Put(u32, usize),
    Delete(u32),
    DeleteRange(u32, u32),
}

fn edit() -> impl Strategy<Value = Edit> {
    prop_oneof![
        4 => (0..4000u32, any::<usize>()).prop_map(|(key, value)| Edit::Put(key, value)),
        2 => (0..4000u32).prop_map(Edit::Delete),
        1 => (0..4000u32, 0..900u32).prop_map(|(from, len)| Edit::DeleteRange(from, from + len)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn an_edited_table_equals_one_that_is_built(
        which in any::<prop::sample::Index>(),
        rows in prop::collection::btree_map(0..4000u32, any::<usize>(), 0..2500),
        edits in prop::collection::vec(edit(), 0..12),
        piece in prop_oneof![Just(1 << 20), 100..9000usize],
        moved in prop::option::of((any::<usize>(), any::<usize>())),
    ) {
        thread_local! {
            static SUBJECTS: Vec<Subject> = subjects();
        }
        SUBJECTS.with(|subjects| -> Result<(), TestCaseError> {
            let subject = which.get(subjects);
            let unique = subject.schema.indexes.iter().any(|index| index.unique);
            let rows: BTreeMap<u32, usize> = if unique {
                // At most one row for each value: else hardly any table would be valid.
                rows.into_iter().take(subject.values.len()).enumerate()
                    .map(|(at, (key, _))| (key, at)).collect()
            } else {
                rows
            };
            let old = match subject.build(&subject.base, &subject.text(&rows)) {
                Ok(old) => old,
                Err(error) => {
                    prop_assert!(unique, "only unique keys clash: {error}");
                    return Ok(());
                }
            };
            let mut store = Store::default();
            store.add(old.chunks.clone());
            let mut rows = rows;
            for edit in &edits {
                match edit {
                    Edit::Put(key, value) => { rows.insert(*key, *value); }
                    Edit::Delete(key) => { rows.remove(key); }
                    Edit::DeleteRange(from, to) => rows.retain(|key, _| !(from..to).contains(&key)),
                }
            }
            let mut text = subject.text(&rows);
            if let Some((from, to)) = moved {
                // Two pieces of the text trade places: rows need not come in order.
                let ends: Vec<usize> = text.iter().enumerate()
                    .filter_map(|(at, byte)| (*byte == b'\n').then_some(at + 1)).collect();
                let (mut a, mut b) = (ends[from % ends.len()], ends[to % ends.len()]);
                if a > b { std::mem::swap(&mut a, &mut b); }
                text = [&text[..a], &text[b..], &text[a..b]].concat();
            }
            let bulk = subject.build(&old.table, &text);
            let rewritten = subject.rewrite(&old, &store, &text, piece);
            match (bulk, rewritten) {
                (Ok(bulk), Ok(rewritten)) => {
                    prop_assert_eq!(rewritten.table.address(), bulk.table.address());
                    prop_assert_eq!(rewritten.row_count, rows.len() as u64);
                    store.add(rewritten.chunks.clone());
                    check_whole(subject, &store, &rewritten, &rows)?;
                }
                (Err(bulk), Err(rewritten)) => {
                    let unique = |error: &FormatError| error.to_string().contains("unique key");
                    prop_assert!(unique(&bulk) && unique(&rewritten), "{bulk} but {rewritten}");
                }
                (bulk, rewritten) => prop_assert!(false, "{bulk:?} but {rewritten:?}"),
            }
            Ok(())
        })?;
    }
}

/// Every chunk is at hand, and the measures are those of the leaves.
fn check_whole(
    subject: &Subject,
    store: &Store,
    built: &BuiltTable,
    rows: &BTreeMap<u32, usize>,
) -> Result<(), TestCaseError> {
    let table = Table::decode(built.table.contents()).expect("a table");
    let shown = text_of(&subject.schema, &table, &|address| {
        store.get(address).clone()
    });
    prop_assert_eq!([b"k,v\n".as_slice(), &shown].concat(), subject.text(rows));
    let indexes = AddressMapScan::new(table.indexes).expect("a map");
    for (_, root) in store.drive(&mut { indexes }).expect("indexes") {
        let mut nodes = vec![root];
        while let Some(address) = nodes.pop() {
            let chunk = store.get(address).contents().clone();
            let node = Node::decode(Kind::Tuples, chunk).expect("a node");
            if !node.is_leaf() {
                nodes.extend((0..node.len()).map(|item| node.address(item)));
            }
        }
    }
    for (leaf, measure) in &built.measures {
        let raw = if *leaf == Address::of(table.rows.message()) {
            table.rows.message().clone()
        } else {
            store.get(*leaf).contents().clone()
        };
        let node = Node::decode(Kind::Tuples, raw).expect("a leaf");
        let mut render = Render::new(
            Renderer::new(&subject.schema).expect("a renderer"),
            vec![node],
        )
        .expect("it starts");
        let text = store.drive(&mut render).expect("it renders").concat();
        prop_assert_eq!(*measure, Measure::of(&text));
    }
    Ok(())
}

#[test]
fn a_key_of_a_leaf_that_stays_may_not_come_again() {
    let subjects = subjects();
    let subject = subjects
        .iter()
        .find(|s| s.schema.indexes.is_empty())
        .expect("one");
    let rows: BTreeMap<u32, usize> = (0..3000).map(|key| (key, 0)).collect();
    let text = subject.text(&rows);
    let old = subject.build(&subject.base, &text).expect("it builds");
    assert!(old.measures.len() > 3, "{} leaves", old.measures.len());
    let mut store = Store::default();
    store.add(old.chunks.clone());
    let again = format!("5,{}\n", subject.values[0]);
    let error = subject
        .rewrite(&old, &store, &[text, again.into_bytes()].concat(), 1 << 20)
        .expect_err("a key stands twice");
    assert_eq!(
        error.to_string(),
        "line 3002: the primary key (k) = (5) stands on another line already"
    );
}

#[test]
fn a_bad_value_behind_leaves_that_stay_is_told_with_its_line() {
    let subjects = subjects();
    let subject = subjects
        .iter()
        .find(|s| s.schema.indexes.is_empty())
        .expect("one");
    let rows: BTreeMap<u32, usize> = (0..3000).map(|key| (key, 0)).collect();
    let text = subject.text(&rows);
    let old = subject.build(&subject.base, &text).expect("it builds");
    let mut store = Store::default();
    store.add(old.chunks.clone());
    let text = String::from_utf8(text)
        .expect("UTF-8")
        .replace("\n2500,", "\nx,");
    let error = subject
        .rewrite(&old, &store, text.as_bytes(), 1000)
        .expect_err("no number");
    assert!(
        error.to_string().starts_with("line 2502, column \"k\""),
        "{error}"
    );
}

#[test]
fn a_bad_value_is_refused_before_it_is_known_what_is_repeated() {
    let subjects = subjects();
    let mut subjects = subjects.iter();
    let subject = subjects.find(|s| s.schema.indexes.is_empty()).expect("one");
    let rows: BTreeMap<u32, usize> = (0..3000).map(|key| (key, 0)).collect();
    let text = subject.text(&rows);
    let old = subject.build(&subject.base, &text).expect("it builds");
    let mut build = TableBuild::new(subject.schema.clone(), old.table.clone()).expect("it starts");
    build
        .pass_over(Some(old.measures.clone()))
        .expect("it can be");
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for line in &lines[..10] {
        build.feed(line).expect("it repeats the old text");
    }
    let error = build.feed(b"x,1\n").expect_err("no number");
    assert!(
        error.to_string().starts_with("line 11, column \"k\""),
        "{error}"
    );
}

#[test]
fn rows_are_counted_over_line_ends_in_fields_of_what_is_passed_over() {
    let subjects = subjects();
    let is_text = |s: &&Subject| s.schema.columns[1].sql_type.starts_with("varchar(5)");
    let subject = subjects.iter().find(is_text).expect("one");
    let mut text = String::from("k,v\n");
    for key in 1..=3000 {
        writeln!(text, "{key},\"a\n\"\"b\"").expect("a string grows");
    }
    let old = subject
        .build(&subject.base, text.as_bytes())
        .expect("it builds");
    assert!(old.measures.len() > 3, "{} leaves", old.measures.len());
    let text = text.replace("\n2500,", "\nx,");
    for over in [None, Some(old.measures)] {
        let mut build =
            TableBuild::new(subject.schema.clone(), old.table.clone()).expect("it starts");
        build.count_rows();
        build.pass_over(over).expect("it can be");
        // What waits for the end of a leaf is looked at, too.
        let fed = text
            .as_bytes()
            .chunks(100)
            .try_for_each(|piece| build.feed(piece));
        let error = fed.expect_err("no number").to_string();
        assert!(error.starts_with("line 2500, column \"k\""), "{error}");
    }
}

#[test]
fn a_stray_quote_is_told_with_its_line_while_it_waits_for_more() {
    let subjects = subjects();
    let is_plain = |s: &&Subject| s.schema.indexes.is_empty();
    let subject = subjects.iter().find(is_plain).expect("one");
    let rows: BTreeMap<u32, usize> = (0..3000).map(|key| (key, 0)).collect();
    let text = subject.text(&rows);
    let old = subject.build(&subject.base, &text).expect("it builds");
    let mut build = TableBuild::new(subject.schema.clone(), old.table.clone()).expect("it starts");
    build.pass_over(Some(old.measures)).expect("it can be");
    let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
    for line in &lines[..10] {
        build.feed(line).expect("it repeats the old text");
    }
    let error = build.feed(b"10,\"a\"b\n").expect_err("a stray quote");
    assert!(
        error.to_string().starts_with("line 11: a quoted field"),
        "{error}"
    );
}
