//! The goldens as inputs of the entry points.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use bytes::Bytes;
use dolt_format::build::refusal::refuses_writes;
use dolt_format::manifest::{Manifest, format_specs};
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::table::index::{Dictionaries, TableIndex};
use dolt_format::tree::{Kind, Node};
use dolt_format::value::from_text::TextCodec;
use dolt_format::value::sql_type::SqlType;
use dolt_format::{Address, Chunk, TextFormat};
use serde_json::Value;

use super::entry_points::{join_parts, text_of};

/// Inputs by the name of the target that they are for.
pub type Seeds = BTreeMap<&'static str, BTreeSet<Vec<u8>>>;

/// Longer files teach a fuzzer nothing that shorter ones do not.
const FILE_LEN_MAX: usize = 64 << 10;

const FOLDERS: [&str; 14] = [
    "import/remote",
    "remotes/flights",
    "remotes/history",
    "remotes/primes",
    "remotes/primes-tablefiles",
    "remotes/types",
    "storage/conjoined_archive",
    "storage/conjoined_table",
    "storage/foreign",
    "storage/local_journal",
    "storage/remote_small",
    "storage/remote_zstd",
    "objects",
    "prolly",
];

/// The seeds that the folder of goldens holds, and what once broke a parser (`hostile/`).
#[must_use]
pub fn load(golden: &Path) -> Seeds {
    let mut seeds = Seeds::new();
    let mut chunks = HashMap::new();
    for folder in FOLDERS {
        for (name, file) in files(&golden.join(folder)) {
            if name.strip_suffix(".json").is_some() {
                let value: Value = serde_json::from_slice(&file).expect("goldens are JSON");
                collect_hex(&value, &mut chunks);
            } else {
                add_file(&name, file, &mut seeds, &mut chunks);
            }
        }
    }
    for contents in chunks.values() {
        add_message(contents, &mut seeds);
    }
    add_tables(&chunks, &mut seeds);
    add_texts(&golden.join("import/values.json"), &mut seeds);
    add_statements(&golden.join("schema/cases.json"), &mut seeds);
    for (target, inputs) in &mut seeds {
        let hostile = golden.join("hostile").join(target);
        if hostile.is_dir() {
            inputs.extend(files(&hostile).map(|(_, file)| file));
        }
    }
    seeds
}

fn add(seeds: &mut Seeds, target: &'static str, seed: Vec<u8>) {
    seeds.entry(target).or_default().insert(seed);
}

fn files(folder: &Path) -> impl Iterator<Item = (String, Vec<u8>)> {
    let entries = std::fs::read_dir(folder);
    let entries = entries.unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.filter_map(|entry| {
        let path = entry.expect("it can be listed").path();
        let name = path.file_name()?.to_str()?.to_owned();
        Some((name, std::fs::read(path).ok()?))
    })
}

/// The contents of every chunk that a golden has as text.
fn collect_hex(value: &Value, chunks: &mut HashMap<Address, Bytes>) {
    match value {
        Value::String(text) => {
            if let Some(contents) = hex::decode(text).ok().filter(|raw| raw.len() > 12) {
                chunks.insert(Address::of(&contents), contents.into());
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect_hex(item, chunks)),
        Value::Object(fields) => fields.values().for_each(|item| collect_hex(item, chunks)),
        _ => {}
    }
}

/// A file of a remote: it is a seed itself, and so is all that it holds.
fn add_file(name: &str, file: Vec<u8>, seeds: &mut Seeds, chunks: &mut HashMap<Address, Bytes>) {
    if name == "manifest" {
        add_manifest(file, seeds);
        return;
    }
    let len = file.len() as u64;
    let (target, index) = if name.strip_suffix(".darc").is_some() {
        ("archive_index", TableIndex::archive(name, &file, len))
    } else {
        let count = file.len().checked_sub(20).and_then(|at| file.get(at..));
        let count = count.and_then(|footer| footer.first_chunk().copied());
        let tail = TableIndex::table_tail_len(u32::from_be_bytes(count.unwrap_or_default()));
        let start = len
            .checked_sub(tail)
            .and_then(|at| usize::try_from(at).ok());
        let tail = start.and_then(|at| file.get(at..)).unwrap_or_default();
        ("table_index", TableIndex::table(name, tail, len))
    };
    if let Ok(index) = index {
        add_records(&index, &file, seeds, chunks);
    }
    if file.len() <= FILE_LEN_MAX {
        add(seeds, target, file);
    }
}

fn add_records(
    index: &TableIndex,
    file: &[u8],
    seeds: &mut Seeds,
    chunks: &mut HashMap<Address, Bytes>,
) {
    let read = |offset: u64, len: u64| {
        let at = |offset: u64| usize::try_from(offset).expect("it is in the file");
        file.get(at(offset)..at(offset + len))
            .expect("it is in the file")
    };
    let all = index.addresses();
    let mut dictionaries = Dictionaries::default();
    for plan in index.dictionary_plans(&all, &dictionaries.clone()) {
        let data = read(plan.offset, plan.length);
        index
            .load_dictionaries(&plan, data, &mut dictionaries)
            .expect("goldens are sound");
    }
    for (position, address) in all.iter().enumerate() {
        for plan in index.plan(&[*address], 0, 0) {
            let record = read(plan.offset, plan.length);
            // The synthetic collision has no chunks.
            let Ok(decoded) = index.decode(&plan, record, &dictionaries) else {
                continue;
            };
            let decoded = decoded.into_iter();
            chunks.extend(decoded.map(|chunk| (chunk.address(), chunk.contents().clone())));
            if position < 3 && record.len() < 1000 {
                add(seeds, "record", [address.as_bytes(), record].concat());
            }
        }
    }
}

fn add_manifest(text: Vec<u8>, seeds: &mut Seeds) {
    let manifest = std::str::from_utf8(&text)
        .ok()
        .and_then(|text| Manifest::parse(text).ok());
    if let Some(manifest) = manifest {
        let Manifest { root, lock, .. } = &manifest;
        let specs = format_specs(&manifest.specs);
        let old = format!("4:__DOLT__:{lock}:{root}:{specs}");
        add(seeds, "manifest_text", old.into_bytes());
        let appendix = format_specs(manifest.specs.get(..1).unwrap_or_default());
        let (root, lock) = (root.as_bytes(), lock.as_bytes());
        for appendix in ["", &appendix] {
            let (specs, appendix) = (specs.as_bytes(), appendix.as_bytes());
            let item = join_parts(&[b"4", b"__DOLT__", root, lock, specs, appendix]);
            add(seeds, "manifest_item", item);
        }
    }
    add(seeds, "manifest_text", text);
}

fn add_message(contents: &Bytes, seeds: &mut Seeds) {
    let target = match contents.get(8..12).unwrap_or_default() {
        b"STRT" => "store_root",
        b"RTVL" => "root_value",
        b"DCMT" => "commit",
        b"DTAG" => "tag",
        b"DTBL" => "table",
        b"DSCH" => "schema",
        b"DFKC" => "foreign_keys",
        b"TUPM" | b"ADRM" | b"CMCL" | b"BLOB" => "node",
        _ => return,
    };
    if target == "table"
        && let Ok(table) = Table::decode(contents)
    {
        let rows = &table.rows;
        add(seeds, "node", rows.message().to_vec());
        for item in 0..rows.len().min(2) {
            add(seeds, "tuple", rows.key(item).to_vec());
            if rows.is_leaf() {
                add(seeds, "tuple", rows.value(item).to_vec());
            }
        }
    }
    add(seeds, target, contents.to_vec());
}

/// Tables whose schema and nodes are among the chunks: to be shown, and to be built.
fn add_tables(chunks: &HashMap<Address, Bytes>, seeds: &mut Seeds) {
    for contents in chunks.values().filter(|contents| is(contents, *b"DTBL")) {
        let Ok(table) = Table::decode(contents) else {
            continue;
        };
        let Some(message) = chunks.get(&table.schema) else {
            continue;
        };
        let Ok(schema) = TableSchema::decode(&Chunk::new(message.clone())) else {
            continue;
        };
        let (mut leaf, mut parts) = (table.rows.clone(), Vec::new());
        while !leaf.is_leaf()
            && let Some(child) = chunks.get(&leaf.address(0))
        {
            parts.push(child);
            leaf = Node::decode(Kind::Tuples, child.clone()).expect("goldens are sound");
        }
        if !leaf.is_leaf() {
            continue;
        }
        parts.retain(|part| *part != leaf.message());
        add_values(&leaf, chunks, &mut parts);
        let mut render: Vec<&[u8]> = vec![message, leaf.message()];
        render.extend(parts.iter().copied().map(Bytes::as_ref));
        add(seeds, "render", join_parts(&render));
        if refuses_writes(&schema).is_none() {
            add_text(&schema, &[message, contents], &leaf, &parts, seeds);
        }
    }
}

/// The texts of a leaf's rows, and such with a value that is wrong for most types.
fn add_text(
    schema: &TableSchema,
    table: &[&[u8]; 2],
    leaf: &Node,
    parts: &[&Bytes],
    seeds: &mut Seeds,
) {
    let at_hand = |part: &&Bytes| Chunk::new((*part).clone());
    let chunks = parts
        .iter()
        .map(at_hand)
        .map(|chunk| (chunk.address(), chunk));
    let rows = Table {
        schema: schema.address,
        rows: leaf.clone(),
        indexes: Bytes::new(),
        auto_increment: 0,
        has_artifacts: false,
    };
    let chunks = chunks.collect();
    let fields = vec!["\"a \"\"b\"\"\n\""; schema.columns.len()].join(",");
    let column = schema.columns.first().map_or("", |column| &column.name);
    let object = format!("{{{}: [\"a\\n\\u00e9\", {{}}]}}", Value::from(column));
    for (target, format, wrong) in [
        ("csv_parse", TextFormat::Csv, fields),
        ("jsonl_parse", TextFormat::Jsonl, object),
    ] {
        let Ok(Some(text)) = text_of(schema, &rows, format, &chunks) else {
            return;
        };
        let wrong = [&text, wrong.as_bytes(), b"\n"].concat();
        for text in [&text, &wrong] {
            if text.len() <= FILE_LEN_MAX {
                add(seeds, target, join_parts(&[table[0], table[1], text]));
            }
        }
    }
}

/// The blob trees that a leaf's rows name.
fn add_values<'a>(leaf: &Node, chunks: &'a HashMap<Address, Bytes>, parts: &mut Vec<&'a Bytes>) {
    let mut wanted = Vec::new();
    for item in 0..leaf.len() {
        for at in leaf.value_addresses(item) {
            let address = leaf
                .value(item)
                .get(usize::from(at)..usize::from(at) + Address::LEN);
            wanted.extend(address.and_then(|raw| Address::try_from(raw).ok()));
        }
    }
    let mut len = 0;
    while let Some(address) = wanted.pop() {
        let Some(part) = chunks.get(&address) else {
            continue;
        };
        len += part.len();
        if len > FILE_LEN_MAX {
            return;
        }
        if let Ok(node) = Node::decode_any(part.clone())
            && !node.is_leaf()
        {
            wanted.extend((0..node.len()).map(|item| node.address(item)));
        }
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
}

fn is(contents: &Bytes, id: [u8; 4]) -> bool {
    contents.get(8..12) == Some(&id)
}

/// Types, expressions, and the texts that dolt's import was tried with.
fn add_texts(values: &Path, seeds: &mut Seeds) {
    for text in [
        "((`a` * 2) - (1 + `b`))",
        "((`c` / 3) + (`a` % 7))",
        "(NOT((`e` IN ('x', 'it''s'))))",
        "(`c` BETWEEN 0.01 AND 1e3)",
        "CASE  WHEN (`a` > 1) THEN `e` ELSE concat(upper(`e`), `b`) END",
        "(`f` >= '2020-01-01 10:00:00')",
        "`e` LIKE '%\\\\_a%'",
        "((`a` div 2) <=> abs(`b`))",
        "if(`d` IS NULL, year(`f`), char_length(trim(both ' ' from `e`)))",
        "SUBSTRING(`e`, -2, 1)",
    ] {
        add(seeds, "expression", text.as_bytes().to_vec());
    }
    for text in [
        "enum('x','it''s, (so)') COLLATE utf8mb4_0900_ai_ci",
        "varchar(30) CHARACTER SET latin1 COLLATE latin1_swedish_ci",
        "decimal(65,30)",
        "point SRID 4326",
    ] {
        add(seeds, "sql_type", text.as_bytes().to_vec());
    }
    let text = std::fs::read(values).expect("it is there");
    let types: Value = serde_json::from_slice(&text).expect("goldens are JSON");
    for tried in types.as_array().into_iter().flatten() {
        let name = tried["type"].as_str().expect("a type");
        add(seeds, "sql_type", name.as_bytes().to_vec());
        let Ok(sql_type) = SqlType::parse(name) else {
            continue;
        };
        let Some(encoding) = (0..=255).find(|at| TextCodec::new(&sql_type, *at).is_some()) else {
            continue;
        };
        let cases = tried["cases"].as_array().into_iter().flatten();
        for text in cases.filter_map(|case| case["text"].as_str()) {
            let parts = [name.as_bytes(), &[encoding], text.as_bytes()];
            add(seeds, "field_text", join_parts(&parts));
        }
    }
}

/// What dolt printed of altered tables, each as if it were table `t`.
fn add_statements(cases: &Path, seeds: &mut Seeds) {
    let text = std::fs::read(cases).expect("it is there");
    let cases: Value = serde_json::from_slice(&text).expect("goldens are JSON");
    for case in cases.as_array().into_iter().flatten() {
        let name = case["table"].as_str().expect("a table");
        let text = case["text"].as_str().expect("a text");
        let text = text.replacen(&format!("`{name}`"), "t", 1);
        add(seeds, "create_table", text.into_bytes());
    }
}
