//! Ten thousand edits, in batches of any size, leave the trees that a bulk build gives.

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use dolt_format::tree::chunker::{BuiltMap, MapBuilder};
use dolt_format::tree::edit::{Change, Edit};
use dolt_format::tree::{Kind, Node};
use support::Store;

const EDITS: usize = 10_000;
const KEYS: u64 = 6000;
const BATCHES: [usize; 8] = [1, 1, 2, 3, 10, 50, 200, 600];

/// Numbers that look random and are the same each time (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

/// A row: its word, and how long its value is.
type Row = (u8, usize);
type Rows = BTreeMap<u64, Row>;
/// The entries of a map in the order of their keys, which is that of their bytes.
type Entries = BTreeMap<Vec<u8>, Vec<u8>>;

fn clustered(rows: &Rows) -> Entries {
    let entry = |(key, (word, len)): (&u64, &Row)| (key.to_be_bytes().to_vec(), vec![*word; *len]);
    rows.iter().map(entry).collect()
}

/// A secondary index of the word.
fn index(rows: &Rows) -> Entries {
    let entry = |(key, (word, _)): (&u64, &Row)| {
        (
            [&[*word], key.to_be_bytes().as_slice()].concat(),
            vec![0, 0],
        )
    };
    rows.iter().map(entry).collect()
}

/// The rows without their keys: each counted under its hash.
fn keyless(rows: &Rows) -> Entries {
    let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
    for (word, len) in rows.values() {
        let row = [&[*word], len.to_be_bytes().as_slice()].concat();
        let hash = dolt_format::Address::of(&row).as_bytes()[..16].to_vec();
        *counts.entry(hash).or_default() += 1;
    }
    let counted = |(hash, count): (Vec<u8>, u64)| (hash, count.to_le_bytes().to_vec());
    counts.into_iter().map(counted).collect()
}

fn build(entries: &Entries) -> BuiltMap {
    let mut builder = MapBuilder::new(Kind::Tuples);
    for (key, value) in entries {
        builder.push(key, value, &[]).expect("it fits");
    }
    builder.finish().expect("it builds")
}

fn changes(old: &Entries, new: &Entries) -> Vec<Change> {
    let gone = old.keys().filter(|key| !new.contains_key(*key));
    let put = new
        .iter()
        .filter(|(key, value)| old.get(*key) != Some(value));
    let mut changes: BTreeMap<&Vec<u8>, Option<&Vec<u8>>> = gone.map(|key| (key, None)).collect();
    changes.extend(put.map(|(key, value)| (key, Some(value))));
    let change = |(key, value): (&Vec<u8>, Option<&Vec<u8>>)| Change {
        key: key.clone(),
        sort_key: key.clone(),
        value: value.map(|value| (value.clone(), Vec::new())),
    };
    changes.into_iter().map(change).collect()
}

fn edit_one(rows: &mut Rows, numbers: &mut Numbers) {
    let key = numbers.below(KEYS);
    if numbers.below(10) < 4 {
        rows.remove(&key);
        return;
    }
    let len = match numbers.below(40) {
        0 => 900 + numbers.below(9000),
        1 => 1,
        _ => 10 + numbers.below(50),
    };
    let word = u8::try_from(numbers.below(20)).expect("small");
    rows.insert(key, (word, usize::try_from(len).expect("small")));
}

/// Edits the map that `entries` makes of rows; the edited tree is checked against a bulk build.
fn check(seed: u64, entries: impl Fn(&Rows) -> Entries) {
    let mut numbers = Numbers(seed);
    let mut rows = Rows::new();
    let mut old = entries(&rows);
    let mut root = build(&old).root;
    let mut store = Store::default();
    let (mut done, mut batches, mut most) = (0, 0, 0);
    while done < EDITS {
        let size = BATCHES[usize::try_from(numbers.below(8)).expect("small")].min(EDITS - done);
        for _ in 0..size {
            edit_one(&mut rows, &mut numbers);
        }
        done += size;
        let new = entries(&rows);
        let node = Node::decode(Kind::Tuples, root.contents().clone()).expect("a node");
        let sort_key = Arc::new(<[u8]>::to_vec);
        let mut edit = Edit::new(node, sort_key, changes(&old, &new)).expect("it starts");
        let edited = store.drive(&mut edit).expect("it edits");
        store.add(edited.nodes);
        (root, old) = (edited.root, new);
        batches += 1;
        most = most.max(old.len());
        if batches % 10 == 0 || done == EDITS {
            let bulk = build(&old);
            assert_eq!(root.address(), bulk.root.address(), "after {done} edits");
            let missing = bulk
                .nodes
                .iter()
                .filter(|node| !store.0.contains_key(&node.address()));
            assert_eq!(missing.count(), 0, "after {done} edits");
        }
    }
    assert!(
        batches > 50 && most > 200,
        "{batches} batches, {most} entries"
    );
    // And back to nothing.
    let node = Node::decode(Kind::Tuples, root.contents().clone()).expect("a node");
    let none = changes(&old, &Entries::new());
    let mut edit = Edit::new(node, Arc::new(<[u8]>::to_vec), none).expect("it starts");
    let emptied = store.drive(&mut edit).expect("it edits");
    assert_eq!(
        emptied.root.address(),
        build(&Entries::new()).root.address()
    );
}

#[test]
fn a_clustered_index_after_many_edits() {
    check(1, clustered);
}

#[test]
fn a_secondary_index_after_many_edits() {
    check(2, index);
}

#[test]
fn a_keyless_table_after_many_edits() {
    check(3, keyless);
}
