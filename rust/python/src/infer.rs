//! `Inference`.

use std::collections::BTreeSet;

use dolt_format::FormatError;
use dolt_format::schema::infer;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::Error;
use crate::table::Schema;

#[pyclass(module = "pyfs._core")]
pub(crate) struct Inference(Option<infer::Inference>);

impl Inference {
    fn over() -> FormatError {
        FormatError::corrupt("inference", "it is over: start a new one")
    }
}

#[pymethods]
impl Inference {
    #[new]
    fn new() -> Self {
        Self(Some(infer::Inference::default()))
    }

    fn feed(&mut self, py: Python<'_>, text: PyBackedBytes) -> Result<(), Error> {
        let mut inference = self.0.take().ok_or_else(Self::over)?;
        py.detach(|| inference.feed(&text))?;
        self.0 = Some(inference);
        Ok(())
    }

    fn finish(&mut self, table: &str, taken: BTreeSet<u64>) -> Result<Vec<Schema>, Error> {
        let inference = self.0.take().ok_or_else(Self::over)?;
        let schemas = inference.finish(table, &taken)?;
        schemas.into_iter().map(Schema::new).collect()
    }
}
