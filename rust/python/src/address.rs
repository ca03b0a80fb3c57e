//! `Address`.

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

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
