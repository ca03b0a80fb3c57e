//! Trees that dolt built are built again, chunk for chunk.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use bytes::Bytes;
use dolt_format::tree::blob;
use dolt_format::tree::chunker::{BuiltMap, MapBuilder};
use dolt_format::tree::closure::{ClosureEdit, ClosureLookup};
use dolt_format::tree::diff_count::{Counts, DiffCount};
use dolt_format::tree::edit::{Change, Edit};
use dolt_format::tree::probe::SortKey;
use dolt_format::tree::scan::AddressMapScan;
use dolt_format::tree::{Kind, Node, Traversal, address_map};
use dolt_format::{Address, Chunk, FormatError};
use proptest::prelude::*;
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("goldens are JSON")
}

/// Chunks by address: what a remote is to a traversal.
#[derive(Default)]
struct Store(HashMap<Address, Chunk>);

impl Store {
    fn add(&mut self, chunks: impl IntoIterator<Item = Chunk>) {
        self.0
            .extend(chunks.into_iter().map(|chunk| (chunk.address(), chunk)));
    }

    /// Feeds in portions and in another order than was asked for: neither may matter.
    fn drive<T: Traversal>(&self, traversal: &mut T) -> Result<T::Output, FormatError> {
        let mut handed_out = HashSet::new();
        loop {
            let mut outstanding = traversal.needs(3);
            if outstanding.is_empty() {
                return traversal.result();
            }
            outstanding.extend(traversal.needs(2));
            for address in outstanding.iter().rev() {
                assert!(handed_out.insert(*address), "{address} is handed out again");
                traversal.feed(&[self.0[address].clone()])?;
            }
        }
    }
}

/// These keys are their own sort keys.
fn plain() -> SortKey {
    Arc::new(<[u8]>::to_vec)
}

fn node(chunk: &Chunk) -> Node {
    Node::decode_any(chunk.contents().clone()).expect("a node")
}

/// All trees in a golden that come with every chunk's bytes.
fn trees(value: &Value, found: &mut Vec<HashMap<Address, Bytes>>) {
    if let Some(list) = value["chunks"].as_array()
        && list
            .iter()
            .all(|chunk| chunk["hex"].is_string() && chunk["hash"].is_string())
    {
        let tree = list.iter().map(|chunk| {
            let hash = chunk["hash"]
                .as_str()
                .expect("hash")
                .parse()
                .expect("address");
            (
                hash,
                hex::decode(chunk["hex"].as_str().expect("hex"))
                    .expect("hex")
                    .into(),
            )
        });
        found.push(tree.collect());
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| trees(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| trees(field, found)),
        _ => {}
    }
}

#[test]
fn trees_are_rebuilt_from_their_entries() {
    let mut count = 0;
    for name in [
        "01-empty",
        "02-primes",
        "03-tiny",
        "04-twolevel",
        "06-alltypes",
        "07-decimals",
        "08-string-pk",
        "09-keyless",
        "10-adaptive",
        "12-secondary",
        "13-layout",
        "15-key-types",
    ] {
        let mut found = Vec::new();
        trees(&golden(&format!("prolly/{name}.json")), &mut found);
        for tree in found {
            let nodes: HashMap<_, _> = tree
                .iter()
                .map(|(address, contents)| {
                    let chunk = Chunk::verify(*address, contents.clone()).expect("golden");
                    (*address, node(&chunk))
                })
                .collect();
            let root = nodes
                .values()
                .max_by_key(|node| (node.level(), node.tree_count()));
            let Some(root) = root else { continue };
            let mut leaves: Vec<_> = Vec::new();
            let mut stack = vec![root.clone()];
            while let Some(node) = stack.pop() {
                if node.is_leaf() {
                    leaves.push(node);
                } else {
                    let children = (0..node.len()).rev();
                    stack.extend(children.map(|item| nodes[&node.address(item)].clone()));
                }
            }
            let mut builder = MapBuilder::new(root.kind());
            for leaf in &leaves {
                for item in 0..leaf.len() {
                    builder
                        .push(
                            leaf.key(item),
                            leaf.value(item),
                            &leaf.value_addresses(item),
                        )
                        .expect("it fits");
                }
            }
            let built = builder.finish().expect("it builds");
            assert_eq!(built.root.contents(), root.message(), "{name}");
            for chunk in &built.nodes {
                assert!(tree.contains_key(&chunk.address()), "{name}");
            }
            assert_eq!(built.nodes.len() + 1, tree.len(), "{name}");
            count += 1;
        }
    }
    assert!(count >= 5, "{count} trees");
}

#[test]
fn blob_roots_are_dolts() {
    let vectors = golden("prolly/21-unit-vectors.json");
    let roots = vectors["blob_roots"].as_array().expect("a list");
    for vector in roots {
        let len = vector[0]
            .as_u64()
            .and_then(|len| usize::try_from(len).ok())
            .expect("length");
        let payload: Vec<u8> = (0..251u8).cycle().take(len).collect();
        if len > 0 {
            let (root, _) = blob::build(&payload).expect("it builds");
            assert_eq!(
                root.to_string(),
                vector[1].as_str().expect("address"),
                "{len}"
            );
        }
    }
    assert!(roots.len() > 5);
}

#[test]
fn closures_of_a_long_linear_history_are_dolts() {
    let tree = golden("objects/closure_tree.json");
    let addresses = tree["addresses"].as_str().expect("addresses");
    let addresses: Vec<Address> = (0..addresses.len() / 32)
        .map(|at| addresses[32 * at..32 * at + 32].parse().expect("address"))
        .collect();
    let expected: HashMap<u64, &str> = tree["expected"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|entry| {
            let height = entry["commit_height"].as_u64().expect("height");
            (height, entry["closure"].as_str().expect("text"))
        })
        .collect();
    let mut store = Store::default();
    let mut closure = Address::EMPTY;
    let mut checked = 0;
    for (height, parent) in (1u64..).zip(&addresses) {
        let mut edit = ClosureEdit::new(*parent, height, closure).expect("it starts");
        let chunks = store.drive(&mut edit).expect("it edits");
        closure = chunks.last().expect("a root").address();
        store.add(chunks);
        if let Some(expected) = expected.get(&(height + 1)) {
            assert_eq!(closure.to_string(), *expected, "height {height}");
            checked += 1;
        }
    }
    assert_eq!(checked, expected.len());
    let lookup = |commit: Address, height: u64| {
        let mut lookup = ClosureLookup::new(closure, commit, height).expect("it starts");
        store.drive(&mut lookup).expect("it looks")
    };
    assert!(lookup(addresses[0], 1) && lookup(addresses[1200], 1201));
    assert!(!lookup(addresses[1200], 1200) && !lookup(Address::of(b"x"), 3));
    assert!(!lookup(Address::of(b"x"), 1_000_000));
}

fn key(number: u32) -> Vec<u8> {
    let mut key = number.to_be_bytes().to_vec();
    key.extend_from_slice(&[1, 0]);
    key
}

fn build(rows: &BTreeMap<u32, Vec<u8>>) -> BuiltMap {
    let mut builder = MapBuilder::new(Kind::Tuples);
    for (number, value) in rows {
        builder.push(&key(*number), value, &[]).expect("it fits");
    }
    builder.finish().expect("it builds")
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        16 => proptest::collection::vec(any::<u8>(), 1..60),
        2 => proptest::collection::vec(any::<u8>(), 900..5000),
        1 => (20_000usize..64_000, any::<u8>()).prop_map(|(len, fill)| vec![fill; len]),
    ]
}

type Batch = BTreeMap<u32, Option<Vec<u8>>>;

fn batch() -> impl Strategy<Value = Batch> {
    let value = proptest::option::weighted(0.6, value());
    proptest::collection::btree_map(0u32..20_000, value, 0..60)
}

#[test]
fn what_is_equal_needs_no_chunk() {
    let tree = build(&(0..5000).map(|n| (n, vec![1; 30])).collect());
    let root = node(&tree.root);
    assert!(!root.is_leaf());
    let mut diff = DiffCount::new(root.clone(), root.clone(), false, Some(plain()));
    assert!(diff.needs(9).is_empty());
    assert_eq!(diff.result(), Ok(Counts::default()));
    let mut edit = Edit::new(root, plain(), Vec::new()).expect("it starts");
    assert!(edit.needs(9).is_empty());
    let edited = edit.result().expect("it edits");
    assert_eq!((edited.root, edited.nodes), (tree.root, Vec::new()));
}

#[test]
fn a_row_edited_in_a_large_map_costs_few_nodes() {
    let mut rows: BTreeMap<_, _> = (0..100_000).map(|n| (n, vec![1; 30])).collect();
    let tree = build(&rows);
    let mut store = Store::default();
    store.add(tree.nodes.clone());
    let changes = vec![Change {
        key: key(50_000),
        sort_key: key(50_000),
        value: Some((vec![2; 31], Vec::new())),
    }];
    let mut edit = Edit::new(node(&tree.root), plain(), changes).expect("it starts");
    let edited = store.drive(&mut edit).expect("it edits");
    rows.insert(50_000, vec![2; 31]);
    assert_eq!(edited.root.address(), build(&rows).root.address());
    assert!(edited.nodes.len() < 8, "{} new nodes", edited.nodes.len());
    store.add(edited.nodes);
    let mut diff = DiffCount::new(node(&tree.root), node(&edited.root), false, Some(plain()));
    let mut read = 0;
    loop {
        let needs = diff.needs(100);
        if needs.is_empty() {
            break;
        }
        read += needs.len();
        let chunks: Vec<_> = needs.iter().map(|at| store.0[at].clone()).collect();
        diff.feed(&chunks).expect("it feeds");
    }
    assert_eq!(diff.result().expect("counts").modified, 1);
    assert!(read < 16, "{read} nodes read");
}

/// The counts, where chunks come one by one and those asked for last come first.
fn counted(store: &Store, old: &Chunk, new: &Chunk, keyless: bool, ordered: bool) -> Counts {
    let order = ordered.then(plain);
    let mut diff = DiffCount::new(node(old), node(new), keyless, order);
    loop {
        let needs = diff.needs(10);
        if needs.is_empty() {
            return diff.result().expect("it counts");
        }
        for address in needs.iter().rev() {
            diff.feed(&[store.0[address].clone()]).expect("it feeds");
        }
    }
}

#[test]
fn maps_that_share_little_are_counted_in_any_order() {
    let rows = |step: usize, from: u32, value: u8| -> BTreeMap<u32, Vec<u8>> {
        (from..60_000)
            .step_by(step)
            .map(|n| (n, [1, 0, 0, 0, 0, 0, 0, 0, value].repeat(5)))
            .collect()
    };
    let sides = [
        rows(1, 0, 1),
        rows(2, 0, 2),
        rows(2, 1, 1),
        rows(1, 40_000, 1),
        BTreeMap::new(),
    ];
    for old in &sides {
        for new in &sides {
            let trees = [build(old), build(new)];
            let mut store = Store::default();
            for tree in &trees {
                store.add(tree.nodes.clone());
            }
            let shared = || {
                old.iter()
                    .filter_map(|(key, value)| Some((value, new.get(key)?)))
            };
            let counts = Counts {
                added: (new.len() - shared().count()) as u64,
                removed: (old.len() - shared().count()) as u64,
                modified: shared().filter(|(was, is)| was != is).count() as u64,
            };
            for ordered in [true, false] {
                let [old, new] = [&trees[0].root, &trees[1].root];
                assert_eq!(counted(&store, old, new, false, ordered), counts);
                // Each row stands once, before and after.
                let keyless = Counts {
                    modified: 0,
                    ..counts
                };
                assert_eq!(counted(&store, old, new, true, ordered), keyless);
            }
        }
    }
}

#[test]
fn equal_rows_of_a_keyless_table_are_counted_as_rows() {
    let times = |n: u64| n.to_le_bytes().to_vec();
    let old = build(&BTreeMap::from([
        (1, times(5)),
        (2, times(1)),
        (3, times(4)),
    ]));
    let new = build(&BTreeMap::from([
        (1, times(2)),
        (3, times(9)),
        (4, times(7)),
    ]));
    let mut diff = DiffCount::new(node(&old.root), node(&new.root), true, Some(plain()));
    let expected = Counts {
        added: 12,
        removed: 4,
        modified: 0,
    };
    assert_eq!(diff.result(), Ok(expected));
}

#[test]
fn address_maps_of_any_size_are_scanned_as_they_were_built() {
    for count in [0usize, 1, 50, 3000] {
        let entries: BTreeMap<String, Address> = (0..count)
            .map(|n| (format!("refs/heads/{n}"), Address::of(&n.to_le_bytes())))
            .collect();
        let sorted = entries.iter().map(|(name, to)| (name.as_str(), *to));
        let map = address_map::build(sorted).expect("it builds");
        let mut store = Store::default();
        store.add(map.nodes);
        let mut scan = AddressMapScan::new(map.root.contents().clone()).expect("it starts");
        assert_eq!(store.drive(&mut scan), Ok(entries));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]

    /// However a map came about, its root is the same (what makes the tree a prolly tree).
    #[test]
    fn the_address_depends_on_the_rows_alone(
        start in proptest::collection::btree_map(0u32..20_000, value(), 0..1500),
        batches in proptest::collection::vec(batch(), 1..4),
    ) {
        let mut rows = start;
        let mut store = Store::default();
        let mut tree = build(&rows);
        store.add(tree.nodes.clone());
        for batch in batches {
            let before = tree.root.clone();
            let mut expected = Counts::default();
            let mut changes = Vec::new();
            for (number, value) in batch {
                match (rows.get(&number), &value) {
                    (None, Some(_)) => expected.added += 1,
                    (Some(_), None) => expected.removed += 1,
                    (Some(old), Some(new)) if old != new => expected.modified += 1,
                    _ => {}
                }
                match value.clone() {
                    Some(value) => rows.insert(number, value),
                    None => rows.remove(&number),
                };
                let value = value.map(|value| (value, Vec::new()));
                changes.push(Change { key: key(number), sort_key: key(number), value });
            }
            let mut edit = Edit::new(node(&tree.root), plain(), changes).expect("it starts");
            let edited = store.drive(&mut edit).expect("it edits");
            let bulk = build(&rows);
            prop_assert_eq!(edited.root.address(), bulk.root.address());
            store.add(edited.nodes.clone());
            for chunk in &bulk.nodes {
                prop_assert!(store.0.contains_key(&chunk.address()), "a node is missing");
            }
            for order in [Some(plain()), None] {
                let mut diff = DiffCount::new(node(&before), node(&edited.root), false, order);
                prop_assert_eq!(store.drive(&mut diff).expect("it compares"), expected);
            }
            tree = edited;
        }
    }

    #[test]
    fn trees_shrink_to_what_is_left(keep in 0usize..12, rows in 500u32..4000) {
        let all: BTreeMap<_, _> = (0..rows).map(|n| (n, vec![7; 40])).collect();
        let tree = build(&all);
        let mut store = Store::default();
        store.add(tree.nodes.clone());
        let kept = all.iter().filter(|(n, _)| **n % (rows / 12) == 0).take(keep);
        let left: BTreeMap<_, _> = kept.map(|(n, value)| (*n, value.clone())).collect();
        let gone = all.keys().filter(|n| !left.contains_key(n));
        let changes = gone.map(|n| Change { key: key(*n), sort_key: key(*n), value: None }).collect();
        let mut edit = Edit::new(node(&tree.root), plain(), changes).expect("it starts");
        let edited = store.drive(&mut edit).expect("it edits");
        prop_assert_eq!(edited.root.address(), build(&left).root.address());
    }
}
