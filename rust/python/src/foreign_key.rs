//! `ForeignKey`, `KeyCheck` and what it finds, `FollowBuild`.

use std::collections::BTreeMap;
use std::sync::Arc;

use dolt_format::build::follow;
use dolt_format::foreign_key::{check, findings, side};
use dolt_format::message::foreign_key;
use dolt_format::{Traversal as _, build};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::address::Address;
use crate::build::BuiltTable;
use crate::chunk::Chunk;
use crate::error::Error;
use crate::table::{Schema, Table};

#[pyclass(frozen, eq, module = "pyfs._core")]
#[derive(Clone, PartialEq)]
pub(crate) struct ForeignKey(pub(crate) foreign_key::ForeignKey);

#[pymethods]
impl ForeignKey {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn child(&self) -> &str {
        &self.0.child
    }

    #[getter]
    fn parent(&self) -> &str {
        &self.0.parent
    }

    fn refusal(&self, child: &Schema, parent: &Schema) -> Option<String> {
        side::refusal(&self.0, &child.inner, &parent.inner)
    }

    fn demands_as(&self, other: &Self) -> bool {
        let of = |key: &foreign_key::ForeignKey| (key.child_tags.clone(), key.parent_tags.clone());
        of(&self.0) == of(&other.0)
    }

    fn with_columns(&self, names: BTreeMap<u64, String>) -> Self {
        let mut key = self.0.clone();
        let sides = [
            (&key.child_tags, &mut key.child_columns),
            (&key.parent_tags, &mut key.parent_columns),
        ];
        for (tags, columns) in sides {
            for (tag, column) in tags.iter().zip(columns) {
                if let Some(name) = names.get(tag) {
                    column.clone_from(name);
                }
            }
        }
        Self(key)
    }

    fn with_tables(&self, child: String, parent: String) -> Self {
        Self(self.0.with_tables(child, parent))
    }
}

#[pyfunction]
pub(crate) fn foreign_keys(chunk: &Chunk) -> Result<Vec<ForeignKey>, Error> {
    let keys = foreign_key::decode(chunk.0.contents())?;
    Ok(keys.into_iter().map(ForeignKey).collect())
}

#[pyfunction]
pub(crate) fn foreign_key_chunk(keys: Vec<PyRef<'_, ForeignKey>>) -> Result<Chunk, Error> {
    let mut keys: Vec<_> = keys.iter().map(|key| key.0.clone()).collect();
    keys.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Chunk(foreign_key::encode(&keys)?))
}

/// A table before and after: message and schema.
type Changed<'py> = (
    Option<(PyRef<'py, Table>, PyRef<'py, Schema>)>,
    (PyRef<'py, Table>, PyRef<'py, Schema>),
);

#[pyclass(module = "pyfs._core")]
pub(crate) struct KeyCheck {
    inner: check::Check,
}

#[pymethods]
impl KeyCheck {
    #[new]
    fn new(
        keys: Vec<(PyRef<'_, ForeignKey>, bool)>,
        tables: BTreeMap<String, Changed<'_>>,
    ) -> Result<Self, Error> {
        let version = |table: &Table, schema: &Schema| check::Version {
            schema: schema.inner.as_ref().clone(),
            table: table.chunk.clone(),
        };
        let subjects = keys.iter().map(|(key, is_new)| check::Subject {
            key: key.0.clone(),
            is_new: *is_new,
        });
        let tables = tables.iter().map(|(name, (old, new))| {
            let changed = check::Changed {
                old: old.as_ref().map(|(table, schema)| version(table, schema)),
                new: version(&new.0, &new.1),
            };
            (name.to_lowercase(), changed)
        });
        Ok(Self {
            inner: check::Check::new(subjects.collect(), tables.collect())?,
        })
    }

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let needs = self.inner.needs(limit);
        needs.into_iter().map(Address).collect()
    }

    fn feed(&mut self, py: Python<'_>, chunks: Vec<PyRef<'_, Chunk>>) -> Result<(), Error> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| chunk.0.clone()).collect();
        let inner = &mut self.inner;
        Ok(py.detach(|| inner.feed(&chunks))?)
    }

    fn result(&mut self) -> Result<KeyFindings, Error> {
        Ok(KeyFindings(self.inner.result()?))
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct KeyFindings(findings::Findings);

#[pymethods]
impl KeyFindings {
    #[getter]
    fn missing(&self) -> Vec<MissingParents> {
        self.0.missing.iter().cloned().map(MissingParents).collect()
    }

    #[getter]
    fn referenced(&self) -> Vec<ReferencedRow> {
        let rows = self.0.referenced.iter().cloned();
        rows.map(ReferencedRow).collect()
    }

    #[getter]
    fn follow(&self) -> BTreeMap<String, RowFollow> {
        let tables = self.0.follow.iter();
        tables
            .map(|(name, follow)| (name.clone(), RowFollow(Arc::new(follow.clone()))))
            .collect()
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct MissingParents(findings::Missing);

#[pymethods]
impl MissingParents {
    #[getter]
    fn key(&self) -> ForeignKey {
        ForeignKey(self.0.key.clone())
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.columns.clone()
    }

    #[getter]
    fn parent_columns(&self) -> Vec<String> {
        self.0.parent_columns.clone()
    }

    #[pyo3(signature = (built, more_lines=Vec::new()))]
    fn first(&self, built: Option<&BuiltTable>, more_lines: Vec<PyBackedBytes>) -> (u64, String) {
        let lines = built.map(|built| {
            let mut lines = built.0.lines.clone();
            for more in &more_lines {
                lines.extend(more);
            }
            lines
        });
        let found = lines.and_then(|lines| lines.first(self.0.rows()));
        let (line, row) = found.unwrap_or_default();
        (line, self.0.value(row))
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct ReferencedRow(findings::Referenced);

#[pymethods]
impl ReferencedRow {
    #[getter]
    fn constraint(&self) -> &str {
        &self.0.constraint
    }

    #[getter]
    fn child(&self) -> &str {
        &self.0.child
    }

    #[getter]
    fn parent(&self) -> &str {
        &self.0.parent
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.0.columns.clone()
    }

    #[getter]
    fn value(&self) -> &str {
        &self.0.value
    }

    #[getter]
    fn count(&self) -> usize {
        self.0.count
    }

    #[getter]
    fn changed(&self) -> bool {
        self.0.changed
    }
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct RowFollow(Arc<follow::Follow>);

#[pyclass(module = "pyfs._core")]
pub(crate) struct FollowBuild {
    inner: follow::FollowBuild,
}

#[pymethods]
impl FollowBuild {
    #[new]
    fn new(schema: &Schema, table: &Table, follow: &RowFollow) -> Result<Self, Error> {
        let (base, follow) = (table.chunk.clone(), Arc::clone(&follow.0));
        Ok(Self {
            inner: follow::FollowBuild::new(&schema.inner, base, follow)?,
        })
    }

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let needs = self.inner.needs(limit);
        needs.into_iter().map(Address).collect()
    }

    fn feed(&mut self, py: Python<'_>, chunks: Vec<PyRef<'_, Chunk>>) -> Result<(), Error> {
        let chunks: Vec<_> = chunks.iter().map(|chunk| chunk.0.clone()).collect();
        let inner = &mut self.inner;
        // Reads and writes the rows that follow.
        Ok(py.detach(|| inner.feed(&chunks))?)
    }

    fn result(&mut self) -> Result<BuiltTable, Error> {
        let built: build::BuiltTable = self.inner.result()?;
        Ok(BuiltTable(built))
    }
}
