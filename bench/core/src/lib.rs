//! What the benches work on: the golden remote `flights`, 336,776 real rows in 16 MB.

use std::collections::HashMap;
use std::path::Path;

use dolt_format::manifest::Manifest;
use dolt_format::message::commit::Commit;
use dolt_format::message::root_value::RootValue;
use dolt_format::message::store_root;
use dolt_format::message::table::Table;
use dolt_format::table::index::{Dictionaries, TableIndex};
use dolt_format::tree::scan::AddressMapScan;
use dolt_format::tree::{Kind, Node, Traversal};
use dolt_format::{Address, Chunk, FormatError};

/// One storage file with its index and dictionaries.
#[derive(Debug)]
pub struct StorageFile {
    /// Its index.
    pub index: TableIndex,
    /// The dictionaries that its records need.
    pub dictionaries: Dictionaries,
    data: Vec<u8>,
}

impl StorageFile {
    /// A file with its index.
    pub fn open(index: TableIndex, data: Vec<u8>) -> Result<Self, FormatError> {
        let mut file = Self {
            index,
            dictionaries: Dictionaries::default(),
            data,
        };
        let loaded = Dictionaries::default();
        for plan in file
            .index
            .dictionary_plans(&file.index.addresses(), &loaded)
        {
            let data = file.slice(plan.offset, plan.length).to_vec();
            file.index
                .load_dictionaries(&plan, &data, &mut file.dictionaries)?;
        }
        Ok(file)
    }

    /// The bytes that a read plan asks for.
    #[must_use]
    pub fn slice(&self, offset: u64, length: u64) -> &[u8] {
        let at = |at: u64| usize::try_from(at).expect("a file in memory");
        &self.data[at(offset)..at(offset + length)]
    }

    /// Every chunk of the file.
    pub fn chunks(&self) -> Result<Vec<Chunk>, FormatError> {
        let mut chunks = Vec::new();
        for plan in self.index.plan(&self.index.addresses(), 1 << 20, 1 << 30) {
            let data = self.slice(plan.offset, plan.length);
            chunks.extend(self.index.decode(&plan, data, &self.dictionaries)?);
        }
        Ok(chunks)
    }
}

/// A golden remote, all of it in memory.
#[derive(Debug)]
pub struct Remote {
    /// Its storage files.
    pub files: Vec<StorageFile>,
    chunks: HashMap<Address, Chunk>,
    root: Address,
}

impl Remote {
    /// Reads the golden remote of this name.
    pub fn open(name: &str) -> Result<Self, Box<dyn std::error::Error>> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/golden/remotes")
            .join(name);
        let manifest = Manifest::parse(&std::fs::read_to_string(folder.join("manifest"))?)?;
        let mut files = Vec::new();
        for spec in &manifest.specs {
            let name = spec.name.to_string();
            let archive = folder.join(format!("{name}.darc"));
            let (index, data) = if archive.exists() {
                let data = std::fs::read(archive)?;
                (TableIndex::archive(&name, &data, data.len() as u64)?, data)
            } else {
                let data = std::fs::read(folder.join(&name))?;
                let tail = usize::try_from(TableIndex::table_tail_len(spec.chunk_count))?;
                let tail = &data[data.len() - tail..];
                (TableIndex::table(&name, tail, data.len() as u64)?, data)
            };
            files.push(StorageFile::open(index, data)?);
        }
        let mut chunks = HashMap::new();
        for file in &files {
            let each = file.chunks()?.into_iter();
            chunks.extend(each.map(|chunk| (chunk.address(), chunk)));
        }
        Ok(Self {
            files,
            chunks,
            root: manifest.root,
        })
    }

    /// Adds chunks that were made.
    pub fn add(&mut self, chunks: impl IntoIterator<Item = Chunk>) {
        let chunks = chunks.into_iter();
        self.chunks
            .extend(chunks.map(|chunk| (chunk.address(), chunk)));
    }

    /// The chunk at an address.
    #[must_use]
    pub fn chunk(&self, address: Address) -> &Chunk {
        &self.chunks[&address]
    }

    /// Feeds a traversal from memory.
    pub fn drive<T: Traversal>(&self, mut traversal: T) -> Result<T::Output, FormatError> {
        loop {
            let needs = traversal.needs(256);
            if needs.is_empty() {
                return traversal.result();
            }
            let chunks: Vec<_> = needs.iter().map(|at| self.chunk(*at).clone()).collect();
            traversal.feed(&chunks)?;
        }
    }

    /// A table at the head of `main`, and its address.
    pub fn table(&self, name: &str) -> Result<(Address, Table), FormatError> {
        let missing = |what: &str| FormatError::corrupt("golden remote", format!("no {what}"));
        let datasets = store_root::decode(self.chunk(self.root).contents())?;
        let datasets = self.drive(AddressMapScan::new(datasets)?)?;
        let head = datasets.get("refs/heads/main");
        let head = head.ok_or_else(|| missing("branch main"))?;
        let commit = Commit::decode(self.chunk(*head).contents())?;
        let root = RootValue::decode(self.chunk(commit.root).contents())?;
        let tables = self.drive(AddressMapScan::new(root.tables)?)?;
        let table = tables.get(name).ok_or_else(|| missing(name))?;
        Ok((*table, Table::decode(self.chunk(*table).contents())?))
    }

    /// The leaves of a tree of tuples, in key order.
    pub fn leaves(&self, root: &Node) -> Result<Vec<Node>, FormatError> {
        let mut level = vec![root.clone()];
        while level.iter().any(|node| !node.is_leaf()) {
            let mut below = Vec::new();
            for node in &level {
                for item in 0..node.len() {
                    let contents = self.chunk(node.address(item)).contents().clone();
                    below.push(Node::decode(Kind::Tuples, contents)?);
                }
            }
            level = below;
        }
        Ok(level)
    }
}
