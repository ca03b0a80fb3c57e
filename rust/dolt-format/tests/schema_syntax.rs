//! What a text may say: each statement makes the table that dolt makes of it, or is refused.

use std::collections::BTreeSet;

use dolt_format::FormatError;
use dolt_format::build::edited::without_rows;
use dolt_format::schema::edit::{Around, SchemaEdit};
use dolt_format::schema::show::Shown;
use serde_json::Value;

fn golden() -> Vec<Value> {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/golden/schema/syntax.json"
    );
    let text = std::fs::read_to_string(path).expect("the golden");
    serde_json::from_str(&text).expect("JSON")
}

/// The table that a statement makes beside table `p`: its address, and its text.
fn create(text: &str) -> Result<(String, String), FormatError> {
    let empty = BTreeSet::new();
    let mut around = Around {
        used_tags: &empty,
        schemas: &[],
        foreign_keys: &[],
        collation: 309,
    };
    let parent = SchemaEdit::create("p", b"CREATE TABLE p (id int PRIMARY KEY)", around)?.schema;
    let tags = parent.columns.iter().map(|column| column.tag).collect();
    let schemas = [("p".to_owned(), parent)];
    around.used_tags = &tags;
    around.schemas = &schemas;
    let edit = SchemaEdit::create("t", text.as_bytes(), around)?;
    let built = without_rows(&edit, None)?.expect("a new table has no rows");
    let shown = Shown {
        name: "t",
        schema: &edit.schema,
        auto_increment: edit.auto_increment,
        foreign_keys: &edit.foreign_keys,
        parents: &schemas,
    };
    Ok((built.table.address().to_string(), shown.create_table()?))
}

/// What dolt takes and pyfs refuses, by a part of the text, and a part of the reason.
const REFUSED: [(&str, &str); 32] = [
    ("union=(u)", "the table option union"),
    ("partition by", "the table option partition"),
    ("create table t select", "( is expected"),
    ("create table t like", "( is expected"),
    ("drop table p", "one statement"),
    ("SET NAMES", "CREATE is expected"),
    ("charset=binary", "character set binary"),
    ("(0x6162)", "does not know how dolt writes it"),
    ("enum('a\\", "backslash"),
    ("_utf8mb4'x'", "the default"),
    ("json_object()", "does not know how dolt writes it"),
    ("time default 100000", "of this type"),
    ("point(1,2)", "does not know how dolt writes it"),
    ("utc_timestamp()", "the function"),
    ("rand()", "does not know how dolt writes it"),
    ("a int key", "say PRIMARY KEY"),
    ("(`` int)", "1 to 64 characters"),
    ("(`a ` int)", "1 to 64 characters"),
    ("primary key (a), primary key", "stands twice"),
    ("primary key, primary key", "stands twice"),
    ("a point, key", "make it with dolt"),
    ("fulltext", "a full-text index"),
    ("json primary key", "cannot be of the primary key"),
    ("regexp", "does not know how dolt writes it"),
    ("case when", "does not know how dolt writes it"),
    ("(!a)", "expected"),
    ("a || 1", "does not know how dolt writes it"),
    ("a mod 2", "expected"),
    ("cast(a", "does not know how dolt writes it"),
    ("a | 1", "does not know how dolt writes it"),
    ("a = 0x10", "does not know how dolt writes it"),
    ("isnull(a)", "does not know how dolt writes it"),
];

/// What pyfs takes and dolt does not, by a part of the text: names that dolt wants quoted, and
/// ways to say how a key is stored, which neither keeps.
const TAKEN: [&str; 8] = [
    "a$b",
    "order int",
    "rank int",
    "row int",
    "system int",
    "lateral int",
    "using hash (a)",
    "using btree (a)",
];

#[test]
fn statements_make_what_dolt_makes_of_them() {
    let mut wrong = Vec::new();
    let mut equal = 0;
    for case in golden() {
        let (text, address, shown): (String, Option<String>, Option<String>) =
            serde_json::from_value(case).expect("a case");
        let refused = REFUSED.iter().find(|(part, _)| text.contains(part));
        match (create(&text), address) {
            (Ok((made, ours)), Some(address)) if refused.is_none() => {
                assert_eq!(Some(&ours), shown.as_ref(), "{text}");
                assert_eq!(made, address, "{text}");
                equal += 1;
            }
            (Ok(_), None) if TAKEN.iter().any(|part| text.contains(part)) => {}
            (Ok(_), _) => wrong.push(format!("{text} is taken")),
            (Err(_), None) => {}
            (Err(error), Some(_)) => {
                if !refused.is_some_and(|(_, why)| error.to_string().contains(why)) {
                    wrong.push(format!("{text}: {error}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{equal} equal\n{}", wrong.join("\n"));
    assert!(equal > 330, "{equal}");
}
