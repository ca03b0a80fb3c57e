//! What is built depends on the rows alone, and shows as the text it was built from.

#[path = "support/store.rs"]
mod support;

use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::{Address, Chunk};
use proptest::prelude::*;
use support::Store;

/// A table of a golden remote, and rows of its text to choose from.
struct Subject {
    schema: TableSchema,
    base: Chunk,
    header: Vec<u8>,
    lines: Vec<Vec<u8>>,
}

/// The tables `(k int primary key, v <type>)` of `golden/import`, each with what its type can hold.
fn subjects() -> Vec<Subject> {
    let (store, root) = Store::open(&support::golden("import/remote"));
    let tables = store.tables(store.branches(root)["main"]);
    let mut subjects = Vec::new();
    for (name, address) in tables {
        let (table, schema) = store.table(address);
        // An infinite double and a decimal that is no number are shown and not read.
        if table.rows.is_empty() || name.starts_with("dec_") || name.starts_with("double_") {
            continue;
        }
        if dolt_format::build::refusal::refuses_writes(&schema).is_some() {
            continue;
        }
        let mut lines = text_of(&schema, &table, &|address| store.get(address).clone());
        if name == "enum_" || name == "enum_ci" {
            // So shows an enum that is no member, which import makes of 0 and does not read.
            lines.retain(|line| !line.ends_with(b",\"\"\n"));
        }
        subjects.push(Subject {
            schema,
            base: store.get(address).clone(),
            header: b"k,v\n".to_vec(),
            lines,
        });
    }
    assert!(subjects.len() > 40, "{} tables", subjects.len());
    subjects
}

/// The text of each row, in the order of the tree.
fn text_of(schema: &TableSchema, table: &Table, get: &dyn Fn(Address) -> Chunk) -> Vec<Vec<u8>> {
    let renderer = Renderer::new(schema).expect("a renderer");
    let mut nodes = vec![table.rows.clone()];
    let mut leaves = Vec::new();
    while let Some(node) = nodes.pop() {
        if node.is_leaf() {
            leaves.push(node);
            continue;
        }
        let children = (0..node.len()).rev().map(|item| {
            let child = get(node.address(item));
            Node::decode(Kind::Tuples, child.contents().clone()).expect("a node")
        });
        nodes.extend(children);
    }
    let mut render = Render::new(renderer, leaves).expect("it starts");
    loop {
        let needs = render.needs(9);
        if needs.is_empty() {
            break;
        }
        let chunks: Vec<Chunk> = needs.into_iter().map(get).collect();
        render.feed(&chunks).expect("it takes them");
    }
    split(&render.result().expect("it renders").concat())
}

/// Text into records, each with its line end.
fn split(text: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut quoted = false;
    for part in text.split_inclusive(|byte| *byte == b'\n') {
        if quoted {
            let last: &mut Vec<u8> = lines.last_mut().expect("a quote was opened");
            last.extend_from_slice(part);
        } else {
            lines.push(part.to_vec());
        }
        quoted ^= part.split(|byte| *byte == b'"').count() % 2 == 0;
    }
    lines
}

impl Subject {
    fn build(&self, text: &[u8], cuts: &[usize]) -> BuiltTable {
        let mut build = TableBuild::new(self.schema.clone(), self.base.clone()).expect("it starts");
        let mut rest = text;
        for cut in cuts {
            let (piece, behind) = rest.split_at(cut % (rest.len() + 1));
            build.feed(piece).expect("it reads");
            rest = behind;
        }
        build.feed(rest).expect("it reads");
        build.finish().expect("it builds")
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn rows_in_any_order_and_any_pieces_give_one_table(
        which in any::<prop::sample::Index>(),
        choice in prop::collection::vec(any::<bool>(), 300),
        order in prop::collection::vec(any::<u32>(), 300),
        cuts in prop::collection::vec(any::<usize>(), 0..6),
    ) {
        thread_local! {
            static SUBJECTS: Vec<Subject> = subjects();
        }
        SUBJECTS.with(|subjects| -> Result<(), TestCaseError> {
            let subject = which.get(subjects);
            let chosen: Vec<&Vec<u8>> = subject
                .lines
                .iter()
                .zip(&choice)
                .filter_map(|(line, chosen)| chosen.then_some(line))
                .collect();
            let text = |lines: &[&Vec<u8>]| {
                let mut text = subject.header.clone();
                for line in lines {
                    text.extend_from_slice(line);
                }
                text
            };
            let straight = subject.build(&text(&chosen), &[]);
            let mut shuffled: Vec<(u32, &Vec<u8>)> = order.into_iter().zip(chosen.clone()).collect();
            shuffled.sort_by_key(|(place, _)| *place);
            let shuffled: Vec<&Vec<u8>> = shuffled.into_iter().map(|(_, line)| line).collect();
            let other = subject.build(&text(&shuffled), &cuts);
            prop_assert_eq!(other.table.address(), straight.table.address());
            prop_assert_eq!(other.row_count as usize, chosen.len());

            // What it shows is the text, and the lengths add up.
            let at_hand = |address: Address| {
                let mut chunks = straight.chunks.iter();
                chunks.find(|chunk| chunk.address() == address).expect("a chunk").clone()
            };
            let table = Table::decode(straight.table.contents()).expect("a table");
            let shown = text_of(&subject.schema, &table, &at_hand).concat();
            prop_assert_eq!(&[subject.header.as_slice(), &shown].concat(), &text(&chosen));
            let lengths: u64 = straight.measures.iter().map(|(_, measure)| measure.length).sum();
            prop_assert_eq!(lengths as usize, shown.len());
            Ok(())
        })?;
    }
}
