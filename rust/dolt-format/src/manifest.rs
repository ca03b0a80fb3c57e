//! The manifest: which storage files make a database, and the address of its store root.

use std::fmt::Write as _;

use crate::{Address, FormatError};

const NBF_VERSION: &str = "__DOLT__";
const ITEM_VERSION: &str = "4";
/// The name of a local database's chunk journal, which no remote has.
const JOURNAL: &str = "vvvvvvvvvvvvvvvvvvvvvvvvvvvvvvvv";

/// A storage file: its base name and how many chunks it has.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Spec {
    /// The base name, without `.darc`.
    pub name: Address,
    /// Chunks in it.
    pub chunk_count: u32,
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Manifest {
    /// The address of the store root; empty while there is none.
    pub root: Address,
    /// What a writer compares before it swaps.
    pub lock: Address,
    /// The garbage collection generation; carried over.
    pub gc_gen: Address,
    /// The files, those of the appendix first.
    pub specs: Vec<Spec>,
    /// Copies made for the speed of reading; carried over.
    pub appendix: Vec<Spec>,
}

impl Manifest {
    /// A database that does not exist yet.
    pub const EMPTY: Self = Self {
        root: Address::EMPTY,
        lock: Address::EMPTY,
        gc_gen: Address::EMPTY,
        specs: Vec::new(),
        appendix: Vec::new(),
    };

    /// From the text of a manifest file, storage version 4 or 5.
    pub fn parse(text: &str) -> Result<Self, FormatError> {
        let bad = |why: String| FormatError::corrupt("manifest", why);
        let mut fields = text.split(':');
        let version = fields.next().unwrap_or_default();
        if version != "4" && version != "5" {
            let version: String = version.chars().take(16).collect();
            return Err(FormatError::Unsupported(format!(
                "the manifest has storage version {version:?}, pyfs knows 4 and 5"
            )));
        }
        check_format(fields.next().unwrap_or_default())?;
        let mut address = |what: &str| -> Result<Address, FormatError> {
            let text = fields
                .next()
                .ok_or_else(|| bad(format!("it has no {what}")))?;
            text.parse()
                .map_err(|error| bad(format!("its {what}: {error}")))
        };
        let (lock, root) = (address("lock")?, address("root")?);
        let gc_gen = if version == "5" {
            address("gcGen")?
        } else {
            Address::EMPTY
        };
        let specs: Vec<&str> = fields.collect();
        if !specs.len().is_multiple_of(2) {
            return Err(bad("its last file has no chunk count".to_owned()));
        }
        Ok(Self {
            root,
            lock,
            gc_gen,
            specs: parse_specs(&specs)?,
            appendix: Vec::new(),
        })
    }

    /// From the attributes of a DynamoDB item. Absent `specs` and `appendix` are empty.
    pub fn from_item(
        nbs_version: &str,
        nbf_version: &str,
        root: &[u8],
        lock: &[u8],
        specs: &str,
        appendix: &str,
    ) -> Result<Self, FormatError> {
        if nbs_version != ITEM_VERSION {
            return Err(FormatError::Unsupported(format!(
                "the manifest item has nbsVers {nbs_version:?}, pyfs knows {ITEM_VERSION:?}"
            )));
        }
        check_format(nbf_version)?;
        let parse = |text: &str| match text {
            "" => Ok(Vec::new()),
            text => parse_specs(&text.split(':').collect::<Vec<_>>()),
        };
        Ok(Self {
            root: Address::try_from(root)?,
            lock: Address::try_from(lock)?,
            gc_gen: Address::EMPTY,
            specs: parse(specs)?,
            appendix: parse(appendix)?,
        })
    }

    /// The text of a manifest file, storage version 5. A file cannot hold an appendix.
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            root,
            lock,
            gc_gen,
            specs,
            ..
        } = self;
        let mut text = format!("5:{NBF_VERSION}:{lock}:{root}:{gc_gen}");
        if !specs.is_empty() {
            text.push(':');
            text.push_str(&format_specs(specs));
        }
        text
    }

    /// The chunk format of the database.
    #[must_use]
    pub const fn nbf_version(&self) -> &'static str {
        NBF_VERSION
    }

    /// This manifest with another root, without the files `removed` (those of the appendix stay),
    /// and with the files `added`, sorted, with its own lock.
    #[must_use]
    pub fn succeed(&self, root: Address, added: &[Spec], removed: &[Address]) -> Self {
        let in_appendix = |spec: &Spec| self.appendix.iter().any(|a| a.name == spec.name);
        let mut rest: Vec<Spec> = self
            .specs
            .iter()
            .filter(|spec| !removed.contains(&spec.name))
            .chain(added)
            .filter(|spec| !in_appendix(spec))
            .cloned()
            .collect();
        rest.sort_unstable();
        rest.dedup_by_key(|spec| spec.name);
        let mut specs = self.appendix.clone();
        specs.append(&mut rest);
        let mut next = Self {
            root,
            lock: Address::EMPTY,
            gc_gen: self.gc_gen,
            specs,
            appendix: self.appendix.clone(),
        };
        next.lock = next.compute_lock();
        next
    }

    fn compute_lock(&self) -> Address {
        let mut input = self.root.as_bytes().to_vec();
        self.appendix
            .iter()
            .for_each(|spec| input.extend_from_slice(spec.name.as_bytes()));
        input.push(0);
        self.specs
            .iter()
            .for_each(|spec| input.extend_from_slice(spec.name.as_bytes()));
        input.push(0);
        Address::of(&input)
    }
}

fn check_format(version: &str) -> Result<(), FormatError> {
    if version == NBF_VERSION {
        return Ok(());
    }
    let version: String = version.chars().take(32).collect();
    Err(FormatError::Unsupported(format!(
        "the database has chunk format {version:?}, pyfs knows {NBF_VERSION}"
    )))
}

/// Names and counts in turn; a trailing odd one is ignored, as dolt does.
fn parse_specs(fields: &[&str]) -> Result<Vec<Spec>, FormatError> {
    let bad = |why: String| FormatError::corrupt("manifest", why);
    fields
        .chunks_exact(2)
        .map(|pair| {
            let [name, count] = pair else {
                unreachable!("chunks of two")
            };
            if *name == JOURNAL {
                return Err(FormatError::Unsupported(
                    "the manifest names a chunk journal: this is a local database, not a remote"
                        .to_owned(),
                ));
            }
            Ok(Spec {
                name: name
                    .parse()
                    .map_err(|error| bad(format!("a file's name: {error}")))?,
                chunk_count: count
                    .parse()
                    .map_err(|_| bad(format!("file {name} has chunk count {count:?}")))?,
            })
        })
        .collect()
}

/// `name:count:name:count…`, as DynamoDB and manifest files have it.
#[must_use]
pub fn format_specs(specs: &[Spec]) -> String {
    let mut text = String::with_capacity(40 * specs.len());
    for spec in specs {
        if !text.is_empty() {
            text.push(':');
        }
        // Writing to a string cannot fail.
        let _ = write!(text, "{}:{}", spec.name, spec.chunk_count);
    }
    text
}
