//! `StorageWriter`, `StorageFile`.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, available_parallelism};

use dolt_format::FormatError;
use dolt_format::packing::{Job, Packing};
use dolt_format::table::index::FileKind;
use dolt_format::table::writer;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::chunk::{Chunk, Chunks};
use crate::error::Error;

/// Bytes that wait to be compressed; beyond them whoever adds more compresses, too.
const WAITING_BYTES_MAX: usize = 8 << 20;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct StorageFile {
    #[pyo3(get)]
    name: String,
    #[pyo3(get)]
    file: String,
    #[pyo3(get)]
    chunk_count: u32,
    #[pyo3(get)]
    tail_len: u64,
    data: Py<PyBytes>,
}

impl StorageFile {
    fn new(py: Python<'_>, made: writer::StorageFile) -> PyResult<Self> {
        let data = joined(py, made.pieces)?;
        let suffix = match made.kind {
            FileKind::Table => "",
            FileKind::Archive => ".darc",
        };
        Ok(Self {
            file: made.name.clone() + suffix,
            name: made.name,
            chunk_count: made.chunk_count,
            tail_len: made.tail_len,
            data,
        })
    }
}

/// The pieces one after the other. Each is let go as soon as it is copied: there are never two of
/// the whole.
fn joined(py: Python<'_>, pieces: Vec<Vec<u8>>) -> PyResult<Py<PyBytes>> {
    let len = pieces.iter().map(Vec::len).sum();
    let data = PyBytes::new_with(py, len, |mut room| {
        for piece in pieces {
            let (here, rest) = room.split_at_mut(piece.len());
            here.copy_from_slice(&piece);
            room = rest;
        }
        Ok(())
    })?;
    Ok(data.unbind())
}

#[pymethods]
impl StorageFile {
    #[getter]
    fn data(&self, py: Python<'_>) -> Py<PyBytes> {
        self.data.clone_ref(py)
    }
}

/// What the threads of one writer share.
#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    packing: Packing,
    waiting: VecDeque<Job>,
    waiting_bytes: usize,
    running: usize,
    threads: usize,
    failure: Option<FormatError>,
    is_over: bool,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the first job that waits, if there is one.
    fn run_one<'a>(&'a self, mut state: MutexGuard<'a, State>) -> (MutexGuard<'a, State>, bool) {
        let Some(job) = state.waiting.pop_front() else {
            return (state, false);
        };
        state.waiting_bytes -= job.bytes();
        state.running += 1;
        drop(state);
        let packed = job.run();
        let mut state = self.lock();
        state.running -= 1;
        if let Err(failure) = packed.and_then(|packed| state.packing.give(packed)) {
            state.failure.get_or_insert(failure);
        }
        self.changed.notify_all();
        (state, true)
    }

    fn work(&self) {
        let mut state = self.lock();
        while !state.is_over {
            let ran;
            (state, ran) = self.run_one(state);
            if !ran {
                state = self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Leaves jobs to threads.
    fn start(self: &Arc<Self>, state: &mut State, jobs: Vec<Job>) {
        for job in jobs {
            state.waiting_bytes += job.bytes();
            state.waiting.push_back(job);
        }
        let threads_max = available_parallelism().map_or(1, usize::from);
        while state.threads < threads_max && state.threads < state.waiting.len() {
            let shared = Arc::clone(self);
            let name = "pyfs-pack".to_owned();
            // Without threads the one that adds does it all.
            if thread::Builder::new()
                .name(name)
                .spawn(move || shared.work())
                .is_err()
            {
                break;
            }
            state.threads += 1;
        }
        self.changed.notify_all();
    }
}

/// Chunks as Python has them.
#[derive(FromPyObject)]
enum Added<'py> {
    Packed(PyRef<'py, Chunks>),
    Each(Vec<PyRef<'py, Chunk>>),
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct StorageWriter(Arc<Shared>);

impl StorageWriter {
    /// Takes chunks; compresses some of them where too much is waiting already.
    pub(crate) fn add_all(&self, chunks: Vec<dolt_format::Chunk>) -> Result<(), FormatError> {
        let mut state = self.0.lock();
        let jobs = state.packing.add(chunks);
        self.0.start(&mut state, jobs);
        let mut ran = true;
        while ran && state.waiting_bytes > WAITING_BYTES_MAX {
            (state, ran) = self.0.run_one(state);
        }
        state.failure.clone().map_or(Ok(()), Err)
    }

    fn end(&self, turn: usize) -> Result<Option<writer::StorageFile>, FormatError> {
        let mut state = self.0.lock();
        let jobs = state.packing.end();
        self.0.start(&mut state, jobs);
        loop {
            let ran;
            (state, ran) = self.0.run_one(state);
            if !ran && state.running == 0 {
                break;
            }
            if !ran {
                let changed = self.0.changed.wait(state);
                state = changed.unwrap_or_else(PoisonError::into_inner);
            }
        }
        let packing = std::mem::take(&mut state.packing);
        let failure = state.failure.take();
        drop(state);
        failure.map_or(Ok(()), Err)?;
        packing.finish(turn)
    }
}

#[pymethods]
impl StorageWriter {
    #[new]
    #[pyo3(signature = (*, versions=false))]
    fn new(versions: bool) -> Self {
        let packing = if versions {
            Packing::of_versions()
        } else {
            Packing::default()
        };
        let state = State {
            packing,
            ..State::default()
        };
        Self(Arc::new(Shared {
            state: Mutex::new(state),
            changed: Condvar::new(),
        }))
    }

    fn add(&self, py: Python<'_>, chunks: Added<'_>) -> Result<(), Error> {
        let chunks: Vec<_> = match chunks {
            Added::Packed(chunks) => chunks.0.clone(),
            Added::Each(chunks) => chunks.iter().map(|chunk| chunk.0.clone()).collect(),
        };
        // It may compress, and it waits for threads that hold the lock.
        Ok(py.detach(|| self.add_all(chunks))?)
    }

    fn take(&self, py: Python<'_>) -> PyResult<Py<PyBytes>> {
        let pieces = py.detach(|| self.0.lock().packing.drain());
        joined(py, pieces)
    }

    #[pyo3(signature = (turn=0))]
    fn finish(&self, py: Python<'_>, turn: usize) -> PyResult<Option<StorageFile>> {
        // Compressing what is left takes milliseconds or more.
        let made = py.detach(|| self.end(turn)).map_err(Error::from)?;
        made.map(|file| StorageFile::new(py, file)).transpose()
    }
}

impl Drop for StorageWriter {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_over = true;
        state.waiting.clear();
        self.0.changed.notify_all();
    }
}
