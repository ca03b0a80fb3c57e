//! `TableIndex`, `ReadPlan`.

use std::sync::{Mutex, PoisonError};

use dolt_format::table::index::{Dictionaries, FileKind};
use dolt_format::table::{index, plan};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::address::{Address, Addresses, Asked};
use crate::chunk::Chunks;
use crate::error::Error;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct ReadPlan(plan::ReadPlan);

#[pymethods]
impl ReadPlan {
    #[getter]
    fn offset(&self) -> u64 {
        self.0.offset
    }

    #[getter]
    fn length(&self) -> u64 {
        self.0.length
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct TableIndex {
    inner: index::TableIndex,
    dictionaries: Mutex<Dictionaries>,
}

impl TableIndex {
    fn wrap(inner: index::TableIndex) -> Self {
        Self {
            inner,
            dictionaries: Mutex::default(),
        }
    }

    /// The dictionaries loaded so far. Cloning them copies a few pointers.
    fn loaded(&self) -> Dictionaries {
        self.dictionaries
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

#[pymethods]
impl TableIndex {
    #[staticmethod]
    fn table_tail_len(chunk_count: u32) -> u64 {
        index::TableIndex::table_tail_len(chunk_count)
    }

    #[staticmethod]
    fn table_name(tail: PyBackedBytes) -> String {
        index::TableIndex::table_name(&tail)
    }

    #[staticmethod]
    fn archive_tail_guess(chunk_count: u32) -> u64 {
        index::TableIndex::archive_tail_guess(chunk_count)
    }

    #[staticmethod]
    fn archive_tail_len(tail: PyBackedBytes, file_len: u64) -> Result<u64, Error> {
        Ok(index::TableIndex::archive_tail_len("", &tail, file_len)?)
    }

    #[staticmethod]
    fn table(
        py: Python<'_>,
        name: &str,
        tail: PyBackedBytes,
        file_len: u64,
    ) -> Result<Self, Error> {
        // An index of a million chunks takes a good part of a second to sort.
        Ok(Self::wrap(py.detach(|| {
            index::TableIndex::table(name, &tail, file_len)
        })?))
    }

    #[staticmethod]
    fn archive(
        py: Python<'_>,
        name: &str,
        tail: PyBackedBytes,
        file_len: u64,
    ) -> Result<Self, Error> {
        // As above.
        Ok(Self::wrap(py.detach(|| {
            index::TableIndex::archive(name, &tail, file_len)
        })?))
    }

    #[getter]
    fn name(&self) -> &str {
        self.inner.name()
    }

    #[getter]
    fn kind(&self) -> &'static str {
        match self.inner.kind() {
            FileKind::Table => "table",
            FileKind::Archive => "archive",
        }
    }

    fn __len__(&self) -> usize {
        self.inner.len()
    }

    fn addresses(&self) -> Vec<Address> {
        self.inner.addresses().into_iter().map(Address).collect()
    }

    fn contains(&self, addresses: Asked<'_>) -> Vec<bool> {
        let asked = addresses.to_vec().into_iter();
        asked.map(|address| self.inner.contains(address)).collect()
    }

    fn split(&self, addresses: Asked<'_>) -> (Addresses, Addresses) {
        let asked = addresses.to_vec().into_iter();
        let (here, left) = asked.partition(|address| self.inner.contains(*address));
        (Addresses(here), Addresses(left))
    }

    fn stored_len(&self, addresses: Asked<'_>) -> u64 {
        let asked = addresses.to_vec().into_iter();
        asked.map(|address| self.inner.stored_len(address)).sum()
    }

    #[pyo3(signature = (addresses=None))]
    fn dictionary_plans(&self, addresses: Option<Asked<'_>>) -> Vec<ReadPlan> {
        let asked = addresses.map_or_else(|| self.inner.addresses(), |asked| asked.to_vec());
        let plans = self.inner.dictionary_plans(&asked, &self.loaded());
        plans.into_iter().map(ReadPlan).collect()
    }

    fn load_dictionaries(&self, plan: &ReadPlan, data: PyBackedBytes) -> Result<(), Error> {
        let mut loaded = self
            .dictionaries
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        Ok(self.inner.load_dictionaries(&plan.0, &data, &mut loaded)?)
    }

    fn plan(
        &self,
        addresses: Asked<'_>,
        gap_bytes_max: u64,
        length_bytes_max: u64,
    ) -> Vec<ReadPlan> {
        let plans = self
            .inner
            .plan(&addresses.to_vec(), gap_bytes_max, length_bytes_max);
        plans.into_iter().map(ReadPlan).collect()
    }

    fn plan_within(
        &self,
        addresses: Asked<'_>,
        ranges: Vec<(u64, u64)>,
    ) -> (Vec<(usize, ReadPlan)>, Addresses) {
        let (plans, left) = self.inner.plan_within(&addresses.to_vec(), &ranges);
        let plans = plans
            .into_iter()
            .map(|(range, plan)| (range, ReadPlan(plan)));
        (plans.collect(), Addresses(left))
    }

    fn decode(
        &self,
        py: Python<'_>,
        plan: &ReadPlan,
        data: PyBackedBytes,
    ) -> Result<Chunks, Error> {
        let loaded = self.loaded();
        // Milliseconds of decompression and hashing, in a worker thread: let the loop run.
        Ok(Chunks(
            py.detach(|| self.inner.decode(&plan.0, &data, &loaded))?,
        ))
    }
}
