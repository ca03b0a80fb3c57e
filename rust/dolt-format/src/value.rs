//! Values: tuples, their fields, and what a schema says of them.

pub mod adaptive;
pub mod encoding;
pub mod expression;
pub mod number;
pub mod sort_key;
pub mod sql_type;
pub mod time;
pub mod tuple;
