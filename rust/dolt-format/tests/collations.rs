//! Tables whose keys are ordered by each collation get dolt's own address, built or edited.

#[path = "support/store.rs"]
mod support;

use dolt_format::build::{BuiltTable, TableBuild};
use dolt_format::message::schema::TableSchema;
use dolt_format::{Address, Chunk, FormatError};
use support::Store;

fn build(schema: &TableSchema, base: &Chunk, text: &[u8]) -> Result<BuiltTable, FormatError> {
    let mut build = TableBuild::new(schema.clone(), base.clone())?;
    build.feed(text)?;
    build.finish()
}

fn each_table(mut visit: impl FnMut(&str, &TableSchema, &Chunk, Address, &[u8])) {
    let (store, root) = Store::open(&support::golden("collations/remote"));
    let tables = store.tables(store.branches(root)["main"]);
    assert_eq!(tables.len(), 21);
    for (name, address) in tables {
        let path = support::golden("collations/remote.expected/main").join(format!("{name}.csv"));
        let text = std::fs::read(path).expect("dolt's export");
        let (_, schema) = store.table(address);
        visit(&name, &schema, store.get(address), address, &text);
    }
}

#[test]
fn the_order_of_keys_is_dolts() {
    each_table(|name, schema, base, address, text| {
        let built = build(schema, base, text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(built.table.address(), address, "{name}");
        // Rows may come in any order.
        let mut lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        lines[1..].reverse();
        let again = build(schema, base, &lines.concat()).expect("it builds");
        assert_eq!(again.table.address(), address, "{name}");
    });
}

#[test]
fn an_edited_table_is_dolts_too() {
    each_table(|name, schema, base, address, text| {
        let lines: Vec<&[u8]> = text.split_inclusive(|byte| *byte == b'\n').collect();
        let some = |keep: fn(usize) -> bool| -> Vec<u8> {
            let lines = lines.iter().enumerate();
            let kept = lines.filter(|(at, _)| *at == 0 || keep(*at));
            kept.map(|(_, line)| *line).collect::<Vec<_>>().concat()
        };
        let old = build(schema, base, &some(|at| !(60..64).contains(&at))).expect("it builds");
        let mut store = Store::default();
        store.add(old.chunks.clone());
        let mut build = TableBuild::new(schema.clone(), old.table.clone()).expect("it starts");
        build
            .pass_over(Some(old.measures.clone()))
            .expect("it can be");
        build.feed(text).expect("it reads");
        let edited = store.drive(&mut build.end().expect("it ends"));
        assert_eq!(edited.expect(name).table.address(), address, "{name}");
    });
}

#[test]
fn equal_keys_clash_whatever_their_bytes() {
    each_table(|name, schema, base, _, _| {
        let clash = |first: &str, second: &str| {
            let text = format!("k,n,w,t\n{first},1,,\n{second},1,,\n");
            build(schema, base, text.as_bytes()).is_err()
        };
        assert_eq!(clash("a", "A"), name.ends_with("_ci"), "{name}");
        assert!(clash("a", "a") && !clash("a", "b"), "{name}");
        let accents =
            name.contains("_ai_") || name.contains("general_ci") && name.starts_with("utf");
        if !name.starts_with("latin1") && !name.starts_with("ascii") && !name.contains("unicode") {
            assert_eq!(clash("a", "á"), accents, "{name}");
        }
        let text = "k,n,w,t\na,1,xyz,\nb,1,XYZ,\n";
        let unique = build(schema, base, text.as_bytes());
        assert_eq!(unique.is_err(), name.ends_with("_ci"), "{name}: {unique:?}");
    });
}
