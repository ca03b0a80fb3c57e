//! A table's text is what dolt exports, byte for byte.

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeSet;

use dolt_format::Address;
use dolt_format::csv::extent::TextLayout;
use dolt_format::csv::measure::Measure;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::tree::{Kind, Node};
use support::Store;

#[test]
fn every_table_of_every_remote_is_shown_as_dolt_exports_it() {
    support::each_table(|store, name, address, expected| {
        shown_as_exported(store, name, address, &expected);
    });
}

#[test]
fn values_at_the_edges_are_shown_as_dolt_exports_them() {
    let mut encodings = BTreeSet::new();
    let remotes = ["edge", "edge-addresses"];
    let count = support::each_table_of(&remotes, |store, name, address, expected| {
        let (_, schema) = store.table(address);
        encodings.extend(schema.columns.iter().map(|column| column.encoding));
        shown_as_exported(store, name, address, &expected);
    });
    assert_eq!(count, 48);
    // The remote of old encodings has them: bytes, text, JSON and geometry by address.
    assert!(
        encodings.is_superset(&BTreeSet::from([21, 23, 24, 26])),
        "{encodings:?}"
    );
}

/// Renders a table leaf by leaf and compares it with dolt's export.
fn shown_as_exported(store: &Store, name: &str, address: Address, expected: &[u8]) {
    let (table, schema) = store.table(address);
    let renderer = Renderer::new(&schema).unwrap_or_else(|error| panic!("{name}: {error}"));
    let columns = renderer.columns().clone();
    let mut layout = TextLayout::new(&table.rows, &renderer).expect("a layout");
    let shown = columns.shown.iter().map(|column| column.name.as_str());
    let header = dolt_format::csv::header(shown);
    let mut text = header.clone();
    assert!(layout.size_max() >= expected.len() as u64, "{name}");
    let root = dolt_format::Chunk::new(table.rows.message().clone());
    loop {
        let frontier = layout.frontier(0, u64::MAX);
        if frontier.is_empty() {
            break;
        }
        assert_eq!(
            frontier.leaves,
            [],
            "{name}: all of a piece is rendered at once"
        );
        let leaves = layout.piece_leaves(&frontier.pieces);
        let nodes: Vec<_> = frontier
            .nodes
            .iter()
            .map(|node| store.get(*node).clone())
            .collect();
        layout.expand(&nodes).expect("it expands");
        let decoded = leaves
            .iter()
            .map(|leaf| {
                if *leaf == root.address() {
                    &root
                } else {
                    store.get(*leaf)
                }
            })
            .map(|chunk| Node::decode(Kind::Tuples, chunk.contents().clone()).expect("a leaf"));
        let mut render = Render::new(renderer.clone(), decoded.collect()).expect("it starts");
        let texts = store
            .drive(&mut render)
            .unwrap_or_else(|error| panic!("{name}: {error}"));
        let measures = texts.iter().map(|text| Measure::of(text));
        layout.set_measures(leaves.iter().copied().zip(measures));
        for leaf in &texts {
            text.extend_from_slice(leaf);
        }
    }
    assert_eq!(layout.size(), Some(expected.len() as u64), "{name}");
    assert_eq!(layout.size_max(), expected.len() as u64, "{name}");
    if text != expected {
        let at = text
            .iter()
            .zip(expected)
            .position(|(a, b)| a != b)
            .unwrap_or(text.len());
        let around = |text: &[u8]| {
            let part = &text[at.saturating_sub(60).min(text.len())..text.len().min(at + 60)];
            String::from_utf8_lossy(part).into_owned()
        };
        panic!(
            "{name} differs at {at}:\n{}\n{}",
            around(&text),
            around(expected)
        );
    }
    let extents = layout.extents(0, u64::MAX);
    assert_eq!(
        extents.iter().map(|extent| extent.length).sum::<u64>() + header.len() as u64,
        expected.len() as u64
    );
    if let Some(last) = extents.last() {
        let end = expected.len() as u64;
        assert_eq!(layout.extents(end - 1, 1), [*last], "{name}");
        assert_eq!(layout.extents(end, 10), [], "{name}");
    }
}
