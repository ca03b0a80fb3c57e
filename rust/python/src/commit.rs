//! `Commit` and `Tag`.

use dolt_format::message::{commit, tag};
use pyo3::prelude::*;

use crate::address::Address;
use crate::chunk::Chunk;
use crate::error::Error;

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Commit {
    pub(crate) address: dolt_format::Address,
    pub(crate) inner: commit::Commit,
}

#[pymethods]
impl Commit {
    #[staticmethod]
    fn decode(chunk: &Chunk) -> Result<Self, Error> {
        let inner = commit::Commit::decode(chunk.0.contents())?;
        Ok(Self {
            address: chunk.0.address(),
            inner,
        })
    }

    #[staticmethod]
    #[pyo3(signature = (*, root, parents, closure, name, email, message, timestamp_ms))]
    #[allow(clippy::too_many_arguments)]
    fn create(
        root: Address,
        parents: Vec<PyRef<'_, Commit>>,
        closure: Address,
        name: String,
        email: String,
        message: String,
        timestamp_ms: u64,
    ) -> Result<(Self, Chunk), Error> {
        let inner = commit::Commit {
            root: root.0,
            height: commit::Commit::height_above(parents.iter().map(|parent| &parent.inner))?,
            parents: parents.iter().map(|parent| parent.address).collect(),
            closure: closure.0,
            committer_name: name.clone(),
            committer_email: email.clone(),
            name,
            email,
            description: message,
            timestamp_ms,
            author_timestamp_ms: i64::try_from(timestamp_ms).unwrap_or(i64::MAX),
            signature: String::new(),
        };
        let chunk = inner.encode()?;
        Ok((
            Self {
                address: chunk.address(),
                inner,
            },
            Chunk(chunk),
        ))
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.address)
    }

    #[getter]
    fn root(&self) -> Address {
        Address(self.inner.root)
    }

    #[getter]
    fn height(&self) -> u64 {
        self.inner.height
    }

    #[getter]
    fn parents(&self) -> Vec<Address> {
        self.inner.parents.iter().copied().map(Address).collect()
    }

    #[getter]
    fn closure(&self) -> Address {
        Address(self.inner.closure)
    }

    #[getter]
    fn name(&self) -> &str {
        &self.inner.name
    }

    #[getter]
    fn email(&self) -> &str {
        &self.inner.email
    }

    #[getter]
    fn message(&self) -> &str {
        &self.inner.description
    }

    #[getter]
    fn timestamp_ms(&self) -> u64 {
        self.inner.timestamp_ms
    }

    #[getter]
    fn author_timestamp_ms(&self) -> i64 {
        self.inner.author_timestamp_ms
    }

    #[getter]
    fn committer_name(&self) -> &str {
        &self.inner.committer_name
    }

    #[getter]
    fn committer_email(&self) -> &str {
        &self.inner.committer_email
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct Tag(tag::Tag);

#[pymethods]
impl Tag {
    #[staticmethod]
    fn decode(chunk: &Chunk) -> Result<Self, Error> {
        Ok(Self(tag::Tag::decode(chunk.0.contents())?))
    }

    #[getter]
    fn commit(&self) -> Address {
        Address(self.0.commit)
    }

    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn email(&self) -> &str {
        &self.0.email
    }

    #[getter]
    fn message(&self) -> &str {
        &self.0.description
    }

    #[getter]
    fn timestamp_ms(&self) -> u64 {
        self.0.timestamp_ms
    }
}
