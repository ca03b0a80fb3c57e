//! Values: tuples, their fields, and what a schema says of them.

pub mod adaptive;
pub(crate) mod base64;
pub mod collation;
pub(crate) mod conversion;
mod decimal_text;
pub(crate) mod digits;
pub mod encoding;
pub mod from_text;
pub mod geometry;
pub(crate) mod geometry_json;
mod json_text;
pub mod members;
pub(crate) mod number;
pub(crate) mod sort_key;
pub mod sql_type;
pub(crate) mod time;
pub(crate) mod time_text;
pub mod tuple;
pub(crate) mod vector_text;
