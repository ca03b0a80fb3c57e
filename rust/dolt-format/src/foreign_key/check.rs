//! `Check`: what follows from a change of some tables.
//!
//! Rows that come to a child need their parent; rows that go from a parent take their children
//! along, or may not go. It is looked for where the trees differ, by way of the indexes: what is
//! read depends on how much has changed.

mod conclude;

use std::collections::{BTreeMap, HashMap, HashSet};

use super::findings::Findings;
use super::side::{self, Side};
use crate::build::layout::Layout;
use crate::message::foreign_key::ForeignKey;
use crate::message::schema::TableSchema;
use crate::message::table::Table;
use crate::tree::chunker::MapBuilder;
use crate::tree::diff::{DiffKeys, Keys};
use crate::tree::fetch::Fetch;
use crate::tree::phases::{Phases, Relay, Steps};
use crate::tree::probe::Probe;
use crate::tree::scan::AddressMapScan;
use crate::tree::together::Together;
use crate::tree::{Kind, Node, Traversal};
use crate::{Address, Chunk, FormatError};

/// One version of a table.
#[derive(Debug, Clone)]
pub struct Version {
    /// Its schema.
    pub schema: TableSchema,
    /// Its message.
    pub table: Chunk,
}

/// A table before and after the change; `None` where it is not there.
#[derive(Debug, Clone)]
pub struct Changed {
    /// Its version before.
    pub old: Option<Version>,
    /// Its version after.
    pub new: Version,
}

impl Changed {
    fn is_same(&self) -> bool {
        let old = self.old.as_ref();
        old.is_some_and(|old| old.table.address() == self.new.table.address())
    }
}

/// A foreign key to check, and whether its rows were checked before.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The key.
    pub key: ForeignKey,
    /// Whether it is new, so that all rows of the child need their parents.
    pub is_new: bool,
}

/// Finds what follows from a change.
#[derive(Debug)]
pub struct Check(Relay<Checking>);

impl Check {
    /// Checks `subjects`, all of whose tables are among `tables` by lower-case name.
    pub fn new(
        subjects: Vec<Subject>,
        tables: HashMap<String, Changed>,
    ) -> Result<Self, FormatError> {
        Ok(Self(Relay::new(Checking::new(subjects, tables)?)?))
    }
}

impl Traversal for Check {
    type Output = Findings;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.0.needs(limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        self.0.feed(chunks)
    }

    fn result(&mut self) -> Result<Findings, FormatError> {
        Ok(std::mem::take(&mut self.0.phases.findings))
    }
}

/// Which of a table's versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum When {
    Old,
    New,
}

/// One foreign key on its way.
#[derive(Debug)]
struct Task {
    subject: Subject,
    child: String,
    parent: String,
    child_side: Side,
    parent_side: Side,
    /// What came to the child's index.
    child_keys: Keys,
    /// What came to and went from the parent's.
    parent_keys: Keys,
    /// The keys that the parent lacks now, in the order of the child's.
    gone: Vec<Gone>,
}

/// A key that no row of the parent has any more.
#[derive(Debug, Clone)]
struct Gone {
    /// Its sort key in the child's index.
    sort_key: Vec<u8>,
    fields: Vec<Vec<u8>>,
    /// What the one row that had it has in its place; `None` where that row is gone.
    becomes: Option<Vec<Option<Vec<u8>>>>,
    /// Whether another row has it still.
    is_shared: bool,
}

/// Entries of one key that was looked up in the parent.
#[derive(Debug)]
struct Looked {
    entries: Vec<Vec<u8>>,
    is_there: bool,
}

#[derive(Debug)]
enum Phase {
    /// Where the indexes of the tables are.
    Indexes(Together<AddressMapScan>),
    /// The roots of the indexes that serve.
    Roots(Fetch),
    /// What differs: of each task first the child's index, then the parent's.
    Changes(Together<DiffKeys>),
    /// Of each task first the parents of the rows that came, then what replaced those that went.
    Parents(Together<Probe>),
    /// Of each task the rows that name what went.
    Children(Together<Probe>),
    Done,
}

/// The way of a check.
#[derive(Debug)]
struct Checking {
    tables: HashMap<String, Changed>,
    tasks: Vec<Task>,
    /// Where each version's indexes are, and in the end their roots.
    versions: Vec<(String, When)>,
    addresses: HashMap<(String, When), BTreeMap<String, Address>>,
    nodes: HashMap<Address, Node>,
    /// Sort keys and entries that were looked for, as long as their probes are under way.
    wanted: Vec<BTreeMap<Vec<u8>, Vec<Vec<u8>>>>,
    phase: Phase,
    findings: Findings,
}

fn unknown(what: &str) -> FormatError {
    FormatError::corrupt("foreign key check", what)
}

impl Checking {
    fn new(subjects: Vec<Subject>, tables: HashMap<String, Changed>) -> Result<Self, FormatError> {
        let mut tasks = Vec::new();
        for subject in subjects {
            let child = subject.key.child.to_lowercase();
            let parent = subject.key.parent.to_lowercase();
            let table = |name: &str| {
                tables
                    .get(name)
                    .ok_or_else(|| unknown("a table is missing"))
            };
            let (of_child, of_parent) = (table(&child)?, table(&parent)?);
            if !subject.is_new && of_child.is_same() && of_parent.is_same() {
                continue;
            }
            let (child_schema, parent_schema) = (&of_child.new.schema, &of_parent.new.schema);
            if let Some(why) = side::refusal(&subject.key, child_schema, parent_schema) {
                return Err(FormatError::Unsupported(why));
            }
            let unsupported = FormatError::Unsupported;
            tasks.push(Task {
                child_side: side::child(&subject.key, child_schema).map_err(unsupported)?,
                parent_side: side::parent(&subject.key, parent_schema).map_err(unsupported)?,
                subject,
                child,
                parent,
                child_keys: Keys::default(),
                parent_keys: Keys::default(),
                gone: Vec::new(),
            });
        }
        let mut versions = Vec::new();
        for task in &tasks {
            for name in [&task.child, &task.parent] {
                for when in [When::Old, When::New] {
                    let version = (name.clone(), when);
                    if !versions.contains(&version) {
                        versions.push(version);
                    }
                }
            }
        }
        let mut checking = Self {
            tables,
            tasks,
            versions,
            addresses: HashMap::new(),
            nodes: HashMap::new(),
            wanted: Vec::new(),
            phase: Phase::Done,
            findings: Findings::default(),
        };
        let scans = checking.versions.iter().map(|(name, when)| {
            let indexes = match checking.version(name, *when) {
                Some(version) => Table::decode(version.table.contents())?.indexes,
                None => crate::message::node::empty_address_map()?,
            };
            AddressMapScan::new(indexes)
        });
        let scans = scans.collect::<Result<_, _>>()?;
        checking.phase = Phase::Indexes(Together::new(scans));
        Ok(checking)
    }

    fn version(&self, table: &str, when: When) -> Option<&Version> {
        let changed = self.tables.get(table)?;
        match when {
            When::Old => changed.old.as_ref(),
            When::New => Some(&changed.new),
        }
    }

    /// The side of a task in the old version of its table, where it had one.
    fn old_side(&self, task: &Task, of_child: bool) -> Option<Side> {
        let key = &task.subject.key;
        let side = if of_child {
            side::child(key, &self.version(&task.child, When::Old)?.schema)
        } else {
            side::parent(key, &self.version(&task.parent, When::Old)?.schema)
        };
        side.ok()
    }

    /// The address of a side's root, unless that is embedded in the table.
    fn root_address(
        &self,
        table: &str,
        when: When,
        side: &Side,
    ) -> Result<Option<Address>, FormatError> {
        let Some(name) = &side.index else {
            return Ok(None);
        };
        let indexes = self.addresses.get(&(table.to_owned(), when));
        let address = indexes.and_then(|indexes| indexes.get(name)).copied();
        let why = || unknown("an index of the schema is not among those of the table");
        address.map(Some).ok_or_else(why)
    }

    /// A side's root.
    fn root(&self, table: &str, when: When, side: &Side) -> Result<Node, FormatError> {
        if let Some(address) = self.root_address(table, when, side)? {
            let node = self.nodes.get(&address);
            return node
                .cloned()
                .ok_or_else(|| unknown("a root is not at hand"));
        }
        let version = self.version(table, when);
        let version = version.ok_or_else(|| unknown("a table is missing"))?;
        Ok(Table::decode(version.table.contents())?.rows)
    }

    fn fetch_roots(&self) -> Result<Fetch, FormatError> {
        let mut roots = Vec::new();
        for task in &self.tasks {
            roots.extend(self.root_address(&task.child, When::New, &task.child_side)?);
            roots.extend(self.root_address(&task.parent, When::New, &task.parent_side)?);
            if let Some(side) = self.old_side(task, true) {
                roots.extend(self.root_address(&task.child, When::Old, &side)?);
            }
            if let Some(side) = self.old_side(task, false) {
                roots.extend(self.root_address(&task.parent, When::Old, &side)?);
            }
        }
        Ok(Fetch::new(roots))
    }

    fn compare(&self) -> Result<Together<DiffKeys>, FormatError> {
        let empty = MapBuilder::new(Kind::Tuples).finish()?.root;
        let empty = Node::decode(Kind::Tuples, empty.contents().clone())?;
        let mut diffs = Vec::new();
        for task in &self.tasks {
            let is_new = task.subject.is_new;
            let new = self.root(&task.child, When::New, &task.child_side)?;
            let old = match self.old_side(task, true).filter(|_| !is_new) {
                Some(side) => self.root(&task.child, When::Old, &side)?,
                None => empty.clone(),
            };
            diffs.push(DiffKeys::new(old, new));
            let new = self.root(&task.parent, When::New, &task.parent_side)?;
            let old = match self.old_side(task, false).filter(|_| !is_new) {
                Some(side) => self.root(&task.parent, When::Old, &side)?,
                None => new.clone(),
            };
            diffs.push(DiffKeys::new(old, new));
        }
        Ok(Together::new(diffs))
    }

    /// Probes for the parents of what came, and for what went and may be there again.
    fn probe_parents(&mut self, changes: Vec<Keys>) -> Result<Together<Probe>, FormatError> {
        let mut changes = changes.into_iter();
        let mut tasks = std::mem::take(&mut self.tasks);
        let mut probes = Vec::new();
        self.wanted.clear();
        for task in &mut tasks {
            task.child_keys = changes.next().unwrap_or_default();
            task.parent_keys = changes.next().unwrap_or_default();
            let root = self.root(&task.parent, When::New, &task.parent_side)?;
            let sort_keys = task.parent_side.key.sort_keys();
            let come = by_sort_key(&task.child_keys.come, &task.child_side.key, |fields| {
                task.parent_side.key.sort_key(fields)
            });
            let old = self.old_side(task, false);
            let gone = match &old {
                Some(side) => by_sort_key(&task.parent_keys.gone, &side.key, |fields| {
                    task.parent_side.key.sort_key(fields)
                }),
                None => BTreeMap::new(),
            };
            for wanted in [come, gone] {
                let prefixes = wanted.keys().cloned().collect();
                probes.push(Probe::new(&root, sort_keys.clone(), prefixes)?);
                self.wanted.push(wanted);
            }
        }
        self.tasks = tasks;
        Ok(Together::new(probes))
    }

    /// Notes what has no parent, and probes for what names that which went.
    fn probe_children(
        &mut self,
        found: &[Vec<(usize, Vec<u8>)>],
    ) -> Result<Together<Probe>, FormatError> {
        let mut tasks = std::mem::take(&mut self.tasks);
        let mut wanted = std::mem::take(&mut self.wanted).into_iter();
        let mut found = found.iter();
        let mut probes = Vec::new();
        for task in &mut tasks {
            let mut looked_up = || {
                let found = found.next().into_iter().flatten();
                let found: HashSet<usize> = found.map(|(number, _)| *number).collect();
                let wanted = wanted.next().into_iter().flatten().enumerate();
                let wanted = wanted.map(|(number, (_, entries))| Looked {
                    entries,
                    is_there: found.contains(&number),
                });
                wanted.collect::<Vec<Looked>>()
            };
            let parents = looked_up();
            let entries = parents.into_iter().filter(|parent| !parent.is_there);
            let entries: Vec<Vec<u8>> = entries.flat_map(|parent| parent.entries).collect();
            if !entries.is_empty() {
                let missing = self.missing(task, entries)?;
                self.findings.missing.push(missing);
            }
            let went = looked_up();
            task.gone = self.gone(task, went)?;
            let root = self.root(&task.child, When::New, &task.child_side)?;
            let prefixes = task.gone.iter().map(|gone| gone.sort_key.clone()).collect();
            probes.push(Probe::new(
                &root,
                task.child_side.key.sort_keys(),
                prefixes,
            )?);
        }
        self.tasks = tasks;
        Ok(Together::new(probes))
    }
}

/// Some entries by the sort key, made of their first fields, that they are looked for by. Those
/// with a NULL name nothing.
fn by_sort_key(
    entries: &[Vec<u8>],
    key: &Layout,
    sort_key: impl Fn(&[&[u8]]) -> Vec<u8>,
) -> BTreeMap<Vec<u8>, Vec<Vec<u8>>> {
    let mut sorted: BTreeMap<Vec<u8>, Vec<Vec<u8>>> = BTreeMap::new();
    for entry in entries {
        if let Some(fields) = key.fields(entry) {
            let entries = sorted.entry(sort_key(&fields)).or_default();
            entries.push(entry.clone());
        }
    }
    sorted
}

impl Phases for Checking {
    fn steps(&mut self) -> Option<&mut dyn Steps> {
        Some(match &mut self.phase {
            Phase::Indexes(steps) => steps,
            Phase::Roots(steps) => steps,
            Phase::Changes(steps) => steps,
            Phase::Parents(steps) | Phase::Children(steps) => steps,
            Phase::Done => return None,
        })
    }

    fn advance(&mut self) -> Result<(), FormatError> {
        self.phase = match std::mem::replace(&mut self.phase, Phase::Done) {
            Phase::Indexes(mut scans) => {
                let found = scans.result()?;
                self.addresses = self.versions.iter().cloned().zip(found).collect();
                Phase::Roots(self.fetch_roots()?)
            }
            Phase::Roots(mut fetch) => {
                self.nodes = fetch.result()?;
                Phase::Changes(self.compare()?)
            }
            Phase::Changes(mut diffs) => Phase::Parents(self.probe_parents(diffs.result()?)?),
            Phase::Parents(mut probes) => Phase::Children(self.probe_children(&probes.result()?)?),
            Phase::Children(mut probes) => {
                self.conclude(probes.result()?)?;
                Phase::Done
            }
            Phase::Done => Phase::Done,
        };
        Ok(())
    }
}
