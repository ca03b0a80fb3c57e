//! `AddressMapScan`.

use std::collections::BTreeMap;

use dolt_format::message::{root_value, store_root};
use dolt_format::tree::scan;
use pyo3::prelude::*;

use crate::address::Address;
use crate::chunk::Chunk;
use crate::error::Error;
use crate::traversal;

#[pyclass(module = "pyfs._core")]
pub(crate) struct AddressMapScan {
    inner: scan::AddressMapScan,
}

#[pymethods]
impl AddressMapScan {
    #[staticmethod]
    fn datasets(store_root: &Chunk) -> Result<Self, Error> {
        let map = store_root::decode(store_root.0.contents())?;
        Ok(Self {
            inner: scan::AddressMapScan::new(map)?,
        })
    }

    #[staticmethod]
    fn tables(root_value: &Chunk) -> Result<Self, Error> {
        let root = root_value::RootValue::decode(root_value.0.contents())?;
        Ok(Self {
            inner: scan::AddressMapScan::new(root.tables)?,
        })
    }
}

traversal!(
    AddressMapScan,
    BTreeMap<String, Address>,
    |py, entries| entries.into_iter().map(|(name, address)| (name, Address(address))).collect()
);
