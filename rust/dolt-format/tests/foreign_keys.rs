//! What foreign keys ask for is read where trees differ, and no further
//! (`tests/golden/foreign_keys`; its changes are tested by way of Python).

#[path = "support/store.rs"]
mod support;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use dolt_format::build::TableBuild;
use dolt_format::build::follow::FollowBuild;
use dolt_format::csv::render::{Renderer, Values};
use dolt_format::foreign_key::check::{Changed, Check, Subject, Version};
use dolt_format::foreign_key::findings::Findings;
use dolt_format::message::commit::Commit;
use dolt_format::message::foreign_key;
use dolt_format::message::root_value::RootValue;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::{Address, FormatError, TextFormat};
use support::Store;

struct Database {
    store: Store,
    tables: BTreeMap<String, Address>,
    keys: Vec<foreign_key::ForeignKey>,
}

impl Database {
    fn open() -> Self {
        let (store, root) = Store::open(&support::golden("foreign_keys/remote"));
        let head = store.branches(root)["main"];
        let commit = Commit::decode(store.get(head).contents()).expect("a commit");
        let root = RootValue::decode(store.get(commit.root).contents()).expect("a root value");
        let keys = store.get(root.foreign_keys).contents();
        Self {
            tables: store.tables(head),
            keys: foreign_key::decode(keys).expect("foreign keys"),
            store,
        }
    }

    fn version(&self, table: &str) -> Version {
        let chunk = self.store.get(self.tables[table]).clone();
        let (_, schema) = self.store.table(chunk.address());
        Version {
            schema,
            table: chunk,
        }
    }

    /// The text of a table without out-of-band values, and how many leaves it has.
    fn text(&self, table: &str) -> (String, usize) {
        let (message, schema) = self.store.table(self.tables[table]);
        let renderer = Renderer::new(&schema).expect("a renderer");
        let mut out = renderer.columns().header(TextFormat::Csv);
        let mut nodes = vec![message.rows];
        let mut leaves = 0;
        while let Some(node) = nodes.pop() {
            if node.is_leaf() {
                leaves += 1;
                renderer
                    .render(&node, &Values::default(), &mut out)
                    .expect("it renders");
            } else {
                let child = |item| {
                    let chunk = self.store.get(node.address(item)).contents().clone();
                    Node::decode(Kind::Tuples, chunk).expect("a node")
                };
                nodes.extend((0..node.len()).rev().map(child));
            }
        }
        (String::from_utf8(out).expect("UTF-8"), leaves)
    }

    /// What follows from a table's new text, and how many chunks were read for that.
    fn check(&mut self, table: &str, text: &str) -> (Findings, usize) {
        let old = self.version(table);
        let mut build = TableBuild::new(old.schema.clone(), old.table.clone()).expect("it starts");
        build.feed(text.as_bytes()).expect("it reads");
        let built = build.finish().expect("it builds");
        self.store.add(built.chunks);
        self.store.add([built.table.clone()]);
        let new = Version {
            schema: old.schema.clone(),
            table: built.table,
        };
        let of_table = |key: &&foreign_key::ForeignKey| key.parent == table || key.child == table;
        let keys: Vec<_> = self.keys.iter().filter(of_table).cloned().collect();
        let mut tables = HashMap::new();
        for key in &keys {
            for name in [&key.child, &key.parent] {
                let version = self.version(name);
                let changed = Changed {
                    old: Some(version.clone()),
                    new: version,
                };
                tables.insert(name.to_lowercase(), changed);
            }
        }
        let changed = Changed {
            old: Some(old),
            new,
        };
        tables.insert(table.to_owned(), changed);
        let subjects = keys.into_iter().map(|key| Subject { key, is_new: false });
        let mut check = Counted::new(Check::new(subjects.collect(), tables).expect("it starts"));
        let findings = self.store.drive(&mut check).expect("it ends");
        (findings, check.asked)
    }
}

/// Counts the chunks that a traversal asks for.
struct Counted<T> {
    inner: T,
    asked: usize,
}

impl<T> Counted<T> {
    const fn new(inner: T) -> Self {
        Self { inner, asked: 0 }
    }
}

impl<T: Traversal> Traversal for Counted<T> {
    type Output = T::Output;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let needs = self.inner.needs(limit);
        self.asked += needs.len();
        needs
    }

    fn feed(&mut self, chunks: &[dolt_format::Chunk]) -> Result<(), FormatError> {
        self.inner.feed(chunks)
    }

    fn result(&mut self) -> Result<T::Output, FormatError> {
        self.inner.result()
    }
}

#[test]
fn a_row_that_goes_costs_its_path_in_each_index() {
    let mut database = Database::open();
    let (text, leaves) = database.text("many");
    let (_, child_leaves) = database.text("names_many");
    assert!(
        leaves >= 10 && child_leaves >= 20,
        "{leaves}, {child_leaves}"
    );
    let without = text.replacen("\n1500,2\n", "\n", 1);
    assert!(without.len() < text.len());
    let (findings, read) = database.check("many", &without);
    assert!(findings.missing.is_empty() && findings.referenced.is_empty());
    assert_eq!(findings.follow.keys().collect::<Vec<_>>(), ["names_many"]);
    assert!(read <= 8, "{read} chunks were read");

    let follow = Arc::new(findings.follow["names_many"].clone());
    let child = database.version("names_many");
    let build = FollowBuild::new(&child.schema, child.table, follow).expect("it starts");
    let mut build = Counted::new(build);
    let built = database.store.drive(&mut build).expect("it ends");
    assert_eq!(built.row_count, 2999);
    assert!(build.asked <= 10, "{} chunks were read", build.asked);
}

#[test]
fn a_row_that_comes_costs_its_path_and_the_path_to_its_parent() {
    let mut database = Database::open();
    let (text, _) = database.text("names_many");
    let (findings, read) = database.check("names_many", &(text.clone() + "5000,17,new\n"));
    assert!(findings.missing.is_empty());
    assert!(read <= 8, "{read} chunks were read");
    let (findings, read) = database.check("names_many", &(text + "5000,17,new\n5001,-1,new\n"));
    let [missing] = findings.missing.as_slice() else {
        panic!("{:?}", findings.missing);
    };
    assert_eq!(missing.value(0), "-1");
    assert_eq!(missing.rows().count(), 1);
    assert!(read <= 8, "{read} chunks were read");
}

#[test]
fn what_no_key_names_costs_nothing_beyond_the_roots() {
    let mut database = Database::open();
    let (text, _) = database.text("many");
    let (findings, read) = database.check("many", &text.replacen(",2\n", ",3\n", 900));
    assert!(findings.follow.is_empty() && findings.missing.is_empty());
    let (same, read_same) = database.check("many", &text);
    assert!(same.follow.is_empty());
    // The rows' own tree is the index that the key names: its differing leaves are compared.
    assert!(read_same == 0 && read > read_same, "{read_same}, {read}");
}
