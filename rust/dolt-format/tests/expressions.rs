//! Expressions come out as dolt computed them (`tests/golden/constraints/expressions.json`).

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeSet;

use dolt_format::build::TableBuild;
use dolt_format::csv::render::{Renderer, Values};
use dolt_format::expression::{Expression, ExpressionColumn};
use dolt_format::message::schema::{Column, TableSchema};
use dolt_format::message::table::Table;
use dolt_format::tree::Kind;
use dolt_format::tree::address_map;
use dolt_format::tree::chunker::MapBuilder;
use dolt_format::value::sql_type::SqlType;
use dolt_format::{Address, Chunk, FormatError};
use serde_json::Value;

/// The golden: columns, rows as text, and cases: an expression, the type and encoding of the
/// generated column it is of, and the column's text for each row. null is NULL, false a row that
/// dolt refuses to insert.
fn golden() -> Value {
    let path = support::golden("constraints/expressions.json");
    let text = std::fs::read_to_string(path).expect("the golden");
    serde_json::from_str(&text).expect("JSON")
}

fn column(name: &Value, sql_type: &Value, encoding: &Value) -> Column {
    Column {
        name: name.as_str().expect("a name").to_owned(),
        sql_type: sql_type.as_str().expect("a type").to_owned(),
        encoding: encoding.as_u64().expect("a number") as u8,
        nullable: name != "k",
        ..Column::default()
    }
}

/// The schema with a virtual column `g` that `expression` generates.
fn schema(golden: &Value, expression: &Value, sql_type: &Value, encoding: &Value) -> TableSchema {
    let columns = golden["columns"].as_array().expect("columns");
    let mut columns: Vec<Column> = columns
        .iter()
        .map(|c| column(&c[0], &c[1], &c[2]))
        .collect();
    columns.push(Column {
        default: expression.as_str().expect("an expression").to_owned(),
        generated: true,
        is_virtual: true,
        ..column(&Value::from("g"), sql_type, encoding)
    });
    TableSchema {
        columns,
        primary_key: vec![0],
        target_row_size: 2048,
        ..TableSchema::default()
    }
}

fn empty_table() -> Chunk {
    let rows = MapBuilder::new(Kind::Tuples).finish().expect("a map").root;
    let indexes = address_map::build(Vec::new()).expect("a map").root;
    Table::encode(Address::default(), rows.contents(), indexes.contents(), 0).expect("a table")
}

/// What becomes of a row: the text of column `g`, or why it is refused.
fn computed(schema: &TableSchema, base: &Chunk, text: &str) -> Result<Option<String>, FormatError> {
    let mut build = TableBuild::new(schema.clone(), base.clone())?;
    build.feed(text.as_bytes())?;
    let built = build.finish()?;
    let table = Table::decode(built.table.contents())?;
    let mut line = Vec::new();
    Renderer::new(schema)?.render(&table.rows, &Values::new(), &mut line)?;
    let line = String::from_utf8(line).expect("UTF-8");
    let given = text
        .split_once('\n')
        .expect("a header")
        .1
        .trim_end_matches('\n');
    let rest = line.strip_prefix(given).expect("the row as it was given");
    let rest = rest.strip_prefix(',').expect("another column");
    let field = rest.strip_suffix('\n').expect("a line end");
    Ok(match field {
        "" => None,
        quoted if quoted.starts_with('"') => {
            Some(quoted[1..quoted.len() - 1].replace("\"\"", "\""))
        }
        plain => Some(plain.to_owned()),
    })
}

/// What pyfs refuses by name, though dolt evaluates it.
const BEYOND: [&str; 6] = [
    "(`f` * 1e+300)",
    "(coalesce(`a`,`b`) = 7)",
    "coalesce(`a`,`b`,1)",
    "coalesce(`d`,0.00)",
    "coalesce(`f`,1)",
    "ifnull(`f`, 0.5)",
];

#[test]
fn expressions_come_out_as_dolt_computes_them() {
    let golden = golden();
    let text = golden["rows"].as_str().expect("a text");
    let (header, rows) = text.split_once('\n').expect("a header");
    let base = empty_table();
    let mut wrong = Vec::new();
    let mut beyond = BTreeSet::new();
    let mut checked = 0;
    for case in golden["cases"].as_array().expect("cases") {
        let (expression, sql_type) = (&case[0], &case[1]);
        let schema = schema(&golden, expression, sql_type, &case[2]);
        let answers = case[3].as_array().expect("answers");
        for (row, answer) in rows.lines().zip(answers) {
            let ours = computed(&schema, &base, &format!("{header}\n{row}\n"));
            checked += 1;
            let right = match (&ours, answer) {
                (Err(FormatError::Unsupported(why)), _) => {
                    // Doubles beyond 10^35 are not compared with decimals, nor computed further.
                    if !(why.starts_with("line 2: ") && row.starts_with("3,")) {
                        beyond.insert(expression.as_str().expect("a text"));
                    }
                    true
                }
                (Err(_), Value::Bool(refused)) => !refused,
                (Ok(ours), Value::String(answer)) => ours.as_ref() == Some(answer),
                (Ok(ours), Value::Null) => ours.is_none(),
                _ => false,
            };
            if !right {
                wrong.push(format!(
                    "{expression} as {sql_type} of {row}: {ours:?}, dolt has {answer}"
                ));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {checked}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(checked > 8900, "{checked} answers");
    assert_eq!(beyond.into_iter().collect::<Vec<_>>(), BEYOND);
}

#[test]
fn hostile_expressions_are_refused() {
    let columns: Vec<ExpressionColumn> = ["a", "b"]
        .map(|name| ExpressionColumn {
            name: name.to_owned(),
            sql_type: SqlType::parse("bigint").expect("a type"),
        })
        .into();
    let parse = |text: &str| Expression::parse(text, &columns);
    let refusal = |text: &str| match parse(text) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("{text} is taken"),
    };
    for (text, why) in [
        ("regexp_like(`a`,'x')", "the function regexp_like"),
        ("(`a` & 1)", "the operator &"),
        ("`c`", "there is no column \"c\""),
        ("(`a` -> '$.x')", "the operator ->"),
        ("'a\\%'", "a single backslash"),
        ("`a` LIKE 'x'", "LIKE"),
        ("`a` > 1 XOR `b` > 1 AND `a` > 2", "without parentheses"),
        ("`a` IS NULL = `b`", "without parentheses"),
        ("(select 1)", "beyond what pyfs evaluates"),
        ("now()", "the function now"),
        ("`a` = '5x'", "an integer compared with text"),
        ("`a` / `b` / 2", "a division within a division"),
        ("99999999999999999999", "beyond BIGINT"),
        ("`a` `b`", "behind its end"),
        ("0x10", "the literal"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.contains(why), "{text}: {refusal}");
    }
    let deep = format!("{}1{}", "(".repeat(100_000), ")".repeat(100_000));
    let nested = format!("{}1{}", "-(".repeat(200), ")".repeat(200));
    let long = format!("1{}", "+1".repeat(100_000));
    let chain = format!("`a`{}", " + `a`".repeat(200));
    for text in ["", "(`a`", "'", deep.as_str(), &nested, &long, &chain] {
        assert!(parse(text).is_err());
    }
    let list = format!("`a` IN (1{})", ", 1".repeat(10_000));
    assert!(parse(&list).is_ok());
}
