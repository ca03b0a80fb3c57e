//! Trees of dolt's that are given by a formula or a history are built to the same addresses.

use std::collections::HashMap;
use std::fmt::Write;

use dolt_format::tree::Traversal;
use dolt_format::tree::chunker::{BuiltMap, MapBuilder};
use dolt_format::tree::closure::ClosureEdit;
use dolt_format::tree::{Kind, Node};
use dolt_format::{Address, Chunk};
use serde_json::Value;
use sha2::{Digest, Sha256, Sha512};

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("goldens are JSON")
}

/// Fields, then where each but the first starts, then how many; trailing NULLs are left out.
fn tuple(fields: &[Option<Vec<u8>>]) -> Vec<u8> {
    let count = fields
        .iter()
        .rposition(Option::is_some)
        .map_or(0, |at| at + 1);
    let (mut bytes, mut starts) = (Vec::new(), Vec::new());
    for field in &fields[..count] {
        starts.push(bytes.len());
        bytes.extend(field.iter().flatten());
    }
    for number in starts.into_iter().skip(1).chain([count]) {
        bytes.extend(u16::try_from(number).expect("it fits").to_le_bytes());
    }
    bytes
}

fn text(text: &str) -> Vec<u8> {
    [text.as_bytes(), &[0]].concat()
}

fn build(rows: impl IntoIterator<Item = (Vec<u8>, Vec<u8>)>) -> BuiltMap {
    let mut builder = MapBuilder::new(Kind::Tuples);
    for (key, value) in rows {
        builder.push(&key, &value, &[]).expect("it fits");
    }
    builder.finish().expect("it builds")
}

fn assert_equals(built: &BuiltMap, expected: &Value) {
    let root = Node::decode_any(built.root.contents().clone()).expect("a node");
    assert_eq!(built.root.address().to_string(), expected["root"]);
    assert_eq!(u64::from(root.level()), expected["level"]);
    assert_eq!(root.tree_count(), expected["entries"]);
    assert_eq!(built.nodes.len() + 1, expected["chunk_count"]);
    let mut leaves = Sha256::new();
    for leaf in &built.leaves {
        leaves.update(leaf.address().as_bytes());
    }
    assert_eq!(
        hex::encode(leaves.finalize()),
        expected["leaf_hashes_sha256"]
    );
}

/// One of 100 000 rows, as the golden's note has them.
fn big_row(i: i64) -> (Vec<u8>, Vec<u8>) {
    let letters = "abcdefghij".repeat(4);
    let suffix = &letters[..usize::try_from(i % 37).expect("small")];
    let hundredths = (i * 7919) % 1_000_003 - 500_000;
    let mut price = (-2i32).to_le_bytes().to_vec();
    price.extend(
        i8::try_from(hundredths.signum())
            .expect("a sign")
            .to_le_bytes(),
    );
    if hundredths != 0 {
        price.extend(hundredths.unsigned_abs().to_be_bytes());
    }
    let seconds = 946_684_800 + i * 1001; // 2000-01-01
    let time = seconds * 1_000_000 + i * 37;
    let cube = i.pow(3) - 50_000_000_000;
    let id = i32::try_from(i * 7 - 350_000).expect("an int");
    let value = tuple(&[
        Some(text(&format!("row-{i}-{suffix}"))),
        Some(price),
        Some(time.to_le_bytes().to_vec()),
        (i % 3 != 0).then(|| cube.to_le_bytes().to_vec()),
        (i % 5 != 0).then(|| text(&format!("{i:x}"))),
    ]);
    (tuple(&[Some(id.to_le_bytes().to_vec())]), value)
}

#[test]
fn a_hundred_thousand_rows_make_dolts_tree() {
    let expected = golden("prolly/05-big100k.json");
    assert_equals(
        &build((1..=100_000).map(big_row)),
        &expected["tables"][0]["primary"],
    );
}

#[test]
fn large_keys_and_rows_make_dolts_trees() {
    let expected = golden("prolly/14-large-rows.json");
    let repeated = |byte: u8, len: usize| Some([vec![byte; len], vec![0]].concat());
    let mut deep: Vec<_> = (0..200usize)
        .map(|i| {
            let digest = Sha512::digest(format!("k{i}"));
            let len = [10, 700, 1500, 3000][(i * i + i / 3) % 4];
            let key: Vec<u8> = digest.iter().copied().cycle().take(len).collect();
            let value = repeated(b'a', [0, 10, 5000, 12000][(i * 7 + i / 5) % 4]);
            (key, tuple(&[value]))
        })
        .collect();
    deep.sort();
    let deep = deep.into_iter().map(|(mut key, value)| {
        key.push(0);
        (tuple(&[Some(key)]), value)
    });
    assert_equals(&build(deep), &expected["tables"][0]["primary"]);
    let wide = (0..60usize).map(|i| {
        let id = u32::try_from(i).expect("small").to_le_bytes().to_vec();
        let a = repeated(b'a', [1, 500, 3000, 5900, 6000][i % 5]);
        let b = repeated(b'b', [1, 500, 5000, 9000, 10000][(i * 3 + i / 7) % 5]);
        (tuple(&[Some(id)]), tuple(&[a, b]))
    });
    assert_equals(&build(wide), &expected["tables"][1]["primary"]);
}

#[test]
fn closures_of_a_branching_history_are_dolts() {
    let history = golden("prolly/19-commit-closure.json");
    let commits = history["commits"].as_array().expect("a list");
    let mut chunks: HashMap<Address, Chunk> = HashMap::new();
    let mut closures: Vec<Option<Address>> = Vec::new();
    let mut wrong = String::new();
    for commit in commits {
        let expected: Address = commit[3]
            .as_str()
            .and_then(|a| a.parse().ok())
            .expect("address");
        let parents: Vec<usize> = serde_json::from_value(commit[2].clone()).expect("indices");
        let closure = match parents[..] {
            [] => Some(Address::EMPTY),
            // A merge takes in entries of another closure, and pyfs makes none.
            [parent] => closures[parent].map(|closure| {
                let of = &commits[parent];
                let address = of[0]
                    .as_str()
                    .and_then(|a| a.parse().ok())
                    .expect("address");
                let height = of[1].as_u64().expect("height");
                let mut edit = ClosureEdit::new(address, height, closure).expect("it starts");
                while let [address] = edit.needs(9)[..] {
                    edit.feed(&[chunks[&address].clone()]).expect("it feeds");
                }
                let new = edit.result().expect("it edits");
                let root = new.last().expect("a root").address();
                chunks.extend(new.into_iter().map(|chunk| (chunk.address(), chunk)));
                root
            }),
            _ => None,
        };
        if closure.is_some_and(|closure| closure != expected) {
            writeln!(wrong, "height {}", commit[1]).expect("it writes");
        }
        closures.push(closure);
    }
    assert_eq!(wrong, "");
    assert_eq!(closures.iter().flatten().count(), 94);
}
