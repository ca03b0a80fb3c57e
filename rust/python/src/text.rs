//! `TextLayout`, `Extent`, `Render`, `Rendered`, `Text`.

use std::ffi::c_int;
use std::sync::{Mutex, PoisonError};

use dolt_format::Traversal as _;
use dolt_format::csv::{extent, measure, render};
use dolt_format::tree::{Kind, Node};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyMemoryView};

use crate::address::{Address, Addresses};
use crate::build::BuiltTable;
use crate::chunk::{Chunk, Chunks};
use crate::error::Error;
use crate::table::{Schema, Table};

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Extent(extent::Extent);

#[pymethods]
impl Extent {
    #[getter]
    fn piece(&self) -> usize {
        self.0.piece
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
    fn leaf_count_placed(&self) -> usize {
        self.0.leaf_count_placed()
    }

    #[getter]
    fn leaf_count_max(&self) -> u64 {
        self.0.leaf_count_max()
    }

    #[classattr]
    const PIECE_LEAVES: usize = extent::PIECE_LEAVES;

    fn frontier(&self, offset: u64, length: u64) -> (Addresses, Vec<usize>, Addresses) {
        let frontier = self.0.frontier(offset, length);
        (
            Addresses(frontier.nodes),
            frontier.pieces,
            Addresses(frontier.leaves),
        )
    }

    fn piece_leaves(&self, pieces: Vec<usize>) -> Addresses {
        Addresses(self.0.piece_leaves(&pieces))
    }

    fn expand(&mut self, nodes: &Chunks) -> Result<(), Error> {
        Ok(self.0.expand(&nodes.0)?)
    }

    fn set_measures(&mut self, measures: Measures<'_>) {
        match measures {
            Measures::Rendered(rendered) => {
                self.0.set_measures(rendered.measures.iter().copied());
            }
            Measures::Built(built) => self.0.set_measures(built.0.measures.iter().copied()),
            Measures::Each(measures) => {
                let measures = measures.into_iter();
                self.0
                    .set_measures(measures.map(|(leaf, measure)| (leaf.0, measure.0)));
            }
        }
    }

    #[getter]
    fn fresh_count(&self) -> usize {
        self.0.fresh_count()
    }

    fn unremembered(&mut self, by_last: bool, limit: usize) -> Addresses {
        Addresses(self.0.unremembered(by_last, limit))
    }

    fn recall(&mut self, form: &[u8], records: Vec<PyBackedBytes>) -> usize {
        let counts = records.iter().map(|record| self.0.recall(form, record));
        counts.map(Option::unwrap_or_default).sum()
    }

    fn remember<'py>(&mut self, py: Python<'py>, form: &[u8]) -> Vec<Record<'py>> {
        let groups = self.0.remember(form).into_iter();
        let bytes = |raw: &[u8]| PyBytes::new(py, raw);
        groups
            .map(|group| {
                (
                    bytes(group.first.as_bytes()),
                    bytes(group.last.as_bytes()),
                    bytes(&group.record),
                )
            })
            .collect()
    }

    fn extents(&self, offset: u64, length: u64) -> Vec<Extent> {
        self.0
            .extents(offset, length)
            .into_iter()
            .map(Extent)
            .collect()
    }
}

/// First and last leaf of a group, and the record of its measures.
type Record<'py> = (
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
    Bound<'py, PyBytes>,
);

#[derive(FromPyObject)]
enum Measures<'py> {
    Rendered(PyRef<'py, Rendered>),
    Built(PyRef<'py, BuiltTable>),
    Each(Vec<(Address, Measure)>),
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct Render {
    leaves: Vec<dolt_format::Address>,
    inner: render::Render,
}

#[pymethods]
impl Render {
    #[new]
    fn new(py: Python<'_>, schema: &Schema, leaves: &Chunks) -> Result<Self, Error> {
        let addresses = leaves.0.iter().map(dolt_format::Chunk::address).collect();
        let renderer = schema.renderer.clone();
        // Looks through every row for out-of-band values.
        let inner = py.detach(|| {
            let nodes = leaves
                .0
                .iter()
                .map(|leaf| Node::decode(Kind::Tuples, leaf.contents().clone()));
            render::Render::new(renderer, nodes.collect::<Result<_, _>>()?)
        })?;
        Ok(Self {
            leaves: addresses,
            inner,
        })
    }

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        self.inner.needs(limit).into_iter().map(Address).collect()
    }

    fn feed(&mut self, chunks: Vec<PyRef<'_, Chunk>>) -> Result<(), Error> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| chunk.0.clone()).collect();
        Ok(self.inner.feed(&chunks)?)
    }

    fn result(&mut self, py: Python<'_>) -> Result<Rendered, Error> {
        let inner = &mut self.inner;
        let pieces = py.detach(|| inner.pieces(extent::PIECE_LEAVES))?;
        let leaves = std::mem::take(&mut self.leaves);
        Ok(Rendered {
            texts: Mutex::new(pieces.texts),
            measures: leaves.into_iter().zip(pieces.measures).collect(),
        })
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Rendered {
    texts: Mutex<Vec<Vec<u8>>>,
    measures: Vec<(dolt_format::Address, measure::Measure)>,
}

#[pymethods]
impl Rendered {
    fn take(&self) -> Vec<Text> {
        let mut texts = self.texts.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *texts).into_iter().map(Text).collect()
    }
}

/// The kernel and Python read it where it was rendered.
#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Text(Vec<u8>);

#[pymethods]
impl Text {
    #[new]
    fn new(text: PyBackedBytes) -> Self {
        Self(text.to_vec())
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    fn view<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyMemoryView>> {
        PyMemoryView::from(slf)
    }

    /// # Safety
    ///
    /// Python calls it with a `view` to fill.
    unsafe fn __getbuffer__(
        slf: Bound<'_, Self>,
        view: *mut ffi::Py_buffer,
        flags: c_int,
    ) -> PyResult<()> {
        let text = &slf.get().0;
        let length = ffi::Py_ssize_t::try_from(text.len())?;
        let start = text.as_ptr().cast_mut().cast();
        // SAFETY: the class is frozen, so the text stays what and where it is for as long as the
        // object lives, to which the view holds a reference; and the view is read only.
        let status = unsafe { ffi::PyBuffer_FillInfo(view, slf.as_ptr(), start, length, 1, flags) };
        if status < 0 {
            return Err(PyErr::fetch(slf.py()));
        }
        Ok(())
    }
}
