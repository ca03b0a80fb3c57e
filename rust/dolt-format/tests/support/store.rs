//! A remote on disk, for tests: what Python does, without waiting.
#![allow(dead_code)] // each test binary uses a part of it

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use dolt_format::manifest::Manifest;
use dolt_format::message::commit::Commit;
use dolt_format::message::root_value::RootValue;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::store_root;
use dolt_format::message::table::Table;
use dolt_format::table::index::{Dictionaries, TableIndex};
use dolt_format::tree::Traversal;
use dolt_format::tree::scan::AddressMapScan;
use dolt_format::{Address, Chunk, FormatError};

pub(crate) fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/golden")
        .join(name)
}

/// Chunks by address.
#[derive(Default)]
pub(crate) struct Store(pub(crate) HashMap<Address, Chunk>);

impl Store {
    /// Every chunk of a `file://` remote, and its root.
    pub(crate) fn open(remote: &Path) -> (Self, Address) {
        let text = std::fs::read_to_string(remote.join("manifest")).expect("a manifest");
        let manifest = Manifest::parse(&text).expect("a manifest");
        let mut store = Self::default();
        for spec in &manifest.specs {
            let name = spec.name.to_string();
            let table = remote.join(&name);
            let (file, index) = if table.exists() {
                let file = std::fs::read(table).expect("a table file");
                let tail = TableIndex::table_tail_len(spec.chunk_count) as usize;
                let tail = &file[file.len() - tail..];
                let index = TableIndex::table(&name, tail, file.len() as u64).expect("an index");
                (file, index)
            } else {
                let file = std::fs::read(remote.join(format!("{name}.darc"))).expect("an archive");
                let index = TableIndex::archive(&name, &file, file.len() as u64).expect("an index");
                (file, index)
            };
            let slice = |from: u64, len: u64| &file[from as usize..(from + len) as usize];
            let all = index.addresses();
            let mut loaded = Dictionaries::default();
            for plan in index.dictionary_plans(&all, &loaded.clone()) {
                let data = slice(plan.offset, plan.length);
                index
                    .load_dictionaries(&plan, data, &mut loaded)
                    .expect("a dictionary");
            }
            for plan in index.plan(&all, 1 << 20, 1 << 30) {
                let data = slice(plan.offset, plan.length);
                store.add(index.decode(&plan, data, &loaded).expect("chunks"));
            }
        }
        (store, manifest.root)
    }

    pub(crate) fn add(&mut self, chunks: impl IntoIterator<Item = Chunk>) {
        self.0
            .extend(chunks.into_iter().map(|chunk| (chunk.address(), chunk)));
    }

    pub(crate) fn get(&self, address: Address) -> &Chunk {
        self.0
            .get(&address)
            .unwrap_or_else(|| panic!("no chunk {address}"))
    }

    pub(crate) fn drive<T: Traversal>(&self, traversal: &mut T) -> Result<T::Output, FormatError> {
        loop {
            let needs = traversal.needs(3);
            if needs.is_empty() {
                return traversal.result();
            }
            let chunks: Vec<_> = needs
                .iter()
                .map(|address| self.get(*address).clone())
                .collect();
            traversal.feed(&chunks)?;
        }
    }

    pub(crate) fn branches(&self, root: Address) -> BTreeMap<String, Address> {
        let map = store_root::decode(self.get(root).contents()).expect("a store root");
        let datasets = self
            .drive(&mut AddressMapScan::new(map).expect("a map"))
            .expect("datasets");
        datasets
            .into_iter()
            .filter_map(|(name, head)| Some((name.strip_prefix("refs/heads/")?.to_owned(), head)))
            .collect()
    }

    pub(crate) fn tables(&self, head: Address) -> BTreeMap<String, Address> {
        let commit = Commit::decode(self.get(head).contents()).expect("a commit");
        let root = RootValue::decode(self.get(commit.root).contents()).expect("a root value");
        self.drive(&mut AddressMapScan::new(root.tables).expect("a map"))
            .expect("tables")
    }

    pub(crate) fn table(&self, address: Address) -> (Table, TableSchema) {
        let table = Table::decode(self.get(address).contents()).expect("a table");
        let schema = TableSchema::decode(self.get(table.schema)).expect("a schema");
        (table, schema)
    }
}

/// Every table of every branch of the golden remotes of everyday tables.
pub(crate) fn each_table(visit: impl FnMut(&Store, &str, Address, Vec<u8>)) {
    let remotes = ["primes", "primes-tablefiles", "types", "history", "flights"];
    let count = each_table_of(&remotes, visit);
    assert!(count > 25, "{count} tables");
}

/// Every table of every branch of golden remotes: store, name, table's address, dolt's text.
/// Returns how many there are.
pub(crate) fn each_table_of(
    remotes: &[&str],
    mut visit: impl FnMut(&Store, &str, Address, Vec<u8>),
) -> usize {
    let mut count = 0;
    for remote in remotes {
        let (store, root) = Store::open(&golden("remotes").join(remote));
        for (branch, head) in store.branches(root) {
            let expected = golden("remotes").join(format!("{remote}.expected/{branch}"));
            for (name, address) in store.tables(head) {
                if name.starts_with("dolt_") {
                    continue;
                }
                let path = expected.join(format!("{name}.csv"));
                let text = std::fs::read(&path).unwrap_or_else(|_| {
                    let packed = std::process::Command::new("gzip")
                        .args(["-dc"])
                        .arg(expected.join(format!("{name}.csv.gz")))
                        .output()
                        .expect("gzip runs");
                    assert!(packed.status.success(), "{}", path.display());
                    packed.stdout
                });
                visit(&store, &format!("{remote}/{branch}/{name}"), address, text);
                count += 1;
            }
        }
    }
    count
}
