//! `TableBuild` and `BuiltTable`, and what is taken out of a build while text still comes.

use std::sync::{Mutex, PoisonError};

use dolt_format::{FormatError, Traversal as _, build};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::address::Address;
use crate::chunk::{Chunk, Chunks, wrap};
use crate::error::Error;
use crate::table::{Schema, Table};
use crate::text::TextLayout;

#[pyclass(frozen, subclass, module = "pyfs._core")]
pub(crate) struct BuiltTable(pub(crate) build::BuiltTable);

#[pymethods]
impl BuiltTable {
    #[new]
    fn new(built: &Self) -> Self {
        Self(built.0.clone())
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.0.table.address())
    }

    #[getter]
    fn chunks(&self) -> Vec<Chunk> {
        let mut chunks = wrap(self.0.chunks.clone());
        chunks.push(Chunk(self.0.table.clone()));
        chunks
    }

    #[getter]
    fn table(&self) -> Result<Table, Error> {
        Table::new(self.0.table.clone())
    }

    #[getter]
    fn row_count(&self) -> u64 {
        self.0.row_count
    }

    #[getter]
    fn format(&self) -> &'static str {
        self.0.format.name()
    }

    #[getter]
    fn measured_count(&self) -> usize {
        self.0.measures.len()
    }
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct TableBuild(Option<build::TableBuild>);

impl TableBuild {
    fn over() -> FormatError {
        FormatError::corrupt("table build", "it is over: start a new one")
    }
}

#[pymethods]
impl TableBuild {
    #[new]
    #[pyo3(signature = (schema, base, layout=None))]
    fn new(schema: &Schema, base: &Table, layout: Option<&TextLayout>) -> Result<Self, Error> {
        let format = schema.renderer.format();
        let schema = schema.inner.as_ref().clone();
        let mut build = build::TableBuild::new(schema, base.chunk.clone())?.in_format(format)?;
        if let Some(layout) = layout {
            build.pass_over(layout.0.measured())?;
        }
        Ok(Self(Some(build)))
    }

    #[staticmethod]
    fn create(schema: &Schema) -> Result<Self, Error> {
        let build = build::TableBuild::create(&schema.inner)?;
        Ok(Self(Some(build.in_format(schema.renderer.format())?)))
    }

    fn count_rows(&mut self) -> Result<(), Error> {
        self.0.as_mut().ok_or_else(Self::over)?.count_rows();
        Ok(())
    }

    fn feed(&mut self, py: Python<'_>, text: PyBackedBytes) -> Result<(), Error> {
        let mut build = self.0.take().ok_or_else(Self::over)?;
        // A mebibyte takes some 10 ms.
        py.detach(|| build.feed(&text))?;
        self.0 = Some(build);
        Ok(())
    }

    fn sort_all(&mut self) -> Result<(), Error> {
        self.0.as_mut().ok_or_else(Self::over)?.sort_all();
        Ok(())
    }

    fn take(&mut self, bytes_max: usize) -> Result<Option<Leaves>, Error> {
        let batch = self.0.as_mut().ok_or_else(Self::over)?.take(bytes_max);
        Ok(batch.map(Leaves::new))
    }

    fn give(&mut self, leaves: &HashedLeaves) -> Result<(), Error> {
        let batch = leaves.take()?;
        self.0.as_mut().ok_or_else(Self::over)?.give(batch);
        Ok(())
    }

    fn take_run(&mut self, bytes_max: usize) -> Result<Option<Run>, Error> {
        let run = self.0.as_mut().ok_or_else(Self::over)?.take_run(bytes_max);
        Ok(run.map(|run| Run(Mutex::new(Some(run)))))
    }

    fn give_run(&mut self, run: &SortedRun, offset: u64) -> Result<(), Error> {
        let run = take(&run.0)?;
        self.0
            .as_mut()
            .ok_or_else(Self::over)?
            .give_run(run, offset);
        Ok(())
    }

    fn differing_bytes(&self, at_end: bool) -> u64 {
        let build = self.0.as_ref();
        build.map_or(0, |build| build.differing_bytes(at_end))
    }

    #[getter]
    fn held_bytes(&self) -> usize {
        self.0.as_ref().map_or(0, build::TableBuild::held_bytes)
    }

    fn finish(&mut self, py: Python<'_>) -> Result<TableFinish, Error> {
        let build = self.0.take().ok_or_else(Self::over)?;
        // The last rows are read and what is open becomes a leaf.
        let inner = py.detach(|| build.end())?;
        Ok(TableFinish { inner })
    }
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct TableFinish {
    inner: build::TableFinish,
}

#[pymethods]
impl TableFinish {
    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let needs = self.inner.needs(limit);
        needs.into_iter().map(Address).collect()
    }

    fn feed(&mut self, py: Python<'_>, chunks: Vec<PyRef<'_, Chunk>>) -> Result<(), Error> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| chunk.0.clone()).collect();
        let inner = &mut self.inner;
        // The last chunks of a phase set off the next: parsing, comparing, building.
        Ok(py.detach(|| inner.feed(&chunks))?)
    }

    fn jobs(&mut self) -> Vec<TreeJob> {
        let jobs = self.inner.jobs().into_iter();
        jobs.map(|job| TreeJob { inner: job }).collect()
    }

    fn give(&mut self, leaves: &HashedLeaves) -> Result<(), Error> {
        self.inner.give(leaves.take()?);
        Ok(())
    }

    fn result(&mut self, py: Python<'_>) -> Result<BuiltTable, Error> {
        let inner = &mut self.inner;
        // Sorting, hashing and rendering all rows, where no job was taken.
        Ok(BuiltTable(py.detach(|| inner.result())?))
    }
}

/// What is handed over once, from one thread to another.
type Once<T> = Mutex<Option<T>>;

fn take<T>(once: &Once<T>) -> Result<T, FormatError> {
    let mut inner = once.lock().unwrap_or_else(PoisonError::into_inner);
    let again = || FormatError::corrupt("table build", "a part of it was handed over twice");
    inner.take().ok_or_else(again)
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Leaves(Once<build::job::Batch>);

impl Leaves {
    const fn new(batch: build::job::Batch) -> Self {
        Self(Mutex::new(Some(batch)))
    }
}

#[pymethods]
impl Leaves {
    fn hash(&self, py: Python<'_>) -> Result<HashedLeaves, Error> {
        let batch = take(&self.0)?;
        // Some milliseconds, in a worker thread.
        py.detach(|| {
            let batch = batch.hash()?;
            Ok(HashedLeaves {
                chunks: batch.chunks.clone(),
                lines: batch.lines.to_bytes(),
                batch: Mutex::new(Some(batch)),
            })
        })
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct HashedLeaves {
    chunks: Vec<dolt_format::Chunk>,
    lines: Vec<u8>,
    batch: Once<build::job::HashedBatch>,
}

impl HashedLeaves {
    fn take(&self) -> Result<build::job::HashedBatch, FormatError> {
        take(&self.batch)
    }
}

#[pymethods]
impl HashedLeaves {
    #[getter]
    fn chunks(&self) -> Chunks {
        Chunks(self.chunks.clone())
    }

    #[getter]
    fn lines<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.lines)
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Run(Once<build::run::Run>);

#[pymethods]
impl Run {
    fn sort(&self, py: Python<'_>) -> Result<SortedRun, Error> {
        let run = take(&self.0)?;
        // Tens of milliseconds, in a worker thread.
        Ok(SortedRun(Mutex::new(Some(py.detach(|| run.sort())))))
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct SortedRun(Once<build::run::SortedRun>);

impl SortedRun {
    fn bytes<'py>(
        &self,
        py: Python<'py>,
        take: impl FnOnce(&mut build::run::SortedRun) -> Vec<u8>,
    ) -> Bound<'py, PyBytes> {
        let mut run = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        PyBytes::new(py, &run.as_mut().map(take).unwrap_or_default())
    }
}

#[pymethods]
impl SortedRun {
    fn take_data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.bytes(py, |run| std::mem::take(&mut run.data))
    }

    fn take_lines<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        self.bytes(py, |run| std::mem::take(&mut run.lines).to_bytes())
    }
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct TreeJob {
    inner: build::job::TreeJob,
}

#[pymethods]
impl TreeJob {
    fn needs(&self) -> Vec<(usize, u64, usize)> {
        let needs = self.inner.needs().into_iter();
        needs
            .map(|read| (read.run, read.offset, read.len))
            .collect()
    }

    fn feed(&mut self, run: usize, data: PyBackedBytes) -> Result<(), Error> {
        Ok(self.inner.feed(run, data.to_vec())?)
    }

    fn next(&mut self, py: Python<'_>, bytes_min: usize) -> Result<Option<Leaves>, Error> {
        let inner = &mut self.inner;
        // The first one sorts.
        let batch = py.detach(|| inner.next(bytes_min))?;
        Ok(batch.map(Leaves::new))
    }

    #[getter]
    fn is_over(&self) -> bool {
        self.inner.is_over()
    }
}
