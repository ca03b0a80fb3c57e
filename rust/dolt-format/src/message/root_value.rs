//! `RootValue` (`RTVL`): the tables of one state of a database.

use bytes::Bytes;

use super::field;
use super::flatbuffer::{Builder, TableView, finish};
use super::node::empty_address_map;
use crate::{Address, Chunk, FormatError};

/// The feature version of Dolt 2.3.1: what it writes, and the newest it reads.
const FEATURE_VERSION: i64 = 7;
/// `utf8mb4_0900_bin`.
const COLLATION_DEFAULT: u16 = 309;

/// The tables of one state of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootValue {
    /// The root node of the map from table names to tables.
    pub tables: Bytes,
    /// The address of the foreign key collection, or empty.
    pub foreign_keys: Address,
    /// MySQL's number of the database's collation.
    pub collation: u16,
}

impl RootValue {
    /// A database without tables, as `dolt init` makes it.
    pub fn empty() -> Result<Self, FormatError> {
        Ok(Self {
            tables: empty_address_map()?,
            foreign_keys: Address::EMPTY,
            collation: COLLATION_DEFAULT,
        })
    }

    /// The root value that a chunk holds.
    pub fn decode(message: &Bytes) -> Result<Self, FormatError> {
        if super::flatbuffer::file_id(message) == Some(*b"DGRV") {
            return Err(FormatError::Unsupported("a Doltgres database".to_owned()));
        }
        let view = TableView::root(message, *b"RTVL", "root value", 5)?;
        let version = view.i64(0)?;
        if version > FEATURE_VERSION {
            return Err(FormatError::Unsupported(format!(
                "the database has feature version {version}, pyfs knows {FEATURE_VERSION}: a \
                 newer dolt wrote it"
            )));
        }
        if view.has(4)? {
            return Err(FormatError::Unsupported(
                "a database with schemas (Doltgres)".to_owned(),
            ));
        }
        let collation = match view.u16(3)? {
            0 => COLLATION_DEFAULT,
            collation => collation,
        };
        Ok(Self {
            tables: message.slice_ref(view.bytes(1)?),
            foreign_keys: view.address(2)?,
            collation,
        })
    }

    /// The root value's chunk.
    pub fn encode(&self) -> Result<Chunk, FormatError> {
        let mut b = Builder::new();
        let tables = b.create_vector(self.tables.as_ref());
        let foreign_keys = b.create_vector(self.foreign_keys.as_bytes().as_slice());
        let table = b.start_table();
        b.push_slot(field(0), FEATURE_VERSION, 0);
        b.push_slot(field(3), self.collation, 0);
        b.push_slot_always(field(1), tables);
        b.push_slot_always(field(2), foreign_keys);
        let table = b.end_table(table);
        finish(b, table, "RTVL").map(Chunk::new)
    }
}
