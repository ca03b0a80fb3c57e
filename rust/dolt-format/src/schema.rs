//! A table's schema as text and back: `CREATE TABLE` as dolt prints and lays it out.

pub mod collation;
pub mod column_type;
mod default_value;
pub mod show;
