//! `TableBuild` and `BuiltTable`.

use dolt_format::{FormatError, Traversal as _, build};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::address::Address;
use crate::chunk::{Chunk, wrap};
use crate::error::Error;
use crate::table::{Schema, Table};
use crate::text::TextLayout;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct BuiltTable(pub(crate) build::BuiltTable);

#[pymethods]
impl BuiltTable {
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
        if let Some(old) = layout.and_then(|layout| layout.0.measured()) {
            build.pass_over(old)?;
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

    fn finish(&mut self, py: Python<'_>) -> Result<TableFinish, Error> {
        let build = self.0.take().ok_or_else(Self::over)?;
        // Sorting, hashing and rendering all rows.
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

    fn result(&mut self) -> Result<BuiltTable, Error> {
        Ok(BuiltTable(self.inner.result()?))
    }
}
