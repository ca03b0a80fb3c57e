//! What a newer dolt writes and this version does not know is refused, never dropped.

use dolt_format::message::commit::Commit;
use dolt_format::message::root_value::RootValue;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::message::{foreign_key, store_root, tag::Tag};
use dolt_format::tree::{Kind, Node};
use dolt_format::{Chunk, FormatError};
use flatbuffers::{FlatBufferBuilder, TableFinishedWIPOffset, WIPOffset};

type Builder = FlatBufferBuilder<'static>;
type Offset = WIPOffset<TableFinishedWIPOffset>;

const fn field(slot: u16) -> u16 {
    4 + 2 * slot
}

fn message(mut b: Builder, root: Offset, id: &str) -> Chunk {
    b.finish(root, Some(id));
    let data = b.finished_data();
    let [_, length @ ..] = u32::try_from(data.len()).expect("short").to_be_bytes();
    Chunk::new([&[0x1b][..], &length, data].concat())
}

/// A table whose only field is in `slot`.
fn table_with(b: &mut Builder, slot: u16) -> Offset {
    let table = b.start_table();
    b.push_slot_always(field(slot), 2u8);
    b.end_table(table)
}

fn assert_unsupported<T>(result: Result<T, FormatError>, what: &str) {
    match result {
        Err(FormatError::Unsupported(why)) => assert!(why.contains("newer dolt"), "{why}"),
        Err(error) => panic!("{what}: {error}"),
        Ok(_) => panic!("{what}: its unknown field was passed over"),
    }
}

#[test]
fn a_field_that_is_not_known_is_refused() {
    let with = |slot, id| {
        let mut b = Builder::new();
        let root = table_with(&mut b, slot);
        message(b, root, id)
    };
    assert_unsupported(RootValue::decode(with(5, "RTVL").contents()), "root value");
    assert_unsupported(Table::decode(with(7, "DTBL").contents()), "table");
    assert_unsupported(TableSchema::decode(&with(8, "DSCH")), "schema");
    assert_unsupported(
        foreign_key::decode(with(1, "DFKC").contents()),
        "foreign keys",
    );
    assert_unsupported(store_root::decode(with(1, "STRT").contents()), "store root");
    assert_unsupported(Commit::decode(with(12, "DCMT").contents()), "commit");
    assert_unsupported(Tag::decode(with(6, "DTAG").contents()), "tag");
    for (kind, slots, id) in [
        (Kind::Tuples, &[11, 2, 5][..], "TUPM"),
        (Kind::Addresses, &[6], "ADRM"),
        (Kind::Closure, &[5], "CMCL"),
        (Kind::Blob, &[5], "BLOB"),
    ] {
        for slot in slots {
            let message = with(*slot, id);
            assert_unsupported(Node::decode(kind, message.contents().clone()), id);
        }
    }
}

#[test]
fn a_field_that_is_not_known_is_refused_inside_a_foreign_key_and_conflicts_too() {
    let mut b = Builder::new();
    let odd = table_with(&mut b, 15);
    let keys = b.create_vector(&[odd]);
    let table = b.start_table();
    b.push_slot_always(field(0), keys);
    let root = b.end_table(table);
    let keys = message(b, root, "DFKC");
    assert_unsupported(foreign_key::decode(keys.contents()), "foreign key");

    let mut b = Builder::new();
    let odd = table_with(&mut b, 4);
    let rows = empty_rows();
    let rows = b.create_vector(rows.contents().as_ref());
    let table = b.start_table();
    b.push_slot_always(field(1), rows);
    b.push_slot_always(field(4), odd);
    let root = b.end_table(table);
    let table = message(b, root, "DTBL");
    assert_unsupported(Table::decode(table.contents()), "conflicts");
}

/// The node of a table without rows.
fn empty_rows() -> Chunk {
    let mut b = Builder::new();
    let offsets = b.create_vector(&[0u16]);
    let table = b.start_table();
    b.push_slot_always(field(1), offsets);
    b.push_slot_always(field(4), offsets);
    let root = b.end_table(table);
    let node = message(b, root, "TUPM");
    assert!(Node::decode(Kind::Tuples, node.contents().clone()).is_ok());
    node
}

/// A schema that has but a clustered index and, in slot `part`, a table whose field `slot` is set.
fn schema_with(part: u16, slot: u16) -> Chunk {
    let mut b = Builder::new();
    let odd = table_with(&mut b, slot);
    let odds = b.create_vector(&[odd]);
    let table = b.start_table();
    let plain = b.end_table(table);
    let table = b.start_table();
    if part == 1 {
        b.push_slot_always(field(1), odd);
    } else {
        b.push_slot_always(field(1), plain);
        b.push_slot_always(field(part), odds);
    }
    let root = b.end_table(table);
    message(b, root, "DSCH")
}

#[test]
fn a_field_that_is_not_known_is_refused_inside_a_schema_too() {
    for (part, slot, what) in [
        (0, 17, "column"),
        (1, 15, "clustered index"),
        (2, 15, "index"),
        (3, 4, "check"),
    ] {
        assert_unsupported(TableSchema::decode(&schema_with(part, slot)), what);
    }
}

#[test]
fn a_newer_feature_version_is_refused() {
    let with = |version: i64| {
        let mut b = Builder::new();
        let table = b.start_table();
        b.push_slot(field(0), version, 0);
        let root = b.end_table(table);
        RootValue::decode(message(b, root, "RTVL").contents())
    };
    assert!(with(7).is_ok());
    assert_unsupported(with(8), "feature version");
}

#[test]
fn a_copy_of_a_schema_that_is_not_wholly_known_is_refused() {
    let mut b = Builder::new();
    let name = b.create_string("i");
    let sql_type = b.create_string("int");
    let table = b.start_table();
    b.push_slot_always(field(0), name);
    b.push_slot_always(field(1), sql_type);
    b.push_slot(field(6), 7u8, 0);
    // A field that exists, but whose meaning for this column is not known.
    b.push_slot(field(16), 1u8, 0);
    let column = b.end_table(table);
    let columns = b.create_vector(&[column]);
    let keys = b.create_vector(&[0u16]);
    let table = b.start_table();
    b.push_slot_always(field(2), keys);
    let clustered = b.end_table(table);
    let table = b.start_table();
    b.push_slot_always(field(0), columns);
    b.push_slot_always(field(1), clustered);
    let root = b.end_table(table);
    let schema = TableSchema::decode(&message(b, root, "DSCH")).expect("it is a schema");
    let copy = schema.copy_for("u", true, &std::collections::BTreeSet::new());
    assert!(matches!(copy, Err(FormatError::Unsupported(_))), "{copy:?}");
}
