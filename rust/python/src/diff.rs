//! `DiffCount`.

use dolt_format::build;
use dolt_format::tree::diff_count;
use pyo3::prelude::*;

use crate::table::{Schema, Table};
use crate::traversal;

#[pyclass(module = "pyfs._core")]
pub(crate) struct DiffCount {
    inner: diff_count::DiffCount,
}

#[pymethods]
impl DiffCount {
    #[new]
    fn new(old: &Table, new: &Table, schema: &Schema) -> Self {
        let keyless = schema.inner.primary_key.is_empty();
        let (old, new) = (old.inner.rows.clone(), new.inner.rows.clone());
        Self {
            inner: diff_count::DiffCount::new(old, new, keyless, build::row_order(&schema.inner)),
        }
    }
}

traversal!(DiffCount, (u64, u64, u64), |py, counts| (
    counts.added,
    counts.removed,
    counts.modified
));
