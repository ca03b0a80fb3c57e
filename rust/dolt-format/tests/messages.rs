//! Every message that dolt wrote is decoded and encoded again to the same bytes.

use bytes::Bytes;
use dolt_format::message::commit::Commit;
use dolt_format::message::ref_name::branch_name_error;
use dolt_format::message::root_value::RootValue;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::message::{foreign_key, store_root, tag::Tag};
use dolt_format::tree::{Node, address_map};
use dolt_format::{Address, Chunk};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("goldens are JSON")
}

/// Every object in a golden that has an address and its bytes.
fn chunks(value: &Value, found: &mut Vec<(Address, Bytes)>) {
    if let (Some(address), Some(hex)) = (value["address"].as_str(), value["hex"].as_str()) {
        let contents = hex::decode(hex).expect("hex");
        found.push((address.parse().expect("address"), contents.into()));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| chunks(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| chunks(field, found)),
        _ => {}
    }
}

fn all_chunks() -> Vec<Chunk> {
    let mut found = Vec::new();
    for name in ["messages", "primes", "schemas", "forged"] {
        chunks(&golden(&format!("objects/{name}.json")), &mut found);
    }
    found
        .into_iter()
        .map(|(address, contents)| Chunk::verify(address, contents).expect("golden chunk"))
        .collect()
}

fn id(chunk: &Chunk) -> String {
    String::from_utf8_lossy(&chunk.contents()[8..12]).into_owned()
}

#[test]
fn messages_are_encoded_as_they_were() {
    let mut seen = std::collections::BTreeMap::<String, usize>::new();
    for chunk in all_chunks() {
        let contents = chunk.contents();
        let again = match id(&chunk).as_str() {
            "DCMT" => Commit::decode(contents).and_then(|commit| commit.encode()),
            "RTVL" => RootValue::decode(contents).and_then(|root| root.encode()),
            "DSCH" => TableSchema::decode(&chunk).and_then(|schema| schema.encode()),
            "DTBL" => Table::decode(contents).and_then(|table| {
                if table.has_artifacts {
                    return Ok(chunk.clone());
                }
                let rows = table.rows.message();
                Table::encode(table.schema, rows, &table.indexes, table.auto_increment)
            }),
            "STRT" => {
                let embedded = store_root::decode(contents).expect("store root");
                let node = Node::decode_any(embedded).expect("its map");
                if !node.is_leaf() {
                    continue; // its lower nodes are not in the golden
                }
                let names: Vec<_> = (0..node.len())
                    .map(|item| std::str::from_utf8(node.key(item)).expect("a name"))
                    .collect();
                let entries = names
                    .iter()
                    .zip(0..)
                    .map(|(name, at)| (*name, node.address(at)));
                address_map::store_root(entries)
                    .map(|mut chunks| chunks.pop().expect("a store root"))
            }
            "DTAG" => {
                let tag = Tag::decode(contents).expect("tag");
                assert!(!tag.commit.is_empty() && !tag.name.is_empty());
                continue;
            }
            "DFKC" => {
                let keys = foreign_key::decode(contents).expect("foreign keys");
                assert!(
                    keys.iter()
                        .all(|key| !key.child.is_empty() && !key.parent.is_empty())
                );
                foreign_key::encode(&keys)
            }
            _ => continue,
        };
        let again = again.unwrap_or_else(|error| panic!("{} {chunk:?}: {error}", id(&chunk)));
        // A counter that was set to 0 stays written: bytes that depend on history are copied,
        // never encoded again.
        let in_place = id(&chunk) == "DTBL" && again.contents().len() < contents.len();
        assert!(
            in_place || again == chunk,
            "{} {}",
            id(&chunk),
            chunk.address()
        );
        *seen.entry(id(&chunk)).or_default() += 1;
    }
    for kind in ["DCMT", "RTVL", "DSCH", "DTBL", "DFKC", "STRT"] {
        assert!(
            seen.get(kind).is_some_and(|count| *count >= 2),
            "{kind}: {seen:?}"
        );
    }
}

#[test]
fn the_empty_root_value_is_dolts() {
    let chunk = RootValue::empty()
        .and_then(|root| root.encode())
        .expect("it encodes");
    assert_eq!(
        chunk.address().to_string(),
        "vt5n73lho7q40t91ucetlr9qv4eqhasl"
    );
}

#[test]
fn branch_names_are_those_that_dolt_takes() {
    let names = golden("objects/refnames.json");
    let of = |key: &str| -> Vec<String> {
        serde_json::from_value(names[key].clone()).expect("a list of names")
    };
    for name in of("branch_ok") {
        assert_eq!(branch_name_error(&name), None, "{name:?}");
    }
    for name in of("branch_bad") {
        assert!(branch_name_error(&name).is_some(), "{name:?}");
    }
}

#[test]
fn damaged_messages_are_errors_not_panics() {
    for chunk in all_chunks() {
        let contents = chunk.contents();
        for at in 0..contents.len().min(400) {
            let mut damaged = contents.to_vec();
            damaged[at] ^= [0x01, 0x80, 0xff][at % 3];
            let damaged = Chunk::new(damaged);
            let bytes = damaged.contents();
            let _ = Node::decode_any(bytes.clone());
            let _ = Commit::decode(bytes);
            let _ = RootValue::decode(bytes);
            let _ = TableSchema::decode(&damaged);
            let _ = Table::decode(bytes);
            let _ = Tag::decode(bytes);
            let _ = foreign_key::decode(bytes);
            let _ = store_root::decode(bytes);
            assert!(Commit::decode(&contents[..at]).is_err());
        }
    }
}
