//! `TableFileWriter`.

use std::sync::{Mutex, PoisonError};

use dolt_format::table::writer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::chunk::Chunks;
use crate::error::Error;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct TableFileWriter(Mutex<writer::TableWriter>);

#[pymethods]
impl TableFileWriter {
    #[new]
    fn new() -> Self {
        Self(Mutex::new(writer::TableWriter::new()))
    }

    fn add<'py>(&self, py: Python<'py>, chunks: &Chunks) -> Result<Bound<'py, PyBytes>, Error> {
        // Compressing a batch takes milliseconds.
        let data = py.detach(|| {
            let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            chunks.0.iter().try_for_each(|chunk| writer.add(chunk))?;
            Ok::<_, Error>(writer.drain())
        })?;
        Ok(PyBytes::new(py, &data))
    }

    #[getter]
    fn size(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).size()
    }

    fn finish<'py>(&self, py: Python<'py>) -> Option<(String, Bound<'py, PyBytes>)> {
        let mut writer = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let file = std::mem::take(&mut *writer).finish()?;
        Some((file.name, PyBytes::new(py, &file.data)))
    }
}
