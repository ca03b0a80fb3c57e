//! What dolt prints of a table makes the same table again, to the address of its schema.

#[path = "support/store.rs"]
mod support;

use std::collections::BTreeSet;

use dolt_format::schema::edit::{Around, SchemaEdit};
use dolt_format::schema::show::Shown;
use dolt_format::{Address, FormatError};
use serde_json::Value;
use support::golden;

fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("goldens are JSON")
}

fn create(name: &str, text: &str) -> Result<SchemaEdit, FormatError> {
    let around = Around {
        used_tags: &BTreeSet::new(),
        schemas: &[],
        foreign_keys: &[],
        collation: 309,
    };
    SchemaEdit::create(name, text.as_bytes(), around)
}

/// Tables of which the text does not say all, or says what pyfs cannot make: why.
fn refused(name: &str) -> Option<&'static str> {
    Some(match name {
        // Its parent is not at hand here.
        "child" | "types/main/child" => "there is no table \"parent\"",
        "ft" => "full-text",
        "fidx" | "edge/main/functional" => "functional",
        "dolt_ignore" => "primary key",
        "vec" => "vector",
        _ => return None,
    })
}

/// Tables whose text says too little: dolt's own have tags of their own, alterations keep tags,
/// `SHOW CREATE TABLE` loses backslashes of members, and dolt had lost the comment of `t_types`.
const UNLIKE: [&str; 5] = [
    "dolt_schemas",
    "t_types",
    "edge/main/altered",
    "edge/main/enums",
    "edge/main/sets",
];

fn check(name: &str, table: &str, text: &str, expected: Address, made: &mut usize) {
    match (create(table, text), refused(name)) {
        (Err(error), Some(part)) => {
            assert!(error.to_string().contains(part), "{name}: {error}");
        }
        (Ok(edit), None) => {
            let same = edit.schema.address == expected;
            assert_eq!(same, !UNLIKE.contains(&name), "{name}: {:?}", edit.schema);
            *made += usize::from(same);
        }
        (outcome, refused) => panic!("{name}: {outcome:?}, {refused:?}"),
    }
}

#[test]
fn schemas_of_every_shape_are_made_as_dolt_made_them() {
    let schemas = json(&golden("objects/schemas.json"));
    let mut made = 0;
    for schema in schemas["schemas"].as_array().expect("a list") {
        let of = |key: &str| schema[key].as_str();
        let text = of("show_create_table").or(of("create")).expect("a text");
        let address = of("address").expect("an address");
        let name = of("table").expect("a name");
        check(
            name,
            name,
            text,
            address.parse().expect("an address"),
            &mut made,
        );
    }
    assert!(made > 30, "{made}");
}

#[test]
fn tables_of_every_remote_are_made_as_dolt_made_them() {
    let mut made = 0;
    support::each_table_of(
        &["primes", "types", "edge", "flights"],
        |store, name, address, _| {
            let (_, schema) = store.table(address);
            let (remote, rest) = name.split_once('/').expect("a remote");
            let (branch, table) = rest.rsplit_once('/').expect("a branch");
            let path = format!("{remote}.expected/{branch}/{table}.schema.json");
            let text = &json(&golden("remotes").join(path))["rows"][0]["Create Table"];
            let text = text.as_str().expect("a text");
            check(name, table, text, schema.address, &mut made);
        },
    );
    assert!(made > 50, "{made}");
}

#[test]
fn what_is_wrong_in_a_text_is_named_with_its_place() {
    for (text, line, column, part) in [
        ("CREATE TABL t (a int)", 1, "8", "TABLE is expected"),
        ("CREATE TABLE u (a int)", 1, "14", "that of table \"t\""),
        ("CREATE TABLE d.t (a int)", 1, "14", "without a database"),
        ("CREATE TABLE t (a int", 1, "19", ") is expected"),
        (
            "CREATE TABLE t (\n  a int,\n  a int)",
            3,
            "3",
            "stands twice",
        ),
        (
            "CREATE TABLE t (a int,\n  PRIMARY KEY (b))",
            2,
            "3",
            "no column \"b\"",
        ),
        (
            "CREATE TABLE t (a int,\n b int 5)",
            2,
            "8",
            "does not belong here",
        ),
        (
            "CREATE TABLE t (a int DEFAULT 'x')",
            1,
            "17",
            "not a whole number",
        ),
        (
            "CREATE TABLE t (a int NOT NULL DEFAULT NULL)",
            1,
            "17",
            "NOT NULL",
        ),
        (
            "CREATE TABLE t (a int); DROP TABLE t",
            1,
            "25",
            "one statement",
        ),
        ("CREATE TABLE t (a 'int)", 1, "19", "unterminated"),
        ("CREATE TABLE t (a varchar)", 1, "17", "needs a length"),
        (
            "CREATE TABLE t (a int, KEY k (a), KEY K (a))",
            1,
            "35",
            "stands twice",
        ),
        ("CREATE TABLE t (a text, KEY (a))", 1, "25", "prefix"),
        (
            "CREATE TABLE t (a tinytext, KEY (a(64)))",
            1,
            "29",
            "too long",
        ),
        (
            "CREATE TABLE t (a tinyblob, KEY (a(256)))",
            1,
            "29",
            "too long",
        ),
        ("CREATE TABLE t (a float(54))", 1, "17", "53 bits"),
        (
            "CREATE TABLE t (a int, CHECK (b > 0))",
            1,
            "24",
            "no column \"b\"",
        ),
    ] {
        assert_mistake(text, line, column, part);
    }
}

#[test]
fn members_that_are_equal_and_spatial_keys_over_others_are_named_with_their_place() {
    for (text, line, column, part) in [
        (
            "CREATE TABLE t (a enum('a','á') COLLATE utf8mb4_0900_ai_ci)",
            1,
            "17",
            "\"á\" is equal",
        ),
        (
            "CREATE TABLE t (a set('a','b','B')) COLLATE utf8mb4_general_ci",
            1,
            "17",
            "\"b\" is equal",
        ),
        (
            "CREATE TABLE t (a enum('a') COLLATE utf8mb4_0900_ai_ci DEFAULT 'A')",
            1,
            "17",
            "not one of \"a\"",
        ),
        ("CREATE TABLE t (a enum('a','a '))", 1, "17", "is equal"),
        (
            "CREATE TABLE t (a int NOT NULL, SPATIAL KEY (a))",
            1,
            "33",
            "not spatial",
        ),
        (
            "CREATE TABLE t (a point, SPATIAL INDEX (a))",
            1,
            "26",
            "NOT NULL",
        ),
        (
            "CREATE TABLE t (a point NOT NULL, SPATIAL KEY k (a(5)))",
            1,
            "35",
            "over one column",
        ),
        (
            "CREATE TABLE t (a point NOT NULL, b point NOT NULL, SPATIAL KEY (a, b))",
            1,
            "53",
            "over one column",
        ),
        (
            "CREATE TABLE t (a point NOT NULL, SPATIAL KEY)",
            1,
            "43",
            "in parentheses",
        ),
    ] {
        assert_mistake(text, line, column, part);
    }
}

#[test]
fn what_is_wrong_in_a_foreign_key_is_named_with_its_place() {
    for (text, line, column, part) in [
        (
            "CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES u (b))",
            1,
            "24",
            "no table \"u\"",
        ),
        (
            "CREATE TABLE t (a int REFERENCES u (b))",
            1,
            "17",
            "no table \"u\"",
        ),
        (
            "CREATE TABLE t (a int REFERENCES t (a) ON DELETE CASCADE)",
            1,
            "17",
            "by itself",
        ),
        (
            "CREATE TABLE t (a int, FOREIGN KEY (a) REFERENCES t (a) MATCH FULL)",
            1,
            "24",
            "MATCH",
        ),
    ] {
        assert_mistake(text, line, column, part);
    }
}

fn assert_mistake(text: &str, line: u64, column: &str, part: &str) {
    let error = create("t", text).expect_err(text);
    let FormatError::BadValue {
        line: at_line,
        column: at_column,
        why,
        ..
    } = &error
    else {
        panic!("{text}: {error:?}");
    };
    assert!(
        why.to_lowercase().contains(&part.to_lowercase()),
        "{text}: {why}"
    );
    assert_eq!(
        (*at_line, at_column.as_str()),
        (line, column),
        "{text}: {why}"
    );
}

#[test]
fn a_counted_column_is_one_and_of_a_key() {
    for (text, part) in [
        (
            "CREATE TABLE t (a int AUTO_INCREMENT)",
            "\"a\" is of no key",
        ),
        (
            "CREATE TABLE t (a int AUTO_INCREMENT, b int AUTO_INCREMENT, KEY (a, b))",
            "at most one",
        ),
    ] {
        let error = create("t", text).expect_err(text).to_string();
        assert!(error.contains(part), "{text}: {error}");
    }
    for text in [
        "CREATE TABLE t (a int AUTO_INCREMENT UNIQUE)",
        "CREATE TABLE t (a int, b int AUTO_INCREMENT, KEY (a, b))",
    ] {
        assert!(create("t", text).is_ok(), "{text}");
    }
}

#[test]
fn what_pyfs_cannot_make_as_dolt_does_is_refused_by_name() {
    for (text, part) in [
        ("CREATE TABLE t (a int, FULLTEXT KEY (a))", "full-text"),
        ("CREATE TABLE t (a int, CHECK (soundex(a) > 0))", "soundex"),
        ("CREATE TABLE t (a int) UNION=(u)", "UNION"),
        ("CREATE TABLE t (a int KEY)", "PRIMARY KEY"),
        (
            "CREATE TABLE t (a int) COLLATE=utf8mb4_xy_ci",
            "utf8mb4_xy_ci",
        ),
        ("CREATE TABLE t (a text, PRIMARY KEY (a))", "primary key"),
        ("CREATE TEMPORARY TABLE t (a int)", "TEMPORARY"),
        ("CREATE TABLE t (a uuid)", "uuid"),
        (
            "CREATE TABLE t (a enum('a','A') COLLATE utf8mb4_es_0900_as_cs)",
            "utf8mb4_es_0900_as_cs",
        ),
        (
            "CREATE TABLE t (a set('ñ') COLLATE utf8mb4_es_0900_ai_ci)",
            "utf8mb4_es_0900_ai_ci",
        ),
        ("CREATE TABLE t (a int, KEY k ((a + 1)))", "functional"),
    ] {
        match create("t", text) {
            Err(FormatError::Unsupported(why)) => {
                assert!(
                    why.to_lowercase().contains(&part.to_lowercase()),
                    "{text}: {why}"
                );
            }
            other => panic!("{text}: {other:?}"),
        }
    }
}

#[test]
fn hostile_texts_are_errors_not_panics() {
    let deep = format!(
        "CREATE TABLE t (a int, CHECK ({}1{}))",
        "(".repeat(5000),
        ")".repeat(5000)
    );
    let long = format!(
        "CREATE TABLE t (a int, CHECK (a > 0{}))",
        " + 1".repeat(5000)
    );
    let big = format!("CREATE TABLE t (a int) COMMENT='{}'", "x".repeat(2 << 20));
    for text in [&deep, &long, &big] {
        assert!(create("t", text).is_err());
    }
    for text in [
        "CREATE TABLE t (a enum('a','A','á'))",
        "CREATE TABLE t (a set('a','á') COLLATE utf8mb4_0900_as_ci)",
        "CREATE TABLE t (a set('a','n') COLLATE utf8mb4_es_0900_ai_ci)",
    ] {
        assert!(create("t", text).is_ok(), "{text}");
    }
    let text = "CREATE TABLE t (a int DEFAULT '1' COMMENT 'x', KEY k (a), CHECK (a in (1,2)));";
    assert!(create("t", text).is_ok());
    for at in 0..text.len() {
        let _ = create("t", &text[..at]);
        let _ = create("t", &text[at..]);
        let _ = create(
            "t",
            &format!("{}{}", &text[..at], &text[(at + 2).min(text.len())..]),
        );
    }
}

#[test]
fn the_key_of_a_table_with_a_virtual_column_is_shown_in_the_columns_order() {
    // So dolt shows it, and the text of the table as it is still changes nothing.
    let text = "CREATE TABLE t (a int, b int, g int AS (a + 1), PRIMARY KEY (b, a))";
    let edit = create("t", text).expect("a table");
    assert_eq!(edit.schema.primary_key, [1, 0]);
    let shown = Shown {
        name: "t",
        schema: &edit.schema,
        auto_increment: 0,
        foreign_keys: &[],
        parents: &[],
    };
    let text = shown.create_table().expect("a text");
    assert!(text.contains("PRIMARY KEY (`a`,`b`)"), "{text}");
    let around = Around {
        used_tags: &BTreeSet::new(),
        schemas: &[],
        foreign_keys: &[],
        collation: 309,
    };
    let again = SchemaEdit::alter(&shown, text.as_bytes(), around).expect("an edit");
    assert!(again.unchanged);
}

#[test]
fn unsigned_is_dropped_where_dolt_drops_it() {
    let text = "CREATE TABLE t (a decimal(8,3) unsigned, b double unsigned, c float unsigned,
                d int zerofill, e bigint unsigned zerofill)";
    let edit = create("t", text).expect("a table");
    let columns = edit.schema.columns.iter();
    let types: Vec<&str> = columns.map(|column| column.sql_type.as_str()).collect();
    assert_eq!(
        types,
        ["decimal(8,3)", "double", "float", "int", "bigint unsigned"]
    );
}
