//! A column of another type has the values that dolt's `ALTER TABLE … MODIFY` converts its values
//! to, and what dolt does not convert is refused.

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeSet;

use dolt_format::build::edited::{Carrying, without_rows};
use dolt_format::build::moment::Moment;
use dolt_format::schema::edit::{Around, SchemaEdit};
use dolt_format::schema::show::Shown;
use dolt_format::{Address, FormatError};
use serde_json::Value;
use support::{Store, golden};

const MOMENT: Moment = Moment {
    micros: 0,
    seed: [0; 16],
};

struct Conversions {
    store: Store,
    tables: std::collections::BTreeMap<String, Address>,
    answers: Value,
}

impl Conversions {
    fn open() -> Self {
        let (store, root) = Store::open(&golden("schema/conversions/remote"));
        let tables = store.tables(store.branches(root)["main"]);
        let text = std::fs::read_to_string(golden("schema/conversions/conversions.json"));
        let answers = serde_json::from_str(&text.expect("the answers")).expect("JSON");
        Self {
            store,
            tables,
            answers,
        }
    }

    /// The table of type `from` with these of its rows, its column then of type `to`.
    fn convert(&self, from: &Value, to: &str, rows: &[&[u8]]) -> Result<Address, FormatError> {
        self.alter(from, &format!("v {to}"), rows)
    }

    /// The table of type `from` with these of its rows, its columns then `id` and `columns`.
    fn alter(&self, from: &Value, columns: &str, rows: &[&[u8]]) -> Result<Address, FormatError> {
        let name = from["table"].as_str().expect("a table");
        let address = self.tables[name];
        let (message, schema) = self.store.table(address);
        let shown = Shown {
            name,
            schema: &schema,
            auto_increment: message.auto_increment,
            foreign_keys: &[],
            parents: &[],
        };
        let tables = self
            .tables
            .values()
            .map(|address| self.store.table(*address).1);
        let used_tags: BTreeSet<u64> = tables
            .flat_map(|schema| schema.columns)
            .map(|column| column.tag)
            .collect();
        let around = Around {
            used_tags: &used_tags,
            schemas: &[],
            foreign_keys: &[],
            collation: 309,
        };
        let text = format!("CREATE TABLE {name} (id int NOT NULL, {columns}, PRIMARY KEY (id))");
        let edit = SchemaEdit::alter(&shown, text.as_bytes(), around)?;
        let chunk = self.store.get(address).clone();
        if let Some(built) = without_rows(&edit, Some(&chunk))? {
            return Ok(built.table.address());
        }
        let mut carrying = Carrying::new(&edit, &schema, chunk, MOMENT)?;
        carrying.feed(b"id,v\n")?;
        for row in rows {
            carrying.feed(row)?;
            carrying.feed(b"\n")?;
        }
        Ok(carrying.finish()?.table.address())
    }
}

/// The bytes of a text that has a character for each.
fn bytes(text: &str) -> Vec<u8> {
    text.chars()
        .map(|c| u8::try_from(u32::from(c)).expect("a byte"))
        .collect()
}

/// `0-3,7` as 0, 1, 2, 3 and 7.
fn numbers(text: &str) -> Vec<usize> {
    let number = |text: &str| text.parse::<usize>().expect("a number");
    let ranges = text.split(',').filter(|range| !range.is_empty());
    let ranges = ranges.map(|range| range.split_once('-').unwrap_or((range, range)));
    ranges
        .flat_map(|(first, last)| number(first)..=number(last))
        .collect()
}

/// Values that dolt stores otherwise than their equals: with another exponent than the column's.
const UNLIKE: [&str; 2] = ["1e2", "1e+10"];

#[test]
fn values_become_those_that_dolt_converts_them_to() {
    let conversions = Conversions::open();
    let types = conversions.answers["types"].as_array().expect("types");
    let pairs = conversions.answers["pairs"].as_array().expect("pairs");
    let mut wrong = Vec::new();
    let (mut equal, mut refused) = (0, 0);
    for pair in pairs {
        let (from, to, after, bad, otherwise): (usize, usize, String, String, String) =
            serde_json::from_value(pair.clone()).expect("a pair");
        let (bad, otherwise) = (numbers(&bad), numbers(&otherwise));
        let (from, to) = (&types[from], types[to]["type"].as_str().expect("a type"));
        let text = bytes(from["rows"].as_str().expect("rows"));
        let what = format!("{} to {to}", from["type"]);
        let mut good = Vec::new();
        for line in text.split(|byte| *byte == b'\n').skip(1) {
            let mut parts = line.splitn(2, |byte| *byte == b',');
            let id = parts
                .next()
                .and_then(|id| std::str::from_utf8(id).ok()?.parse().ok());
            let (Some(id), Some(value)) = (id, parts.next()) else {
                continue;
            };
            if !bad.contains(&id) && !otherwise.contains(&id) {
                good.push(line);
                continue;
            }
            let value = String::from_utf8_lossy(value);
            let taken = conversions.convert(from, to, &[line]).is_ok();
            if taken && !UNLIKE.contains(&value.as_ref()) {
                wrong.push(format!("{what}: {value} is taken"));
            }
            refused += usize::from(!taken);
        }
        if good.is_empty() {
            continue;
        }
        match conversions.convert(from, to, &good) {
            Ok(address) if address.to_string() == after => equal += 1,
            Ok(_) => wrong.push(format!("{what}: another table")),
            Err(error) => wrong.push(format!("{what}: {error}")),
        }
    }
    for line in &mut wrong {
        *line = line.chars().take(160).collect();
    }
    assert!(
        wrong.is_empty(),
        "{equal} equal, {refused} refused, {} wrong\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(equal > 1500 && refused > 14_000, "{equal}, {refused}");
}

#[test]
fn a_new_column_has_the_values_that_dolt_gives_it() {
    let conversions = Conversions::open();
    let table = &conversions.answers["types"][0];
    let text = bytes(table["rows"].as_str().expect("rows"));
    let lines = text.split(|byte| *byte == b'\n').skip(1);
    let rows: Vec<&[u8]> = lines.filter(|line| !line.is_empty()).collect();
    let path = golden("schema/conversions/added.json");
    let added = std::fs::read_to_string(path).expect("the answers");
    let added: Vec<(String, Option<String>)> = serde_json::from_str(&added).expect("JSON");
    assert!(added.len() > 40, "{}", added.len());
    for (column, after) in added {
        let outcome = conversions.alter(table, &format!("v tinyint, n {column}"), &rows);
        // What dolt would store of a first member that is NOT NULL is none of them.
        match (
            outcome,
            after.filter(|_| column != "enum('a','b') NOT NULL"),
        ) {
            (Ok(address), Some(after)) => assert_eq!(address.to_string(), after, "{column}"),
            (Err(FormatError::Unsupported(why)), None) => {
                assert!(why.contains("DEFAULT"), "{column}: {why}");
            }
            (outcome, after) => panic!("{column}: {outcome:?}, {after:?}"),
        }
    }
}

#[test]
fn a_new_column_has_the_time_or_a_uuid_for_each_row() {
    let conversions = Conversions::open();
    let table = &conversions.answers["types"][0];
    let rows: [&[u8]; 2] = [b"0,0", b"1,1"];
    let alter = |column: &str| conversions.alter(table, &format!("v tinyint, n {column}"), &rows);
    // No TIMESTAMP is the start of 1970, which is the moment here.
    for column in [
        "datetime DEFAULT CURRENT_TIMESTAMP",
        "timestamp(3) NULL DEFAULT NOW(3)",
        "date NOT NULL DEFAULT (curdate())",
        "char(36) NOT NULL DEFAULT (uuid())",
    ] {
        let outcome = alter(column);
        let is_time = column.starts_with("timestamp");
        assert_eq!(outcome.is_err(), is_time, "{column}: {outcome:?}");
    }
    let error = alter("binary(16) DEFAULT (uuid_to_bin(uuid()))");
    let error = error.expect_err("bytes of chance");
    assert!(error.to_string().contains("rows that are there"), "{error}");
}
