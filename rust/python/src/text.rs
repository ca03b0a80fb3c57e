//! `TextLayout`, `Extent`, `Render`.

use dolt_format::csv::{extent, measure, render};
use dolt_format::tree::{Kind, Node};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::address::Address;
use crate::chunk::Chunk;
use crate::error::Error;
use crate::table::{Schema, Table};
use crate::traversal;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Extent(extent::Extent);

#[pymethods]
impl Extent {
    #[getter]
    fn leaf(&self) -> Address {
        Address(self.0.leaf)
    }

    #[getter]
    fn start(&self) -> u64 {
        self.0.start
    }

    #[getter]
    fn length(&self) -> u64 {
        self.0.length
    }
}

#[pyclass(frozen, eq, from_py_object, module = "pyfs._core")]
#[derive(Clone, PartialEq)]
pub(crate) struct Measure(pub(crate) measure::Measure);

#[pymethods]
impl Measure {
    #[staticmethod]
    fn of(text: PyBackedBytes) -> Self {
        Self(measure::Measure::of(&text))
    }

    #[staticmethod]
    fn of_length(length: u64) -> Self {
        Self(measure::Measure::of_length(length))
    }

    #[staticmethod]
    fn parse(raw: &[u8]) -> Result<Self, Error> {
        Ok(Self(measure::Measure::from_bytes(raw)?))
    }

    #[getter]
    fn length(&self) -> u64 {
        self.0.length
    }

    fn __bytes__<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.to_bytes())
    }
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct TextLayout(pub(crate) extent::TextLayout);

#[pymethods]
impl TextLayout {
    #[new]
    fn new(table: &Table, schema: &Schema) -> Result<Self, Error> {
        Ok(Self(extent::TextLayout::new(
            &table.inner.rows,
            &schema.renderer,
        )?))
    }

    #[getter]
    fn size(&self) -> Option<u64> {
        self.0.size()
    }

    #[getter]
    fn size_max(&self) -> u64 {
        self.0.size_max()
    }

    #[getter]
    fn leaf_count_max(&self) -> u64 {
        self.0.leaf_count_max()
    }

    fn frontier(&self, offset: u64, length: u64, limit: usize) -> (Vec<Address>, Vec<Address>) {
        let (nodes, leaves) = self.0.frontier(offset, length, limit);
        let wrap = |addresses: Vec<_>| addresses.into_iter().map(Address).collect();
        (wrap(nodes), wrap(leaves))
    }

    fn expand(&mut self, nodes: Vec<PyRef<'_, Chunk>>) -> Result<(), Error> {
        let nodes: Vec<_> = nodes.iter().map(|node| node.0.clone()).collect();
        Ok(self.0.expand(&nodes)?)
    }

    fn set_measures(&mut self, measures: Vec<(Address, Measure)>) {
        let measures = measures.into_iter();
        self.0
            .set_measures(measures.map(|(leaf, measure)| (leaf.0, measure.0)));
    }

    fn extents(&self, offset: u64, length: u64) -> Vec<Extent> {
        self.0
            .extents(offset, length)
            .into_iter()
            .map(Extent)
            .collect()
    }
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct Render {
    inner: Measured,
}

#[pymethods]
impl Render {
    #[new]
    fn new(py: Python<'_>, schema: &Schema, leaves: Vec<PyRef<'_, Chunk>>) -> Result<Self, Error> {
        let leaves: Vec<_> = leaves
            .iter()
            .map(|leaf| leaf.0.contents().clone())
            .collect();
        let renderer = schema.renderer.clone();
        // Looks through every row for out-of-band values.
        let inner = py.detach(|| {
            let leaves = leaves
                .into_iter()
                .map(|leaf| Node::decode(Kind::Tuples, leaf));
            render::Render::new(renderer, leaves.collect::<Result<_, _>>()?)
        })?;
        Ok(Self {
            inner: Measured { inner },
        })
    }
}

/// Texts with their measures, which are taken where the texts are made: off the event loop.
pub(crate) struct Measured {
    inner: render::Render,
}

impl dolt_format::Traversal for Measured {
    type Output = Vec<(Vec<u8>, measure::Measure)>;

    fn needs(&mut self, limit: usize) -> Vec<dolt_format::Address> {
        self.inner.needs(limit)
    }

    fn feed(&mut self, chunks: &[dolt_format::Chunk]) -> Result<(), dolt_format::FormatError> {
        self.inner.feed(chunks)
    }

    fn result(&mut self) -> Result<Self::Output, dolt_format::FormatError> {
        let texts = self.inner.result()?.into_iter();
        Ok(texts
            .map(|text| {
                let measure = measure::Measure::of(&text);
                (text, measure)
            })
            .collect())
    }
}

traversal!(Render, Vec<(Py<PyBytes>, Measure)>, |py, texts| {
    texts
        .iter()
        .map(|(text, measure)| (PyBytes::new(py, text).unbind(), Measure(*measure)))
        .collect()
});
