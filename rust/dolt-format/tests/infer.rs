//! New tables from text: every schema and table that dolt made of the same text.

use std::collections::BTreeSet;

use dolt_format::build::TableBuild;
use dolt_format::message::schema::TableSchema;
use dolt_format::schema::infer::Inference;
use dolt_format::{Chunk, FormatError, TextFormat};
use serde_json::Value;

fn golden(name: &str) -> Value {
    let path = format!("{}/../../tests/golden/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).expect("goldens are JSON")
}

fn infer(pieces: &[&[u8]]) -> Result<Vec<TableSchema>, FormatError> {
    let mut inference = Inference::default();
    for piece in pieces {
        inference.feed(piece)?;
    }
    inference.finish("new", &BTreeSet::new())
}

fn build(schema: &TableSchema, text: &[u8]) -> Result<(Chunk, Vec<Chunk>), FormatError> {
    let mut build = TableBuild::create(schema)?;
    build.feed(text)?;
    build.finish().map(|built| (built.table, built.chunks))
}

#[test]
fn new_tables_are_dolts() {
    let golden = golden("import/new_tables.json");
    let mut taken = BTreeSet::new();
    let tables = golden["tables"].as_array().expect("tables");
    assert!(tables.len() >= 40);
    for expected in tables {
        let name = expected["table"].as_str().expect("a name");
        let text = expected["text"].as_str().expect("a text").as_bytes();
        let mut inference = Inference::default();
        inference.feed(text).expect(name);
        let schemas = inference.finish(name, &taken).expect(name);
        let (schema, (table, chunks)) = schemas
            .iter()
            .find_map(|schema| match build(schema, text) {
                Err(FormatError::DuplicateKey { .. }) => None,
                built => Some((schema, built.expect(name))),
            })
            .expect(name);
        let keyed = expected["keyed"].as_bool().expect("keyed");
        assert_eq!(schema.primary_key.is_empty(), !keyed, "{name}");
        let address = schema.encode().expect(name).address();
        assert_eq!(address.to_string(), expected["schema"], "schema of {name}");
        assert!(
            chunks.iter().any(|chunk| chunk.address() == address),
            "{name}"
        );
        assert_eq!(table.address().to_string(), expected["address"], "{name}");
        taken.extend(schema.columns.iter().map(|column| column.tag));
    }
}

#[test]
fn a_text_may_be_cut_anywhere() {
    let text = "id,näme,\"q\"\n1,ä,\"x\ny\"\n2,2.5,\n".as_bytes();
    let whole = infer(&[text]).expect("it is a table");
    assert_eq!(whole.len(), 2);
    for at in 0..text.len() {
        let (left, right) = text.split_at(at);
        assert_eq!(infer(&[left, right]), Ok(whole.clone()), "cut at {at}");
    }
}

#[test]
fn texts_that_are_no_table_are_refused() {
    for (text, expected) in [
        (&b""[..], "line 1: an empty text is no table"),
        (
            b"a,,c\n",
            "line 1, column \"field 2\": \"\": the column has no name",
        ),
        (b"a,\"\"\n", "line 1, column \"field 2\""),
        (
            b"a,A\n",
            "line 1, column \"field 2\": \"A\": the header names column \"A\" twice",
        ),
        (b"a,\xff\n", "line 1, column \"field 2\""),
        (b"a,b\n1\n", "line 2: 1 field, the header has 2"),
        (b"a,b\n1,2,3\n", "line 2: 3 fields, the header has 2"),
        (b"a,b\n1,\xff\n", "line 2, column \"b\""),
        (b"a\n1", "line 2: the text ends without a line end"),
        (b"a\n\"1\n", "line 2: the text ends inside a quoted field"),
    ] {
        let error = infer(&[text]).expect_err("no table").to_string();
        assert!(error.starts_with(expected), "{error}");
    }
    let long = format!("{}\n", "n".repeat(65));
    assert!(infer(&[long.as_bytes()]).is_err());
}

#[test]
fn values_that_the_sample_misses_have_a_say() {
    // Row 47 is one that dolt does not look at; it would take 47.5 for 48.
    let rows: Vec<String> = (1..=99)
        .map(|row| format!("{row},{}\n", if row == 47 { "47.5" } else { "7" }))
        .collect();
    let text = format!("id,n\n{}", rows.concat());
    let schemas = infer(&[text.as_bytes()]).expect("it is a table");
    assert_eq!(schemas[0].columns[1].sql_type, "float");
    // A column that dolt finds empty is text to it, which takes everything.
    let text = text.replace(",7\n", ",\n");
    let schemas = infer(&[text.as_bytes()]).expect("it is a table");
    assert_eq!(schemas[0].columns[1].sql_type, "varchar(200)");
}

#[test]
fn a_column_that_cannot_be_a_key_is_none() {
    let key_of = |text: &str| {
        let schemas = infer(&[text.as_bytes()]).expect("it is a table");
        (schemas.len(), schemas[0].primary_key.clone())
    };
    assert_eq!(key_of("a,b\n1,2\n"), (2, vec![0]));
    assert_eq!(key_of("a,b\n,2\n"), (1, vec![]));
    assert_eq!(key_of("a,b\n\"\",2\n"), (1, vec![]));
    assert_eq!(key_of("a,b\n\"[1]\",2\n"), (1, vec![]));
    let long = format!("a\n{}\n", "x".repeat(201));
    assert_eq!(key_of(&long), (1, vec![]));
}

#[test]
fn a_copy_has_tags_of_its_own() {
    let schema = infer(&[b"id,n\n1,2\n"]).expect("it is a table").remove(0);
    let tags = |schema: &TableSchema| -> BTreeSet<u64> {
        schema.columns.iter().map(|column| column.tag).collect()
    };
    let own = tags(&schema);
    let same = schema
        .copy_for("new", true, &BTreeSet::new())
        .expect("a copy");
    assert_eq!(tags(&same), own);
    for (name, same) in [("new", true), ("other", false)] {
        let copy = schema.copy_for(name, same, &own).expect("a copy");
        assert!(tags(&copy).is_disjoint(&own), "{name}");
    }
}

/// The types and the key of the table that a text in JSON would be; its rows fit.
fn of_json(text: &str) -> Result<(Vec<String>, bool), FormatError> {
    let mut inference = Inference::new(TextFormat::Jsonl);
    for piece in text.as_bytes().chunks(5) {
        inference.feed(piece)?;
    }
    let schemas = inference.finish("new", &BTreeSet::new())?;
    let keyed = schemas.len() > 1;
    let schema = &schemas[0];
    let mut build = TableBuild::create(schema)?.in_format(TextFormat::Jsonl)?;
    build.feed(text.as_bytes())?;
    let built = build.finish()?;
    assert_eq!(
        built.row_count,
        text.lines().filter(|l| !l.is_empty()).count() as u64
    );
    let columns = schema.columns.iter();
    Ok((
        columns
            .map(|c| format!("{} {}", c.name, c.sql_type))
            .collect(),
        keyed,
    ))
}

#[test]
fn json_says_of_its_values_what_they_are() {
    for (values, expected) in [
        ("1 -2147483648", "int"),
        ("1 2147483648", "bigint"),
        ("1 2.5", "double"),
        ("1e3", "double"),
        ("1 true", "int"),
        ("true false", "tinyint(1)"),
        ("true 0.5", "double"),
        (r#"true "x""#, "json"),
        ("9223372036854775808", "varchar(200)"),
        (r#""1" "2""#, "varchar(200)"),
        (r#""true""#, "varchar(200)"),
        (r#"1 "x""#, "varchar(200)"),
        (r#""2024-01-02" "2024-01-03T10:00:00""#, "datetime(6)"),
        (r#""2024-01-02""#, "date"),
        (r#""10:00:00""#, "time(6)"),
        (r#""2024-01-02" "x""#, "varchar(200)"),
        (
            r#""00000000-0000-0000-0000-00000000000A""#,
            "char(36) CHARACTER SET ascii COLLATE ascii_bin",
        ),
        (r#"[1] {"a":2}"#, "json"),
        (r#"[1] 2 "x" null"#, "json"),
        ("null", "varchar(200)"),
        (r#""" null"#, "varchar(200)"),
    ] {
        let rows = values.split(' ').enumerate();
        let rows = rows.map(|(at, value)| format!("{{\"id\":{at},\"v\":{value}}}\n"));
        let (columns, keyed) = of_json(&rows.collect::<String>()).expect(values);
        assert_eq!(
            columns,
            ["id int".to_owned(), format!("v {expected}")],
            "{values}"
        );
        assert!(keyed);
    }
}

#[test]
fn rows_in_json_may_have_different_columns() {
    let columns = |text: &str| of_json(text).expect(text);
    let names = |names: &[&str]| {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        columns("{\"a\":1}\n{\"b\":\"x\",\"a\":2}\n\n{\"c\":true,\"a\":3}\n"),
        (names(&["a int", "b varchar(200)", "c tinyint(1)"]), true)
    );
    // The first column is the key only where every row has it.
    assert!(!columns("{\"a\":1}\n{\"b\":2}\n").1);
    assert!(!columns("{\"a\":null,\"b\":2}\n").1);
    assert!(!columns("{}\n{\"a\":1}\n").1);
}

#[test]
fn texts_in_json_that_are_no_table_are_refused() {
    for (text, line, part) in [
        ("", 1, "an empty text is no table"),
        ("\n{}\n", 1, "an empty text is no table"),
        ("{\"a\":1}\nx\n", 2, "expected {"),
        ("{\"a\":1}\n{\"a\":1,\"A\":2}\n", 2, "twice"),
        ("{\"a\":1,\"a\":2}\n", 1, "twice"),
        ("{\"\":1}\n", 1, "no name"),
        ("{\"a\\u0000\":1}\n", 1, "NUL"),
        ("{\"a\":[1,}\n", 1, "expected , or }"),
        ("{\"a\":\"\\ud800\"}\n", 1, "surrogate"),
    ] {
        let error = of_json(text).expect_err(text).to_string();
        assert!(
            error.starts_with(&format!("line {line}")) && error.contains(part),
            "{error}"
        );
    }
}
