//! `Table` and `Schema`.

use std::collections::BTreeSet;
use std::sync::Arc;

use dolt_format::TextFormat;
use dolt_format::build::refusal::refuses_writes;
use dolt_format::csv::render::Renderer;
use dolt_format::message::schema::TableSchema;
use dolt_format::message::table;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::address::Address;
use crate::chunk::Chunk;
use crate::error::Error;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Table {
    pub(crate) chunk: dolt_format::Chunk,
    pub(crate) inner: table::Table,
}

impl Table {
    pub(crate) fn new(chunk: dolt_format::Chunk) -> Result<Self, Error> {
        Ok(Self {
            inner: table::Table::decode(chunk.contents())?,
            chunk,
        })
    }
}

#[pymethods]
impl Table {
    #[staticmethod]
    fn decode(chunk: &Chunk) -> Result<Self, Error> {
        Self::new(chunk.0.clone())
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.chunk.address())
    }

    #[getter]
    fn schema(&self) -> Address {
        Address(self.inner.schema)
    }

    #[getter]
    fn rows(&self) -> Chunk {
        Chunk(dolt_format::Chunk::new(self.inner.rows.message().clone()))
    }

    #[getter]
    fn row_count(&self) -> u64 {
        self.inner.rows.tree_count()
    }

    #[getter]
    fn auto_increment(&self) -> u64 {
        self.inner.auto_increment
    }

    #[getter]
    fn has_artifacts(&self) -> bool {
        self.inner.has_artifacts
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Schema {
    pub(crate) inner: Arc<TableSchema>,
    pub(crate) renderer: Renderer,
}

impl Schema {
    pub(crate) fn new(inner: TableSchema) -> Result<Self, Error> {
        let renderer = Renderer::new(&inner)?;
        Ok(Self {
            inner: Arc::new(inner),
            renderer,
        })
    }

    pub(crate) fn shown_in(&self, format: TextFormat) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            renderer: self.renderer.in_format(format),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.renderer
            .columns()
            .shown
            .iter()
            .map(|column| column.name.as_str())
    }
}

#[pymethods]
impl Schema {
    #[staticmethod]
    fn decode(chunk: &Chunk) -> Result<Self, Error> {
        Self::new(TableSchema::decode(&chunk.0)?)
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.inner.address)
    }

    #[getter]
    fn columns(&self) -> Vec<&str> {
        self.names().collect()
    }

    #[getter]
    fn definitions(&self) -> Vec<(&str, &str, bool)> {
        let shown = self.renderer.columns().shown.iter();
        shown
            .filter_map(|shown| self.inner.columns.get(shown.position))
            .map(|column| {
                (
                    column.name.as_str(),
                    column.sql_type.as_str(),
                    column.nullable,
                )
            })
            .collect()
    }

    #[getter]
    fn primary_key(&self) -> Vec<&str> {
        let key = self.inner.primary_key.iter();
        key.filter_map(|at| self.inner.columns.get(usize::from(*at)))
            .map(|column| column.name.as_str())
            .collect()
    }

    #[getter]
    fn header<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.renderer.header())
    }

    #[getter]
    fn format(&self) -> &'static str {
        self.renderer.format().name()
    }

    #[getter]
    fn text_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &text_key(self.inner.address, self.renderer.format()))
    }

    fn in_format(&self, format: &str) -> PyResult<Self> {
        Ok(self.shown_in(parse_format(format)?))
    }

    fn copy_for(&self, name: &str, same: bool, taken: BTreeSet<u64>) -> Result<Self, Error> {
        let copy = Self::new(self.inner.copy_for(name, same, &taken)?)?;
        Ok(copy.shown_in(self.renderer.format()))
    }

    #[getter]
    fn may_be_long(&self) -> bool {
        self.renderer.may_be_long()
    }

    #[getter]
    fn has_fulltext_index(&self) -> bool {
        self.inner.indexes.iter().any(|index| index.fulltext)
    }

    #[getter]
    fn checks(&self) -> Vec<&str> {
        let checks = self.inner.checks.iter();
        checks.map(|check| check.name.as_str()).collect()
    }

    fn refuses_writes(&self) -> Option<String> {
        refuses_writes(&self.inner)
    }
}

/// What texts of leaves are remembered by, beside the leaf: the schema and the format.
pub(crate) fn text_key(schema: dolt_format::Address, format: TextFormat) -> Vec<u8> {
    let mut key = schema.as_bytes().to_vec();
    // What is remembered of CSV texts is older than the other formats.
    if format != TextFormat::Csv {
        key.extend_from_slice(format.name().as_bytes());
    }
    key
}

pub(crate) fn parse_format(name: &str) -> PyResult<TextFormat> {
    name.parse().map_err(PyValueError::new_err)
}

#[pyfunction]
pub(crate) fn system_schema(table: &str, taken: BTreeSet<u64>) -> Result<Option<Schema>, Error> {
    let schema = dolt_format::schema::system::system_schema(table, &taken)?;
    schema.map(Schema::new).transpose()
}
