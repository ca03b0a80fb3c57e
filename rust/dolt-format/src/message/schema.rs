//! `TableSchema` (`DSCH`): the columns, keys and checks of a table.

use crate::Address;

/// A table's schema, as its message has it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TableSchema {
    /// The address of the message, or the empty address for a schema not stored yet.
    pub address: Address,
    /// The columns in table order, without the two hidden ones of a keyless table.
    pub columns: Vec<Column>,
    /// Positions of the primary key's columns, in key order. Empty for a keyless table.
    pub primary_key: Vec<u16>,
    /// The secondary indexes, sorted by name.
    pub indexes: Vec<Index>,
    /// The CHECK constraints in order of creation.
    pub checks: Vec<Check>,
    /// MySQL's number of the table's collation; 309 is `utf8mb4_0900_bin`.
    pub collation: u16,
    /// The table's comment.
    pub comment: String,
    /// Bytes above which a row's large values move out of band.
    pub target_row_size: u16,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its SQL type as stored, such as `decimal(10,2)` or `varchar(20) COLLATE utf8mb4_0900_ai_ci`.
    pub sql_type: String,
    /// The text of the default, or of the expression of a generated column; empty when there is none.
    pub default: String,
    /// Its comment.
    pub comment: String,
    /// What `ON UPDATE` says; empty when nothing.
    pub on_update: String,
    /// The number by which merges know the column.
    pub tag: u64,
    /// The encoding's number (dolt: `go/serial/encoding.fbs`), to be obeyed as stored.
    pub encoding: u8,
    /// Whether NULL is allowed.
    pub nullable: bool,
    /// Whether the column is `AUTO_INCREMENT`.
    pub auto_increment: bool,
    /// Whether `default` is a generating expression.
    pub generated: bool,
    /// Whether the generated value is computed and not stored.
    pub is_virtual: bool,
    /// Whether the column belongs to a functional index and is not shown.
    pub hidden_system: bool,
}

/// A secondary index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[allow(clippy::struct_excessive_bools)]
pub struct Index {
    /// Its name, with the case of its creation.
    pub name: String,
    /// Its comment.
    pub comment: String,
    /// Positions of the columns named in its definition.
    pub index_columns: Vec<u16>,
    /// Positions of all columns of its key: those named, then the missing ones of the primary key.
    pub key_columns: Vec<u16>,
    /// Bytes of each column that are indexed, 0 for all; empty when all are whole.
    pub prefix_lengths: Vec<u16>,
    /// Whether keys are unique.
    pub unique: bool,
    /// Whether a foreign key made it.
    pub system_defined: bool,
    /// Whether it is a spatial index.
    pub spatial: bool,
    /// Whether it is a full-text index.
    pub fulltext: bool,
    /// Whether it is a vector index.
    pub vector: bool,
    /// What names the tables of a full-text index.
    pub fulltext_info: Option<FulltextInfo>,
    /// The condition of a partial index; empty when there is none.
    pub predicate: String,
}

/// The tables and key of a full-text index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FulltextInfo {
    /// Its configuration table.
    pub config: String,
    /// Its position table.
    pub position: String,
    /// Its document count table.
    pub doc_count: String,
    /// Its global count table.
    pub global_count: String,
    /// Its row count table.
    pub row_count: String,
    /// 0 primary key, 1 unique key, 2 none.
    pub key_type: u8,
    /// The key's name.
    pub key_name: String,
    /// Positions of the key's columns.
    pub key_positions: Vec<u16>,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Check {
    /// Its name.
    pub name: String,
    /// Its expression as parsed, such as ``(`q` > 0)``.
    pub expression: String,
    /// Whether it is enforced.
    pub enforced: bool,
    /// Whether rows may break it already.
    pub is_not_valid: bool,
}
