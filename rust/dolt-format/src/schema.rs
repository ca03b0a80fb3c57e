//! A table's schema as text and back: `CREATE TABLE` as dolt prints and lays it out.
//!
//! ```text
//!   show       a schema's text
//!   edit       what a text makes of a table: a new one, or a changed one
//!   draft      the schema that a statement asks for      origin  which old column each one was
//!   foreign    the foreign keys that it asks for
//!   part       what one definition says                  tags    numbers of new columns
//!   infer      a new table's schema from its rows       copy    … from another table's
//!   system     … of Dolt's own
//!   statement  a text cut into definitions and options
//! ```

pub mod collation;
pub mod column_type;
mod copy;
mod data_type;
mod default_value;
mod draft;
pub mod edit;
mod expression_text;
mod foreign;
pub mod infer;
mod key;
pub(crate) mod origin;
mod part;
pub mod show;
mod statement;
mod synonym;
pub mod system;
pub mod tags;
