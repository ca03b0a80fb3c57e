//! Rows as text give the trees that dolt made of them (`tests/golden/prolly`).

#[path = "support/store.rs"]
mod support;

use std::fmt::Write as _;

use dolt_format::build::refusal::refuses_writes;
use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::message::schema::{Column, Index, TableSchema};
use dolt_format::message::table::Table;
use dolt_format::tree::chunker::MapBuilder;
use dolt_format::tree::{Kind, address_map};
use dolt_format::{Address, Chunk};
use serde_json::Value;

fn fixture(name: &str) -> Value {
    let path = support::golden("prolly").join(format!("{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("a golden")).expect("JSON")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn numbers(value: &Value) -> Vec<u16> {
    let number = |value: &Value| value.as_u64().and_then(|n| u16::try_from(n).ok());
    let numbers = list(value).iter().map(number).collect::<Option<_>>();
    numbers.expect("small numbers")
}

fn column(name: &str, sql_type: &str, encoding: u8) -> Column {
    Column {
        name: name.to_owned(),
        sql_type: sql_type.to_owned(),
        encoding,
        nullable: true,
        ..Column::default()
    }
}

fn table(columns: Vec<Column>, primary_key: Vec<u16>) -> TableSchema {
    TableSchema {
        columns,
        primary_key,
        collation: 309,
        target_row_size: 2048,
        ..TableSchema::default()
    }
}

fn index(name: &str, definition: &Value, primary_key: &[u16]) -> Index {
    let key_columns = numbers(&definition["key_columns"]);
    // The columns it names: the rest of its key is what the primary key has besides.
    let own = (1..=key_columns.len()).find(|own| {
        let (own, rest) = key_columns.split_at(*own);
        let missing = primary_key.iter().filter(|column| !own.contains(column));
        missing.eq(rest)
    });
    let own = own.expect("a key that ends in the primary key");
    Index {
        name: name.to_owned(),
        index_columns: key_columns[..own].to_vec(),
        key_columns,
        prefix_lengths: numbers(&definition["prefix_lengths"]),
        unique: definition["unique"] == true,
        spatial: definition["spatial"] == true,
        ..Index::default()
    }
}

/// The schema of a fixture's table.
fn schema(fixture: &Value) -> TableSchema {
    let columns = list(&fixture["columns"]).iter().filter_map(|definition| {
        // Those without a type are the hidden ones of a keyless table.
        let sql_type = definition["sql_type"].as_str()?;
        let encoding = definition["encoding"].as_u64().expect("a number");
        let name = definition["name"].as_str().expect("a name");
        let is_virtual = definition["virtual"] == true;
        Some(Column {
            is_virtual,
            generated: is_virtual,
            ..column(name, sql_type, u8::try_from(encoding).expect("a byte"))
        })
    });
    let columns: Vec<Column> = columns.collect();
    let mut primary_key = numbers(&fixture["key_columns"]);
    primary_key.retain(|column| usize::from(*column) < columns.len());
    let mut schema = table(columns, primary_key);
    if let Some(size) = fixture["target_row_size"].as_u64() {
        schema.target_row_size = u16::try_from(size).expect("a small number");
    }
    let indexes = fixture["secondary"].as_object().into_iter().flatten();
    let indexes = indexes.map(|(name, definition)| index(name, definition, &schema.primary_key));
    schema.indexes = indexes.collect();
    schema
}

fn build(schema: &TableSchema, text: &[u8]) -> BuiltTable {
    let rows = MapBuilder::new(Kind::Tuples)
        .finish()
        .expect("an empty map");
    let indexes = address_map::build([]).expect("an empty map");
    let (rows, indexes) = (rows.root.contents(), indexes.root.contents());
    let base = Table::encode(Address::EMPTY, rows, indexes, 0).expect("a table");
    let mut build = TableBuild::new(schema.clone(), base).expect("it starts");
    build.feed(text).expect("it reads");
    build.finish().expect("it builds")
}

fn rows_root(built: &BuiltTable) -> String {
    let table = Table::decode(built.table.contents()).expect("a table");
    Chunk::new(table.rows.message().clone())
        .address()
        .to_string()
}

/// Appends a line: values in quotes, NULL as nothing.
fn push_line<'a>(text: &mut Vec<u8>, values: impl IntoIterator<Item = Option<&'a [u8]>>) {
    for (position, value) in values.into_iter().enumerate() {
        if position > 0 {
            text.push(b',');
        }
        let Some(value) = value else { continue };
        text.push(b'"');
        for byte in value {
            text.extend(std::iter::repeat_n(*byte, 1 + usize::from(*byte == b'"')));
        }
        text.push(b'"');
    }
    text.push(b'\n');
}

/// The text of a fixture's rows.
fn text(fixture: &Value) -> Vec<u8> {
    let names = list(&fixture["row_columns"]);
    let is_hex = |name: &Value| name.as_str().is_some_and(|name| name.ends_with(" (hex)"));
    let mut text = Vec::new();
    let shown = names.iter().map(|name| {
        let name = name.as_str().expect("a name");
        Some(name.strip_suffix(" (hex)").unwrap_or(name).as_bytes())
    });
    push_line(&mut text, shown);
    for row in list(&fixture["rows"]) {
        let values: Vec<Option<Vec<u8>>> = names
            .iter()
            .zip(list(row))
            .map(|(name, value)| {
                let value = value.as_str()?;
                Some(if is_hex(name) {
                    hex::decode(value).expect("hex")
                } else {
                    value.as_bytes().to_vec()
                })
            })
            .collect();
        push_line(&mut text, values.iter().map(Option::as_deref));
    }
    text
}

/// Rows and every index have dolt's roots, and the index roots are at hand.
fn assert_roots(name: &str, fixture: &Value, built: &BuiltTable) {
    let expected = fixture["primary"]["root"].as_str().expect("a root");
    assert_eq!(rows_root(built), expected, "{name}");
    for (index, expected) in fixture["secondary"].as_object().into_iter().flatten() {
        let root = expected["root"].as_str().expect("a root");
        let mut chunks = built.chunks.iter();
        let at_hand = chunks.any(|chunk| chunk.address().to_string() == root);
        assert!(
            at_hand,
            "{name}: index {index} has another root than {root}"
        );
    }
}

#[test]
fn rows_give_dolts_trees() {
    let mut built = Vec::new();
    for file in [
        "01-empty",
        "02-primes",
        "03-tiny",
        "07-decimals",
        "08-string-pk",
        "12-secondary",
        "13-layout",
        "15-key-types",
        "16-geometry",
    ] {
        for fixture in list(&fixture(file)["tables"]) {
            let name = fixture["table"].as_str().expect("a name").to_owned();
            let schema = schema(fixture);
            if let Some(why) = refuses_writes(&schema) {
                built.push(format!("{name}: {why}"));
                continue;
            }
            assert_roots(&name, fixture, &build(&schema, &text(fixture)));
            built.push(name);
        }
    }
    let refused: Vec<&String> = built.iter().filter(|name| name.contains(':')).collect();
    assert_eq!(refused.len(), 1, "{refused:#?}");
    assert!(refused[0].contains("generated"));
    assert!(built.len() >= 17, "{built:?}");
}

#[test]
fn a_hundred_thousand_rows_give_dolts_tree() {
    let fixture = fixture("05-big100k");
    let fixture = &list(&fixture["tables"])[0];
    let filler = "abcdefghij".repeat(4);
    let mut text = "id,name,price,ts,n1,n2\n".to_owned();
    for i in 1i64..=100_000 {
        let name = &filler[..usize::try_from(i % 37).expect("small")];
        let cents = i * 7919 % 1_000_003 - 500_000;
        let sign = if cents < 0 { "-" } else { "" };
        let (whole, cents) = (cents.abs() / 100, cents.abs() % 100);
        write!(
            text,
            "{},row-{i}-{name},{sign}{whole}.{cents:02},",
            i * 7 - 350_000
        )
        .expect("text");
        let micros = i * 1_001_000_037;
        let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
        let (days, seconds) = (seconds / 86_400, seconds % 86_400);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        // Days since 2000-01-01, below the year 2004.
        let (mut year, mut day) = (2000, days);
        while day >= if year == 2000 { 366 } else { 365 } {
            day -= if year == 2000 { 366 } else { 365 };
            year += 1;
        }
        let february = if year == 2000 { 29 } else { 28 };
        let mut month = 1;
        for len in [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30] {
            if day < len {
                break;
            }
            day -= len;
            month += 1;
        }
        let day = day + 1;
        let date = format!("{year}-{month:02}-{day:02}");
        write!(
            text,
            "{date} {hours:02}:{minutes:02}:{seconds:02}.{micros:06},"
        )
        .expect("text");
        if i % 3 != 0 {
            write!(text, "{}", i * i * i - 50_000_000_000).expect("text");
        }
        text.push(',');
        if i % 5 != 0 {
            write!(text, "{i:x}").expect("text");
        }
        text.push('\n');
    }
    assert_roots("big", fixture, &build(&schema(fixture), text.as_bytes()));
}

#[test]
fn equal_rows_without_a_key_are_counted() {
    let fixture = fixture("09-keyless");
    let fixture = &list(&fixture["tables"])[1];
    let mut text = b"a,b\n".to_vec();
    for i in 0..3000u32 {
        let number = (i * i % 301).to_string();
        let a = (i % 7 != 0).then_some(number.as_bytes());
        let words = [Some("x"), Some("y"), Some("zz"), Some("漢"), None];
        let b = words[i as usize % words.len()].map(str::as_bytes);
        push_line(&mut text, [a, b]);
    }
    let built = build(&schema(fixture), &text);
    assert_eq!(built.row_count, 3000);
    assert_roots("kl", fixture, &built);
}

#[test]
fn long_values_move_out_of_band_as_in_dolt() {
    let fixture = fixture("10-adaptive");
    let (lens, tables) = (list(&fixture["lens"]), list(&fixture["tables"]));
    let mut text = b"id,a,b,j\n".to_vec();
    for (i, lens) in lens.iter().enumerate() {
        let len =
            |at: usize| usize::try_from(lens[at].as_u64().expect("a length")).expect("a length");
        let byte = |number: usize| u8::try_from(number).expect("a byte");
        let a: Vec<u8> = (0..len(0)).map(|k| 97 + byte((k * 7 + i) % 26)).collect();
        let b: Vec<u8> = (0..len(1)).map(|k| byte((k * 31 + i) % 256)).collect();
        let j = format!("{{\"k\":\"{}\"}}", "z".repeat(len(2)));
        let id = i.to_string();
        push_line(&mut text, [id.as_bytes(), &a, &b, j.as_bytes()].map(Some));
    }
    text.extend_from_slice(b"100,,,\n");
    let built = build(&schema(&tables[0]), &text);
    assert_roots("adapt", &tables[0], &built);
    let blobs = tables[0]["blobs"].as_object().expect("blobs");
    for root in blobs.keys() {
        let mut chunks = built.chunks.iter();
        assert!(
            chunks.any(|chunk| chunk.address().to_string() == *root),
            "blob {root}"
        );
    }
    let row = |id: u8, a: usize, b: usize| format!("{id},{},{}\n", "a".repeat(a), "b".repeat(b));
    let text = ["id,a,b\n", &row(1, 600, 700), &row(2, 300, 300)].concat();
    assert_roots(
        "adapt1000",
        &tables[1],
        &build(&schema(&tables[1]), text.as_bytes()),
    );
}

#[test]
fn the_edges_of_moving_out_of_band_are_dolts() {
    const TEXT: u8 = 135;
    let fixture = fixture("23-adaptive-edges");
    let line = |values: &[(&str, usize)]| {
        let values = values.iter().map(|(text, times)| text.repeat(*times));
        values.collect::<Vec<_>>().join(",") + "\n"
    };
    let text = |name: &str| column(name, "text", TEXT);
    let id = || column("id", "int", 7);
    let nines = "9".repeat(38);
    let subjects = [
        (
            "y1",
            table(vec![id(), column("y", "year", 15), text("t")], vec![0]),
            [
                "id,y,t\n".to_owned(),
                line(&[("1", 1), ("2000", 1), ("t", 2044)]),
                line(&[("2", 1), ("2000", 1), ("t", 2045)]),
                line(&[("3", 1), ("2000", 1), ("t", 2046)]),
                line(&[("4", 1), ("2000", 1), ("t", 2047)]),
                line(&[("5", 1), ("", 1), ("t", 2047)]),
                line(&[("6", 1), ("", 1), ("t", 2048)]),
            ]
            .concat(),
        ),
        (
            "k1",
            table(vec![text("t"), column("n", "int", 7)], vec![]),
            [
                "t,n\n".to_owned(),
                line(&[("a", 2038), ("", 1)]),
                line(&[("b", 2039), ("", 1)]),
                line(&[("c", 2040), ("", 1)]),
                line(&[("d", 2035), ("5", 1)]),
                line(&[("e", 2036), ("5", 1)]),
            ]
            .concat(),
        ),
        (
            "d1",
            table(
                vec![
                    id(),
                    column("d", "decimal(65,0)", 130),
                    column("b", "bit(1)", 10),
                    column("v", "varchar(10)", 128),
                    text("t"),
                ],
                vec![0],
            ),
            [
                "id,d,b,v,t\n".to_owned(),
                line(&[("1", 1), ("1", 1), ("1", 1), ("ab", 1), ("t", 2023)]),
                line(&[("2", 1), ("1", 1), ("1", 1), ("ab", 1), ("t", 2024)]),
                line(&[("3", 1), (&nines, 1), ("1", 1), ("ab", 1), ("t", 2015)]),
                line(&[("4", 1), (&nines, 1), ("1", 1), ("ab", 1), ("t", 2016)]),
            ]
            .concat(),
        ),
        (
            "two",
            table(vec![id(), text("a"), text("b"), text("c")], vec![0]),
            [
                "id,a,b,c\n".to_owned(),
                line(&[("1", 1), ("a", 1000), ("b", 1000), ("c", 1000)]),
                line(&[("2", 1), ("a", 900), ("b", 1000), ("c", 900)]),
                line(&[("3", 1), ("a", 21), ("b", 20), ("c", 2004)]),
                line(&[("4", 1), ("a", 20), ("b", 20), ("c", 2010)]),
                line(&[("5", 1), ("a", 2020), ("b", 22), ("c", 30)]),
            ]
            .concat(),
        ),
    ];
    let tables = list(&fixture["tables"]);
    assert_eq!(tables.len(), subjects.len());
    for ((name, schema, text), fixture) in subjects.iter().zip(tables) {
        assert_eq!(fixture["table"], *name);
        assert_roots(name, fixture, &build(schema, text.as_bytes()));
    }
}
