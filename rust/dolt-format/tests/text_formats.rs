//! Tables in the other formats of text: each says what dolt's CSV says, and gives the table back.

#[path = "support/store.rs"]
mod support;

use dolt_format::build::refusal::refuses_writes;
use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::extent::TextLayout;
use dolt_format::csv::measure::Measure;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::{Address, Chunk, FormatError, TextFormat};
use support::Store;

/// Every kind of table; the remote that is left out only has more rows.
const REMOTES: [&str; 5] = ["primes", "types", "history", "edge", "edge-addresses"];

/// A table's text with its layout, every leaf of which is measured.
fn shown(store: &Store, table: &Table, renderer: &Renderer) -> (Vec<u8>, TextLayout) {
    let mut layout = TextLayout::new(&table.rows, renderer).expect("a layout");
    let bound = layout.size_max();
    let mut text = renderer.header();
    let root = Chunk::new(table.rows.message().clone());
    loop {
        let (nodes, leaves) = layout.frontier(0, u64::MAX, 100);
        if nodes.is_empty() && leaves.is_empty() {
            break;
        }
        let nodes: Vec<_> = nodes.iter().map(|node| store.get(*node).clone()).collect();
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
fn built(
    store: &Store,
    schema: &TableSchema,
    base: Address,
    format: TextFormat,
    old: Option<&TextLayout>,
    text: &[u8],
    step: usize,
) -> Result<BuiltTable, FormatError> {
    let base = store.get(base).clone();
    let mut build = TableBuild::new(schema.clone(), base)?.in_format(format);
    if let Some(old) = old.and_then(TextLayout::measured) {
        build.pass_over(old)?;
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

/// What saving a table's own text comes to.
type Outcome = Result<Address, FormatError>;

/// Saves a table's own text: read anew, in large and in small pieces, and passed over.
fn saved_again(store: &Store, address: Address, format: TextFormat) -> Option<[Outcome; 3]> {
    let (table, schema) = store.table(address);
    let renderer = Renderer::new(&schema)
        .expect("a renderer")
        .in_format(format);
    let (text, layout) = shown(store, &table, &renderer);
    if refuses_writes(&schema).is_some() {
        return None;
    }
    let save = |old, step| {
        let built = built(store, &schema, address, format, old, &text, step)?;
        assert_eq!(built.format, format);
        Ok(built.table.address())
    };
    Some([
        save(None, 64 << 10),
        save(None, 977),
        save(Some(&layout), 64 << 10),
    ])
}

#[test]
fn every_table_gives_itself_back_in_every_format() {
    let mut count = 0;
    support::each_table_of(&REMOTES, |store, name, address, _| {
        let Some(as_csv) = saved_again(store, address, TextFormat::Csv) else {
            return;
        };
        count += 1;
        for format in TextFormat::ALL {
            let [anew, in_pieces, over] = saved_again(store, address, format).expect("written");
            assert_eq!(anew, in_pieces, "{name} as {format}");
            // Some values of old data have another text, or another form, once they are read.
            if !name.starts_with("edge") {
                assert_eq!(anew, Ok(address), "{name} as {format}");
            }
            assert_eq!(
                anew.is_ok(),
                as_csv[0].is_ok(),
                "{name} as {format}: {anew:?}"
            );
            if anew.is_ok() {
                assert_eq!(anew, as_csv[0], "{name} as {format}");
            }
            assert_eq!(over, as_csv[2], "{name} as {format}");
        }
    });
    assert!(count > 55, "{count}");
}

/// The records of a CSV text that dolt wrote: a field is a text, or `None` for NULL.
fn records(text: &[u8]) -> Vec<Vec<Option<Vec<u8>>>> {
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

#[test]
fn tsv_is_csv_with_tabs() {
    let mut quoted = 0;
    support::each_table_of(&REMOTES, |store, name, address, expected| {
        let (table, schema) = store.table(address);
        let renderer = Renderer::new(&schema).expect(name);
        let (text, _) = shown(store, &table, &renderer.in_format(TextFormat::Tsv));
        let mut tsv = Vec::new();
        for record in records(&expected) {
            for (position, field) in record.iter().enumerate() {
                tsv.extend_from_slice(if position > 0 { b"\t" } else { b"" });
                let Some(field) = field else { continue };
                let head = String::from_utf8_lossy(field);
                let space = head.chars().next().is_some_and(char::is_whitespace);
                let special = field.iter().any(|byte| b"\t\"\r\n".contains(byte));
                if field.is_empty() || space || special || field == b"\\." {
                    quoted += 1;
                    tsv.push(b'"');
                    for byte in field {
                        tsv.extend(std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')));
                    }
                    tsv.push(b'"');
                } else {
                    tsv.extend_from_slice(field);
                }
            }
            tsv.push(b'\n');
        }
        assert!(text == tsv, "{name}");
    });
    assert!(quoted > 100, "{quoted}");
}
