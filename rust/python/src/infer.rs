//! `Inference`.

use std::collections::BTreeSet;

use dolt_format::schema::infer;
use dolt_format::{FormatError, TextFormat};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::error::Error;
use crate::table::{Schema, parse_format};

#[pyclass(module = "pyfs._core")]
pub(crate) struct Inference {
    inner: Option<infer::Inference>,
    format: TextFormat,
}

impl Inference {
    fn over() -> FormatError {
        FormatError::corrupt("inference", "it is over: start a new one")
    }
}

#[pymethods]
impl Inference {
    #[new]
    #[pyo3(signature = (format="csv"))]
    fn new(format: &str) -> PyResult<Self> {
        let format = parse_format(format)?;
        Ok(Self {
            inner: Some(infer::Inference::new(format)),
            format,
        })
    }

    fn feed(&mut self, py: Python<'_>, text: PyBackedBytes) -> Result<(), Error> {
        let mut inference = self.inner.take().ok_or_else(Self::over)?;
        py.detach(|| inference.feed(&text))?;
        self.inner = Some(inference);
        Ok(())
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        let inner = self.inner.as_ref();
        inner.map_or_else(Vec::new, |inner| inner.columns().to_vec())
    }

    fn finish(&mut self, table: &str, taken: BTreeSet<u64>) -> Result<Vec<Schema>, Error> {
        let inference = self.inner.take().ok_or_else(Self::over)?;
        let schemas = inference.finish(table, &taken)?;
        schemas
            .into_iter()
            .map(|schema| Ok(Schema::new(schema)?.shown_in(self.format)))
            .collect()
    }
}
