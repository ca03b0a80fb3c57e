//! Texts of tables in every format, and tables of texts.
#![allow(dead_code)] // each test binary uses a part of it

use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::extent::TextLayout;
use dolt_format::csv::measure::Measure;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::{Address, Chunk, FormatError, TextFormat};

use crate::support::Store;

/// Every kind of table, and one of many rows.
pub(crate) const REMOTES: [&str; 6] = [
    "primes",
    "types",
    "history",
    "edge",
    "edge-addresses",
    "flights",
];

/// A table's text with its layout, every leaf of which is measured.
pub(crate) fn shown(store: &Store, table: &Table, renderer: &Renderer) -> (Vec<u8>, TextLayout) {
    let mut layout = TextLayout::new(&table.rows, renderer).expect("a layout");
    let bound = layout.size_max();
    let mut text = renderer.header();
    let root = Chunk::new(table.rows.message().clone());
    loop {
        let frontier = layout.frontier(0, u64::MAX);
        if frontier.is_empty() {
            break;
        }
        let leaves = layout.piece_leaves(&frontier.pieces);
        let nodes: Vec<_> = frontier
            .nodes
            .iter()
            .map(|node| store.get(*node).clone())
            .collect();
        layout.expand(&nodes).expect("it expands");
        let chunks = leaves.iter().map(|leaf| {
            let embedded = *leaf == root.address();
            if embedded { &root } else { store.get(*leaf) }
        });
        let decoded = chunks
            .map(|chunk| Node::decode(Kind::Tuples, chunk.contents().clone()).expect("a leaf"));
        let mut render = Render::new(renderer.clone(), decoded.collect()).expect("it starts");
        let texts = store.drive(&mut render).expect("it renders");
        let measures = texts.iter().map(|text| Measure::of(text));
        layout.set_measures(leaves.iter().copied().zip(measures));
        text.extend(texts.concat());
    }
    assert_eq!(layout.size(), Some(text.len() as u64));
    assert!(text.len() as u64 <= bound, "{} > {bound}", text.len());
    (text, layout)
}

/// The table that a text gives, on top of `base`; read in pieces of `step` bytes.
pub(crate) fn built(
    store: &Store,
    schema: &TableSchema,
    base: Address,
    format: TextFormat,
    old: Option<&TextLayout>,
    text: &[u8],
    step: usize,
) -> Result<BuiltTable, FormatError> {
    let base = store.get(base).clone();
    let mut build = TableBuild::new(schema.clone(), base)?.in_format(format)?;
    if let Some(old) = old.and_then(TextLayout::measured) {
        build.pass_over(Some(old))?;
    }
    for piece in text.chunks(step) {
        build.feed(piece)?;
    }
    let mut finish = build.end()?;
    loop {
        let needs = finish.needs(64);
        if needs.is_empty() {
            return finish.result();
        }
        let chunks: Vec<Chunk> = needs
            .iter()
            .map(|address| store.get(*address).clone())
            .collect();
        finish.feed(&chunks)?;
    }
}

/// The records of a CSV text that dolt wrote: a field is a text, or `None` for NULL.
pub(crate) fn records(text: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
    let (mut all, mut record, mut field) = (Vec::new(), Vec::new(), None::<Vec<u8>>);
    let mut bytes = text.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b',' => record.push(field.take()),
            b'\n' => {
                record.push(field.take());
                all.push(std::mem::take(&mut record));
            }
            b'"' if field.is_none() => {
                let quoted = field.insert(Vec::new());
                while let Some(byte) = bytes.next() {
                    if byte == b'"' && bytes.next_if_eq(&b'"').is_none() {
                        break;
                    }
                    quoted.push(byte);
                }
            }
            byte => field.get_or_insert_default().push(byte),
        }
    }
    all
}
