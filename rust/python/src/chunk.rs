//! `Chunk`.

use bytes::Bytes;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::address::Address;
use crate::error::Error;

#[pyclass(frozen, module = "pyfs._core")]
#[derive(Clone)]
pub(crate) struct Chunk(pub(crate) dolt_format::Chunk);

#[pymethods]
impl Chunk {
    #[staticmethod]
    fn verify(address: Address, contents: PyBackedBytes) -> Result<Self, Error> {
        let contents = Bytes::copy_from_slice(&contents);
        Ok(Self(dolt_format::Chunk::verify(address.0, contents)?))
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.0.address())
    }

    fn __len__(&self) -> usize {
        self.0.contents().len()
    }

    fn contents<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.contents())
    }

    fn __repr__(&self) -> String {
        format!("{:?}", self.0)
    }
}

/// Chunks as Python objects.
pub(crate) fn wrap(chunks: Vec<dolt_format::Chunk>) -> Vec<Chunk> {
    chunks.into_iter().map(Chunk).collect()
}
