//! `Commit` (`DCMT`): a root value, its parents, who and when.

use super::field;
use super::flatbuffer::{Builder, TableView, finish};
use crate::{Address, Chunk, FormatError};

/// A commit. Times are milliseconds since 1970 UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Commit {
    /// The address of its root value.
    pub root: Address,
    /// One above the highest parent's; 1 without parents.
    pub height: u64,
    /// Its parents in order.
    pub parents: Vec<Address>,
    /// The root of the tree of its ancestors; empty without parents.
    pub closure: Address,
    /// The author's name.
    pub name: String,
    /// The author's email.
    pub email: String,
    /// The message.
    pub description: String,
    /// The committer's date.
    pub timestamp_ms: u64,
    /// The author's date.
    pub author_timestamp_ms: i64,
    /// The OpenPGP clear-signed text; empty when there is none.
    pub signature: String,
    /// The committer's name where it differs from the author's, else the author's.
    pub committer_name: String,
    /// The committer's email where it differs from the author's, else the author's.
    pub committer_email: String,
}

impl Commit {
    /// The height of a commit with these parents: one above the highest.
    pub fn height_above<'a>(
        parents: impl IntoIterator<Item = &'a Self>,
    ) -> Result<u64, FormatError> {
        let highest = parents.into_iter().map(|parent| parent.height).max();
        let height = highest.unwrap_or(0).checked_add(1);
        height.ok_or_else(|| FormatError::corrupt("commit", "no height is above its parent's"))
    }

    /// The commit that a chunk holds.
    pub fn decode(message: &[u8]) -> Result<Self, FormatError> {
        let view = TableView::root(message, *b"DCMT", "commit", 12)?;
        let parents = view.bytes(2)?;
        if parents.len() % Address::LEN != 0 {
            let why = format!("{} bytes of parent addresses", parents.len());
            return Err(FormatError::corrupt("commit", why));
        }
        let parents = parents
            .chunks_exact(Address::LEN)
            .map(Address::try_from)
            .collect::<Result<_, _>>()?;
        let mut commit = Self {
            root: view.address(0)?,
            height: view.u64(1)?,
            parents,
            closure: view.address(3)?,
            name: view.string(4)?,
            email: view.string(5)?,
            description: view.string(6)?,
            timestamp_ms: view.u64(7)?,
            author_timestamp_ms: view.i64(8)?,
            signature: view.string(9)?,
            committer_name: view.string(10)?,
            committer_email: view.string(11)?,
        };
        if commit.committer_name.is_empty() {
            commit.committer_name.clone_from(&commit.name);
        }
        if commit.committer_email.is_empty() {
            commit.committer_email.clone_from(&commit.email);
        }
        Ok(commit)
    }

    /// The commit's chunk, byte for byte as Dolt writes it.
    pub fn encode(&self) -> Result<Chunk, FormatError> {
        let mut b = Builder::new();
        let root = b.create_vector(self.root.as_bytes().as_slice());
        let parents: Vec<u8> = self
            .parents
            .iter()
            .flat_map(|parent| *parent.as_bytes())
            .collect();
        let parents = b.create_vector(&parents);
        let closure = b.create_vector(self.closure.as_bytes().as_slice());
        let name = b.create_string(&self.name);
        let email = b.create_string(&self.email);
        let description = b.create_string(&self.description);
        let mut optional = |text: &str, written: bool| written.then(|| b.create_string(text));
        let signature = optional(&self.signature, !self.signature.is_empty());
        let committer_name = optional(&self.committer_name, self.committer_name != self.name);
        let committer_email = optional(&self.committer_email, self.committer_email != self.email);
        let table = b.start_table();
        b.push_slot_always(field(0), root);
        b.push_slot(field(1), self.height, 0);
        b.push_slot_always(field(2), parents);
        b.push_slot_always(field(3), closure);
        b.push_slot_always(field(4), name);
        b.push_slot_always(field(5), email);
        b.push_slot_always(field(6), description);
        b.push_slot(field(7), self.timestamp_ms, 0);
        b.push_slot(field(8), self.author_timestamp_ms, 0);
        let strings = [(9, signature), (10, committer_name), (11, committer_email)];
        for (slot, string) in strings {
            if let Some(string) = string {
                b.push_slot_always(field(slot), string);
            }
        }
        let table = b.end_table(table);
        finish(b, table, "DCMT").map(Chunk::new)
    }
}
