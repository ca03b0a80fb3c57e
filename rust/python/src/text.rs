//! `TextLayout`, `Extent`, `Render`.

use dolt_format::csv::{extent, render};
use dolt_format::tree::{Kind, Node};
use pyo3::prelude::*;
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

#[pyclass(module = "pyfs._core")]
pub(crate) struct TextLayout(extent::TextLayout);

#[pymethods]
impl TextLayout {
    #[new]
    fn new(table: &Table, schema: &Schema) -> Result<Self, Error> {
        Ok(Self(extent::TextLayout::new(
            &table.inner.rows,
            schema.renderer.columns(),
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

    fn set_lengths(&mut self, lengths: Vec<(Address, u64)>) {
        self.0
            .set_lengths(lengths.into_iter().map(|(leaf, length)| (leaf.0, length)));
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
    inner: render::Render,
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
        Ok(Self { inner })
    }
}

traversal!(Render, Vec<Py<PyBytes>>, |py, texts| {
    texts
        .iter()
        .map(|text| PyBytes::new(py, text).unbind())
        .collect()
});
