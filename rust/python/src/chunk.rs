//! `Chunk`, `Chunks`, `ChunkCache`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use dolt_format::{FormatError, chunk_cache};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyIterator, PyList};

use crate::address::{Address, Addresses, Asked};
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

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Chunks(pub(crate) Vec<dolt_format::Chunk>);

#[pymethods]
impl Chunks {
    #[new]
    fn new(chunks: Vec<PyRef<'_, Chunk>>) -> Self {
        Self(chunks.iter().map(|chunk| chunk.0.clone()).collect())
    }

    #[staticmethod]
    fn gather(addresses: Asked<'_>, parts: Vec<PyRef<'_, Self>>) -> Result<Self, Error> {
        let chunks = parts.iter().flat_map(|part| &part.0);
        let found: HashMap<_, _> = chunks.map(|chunk| (chunk.address(), chunk)).collect();
        let gathered = addresses.to_vec().into_iter().map(|address| {
            let chunk = found.get(&address).copied().cloned();
            chunk.ok_or_else(|| {
                FormatError::corrupt(format!("chunk {address}"), "it is not among those read")
            })
        });
        Ok(Self(gathered.collect::<Result<_, _>>()?))
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, at: usize) -> PyResult<Chunk> {
        let chunk = self.0.get(at).cloned().map(Chunk);
        chunk.ok_or_else(|| PyIndexError::new_err("chunk index out of range"))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.0.iter().cloned().map(Chunk))?.try_iter()
    }

    fn addresses(&self) -> Addresses {
        Addresses(self.0.iter().map(dolt_format::Chunk::address).collect())
    }

    fn missing(&self, addresses: Asked<'_>) -> Addresses {
        let found: std::collections::HashSet<_> =
            self.0.iter().map(dolt_format::Chunk::address).collect();
        let asked = addresses.to_vec().into_iter();
        Addresses(asked.filter(|address| !found.contains(address)).collect())
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct ChunkCache(Mutex<chunk_cache::ChunkCache>);

#[pymethods]
impl ChunkCache {
    #[new]
    fn new(bytes_max: usize) -> Self {
        Self(Mutex::new(chunk_cache::ChunkCache::new(bytes_max)))
    }

    fn get(&self, addresses: Asked<'_>) -> (Chunks, Addresses) {
        let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut found, mut left) = (Vec::new(), Vec::new());
        for address in addresses.to_vec() {
            match cache.get(address) {
                Some(chunk) => found.push(chunk),
                None => left.push(address),
            }
        }
        (Chunks(found), Addresses(left))
    }

    fn put(&self, py: Python<'_>, chunks: &Chunks) {
        py.detach(|| {
            let mut cache = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            chunks.0.iter().for_each(|chunk| cache.put(chunk.clone()));
        });
    }
}
