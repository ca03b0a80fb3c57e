//! `ClosureEdit` and `ClosureLookup`.

use dolt_format::tree::closure;
use pyo3::prelude::*;

use crate::chunk::{Chunk, wrap};
use crate::commit::Commit;
use crate::error::Error;
use crate::traversal;

#[pyclass(module = "pyfs._core")]
pub(crate) struct ClosureEdit {
    inner: closure::ClosureEdit,
}

#[pymethods]
impl ClosureEdit {
    #[new]
    fn new(parent: &Commit) -> Result<Self, Error> {
        let Commit { address, inner } = parent;
        Ok(Self {
            inner: closure::ClosureEdit::new(*address, inner.height, inner.closure)?,
        })
    }
}

traversal!(ClosureEdit, Vec<Chunk>, |py, chunks| wrap(chunks));

#[pyclass(module = "pyfs._core")]
pub(crate) struct ClosureLookup {
    inner: closure::ClosureLookup,
}

#[pymethods]
impl ClosureLookup {
    #[new]
    fn new(commit: &Commit, ancestor: &Commit) -> Result<Self, Error> {
        let (closure, height) = (commit.inner.closure, ancestor.inner.height);
        Ok(Self {
            inner: closure::ClosureLookup::new(closure, ancestor.address, height)?,
        })
    }
}

traversal!(ClosureLookup, bool, |py, found| found);
