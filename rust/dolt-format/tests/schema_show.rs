//! `CREATE TABLE` is what dolt's `SHOW CREATE TABLE` prints, byte for byte.

#[path = "support/store.rs"]
mod support;

use dolt_format::message::commit::Commit;
use dolt_format::message::foreign_key::{self, ForeignKey};
use dolt_format::message::root_value::RootValue;
use dolt_format::message::schema::TableSchema;
use dolt_format::schema::show::Shown;
use dolt_format::{Address, Chunk};
use serde_json::Value;
use support::{Store, golden};

fn json(path: &std::path::Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("goldens are JSON")
}

fn root_of(store: &Store, head: Address) -> RootValue {
    let commit = Commit::decode(store.get(head).contents()).expect("a commit");
    RootValue::decode(store.get(commit.root).contents()).expect("a root value")
}

fn keys_of(store: &Store, root: &RootValue) -> Vec<ForeignKey> {
    if root.foreign_keys.is_empty() {
        return Vec::new();
    }
    let chunk = store.get(root.foreign_keys);
    let keys = foreign_key::decode(chunk.contents()).expect("foreign keys");
    assert_eq!(foreign_key::encode(&keys).as_ref(), Ok(chunk));
    keys
}

#[test]
fn every_table_of_every_remote_is_shown_as_dolt_shows_it() {
    let mut count = 0;
    let mut with_keys = 0;
    for remote in std::fs::read_dir(golden("remotes")).expect("remotes") {
        let remote = remote.expect("a remote").path();
        if !remote.join("manifest").exists() {
            continue;
        }
        let name = remote.file_name().expect("a name").to_string_lossy();
        let (store, root) = Store::open(&remote);
        for (branch, head) in store.branches(root) {
            let tables = store.tables(head);
            let foreign_keys = keys_of(&store, &root_of(&store, head));
            let parents: Vec<(String, TableSchema)> = tables
                .iter()
                .map(|(name, address)| (name.clone(), store.table(*address).1))
                .collect();
            for (table, address) in &tables {
                let expected =
                    golden("remotes").join(format!("{name}.expected/{branch}/{table}.schema.json"));
                if table.starts_with("dolt_") && !expected.exists() {
                    continue;
                }
                let (message, schema) = store.table(*address);
                let shown = Shown {
                    name: table,
                    schema: &schema,
                    auto_increment: message.auto_increment,
                    foreign_keys: &foreign_keys,
                    parents: &parents,
                };
                let text = shown.create_table().expect(table);
                let expected = &json(&expected)["rows"][0]["Create Table"];
                assert_eq!(text, expected.as_str().expect("a text"), "{name}/{branch}");
                with_keys += usize::from(text.contains("FOREIGN KEY"));
                count += 1;
            }
        }
    }
    assert!(count > 70 && with_keys > 0, "{count} tables, {with_keys}");
}

#[test]
fn schemas_of_every_shape_are_shown_as_dolt_shows_them() {
    let schemas = json(&golden("objects/schemas.json"));
    let messages = json(&golden("objects/messages.json"));
    let hex_of = |value: &Value| hex::decode(value["hex"].as_str().expect("hex")).expect("hex");
    let foreign_keys: Vec<ForeignKey> = messages["chunks"]
        .as_array()
        .expect("a list")
        .iter()
        .filter(|object| object["file_id"] == "DFKC")
        .flat_map(|object| foreign_key::decode(&hex_of(object)).expect("foreign keys"))
        .collect();
    let schemas: Vec<(String, String, TableSchema)> = schemas["schemas"]
        .as_array()
        .expect("a list")
        .iter()
        // The first has the statement it was made by instead.
        .filter(|schema| schema.get("show_create_table").is_some())
        .map(|schema| {
            let of = |key: &str| schema[key].as_str().expect(key).to_owned();
            let chunk = Chunk::new(hex_of(schema));
            let decoded = TableSchema::decode(&chunk).expect("a schema");
            (of("table"), of("show_create_table"), decoded)
        })
        .collect();
    let parents: Vec<(String, TableSchema)> = schemas
        .iter()
        .map(|(name, _, schema)| (name.clone(), schema.clone()))
        .collect();
    for (name, expected, schema) in &schemas {
        let shown = Shown {
            name,
            schema,
            auto_increment: 0,
            foreign_keys: &foreign_keys,
            parents: &parents,
        };
        let text = shown.create_table().expect(name);
        // Dolt had lost this comment, in rewriting the table, when its statement was noted.
        let expected = match name.as_str() {
            "t_types" => format!("{expected} COMMENT='table comment'"),
            _ => expected.clone(),
        };
        assert_eq!(text, expected);
    }
    assert_eq!(schemas.len(), 38);
}
