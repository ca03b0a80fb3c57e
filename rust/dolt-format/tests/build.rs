//! The same rows under the same schema give dolt's own table.

#[path = "support/store.rs"]
mod support;

use dolt_format::build::TableBuild;
use dolt_format::build::refusal::refuses_writes;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::{Address, Chunk, FormatError};

fn build(
    schema: &TableSchema,
    base: &Chunk,
    pieces: &[&[u8]],
) -> Result<dolt_format::build::BuiltTable, FormatError> {
    let mut build = TableBuild::new(schema.clone(), base.clone())?;
    for piece in pieces {
        build.feed(piece)?;
    }
    build.finish()
}

/// An empty table of the same schema, so that nothing can be carried over by mistake.
fn emptied(table: &Table) -> Chunk {
    let empty = build_empty();
    Table::encode(table.schema, &empty, &table.indexes, 0).expect("it encodes")
}

fn build_empty() -> bytes::Bytes {
    let map = dolt_format::tree::chunker::MapBuilder::new(dolt_format::tree::Kind::Tuples);
    map.finish().expect("it builds").root.contents().clone()
}

#[test]
fn every_writable_table_of_every_remote_gets_dolts_address() {
    let (mut written, mut refused) = (0, Vec::new());
    support::each_table(|store, name, address, text| {
        let (table, schema) = store.table(address);
        if let Some(why) = refuses_writes(&schema) {
            refused.push(format!("{name}: {why}"));
            return;
        }
        let base = emptied(&table);
        let built =
            build(&schema, &base, &[&text]).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(built.table.address(), address, "{name}");
        let size: u64 = built
            .measures
            .iter()
            .map(|(_, measure)| measure.length)
            .sum();
        let header = text
            .iter()
            .position(|c| *c == b'\n')
            .map_or(0, |at| at as u64 + 1);
        assert_eq!(size + header, text.len() as u64, "{name}");
        let at_hand = |address: &Address| built.chunks.iter().any(|c| c.address() == *address);
        if table.rows.level() > 0 {
            assert!(
                (0..table.rows.len()).all(|item| at_hand(&table.rows.address(item))),
                "{name}"
            );
        }
        // Cut in the middle of everything, and from the table itself, it is the same.
        if text.len() < 100_000 {
            let pieces: Vec<&[u8]> = text.chunks(7).collect();
            let again = build(&schema, store.get(address), &pieces).expect("it builds");
            assert_eq!(again.table.address(), address, "{name}");
        }
        written += 1;
    });
    assert!(written > 20, "{written} written");
    assert!(refused.is_empty(), "{refused:#?}");
}

fn primes() -> (TableSchema, Chunk) {
    let (store, root) = support::Store::open(&support::golden("remotes/primes"));
    let head = store.branches(root)["main"];
    let address = store.tables(head)["primes"];
    (store.table(address).1, store.get(address).clone())
}

#[test]
fn columns_and_rows_come_in_any_order() {
    let (schema, base) = primes();
    let straight = build(&schema, &base, &[b"i,val\n1,2\n2,3\n3,\n"]).expect("it builds");
    for text in [
        &b"val,i\n,3\n2,1\n3,2\n"[..],
        b"I,VAL\n3,\n2,3\n1,2\n",
        b"i,val\r\n1,2\r\n\r\n2,3\r\n3,\r\n",
    ] {
        let other = build(&schema, &base, &[text]).expect("it builds");
        assert_eq!(other.table.address(), straight.table.address());
        assert_eq!(other.row_count, 3);
    }
    let missing = build(&schema, &base, &[b"i\n3\n"]).expect("a nullable column may be left out");
    let null = build(&schema, &base, &[b"i,val\n3,\n"]).expect("it builds");
    assert_eq!(missing.table.address(), null.table.address());
}

#[test]
fn bad_texts_are_refused_with_line_and_reason() {
    let (schema, base) = primes();
    for (text, expected) in [
        (
            "",
            "line 1: an empty text is no table: its first line must name the columns",
        ),
        (
            "i,val\n1,x\n",
            "line 2, column \"val\": \"x\": it is not a whole number",
        ),
        (
            "i,val\n\n1,2\n,3\n",
            "line 4, column \"i\": \"\": the column is NOT NULL",
        ),
        ("i,val\n1,2,3\n", "line 2: 3 fields, the header has 2"),
        ("i,val\n1\n", "line 2: 1 field, the header has 2"),
        (
            "i,value\n1,2\n",
            "line 1: the header names \"value\", which is no column of the table; its columns are i, val",
        ),
        ("i,i\n1,2\n", "line 1: the header names column \"i\" twice"),
        (
            "val\n2\n",
            "line 1: the header lacks column \"i\", which is NOT NULL and has no default",
        ),
        (
            "i,val\n1,2\n2,3\n1,4\n",
            "line 4: the primary key (i) = (1) stands on line 2 already",
        ),
        (
            "i,val\n1,99999999999\n",
            "line 2, column \"val\": \"99999999999\": it is outside -2147483648 to 2147483647",
        ),
        (
            "i,val\n1,2",
            "line 2: the text ends without a line end: it may be cut off; end the last line with a newline",
        ),
        (
            "i,val\n1,\"2\n",
            "line 2: the text ends inside a quoted field: a quote is missing",
        ),
    ] {
        let error = build(&schema, &base, &[text.as_bytes()]).expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn unique_keys_hold() {
    let (store, root) = support::Store::open(&support::golden("remotes/types"));
    let head = store.branches(root)["main"];
    let address = store.tables(head)["indexed"];
    let (_, schema) = store.table(address);
    let text = b"id,email,age,city,joined\n1,a@x.org,,,\n2,b@x.org,,,\n7,a@x.org,,,\n";
    let error = build(&schema, store.get(address), &[text]).expect_err("a duplicate");
    assert_eq!(
        error.to_string(),
        "line 4: unique key \"u_email\" has the same value on line 2"
    );
    let text = b"id,email\n9,z@x.org\n";
    let built = build(&schema, store.get(address), &[text]);
    let error = built.expect_err("a default that is computed").to_string();
    assert!(error.contains("CURRENT_TIMESTAMP"), "{error}");
    let text = b"id,email,joined\n9,z@x.org,2024-01-01\n";
    let built = build(&schema, store.get(address), &[text]).expect("it builds");
    let table = Table::decode(built.table.contents()).expect("a table");
    assert_eq!(table.auto_increment, 10);
}
