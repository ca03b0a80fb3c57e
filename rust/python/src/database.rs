//! `RootValue`, `ForeignKey`, and the functions on whole databases.

use std::collections::BTreeMap;

use dolt_format::message::{ref_name, root_value};
use pyo3::prelude::*;

use crate::address::Address;
use crate::chunk::{Chunk, wrap};
use crate::error::Error;

fn entries(map: &BTreeMap<String, Address>) -> impl Iterator<Item = (&str, dolt_format::Address)> {
    map.iter().map(|(name, address)| (name.as_str(), address.0))
}

#[pyfunction]
pub(crate) fn store_root(datasets: BTreeMap<String, Address>) -> Result<Vec<Chunk>, Error> {
    Ok(wrap(dolt_format::tree::address_map::store_root(entries(
        &datasets,
    ))?))
}

#[pyfunction]
pub(crate) fn branch_name_error(name: &str) -> Option<String> {
    ref_name::branch_name_error(name)
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct RootValue {
    chunk: dolt_format::Chunk,
    inner: root_value::RootValue,
}

#[pymethods]
impl RootValue {
    #[staticmethod]
    fn empty() -> Result<Self, Error> {
        let inner = root_value::RootValue::empty()?;
        Ok(Self {
            chunk: inner.encode()?,
            inner,
        })
    }

    #[staticmethod]
    fn decode(chunk: &Chunk) -> Result<Self, Error> {
        let inner = root_value::RootValue::decode(chunk.0.contents())?;
        Ok(Self {
            chunk: chunk.0.clone(),
            inner,
        })
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.chunk.address())
    }

    #[getter]
    fn foreign_keys(&self) -> Address {
        Address(self.inner.foreign_keys)
    }

    #[getter]
    fn collation(&self) -> u16 {
        self.inner.collation
    }

    fn with_tables(
        &self,
        tables: BTreeMap<String, Address>,
        foreign_keys: &Address,
    ) -> Result<Vec<Chunk>, Error> {
        let root = root_value::RootValue {
            foreign_keys: foreign_keys.0,
            ..self.inner.clone()
        };
        Ok(wrap(dolt_format::tree::address_map::root_value(
            &root,
            entries(&tables),
        )?))
    }

    fn chunk(&self) -> Chunk {
        Chunk(self.chunk.clone())
    }
}
