//! `Table` (`DTBL`): a table's schema, the root node of its rows, its indexes.

use bytes::Bytes;

use super::field;
use super::flatbuffer::{Builder, TableView, finish};
use super::node::{Kind, Node};
use crate::{Address, Chunk, FormatError};

/// A table's message.
#[derive(Debug, Clone)]
pub struct Table {
    /// The address of its schema.
    pub schema: Address,
    /// The root node of the clustered index, which is stored nowhere else.
    pub rows: Node,
    /// The root node of the map from index names to index roots.
    pub indexes: Bytes,
    /// The next number of an `AUTO_INCREMENT` column; 0 and 1 mean 1.
    pub auto_increment: u64,
    /// Whether a merge left conflicts or violations.
    pub has_artifacts: bool,
}

impl Table {
    /// The table that a chunk holds.
    pub fn decode(message: &Bytes) -> Result<Self, FormatError> {
        let view = TableView::root(message, *b"DTBL", "table", 7)?;
        let rows = message.slice_ref(view.bytes(1)?);
        let rows = match super::flatbuffer::file_id(&rows) {
            Some(id) if id == *b"TUPM" => Node::decode(Kind::Tuples, rows)?,
            id => {
                let id = id.unwrap_or_default();
                let id = String::from_utf8_lossy(&id).into_owned();
                return Err(FormatError::corrupt(
                    "table",
                    format!("its rows are {id:?}"),
                ));
            }
        };
        let mut has_artifacts = !view.address(5)?.is_empty() || !view.address(6)?.is_empty();
        if let Some(conflicts) = view.table(4, 4)? {
            for slot in 0..4 {
                has_artifacts |= !conflicts.address(slot)?.is_empty();
            }
        }
        Ok(Self {
            schema: view.address(0)?,
            rows,
            indexes: message.slice_ref(view.bytes(2)?),
            auto_increment: view.u64(3)?,
            has_artifacts,
        })
    }

    /// The chunk of a table without artifacts. A counter of 0 or 1 is not written.
    pub fn encode(
        schema: Address,
        rows: &Bytes,
        indexes: &Bytes,
        auto_increment: u64,
    ) -> Result<Chunk, FormatError> {
        let none = Address::EMPTY;
        let mut b = Builder::with_capacity(rows.len() + indexes.len() + 512);
        let schema = b.create_vector(schema.as_bytes().as_slice());
        let rows = b.create_vector(rows.as_ref());
        let indexes = b.create_vector(indexes.as_ref());
        let conflicts = [(); 4].map(|()| b.create_vector(none.as_bytes().as_slice()));
        let table = b.start_table();
        for (slot, vector) in (0..).zip(conflicts) {
            b.push_slot_always(field(slot), vector);
        }
        let conflicts = b.end_table(table);
        let violations = b.create_vector(none.as_bytes().as_slice());
        let artifacts = b.create_vector(none.as_bytes().as_slice());
        let table = b.start_table();
        b.push_slot_always(field(0), schema);
        b.push_slot_always(field(1), rows);
        b.push_slot_always(field(2), indexes);
        b.push_slot(
            field(3),
            if auto_increment > 1 {
                auto_increment
            } else {
                0
            },
            0,
        );
        b.push_slot_always(field(4), conflicts);
        b.push_slot_always(field(5), violations);
        b.push_slot_always(field(6), artifacts);
        let table = b.end_table(table);
        finish(b, table, "DTBL").map(Chunk::new)
    }
}
