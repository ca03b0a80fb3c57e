//! `Address`.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyIterator, PyList};

use crate::error::Error;

#[pyclass(frozen, eq, ord, hash, from_py_object, module = "pyfs._core")]
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Address(pub(crate) dolt_format::Address);

#[pymethods]
impl Address {
    #[classattr]
    const LEN: usize = dolt_format::Address::LEN;

    #[classattr]
    #[allow(non_snake_case)]
    fn EMPTY() -> Self {
        Self(dolt_format::Address::EMPTY)
    }

    #[new]
    fn new(raw: PyBackedBytes) -> Result<Self, Error> {
        Ok(Self(dolt_format::Address::try_from(&*raw)?))
    }

    #[staticmethod]
    fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self(text.parse()?))
    }

    #[staticmethod]
    fn of(contents: PyBackedBytes) -> Self {
        Self(dolt_format::Address::of(&contents))
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.0.as_bytes())
    }

    fn __bool__(&self) -> bool {
        !self.0.is_empty()
    }

    fn __str__(&self) -> String {
        self.0.to_string()
    }

    fn __repr__(&self) -> String {
        format!("Address({})", self.0)
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Addresses(pub(crate) Vec<dolt_format::Address>);

#[pymethods]
impl Addresses {
    #[new]
    fn new(addresses: Vec<Address>) -> Self {
        Self(addresses.into_iter().map(|address| address.0).collect())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn __getitem__(&self, at: usize) -> PyResult<Address> {
        let address = self.0.get(at).copied().map(Address);
        address.ok_or_else(|| PyIndexError::new_err("address index out of range"))
    }

    fn __iter__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyIterator>> {
        PyList::new(py, self.0.iter().copied().map(Address))?.try_iter()
    }
}

/// Addresses as an argument: many at once, or one by one.
#[derive(FromPyObject)]
pub(crate) enum Asked<'py> {
    Many(PyRef<'py, Addresses>),
    Each(Vec<Address>),
}

impl Asked<'_> {
    pub(crate) fn to_vec(&self) -> Vec<dolt_format::Address> {
        match self {
            Self::Many(addresses) => addresses.0.clone(),
            Self::Each(addresses) => addresses.iter().map(|address| address.0).collect(),
        }
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Claims(Mutex<HashSet<dolt_format::Address>>);

#[pymethods]
impl Claims {
    #[new]
    fn new() -> Self {
        Self(Mutex::default())
    }

    fn claim(&self, addresses: &Addresses) -> Addresses {
        let mut claimed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let asked = addresses.0.iter().copied();
        Addresses(asked.filter(|address| claimed.insert(*address)).collect())
    }

    fn release(&self, addresses: &Addresses) {
        let mut claimed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for address in &addresses.0 {
            claimed.remove(address);
        }
    }
}
