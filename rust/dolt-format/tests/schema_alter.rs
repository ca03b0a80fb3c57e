//! A changed `CREATE TABLE` makes the table that dolt's ALTER statements make, to its address.

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeSet;

use dolt_format::FormatError;
use dolt_format::build::BuiltTable;
use dolt_format::build::edited::{Carrying, without_rows};
use dolt_format::build::moment::Moment;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table::Table;
use dolt_format::schema::edit::{Around, SchemaEdit};
use dolt_format::schema::show::Shown;
use serde_json::Value;
use support::{Store, golden};

/// What pyfs refuses that dolt does, and a part of the reason.
const REFUSED: [(&str, &str); 1] = [("rename and retype", "\"a\" is gone and \"n\" is new")];

const MOMENT: Moment = Moment {
    micros: 0,
    seed: [0; 16],
};

struct Golden {
    store: Store,
    tables: std::collections::BTreeMap<String, dolt_format::Address>,
    used_tags: BTreeSet<u64>,
}

impl Golden {
    fn open() -> Self {
        let (store, root) = Store::open(&golden("schema/remote"));
        let tables = store.tables(store.branches(root)["main"]);
        let schemas = tables.values().map(|address| store.table(*address).1);
        let used_tags = schemas
            .flat_map(|schema| schema.columns)
            .map(|column| column.tag)
            .collect();
        Self {
            store,
            tables,
            used_tags,
        }
    }

    /// The table's message and schema before.
    fn before(&self, table: &str) -> (dolt_format::Chunk, Table, TableSchema) {
        let address = self.tables[table];
        let (message, schema) = self.store.table(address);
        (self.store.get(address).clone(), message, schema)
    }

    fn alter(
        &self,
        table: &str,
        text: &str,
        rows: &str,
    ) -> Result<Option<BuiltTable>, FormatError> {
        let (chunk, message, schema) = self.before(table);
        let shown = Shown {
            name: table,
            schema: &schema,
            auto_increment: message.auto_increment,
            foreign_keys: &[],
            parents: &[],
        };
        let around = Around {
            used_tags: &self.used_tags,
            schemas: &[],
            foreign_keys: &[],
            collation: 309,
        };
        let edit = SchemaEdit::alter(&shown, text.as_bytes(), around)?;
        if edit.unchanged {
            return Ok(None);
        }
        if let Some(built) = without_rows(&edit, Some(&chunk))? {
            return Ok(Some(built));
        }
        let mut carrying = Carrying::new(&edit, &schema, chunk, MOMENT)?;
        for piece in rows.as_bytes().chunks(7) {
            carrying.feed(piece)?;
        }
        carrying.finish().map(Some)
    }
}

#[test]
fn altered_tables_are_those_that_dolt_makes() {
    let golden_tables = Golden::open();
    let text = std::fs::read_to_string(golden("schema/cases.json")).expect("the cases");
    let cases: Vec<Value> = serde_json::from_str(&text).expect("JSON");
    let mut wrong = Vec::new();
    let mut equal = 0;
    for case in &cases {
        let of = |key: &str| case[key].as_str().expect(key);
        let outcome = golden_tables.alter(of("table"), of("text"), of("rows"));
        let refused = REFUSED.iter().find(|(what, _)| *what == of("what"));
        match (outcome, refused) {
            (Ok(built), None) => {
                let made = built.map_or(of("before").to_owned(), |b| b.table.address().to_string());
                if made == of("after") {
                    equal += 1;
                } else {
                    wrong.push(format!("{}: {made}, dolt made {}", of("what"), of("after")));
                }
            }
            (Err(FormatError::Unsupported(why)), Some((_, part))) if why.contains(part) => {}
            (outcome, refused) => wrong.push(format!(
                "{}: {:?} {refused:?}",
                of("what"),
                outcome.map(|_| ())
            )),
        }
    }
    assert!(wrong.is_empty(), "{equal} equal\n{}", wrong.join("\n"));
    assert_eq!(equal + REFUSED.len(), cases.len());
}

#[test]
fn the_text_of_a_table_as_it_is_changes_nothing() {
    let golden_tables = Golden::open();
    for (name, address) in &golden_tables.tables {
        let (_, message, schema) = golden_tables.before(name);
        let shown = Shown {
            name,
            schema: &schema,
            auto_increment: message.auto_increment,
            foreign_keys: &[],
            parents: &[],
        };
        let text = shown.create_table().expect("a text");
        for text in [
            text.clone() + ";\n",
            text.to_lowercase().replace("\n  ", " /* x */ "),
        ] {
            let text = text.replace("generated always as ", "GENERATED ALWAYS AS ");
            let same = golden_tables.alter(name, &text, "");
            assert!(
                matches!(same, Ok(None)),
                "{name} {address}: {text}: {same:?}"
            );
        }
    }
}

#[test]
fn a_column_that_may_be_renamed_is_not_taken_for_a_new_one() {
    let golden_tables = Golden::open();
    let alter = |columns: &str| {
        let text = format!("CREATE TABLE t00 ({columns}, PRIMARY KEY (id))");
        golden_tables.alter("t00", &text, "id,a,b,c,d\n1,10,one,1.50,2020-01-01\n")
    };
    let rest = "b varchar(20), c decimal(10,2), d date";
    for columns in [
        // It was renamed, and its name given to another one.
        format!("id int NOT NULL, a_old int, {rest}, a varchar(9)"),
        format!("id int NOT NULL, a_old int, {rest}, a int"),
        format!("id int NOT NULL, a_old int, a varchar(9), {rest}"),
        // Two have exchanged their names.
        format!("id_old int NOT NULL, a int, {rest}, id bigint NOT NULL"),
        "id int NOT NULL, b int, a varchar(20), c decimal(10,2), d date".to_owned(),
    ] {
        match alter(&columns) {
            Err(FormatError::Unsupported(why)) => {
                assert!(why.contains("rename first"), "{columns}: {why}");
            }
            other => panic!("{columns}: {:?}", other.map(|_| ())),
        }
    }
    for columns in [
        format!("id int NOT NULL, n int, a int, {rest}"),
        format!("id int NOT NULL, a int, n int, {rest}"),
        format!("id int NOT NULL, a bigint, n varchar(9), {rest}"),
        format!("a int, id int NOT NULL, {rest}"),
    ] {
        assert!(alter(&columns).is_ok(), "{columns}");
    }
}
