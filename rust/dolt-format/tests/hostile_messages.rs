//! Messages that keep the envelope and lie inside it are errors that say what is wrong.

use bytes::Bytes;
use dolt_format::message::commit::Commit;
use dolt_format::message::foreign_key;
use dolt_format::message::root_value::RootValue;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::tree::scan::AddressMapScan;
use dolt_format::tree::{Kind, Node, Traversal, address_map};
use dolt_format::{Address, Chunk, FormatError};
use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

type Builder = FlatBufferBuilder<'static>;
type Offset = WIPOffset<TableFinishedWIPOffset>;

const fn field(slot: u16) -> u16 {
    4 + 2 * slot
}

fn message(id: &str, root: impl FnOnce(&mut Builder) -> Offset) -> Bytes {
    let mut b = Builder::new();
    let root = root(&mut b);
    b.finish(root, Some(id));
    let data = b.finished_data();
    let [_, length @ ..] = u32::try_from(data.len()).expect("short").to_be_bytes();
    [&[0x1b], &length[..], data].concat().into()
}

fn text<T: std::fmt::Debug>(result: Result<T, FormatError>) -> String {
    result.expect_err("it is refused").to_string()
}

/// A node of an address map with these names and addresses; `counts` as they are stored.
fn addresses(level: u8, entries: &[(&str, Address)], counts: &[u8], total: u64) -> Bytes {
    message("ADRM", |b| {
        let mut offsets = vec![0];
        let mut keys: Vec<u8> = Vec::new();
        for (name, _) in entries {
            keys.extend(name.as_bytes());
            offsets.push(u16::try_from(keys.len()).expect("short"));
        }
        let raw: Vec<u8> = entries.iter().flat_map(|(_, to)| *to.as_bytes()).collect();
        let (keys, offsets) = (b.create_vector(&keys), b.create_vector(&offsets));
        let (raw, counts) = (b.create_vector(&raw), b.create_vector(counts));
        let table = b.start_table();
        b.push_slot_always(field(0), keys);
        b.push_slot_always(field(1), offsets);
        b.push_slot_always(field(2), raw);
        b.push_slot_always(field(3), counts);
        b.push_slot(field(4), total, 0);
        b.push_slot(field(5), level, 0);
        b.end_table(table)
    })
}

#[test]
fn a_message_of_a_newer_dolt_is_refused() {
    let commit = message("DCMT", |b| {
        let table = b.start_table();
        b.push_slot(field(12), 1u8, 0);
        b.end_table(table)
    });
    let error = Commit::decode(&commit).expect_err("a 13th field");
    assert!(matches!(error, FormatError::Unsupported(_)), "{error}");
    assert!(error.to_string().contains("13 fields"), "{error}");

    let root = message("RTVL", |b| {
        let table = b.start_table();
        b.push_slot(field(0), 8i64, 0);
        b.end_table(table)
    });
    let error = RootValue::decode(&root).expect_err("feature version 8");
    assert!(matches!(error, FormatError::Unsupported(_)), "{error}");
}

#[test]
fn another_message_than_expected_is_named() {
    let map = addresses(0, &[], &[], 0);
    assert_eq!(
        text(Commit::decode(&map)),
        "commit: its file identifier is \"ADRM\", expected \"DCMT\""
    );
    assert!(text(Table::decode(&map)).contains("\"DTBL\""));
}

#[test]
fn a_string_cannot_be_copied_more_often_than_the_message_is_long() {
    let columns = |b: &mut Builder, id: fn(&mut Builder, Offset) -> Offset| {
        let name = b.create_string(&"n".repeat(100_000));
        let table = b.start_table();
        b.push_slot_always(field(0), name);
        let column = b.end_table(table);
        id(b, column)
    };
    let many = |b: &mut Builder, item: Offset| {
        let items = b.create_vector(&[item; 4000]);
        let table = b.start_table();
        b.push_slot_always(field(0), items);
        b.end_table(table)
    };
    let schema = Chunk::new(message("DSCH", |b| columns(b, many)));
    assert!(text(TableSchema::decode(&schema)).contains("longer than the message"));
    let keys = message("DFKC", |b| columns(b, many));
    assert!(text(foreign_key::decode(&keys)).contains("longer than the message"));
}

#[test]
fn a_node_whose_parts_disagree_is_refused() {
    let one = Address::of(b"one");
    let two = [("a", one), ("b", one)];
    let node = |message: Bytes| Node::decode(Kind::Addresses, message);
    assert!(text(node(addresses(0, &two, &[], 3))).contains("tree count says 3"));
    assert!(text(node(addresses(1, &two, &[2, 0], 3))).contains("tree count says 3"));
    assert!(text(node(addresses(1, &two, &[2], 1))).contains("1 subtree counts"));
    assert!(text(node(addresses(1, &two, &[2, 0, 0], 3))).contains("more subtree counts"));
    assert!(text(node(addresses(1, &two, &[2, 3], 0))).contains("below 0"));
    assert!(text(node(addresses(1, &two, &[2, 0x80], 2))).contains("no varints"));
    assert!(text(node(addresses(1, &[], &[], 0))).contains("without children"));
    assert!(text(node(addresses(15, &two, &[2, 0], 2))).contains("level 15"));
    assert!(node(addresses(14, &two, &[2, 0], 2)).is_ok());
}

#[test]
fn a_map_that_claims_one_subtree_twice_is_refused() {
    // Fifteen chunks could claim 2^15 entries, and with more children as many as they like.
    let leaf = Chunk::new(addresses(0, &[("a", Address::EMPTY)], &[], 1));
    let twice = [("a", leaf.address()), ("b", leaf.address())];
    let error = text(AddressMapScan::new(addresses(1, &twice, &[2, 0], 2)));
    assert!(error.contains("stands twice"), "{error}");
}

#[test]
fn a_child_that_is_not_what_its_parent_promised_is_refused() {
    let leaf = Chunk::new(addresses(0, &[("a", Address::EMPTY)], &[], 1));
    let inner = [("a", leaf.address())];
    let feed = |level: u8, counts: &[u8], total: u64| {
        let root = addresses(level, &inner, counts, total);
        let mut scan = AddressMapScan::new(root).expect("a root");
        assert_eq!(scan.needs(5), [leaf.address()]);
        scan.feed(std::slice::from_ref(&leaf))
            .and_then(|()| scan.result())
    };
    assert!(text(feed(2, &[2], 1)).contains("promises level 1 with 1"));
    assert!(text(feed(1, &[4], 2)).contains("promises level 0 with 2"));
    assert_eq!(feed(1, &[2], 1).expect("an honest map").len(), 1);
}

#[test]
fn a_chunk_that_nobody_asked_for_is_refused() {
    let leaf = Chunk::new(addresses(0, &[("a", Address::EMPTY)], &[], 1));
    let mut scan = AddressMapScan::new(addresses(0, &[], &[], 0)).expect("a root");
    assert!(text(scan.feed(&[leaf])).contains("not asked for"));
}

#[test]
fn a_result_asked_for_too_early_is_refused() {
    let names: Vec<String> = (0..2000).map(|n| format!("refs/heads/{n:04}")).collect();
    let entries = names
        .iter()
        .map(|name| (name.as_str(), Address::of(name.as_bytes())));
    let map = address_map::build(entries).expect("it builds");
    let mut scan = AddressMapScan::new(map.root.contents().clone()).expect("a root");
    assert!(text(scan.result()).contains("fed to its end"));
    assert!(!scan.needs(1).is_empty());
    assert!(text(scan.result()).contains("fed to its end"));
}
