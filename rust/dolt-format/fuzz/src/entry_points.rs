//! One function a parser. Each takes any bytes and panics only where the parser breaks a promise.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use dolt_format::build::refusal::refuses_writes;
use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::columns::Columns;
use dolt_format::csv::extent::TextLayout;
use dolt_format::csv::measure::Measure;
use dolt_format::csv::render::{Render, Renderer};
use dolt_format::expression::value::read_field;
use dolt_format::expression::{
    Assignment, Expression, ExpressionColumn, Fault, Lookup, Value as ExpressionValue,
};
use dolt_format::manifest::{Manifest, format_specs};
use dolt_format::message::commit::Commit;
use dolt_format::message::root_value::RootValue;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::message::{foreign_key, store_root as store_root_message, tag::Tag};
use dolt_format::schema::edit::{Around, SchemaEdit};
use dolt_format::schema::show::Shown;
use dolt_format::table::index::{Dictionaries, TableIndex};
use dolt_format::table::plan::ReadPlan;
use dolt_format::tree::scan::AddressMapScan;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::value::adaptive;
use dolt_format::value::from_text::TextCodec;
use dolt_format::value::sql_type::SqlType;
use dolt_format::value::tuple::Tuple;
use dolt_format::{Address, Chunk, FormatError, TextFormat};

/// Takes any bytes.
pub type EntryPoint = fn(&[u8]);

/// Every entry point by the name of its fuzz target.
pub const TARGETS: [(&str, EntryPoint); 21] = [
    ("table_index", table_index),
    ("archive_index", archive_index),
    ("record", record),
    ("manifest_text", manifest_text),
    ("manifest_item", manifest_item),
    ("node", node),
    ("tuple", tuple),
    ("store_root", store_root),
    ("root_value", root_value),
    ("commit", commit),
    ("tag", tag),
    ("table", table),
    ("schema", schema),
    ("foreign_keys", foreign_keys),
    ("sql_type", sql_type),
    ("expression", expression),
    ("create_table", create_table),
    ("field_text", field_text),
    ("csv_parse", csv_parse),
    ("jsonl_parse", jsonl_parse),
    ("render", render),
];

/// Records read of one file: enough to meet each codec, few enough to be quick.
const RECORDS_MAX: usize = 64;

/// Inputs of more than one part: each part has its length, a big-endian `u32`, before it.
#[must_use]
pub fn join_parts(parts: &[&[u8]]) -> Vec<u8> {
    let mut joined = Vec::new();
    for part in parts {
        let len = u32::try_from(part.len()).expect("seeds are short");
        joined.extend_from_slice(&len.to_be_bytes());
        joined.extend_from_slice(part);
    }
    joined
}

/// The parts of an input. A part that goes on behind its end is cut there.
fn split_parts(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut parts = Vec::new();
    while let Some((len, behind)) = rest.split_first_chunk() {
        let len = usize::try_from(u32::from_be_bytes(*len)).unwrap_or(usize::MAX);
        let (part, behind) = behind.split_at(len.min(behind.len()));
        parts.push(part);
        rest = behind;
    }
    parts
}

/// The bytes of a table file or archive that a plan reads.
fn read<'a>(file: &'a [u8], plan: &ReadPlan) -> &'a [u8] {
    let at = |offset: u64| usize::try_from(offset).expect("a plan stays in its file");
    file.get(at(plan.offset)..at(plan.offset + plan.length))
        .expect("a plan stays in its file")
}

/// Reads records one by one, so that a bad one hides no other.
fn read_records(index: &TableIndex, file: &[u8]) {
    let mut addresses = index.addresses();
    assert_eq!(addresses.len(), index.len());
    assert!(addresses.is_sorted());
    addresses.dedup();
    let mut dictionaries = Dictionaries::default();
    for plan in index.plan(&addresses, 0, 0).iter().take(RECORDS_MAX) {
        read(file, plan);
        // Only empty records fit into no bytes together.
        assert!(plan.len() == 1 || plan.length == 0);
    }
    let joined = index.plan(&addresses, u64::MAX, u64::MAX);
    assert_eq!(joined.len(), usize::from(!addresses.is_empty()));
    for address in addresses.into_iter().take(RECORDS_MAX) {
        assert!(index.contains(address));
        for plan in index.dictionary_plans(&[address], &dictionaries.clone()) {
            // A dictionary that cannot be loaded shows below.
            let _ = index.load_dictionaries(&plan, read(file, &plan), &mut dictionaries);
        }
        for plan in index.plan(&[address], 0, 0) {
            match index.decode(&plan, read(file, &plan), &dictionaries) {
                Err(error) => assert!(!error.to_string().is_empty()),
                Ok(chunks) => {
                    let [chunk] = chunks.as_slice() else {
                        panic!("one chunk was asked for, {} came", chunks.len());
                    };
                    assert_eq!(chunk.address(), address);
                    assert_eq!(Address::of(chunk.contents()), address);
                }
            }
        }
    }
}

/// A whole table file.
pub fn table_index(data: &[u8]) {
    let count = data.len().checked_sub(20).and_then(|at| data.get(at..));
    let count = count.and_then(|footer| footer.first_chunk().copied());
    let tail_len = TableIndex::table_tail_len(u32::from_be_bytes(count.unwrap_or_default()));
    let tail_len = usize::try_from(tail_len).unwrap_or(usize::MAX);
    let tail = data.get(data.len().saturating_sub(tail_len)..);
    let tail = tail.unwrap_or_default();
    if let Ok(index) = TableIndex::table("fuzzed", tail, data.len() as u64) {
        read_records(&index, data);
    }
}

/// A whole archive.
pub fn archive_index(data: &[u8]) {
    let file_len = data.len() as u64;
    let footer = data.get(data.len().saturating_sub(220)..);
    let footer = footer.unwrap_or_default();
    let tail_len = TableIndex::archive_tail_len("fuzzed", footer, file_len);
    let index = TableIndex::archive("fuzzed", data, file_len);
    let Ok(index) = index else { return };
    let tail_len = usize::try_from(tail_len.expect("the index has a footer")).expect("it fits");
    let tail = data
        .get(data.len() - tail_len..)
        .expect("it is in the file");
    let again = TableIndex::archive("fuzzed", tail, file_len).expect("the tail suffices");
    assert_eq!(again.addresses(), index.addresses());
    read_records(&index, data);
}

/// A chunk's record, as the only one of a table file. The first 20 bytes are its address.
pub fn record(data: &[u8]) {
    let Some((address, record)) = data.split_first_chunk::<{ Address::LEN }>() else {
        return;
    };
    let (prefix, suffix) = address.split_at(8);
    let len = u32::try_from(record.len()).expect("inputs are short");
    let file = [
        record,
        prefix,
        &[0; 4],
        &len.to_be_bytes(),
        suffix,
        &1u32.to_be_bytes(),
        &[0; 8],
        b"\xff\xb5\xd8\xc2\x24\x63\xee\x50",
    ]
    .concat();
    let tail = file.get(record.len()..).expect("the record is before it");
    let index = TableIndex::table("fuzzed", tail, file.len() as u64).expect("a sound index");
    read_records(&index, &file);
}

fn succeeds(manifest: &Manifest) {
    let next = manifest.succeed(manifest.root, &[], &[]);
    assert!(!next.lock.is_empty());
    assert_eq!(next.succeed(manifest.root, &[], &[]), next);
}

/// The text of a manifest file.
pub fn manifest_text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(manifest) = Manifest::parse(text) {
        assert_eq!(Manifest::parse(&manifest.text()).as_ref(), Ok(&manifest));
        succeeds(&manifest);
    }
}

/// The attributes of a manifest item: versions, root, lock, specs and appendix, in parts.
pub fn manifest_item(data: &[u8]) {
    let parts = split_parts(data);
    let text = |at: usize| std::str::from_utf8(parts.get(at).copied().unwrap_or_default());
    let bytes = |at: usize| parts.get(at).copied().unwrap_or_default();
    let (Ok(nbs), Ok(nbf), Ok(specs), Ok(appendix)) = (text(0), text(1), text(4), text(5)) else {
        return;
    };
    let item = Manifest::from_item(nbs, nbf, bytes(2), bytes(3), specs, appendix);
    if let Ok(manifest) = item {
        let (specs, appendix) = (
            format_specs(&manifest.specs),
            format_specs(&manifest.appendix),
        );
        let again = Manifest::from_item(nbs, nbf, bytes(2), bytes(3), &specs, &appendix);
        assert_eq!(again.as_ref(), Ok(&manifest));
        succeeds(&manifest);
    }
}

fn touch_tuple(raw: &[u8]) {
    let Some(tuple) = Tuple::new(raw) else { return };
    let mut sum = 0;
    for at in 0..tuple.len().min(5000) + 2 {
        let field = tuple.field(at).unwrap_or_default();
        sum += field.len();
        let _ = adaptive::decode(field);
    }
    assert!(sum <= raw.len(), "fields of {sum} bytes of {}", raw.len());
}

/// A tuple.
pub fn tuple(data: &[u8]) {
    touch_tuple(data);
    let _ = adaptive::decode(data);
}

fn touch_node(node: &Node) {
    for item in 0..node.len() {
        match node.kind() {
            Kind::Blob => {}
            _ => touch_tuple(node.key(item)),
        }
        if node.is_leaf() {
            let value = node.value(item);
            touch_tuple(value);
            if node.kind() == Kind::Tuples {
                for at in node.value_addresses(item) {
                    assert!(usize::from(at) + Address::LEN <= value.len());
                }
            }
        } else {
            assert!(node.subtree_count(item) <= node.tree_count());
        }
        let _ = node.address(item);
    }
}

/// A node of any kind of tree.
pub fn node(data: &[u8]) {
    let message = Bytes::copy_from_slice(data);
    let any = Node::decode_any(message.clone());
    for kind in [Kind::Tuples, Kind::Addresses, Kind::Closure, Kind::Blob] {
        if let Ok(node) = Node::decode(kind, message.clone()) {
            touch_node(&node);
            assert!(any.is_ok());
        }
    }
}

/// A store root, with the address map it embeds.
pub fn store_root(data: &[u8]) {
    let map = store_root_message::decode(&Bytes::copy_from_slice(data));
    if let Ok(mut scan) = map.and_then(AddressMapScan::new) {
        let needs = scan.needs(usize::MAX);
        assert_eq!(scan.result().is_ok(), needs.is_empty());
    }
}

/// A root value, with the address map it embeds.
pub fn root_value(data: &[u8]) {
    if let Ok(root) = RootValue::decode(&Bytes::copy_from_slice(data)) {
        let again = root.encode().expect("what was read can be written");
        assert_eq!(RootValue::decode(again.contents()), Ok(root.clone()));
        if let Ok(mut scan) = AddressMapScan::new(root.tables) {
            let _ = scan.needs(usize::MAX);
        }
    }
}

/// A commit.
pub fn commit(data: &[u8]) {
    if let Ok(commit) = Commit::decode(data) {
        let again = commit.encode().expect("what was read can be written");
        assert_eq!(Commit::decode(again.contents()), Ok(commit));
    }
}

/// A tag.
pub fn tag(data: &[u8]) {
    let _ = Tag::decode(data);
}

/// A table, with the root node of its rows.
pub fn table(data: &[u8]) {
    let Ok(table) = Table::decode(&Bytes::copy_from_slice(data)) else {
        return;
    };
    touch_node(&table.rows);
    let rows = table.rows.message();
    let again = Table::encode(table.schema, rows, &table.indexes, table.auto_increment);
    let again = again.expect("what was read can be written");
    let again = Table::decode(again.contents()).expect("what was written can be read");
    assert_eq!(again.schema, table.schema);
    assert_eq!(again.rows.message(), rows);
    assert_eq!(again.indexes, table.indexes);
    assert_eq!(again.auto_increment.max(1), table.auto_increment.max(1));
}

/// A table's schema, and the layouts made of it.
pub fn schema(data: &[u8]) {
    let Ok(schema) = TableSchema::decode(&Chunk::new(Bytes::copy_from_slice(data))) else {
        return;
    };
    let _ = refuses_writes(&schema);
    let _ = Columns::new(&schema);
    let again = schema.encode().expect("what was read can be written");
    let mut decoded = TableSchema::decode(&again).expect("what was written can be read");
    decoded.address = schema.address;
    assert_eq!(decoded, schema);
}

/// A foreign key collection.
pub fn foreign_keys(data: &[u8]) {
    let _ = foreign_key::decode(data);
}

/// The text of a column's type.
pub fn sql_type(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        let _ = SqlType::parse(text);
    }
}

/// A `CREATE TABLE` of table `t`. The text of a schema that was made changes nothing.
pub fn create_table(data: &[u8]) {
    let around = Around {
        used_tags: &BTreeSet::new(),
        schemas: &[],
        foreign_keys: &[],
        collation: 309,
    };
    let Ok(edit) = SchemaEdit::create("t", data, around) else {
        return;
    };
    let shown = Shown {
        name: "t",
        schema: &edit.schema,
        auto_increment: edit.auto_increment,
        foreign_keys: &edit.foreign_keys,
        parents: &[],
    };
    let text = shown.create_table().expect("what was made is shown");
    let around = Around {
        foreign_keys: &edit.foreign_keys,
        ..around
    };
    let again = SchemaEdit::alter(&shown, text.as_bytes(), around);
    let again = again.unwrap_or_else(|error| panic!("{text}: {error}"));
    assert!(again.unchanged, "{text}");
}

/// The text of a generated column's expression over the columns a and b.
pub fn expression(data: &[u8]) {
    const COLUMNS: [(&str, &str, u8, &str); 6] = [
        ("a", "bigint", 9, "-9223372036854775808"),
        ("b", "bigint unsigned", 10, "18446744073709551615"),
        (
            "c",
            "decimal(65,30)",
            130,
            "-0.000000000000000000000000000001",
        ),
        ("d", "double", 12, "1.7976931348623157e308"),
        ("e", "varchar(20)", 128, "_%\\ÀßΣ"),
        ("f", "datetime(6)", 18, "9999-12-31 23:59:59.999999"),
    ];
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let types = COLUMNS.map(|(_, sql_type, ..)| SqlType::parse(sql_type).expect("a type"));
    let columns: Vec<ExpressionColumn> = COLUMNS
        .iter()
        .zip(&types)
        .map(|((name, ..), sql_type)| ExpressionColumn {
            name: (*name).to_owned(),
            sql_type: sql_type.clone(),
        })
        .collect();
    let Ok(expression) = Expression::parse(text, &columns) else {
        return;
    };
    assert!(expression.columns().iter().all(|at| *at < COLUMNS.len()));
    let value = |at: usize| {
        let (sql_type, (_, _, encoding, text)) = (&types[at], COLUMNS[at]);
        let mut field = Vec::new();
        let codec = TextCodec::new(sql_type, encoding).expect("a codec");
        codec.push(text.as_bytes(), &mut field).expect("a value");
        Ok(read_field(sql_type, encoding, Some(&field)).expect("its own field"))
    };
    for lookup in [&value as &Lookup<'_>, &|_| Ok(ExpressionValue::Null)] {
        if let Err(Fault::Refused(why) | Fault::Unsupported(why)) = expression.evaluate(lookup) {
            assert!(!why.is_empty());
        }
        for (sql_type, (_, _, encoding, _)) in types.iter().zip(COLUMNS) {
            if let Ok(assignment) = Assignment::new(expression.clone(), sql_type, encoding, true) {
                let mut field = Vec::new();
                if assignment.push(lookup, &mut field) == Ok(true) {
                    assert!(read_field(sql_type, encoding, Some(&field)).is_some());
                }
            }
        }
    }
}

/// A field's text, in parts: its type, its encoding, the text.
pub fn field_text(data: &[u8]) {
    let [sql_type, [encoding], text] = split_parts(data)[..] else {
        return;
    };
    let sql_type = std::str::from_utf8(sql_type).ok();
    let Some(Ok(sql_type)) = sql_type.map(SqlType::parse) else {
        return;
    };
    let Some(codec) = TextCodec::new(&sql_type, *encoding) else {
        return;
    };
    let mut field = b"before".to_vec();
    match codec.push(text, &mut field) {
        Err(reason) => assert!(!reason.is_empty()),
        Ok(()) => assert!(field.starts_with(b"before")),
    }
}

fn build(
    schema: &TableSchema,
    base: &Chunk,
    format: TextFormat,
    pieces: &[&[u8]],
) -> Result<BuiltTable, FormatError> {
    let mut build = TableBuild::new(schema.clone(), base.clone())?.in_format(format)?;
    for piece in pieces {
        build.feed(piece)?;
    }
    build.finish()
}

/// The text of a table whose chunks are all at hand; `None` where one is not.
pub fn text_of(
    schema: &TableSchema,
    table: &Table,
    format: TextFormat,
    chunks: &BTreeMap<Address, Chunk>,
) -> Result<Option<Vec<u8>>, FormatError> {
    let renderer = Renderer::new(schema)?.in_format(format);
    let mut layout = TextLayout::new(&table.rows, &renderer)?;
    let mut text = renderer.header();
    let root = Chunk::new(table.rows.message().clone());
    let get = |address: &Address| {
        if *address == root.address() {
            Some(root.clone())
        } else {
            chunks.get(address).cloned()
        }
    };
    loop {
        let frontier = layout.frontier(0, u64::MAX);
        if frontier.is_empty() {
            break;
        }
        let leaves = layout.piece_leaves(&frontier.pieces);
        let nodes: Option<Vec<Chunk>> = frontier.nodes.iter().map(get).collect();
        let leaf_chunks: Option<Vec<Chunk>> = leaves.iter().map(get).collect();
        let (Some(nodes), Some(leaf_chunks)) = (nodes, leaf_chunks) else {
            return Ok(None);
        };
        layout.expand(&nodes)?;
        let decoded = leaf_chunks
            .iter()
            .map(|chunk| Node::decode(Kind::Tuples, chunk.contents().clone()))
            .collect::<Result<_, _>>()?;
        let mut render = Render::new(renderer.clone(), decoded)?;
        loop {
            let needs = render.needs(7);
            if needs.is_empty() {
                break;
            }
            let Some(values) = needs.iter().map(get).collect::<Option<Vec<_>>>() else {
                return Ok(None);
            };
            render.feed(&values)?;
        }
        let texts = render.result()?;
        let measures = texts.iter().map(|text| Measure::of(text));
        layout.set_measures(leaves.iter().copied().zip(measures));
        text.extend(texts.concat());
    }
    assert_eq!(layout.size(), Some(text.len() as u64));
    assert_eq!(layout.size_max(), text.len() as u64);
    Ok(Some(text))
}

/// CSV text, in parts: a schema, a table of that schema, the text.
pub fn csv_parse(data: &[u8]) {
    parse(data, TextFormat::Csv);
}

/// Lines of JSON, in parts as CSV text.
pub fn jsonl_parse(data: &[u8]) {
    parse(data, TextFormat::Jsonl);
}

fn parse(data: &[u8], format: TextFormat) {
    let [schema, base, text] = split_parts(data)[..] else {
        return;
    };
    let Ok(schema) = TableSchema::decode(&Chunk::new(Bytes::copy_from_slice(schema))) else {
        return;
    };
    let base = Chunk::new(Bytes::copy_from_slice(base));
    let built = build(&schema, &base, format, &[text]);
    let cut: Vec<&[u8]> = text.chunks(5).collect();
    let again = build(&schema, &base, format, &cut);
    match (built, again) {
        (Err(error), Err(again)) => assert_eq!(error, again),
        (Ok(built), Ok(again)) => {
            assert_eq!(built.table, again.table);
            check_built(&schema, &base, format, &built);
        }
        (built, again) => panic!(
            "whole: {:?}, cut: {:?}",
            built.map(|built| built.table),
            again.map(|built| built.table)
        ),
    }
}

/// What was built is shown, and what is shown builds the same table.
fn check_built(schema: &TableSchema, base: &Chunk, format: TextFormat, built: &BuiltTable) {
    let at_hand = |chunk: &Chunk| (chunk.address(), chunk.clone());
    let chunks: BTreeMap<_, _> = built.chunks.iter().map(at_hand).collect();
    let table = Table::decode(built.table.contents()).expect("what was written can be read");
    let Ok(Some(text)) = text_of(schema, &table, format, &chunks) else {
        panic!("a table that was built cannot be shown");
    };
    match build(schema, base, format, &[&text]) {
        Ok(again) => assert_eq!(
            again.table.address(),
            built.table.address(),
            "{:?} builds another table",
            String::from_utf8_lossy(&text)
        ),
        Err(error) => panic!("{:?}: {error}", String::from_utf8_lossy(&text)),
    }
}

/// A table's rows, in parts: its schema, the root node of its rows, other nodes and values.
pub fn render(data: &[u8]) {
    let parts = split_parts(data);
    let Some(([schema, rows], others)) = parts.split_first_chunk() else {
        return;
    };
    let Ok(schema) = TableSchema::decode(&Chunk::new(Bytes::copy_from_slice(schema))) else {
        return;
    };
    let Ok(rows) = Node::decode(Kind::Tuples, Bytes::copy_from_slice(rows)) else {
        return;
    };
    let chunk = |part: &&[u8]| Chunk::new(Bytes::copy_from_slice(part));
    let others = others.iter().map(chunk);
    let chunks = others.map(|chunk| (chunk.address(), chunk)).collect();
    let table = Table {
        schema: schema.address,
        rows,
        indexes: Bytes::new(),
        auto_increment: 0,
        has_artifacts: false,
    };
    let _ = text_of(&schema, &table, TextFormat::Csv, &chunks);
}
