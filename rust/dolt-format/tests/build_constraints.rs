//! Generated columns, functional indexes, defaults and CHECK constraints come out as those of
//! `dolt table import -r` (`tests/golden/constraints`).

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeMap;

use dolt_format::build::refusal::refuses_writes;
use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::csv::render::{Renderer, Values};
use dolt_format::message::table::Table;
use dolt_format::{Address, FormatError};
use serde_json::Value;
use support::Store;

struct Tables {
    store: Store,
    tables: BTreeMap<String, Address>,
}

impl Tables {
    fn open() -> Self {
        let (store, root) = Store::open(&support::golden("constraints/tables"));
        let tables = store.tables(store.branches(root)["main"]);
        Self { store, tables }
    }

    fn build(&self, table: &str, text: &str) -> Result<BuiltTable, FormatError> {
        let address = self.tables[table];
        let (_, schema) = self.store.table(address);
        let mut build = TableBuild::new(schema, self.store.get(address).clone())?;
        build.feed(text.as_bytes())?;
        build.finish()
    }

    fn render(&self, table: &str, built: &BuiltTable) -> String {
        let (_, schema) = self.store.table(self.tables[table]);
        let renderer = Renderer::new(&schema).expect("a renderer");
        let shown = &renderer.columns().shown;
        let mut out = dolt_format::csv::header(shown.iter().map(|column| column.name.as_str()));
        let table = Table::decode(built.table.contents()).expect("a table");
        renderer
            .render(&table.rows, &Values::default(), &mut out)
            .expect("it renders");
        String::from_utf8(out).expect("UTF-8")
    }
}

fn imports() -> Vec<Value> {
    let path = support::golden("constraints/imports.json");
    let text = std::fs::read_to_string(path).expect("a golden");
    serde_json::from_str(&text).expect("JSON")
}

/// Dolt does not enforce checks on generated columns, as MySQL does.
const UNCHECKED: [(&str, &str); 3] = [
    ("chained", "k\n-9\n"),
    ("checks_computed", "k,a\n1,5\n"),
    ("checks_computed", "k,a\n1,-1\n"),
];

#[test]
fn texts_are_taken_and_refused_as_import_does() {
    let tables = Tables::open();
    let mut taken = 0;
    for case in imports() {
        let (table, text) = (&case["table"], &case["text"]);
        let (table, text) = (
            table.as_str().expect("a name"),
            text.as_str().expect("a text"),
        );
        let ours = tables.build(table, text);
        if UNCHECKED.contains(&(table, text)) {
            let error = ours.expect_err("it breaks the check").to_string();
            assert!(error.contains("it breaks the CHECK constraint"), "{error}");
            continue;
        }
        match case["hash"].as_str() {
            None => {
                let error = ours.expect_err(text);
                let of_the_text = matches!(
                    error,
                    FormatError::BadRecord { .. } | FormatError::BadValue { .. }
                );
                assert!(of_the_text, "{table} {text}: {error}");
            }
            Some(hash) => {
                let built = ours.unwrap_or_else(|error| panic!("{table} {text}: {error}"));
                let stored = case["stored"].as_str().expect("a text");
                assert_eq!(tables.render(table, &built), stored);
                assert_eq!(built.table.address().to_string(), hash, "{table} {text}");
                let again = tables.build(table, stored).expect("what dolt shows");
                assert_eq!(again.table.address(), built.table.address());
                taken += 1;
            }
        }
    }
    assert!(taken >= 15, "{taken} texts");
}

#[test]
fn a_refusal_names_the_line_the_constraint_and_its_expression() {
    let tables = Tables::open();
    let refusal = |table: &str, text: &str| {
        let error = tables.build(table, text).expect_err(text);
        error.to_string()
    };
    assert_eq!(
        refusal("checked", "k,q\n1,5\n2,0\n"),
        "line 3: it breaks the CHECK constraint \"q_pos\": (`q` > 0)"
    );
    assert_eq!(
        refusal("generated_", "k,a,s\n1,5,6\n2,5,7\n"),
        "line 3, column \"s\": \"7\": the column is generated, and its value is another; leave the \
         column out of the header"
    );
    assert_eq!(
        refusal("generated_", "k,a\n1,2147483647\n"),
        "line 2, column \"s\": \"\": the column is computed, and its value would be 2147483648: it \
         is outside -2147483648 to 2147483647"
    );
    assert_eq!(
        refusal("generated_", "k,a\n1,5\n2,5\n"),
        "line 3: unique key \"uv\" has the same value on line 2"
    );
    assert_eq!(
        refusal("functional", "k,!hidden!fi!0!0\n1,x\n"),
        "line 1: the header names \"!hidden!fi!0!0\", which is no column of the table; its \
         columns are k, s, n"
    );
    assert_eq!(
        refusal("volatile_", "k\n1\n"),
        "the header lacks column \"u\", whose default pyfs cannot evaluate (the expression \
         (uuid()): the function uuid); name the column in the header"
    );
    assert_eq!(
        refusal("volatile_", "k,u\n1,x\n"),
        "the header lacks column \"n\", whose default CURRENT_TIMESTAMP pyfs cannot evaluate; name \
         the column in the header"
    );
}

#[test]
fn what_cannot_be_evaluated_is_refused_by_name() {
    let tables = Tables::open();
    let mut refused = BTreeMap::new();
    for (name, address) in &tables.tables {
        let (_, schema) = tables.store.table(*address);
        if let Some(why) = refuses_writes(&schema) {
            refused.insert(name.as_str(), why);
        }
    }
    let expected = [
        (
            "bits",
            "it has the CHECK constraint \"bits_chk_4nujuamq\": the expression (`a` & 1): the \
             operator &",
        ),
        (
            "matched",
            "it has the CHECK constraint \"matched_chk_6i9e6lrc\": the expression \
             regexp_like(`s`,'^a'): the function regexp_like",
        ),
    ];
    let expected: BTreeMap<&str, String> =
        expected.map(|(name, why)| (name, why.to_owned())).into();
    assert_eq!(refused, expected);
}
