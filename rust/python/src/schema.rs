//! `SchemaEdit`, `RowCarry` and `create_table`.

use std::collections::{BTreeMap, BTreeSet};

use dolt_format::build::edited;
use dolt_format::build::moment::Moment;
use dolt_format::message::foreign_key::{self, ForeignKey};
use dolt_format::message::schema::TableSchema;
use dolt_format::schema::edit::{self, Around};
use dolt_format::schema::show::Shown;
use dolt_format::{FormatError, build};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::address::Address;
use crate::build::BuiltTable;
use crate::chunk::Chunk;
use crate::error::Error;
use crate::table::Table;

type Chunks<'py> = BTreeMap<String, PyRef<'py, Chunk>>;

/// What a table's text needs beside its schema.
struct Context {
    foreign_keys: Vec<ForeignKey>,
    /// The schemas of other tables.
    schemas: Vec<(String, TableSchema)>,
}

impl Context {
    fn new(foreign_keys: Option<&Chunk>, schemas: &Chunks<'_>) -> Result<Self, Error> {
        let keys = foreign_keys.map(|chunk| foreign_key::decode(chunk.0.contents()));
        let schemas = schemas.iter().map(|(name, chunk)| {
            TableSchema::decode(&chunk.0).map(|schema| (name.clone(), schema))
        });
        Ok(Self {
            foreign_keys: keys.transpose()?.unwrap_or_default(),
            schemas: schemas.collect::<Result<_, _>>()?,
        })
    }

    fn shown<'a>(&'a self, name: &'a str, schema: &'a TableSchema, next: u64) -> Shown<'a> {
        Shown {
            name,
            schema,
            auto_increment: next,
            foreign_keys: &self.foreign_keys,
            parents: &self.schemas,
        }
    }

    fn around<'a>(&'a self, used_tags: &'a BTreeSet<u64>, collation: u16) -> Around<'a> {
        Around {
            used_tags,
            schemas: &self.schemas,
            foreign_keys: &self.foreign_keys,
            collation,
        }
    }
}

#[pyfunction]
pub(crate) fn create_table(
    name: &str,
    table: &Table,
    schema: &Chunk,
    foreign_keys: Option<&Chunk>,
    parents: Chunks<'_>,
) -> Result<String, Error> {
    let context = Context::new(foreign_keys, &parents)?;
    let schema = TableSchema::decode(&schema.0)?;
    let shown = context.shown(name, &schema, table.inner.auto_increment);
    Ok(shown.create_table()?)
}

#[pyfunction]
pub(crate) fn column_tags(schema: &Chunk) -> Result<BTreeSet<u64>, Error> {
    let schema = TableSchema::decode(&schema.0)?;
    Ok(schema.columns.iter().map(|column| column.tag).collect())
}

#[pyclass(frozen, module = "pyfs._core")]
pub(crate) struct SchemaEdit {
    edit: edit::SchemaEdit,
    /// The table that is changed, and its schema.
    old: Option<(dolt_format::Chunk, TableSchema)>,
}

#[pymethods]
impl SchemaEdit {
    #[staticmethod]
    fn create(
        name: &str,
        text: PyBackedBytes,
        used_tags: BTreeSet<u64>,
        collation: u16,
        foreign_keys: Option<&Chunk>,
        schemas: Chunks<'_>,
    ) -> Result<Self, Error> {
        let context = Context::new(foreign_keys, &schemas)?;
        let around = context.around(&used_tags, collation);
        Ok(Self {
            edit: edit::SchemaEdit::create(name, &text, around)?,
            old: None,
        })
    }

    #[staticmethod]
    #[allow(clippy::too_many_arguments)]
    fn alter(
        name: &str,
        text: PyBackedBytes,
        used_tags: BTreeSet<u64>,
        collation: u16,
        table: &Table,
        schema: &Chunk,
        foreign_keys: Option<&Chunk>,
        schemas: Chunks<'_>,
    ) -> Result<Self, Error> {
        let context = Context::new(foreign_keys, &schemas)?;
        let schema = TableSchema::decode(&schema.0)?;
        let around = context.around(&used_tags, collation);
        let shown = context.shown(name, &schema, table.inner.auto_increment);
        Ok(Self {
            edit: edit::SchemaEdit::alter(&shown, &text, around)?,
            old: Some((table.chunk.clone(), schema)),
        })
    }

    #[getter]
    fn address(&self) -> Address {
        Address(self.edit.chunk.address())
    }

    #[getter]
    fn unchanged(&self) -> bool {
        self.edit.unchanged
    }

    #[getter]
    fn schema_stays(&self) -> bool {
        self.edit.schema_stays
    }

    #[getter]
    fn foreign_keys(&self) -> Vec<crate::foreign_key::ForeignKey> {
        let keys = self.edit.foreign_keys.iter().cloned();
        keys.map(crate::foreign_key::ForeignKey).collect()
    }

    #[getter]
    fn new_names(&self) -> BTreeMap<u64, String> {
        self.edit.new_names.iter().cloned().collect()
    }

    fn without_rows(&self) -> Result<Option<BuiltTable>, Error> {
        let base = self.old.as_ref().map(|(table, _)| table);
        Ok(edited::without_rows(&self.edit, base)?.map(BuiltTable))
    }

    fn carry(&self, micros: i64, seed: [u8; 16]) -> Result<RowCarry, Error> {
        let Some((table, schema)) = &self.old else {
            return Err(FormatError::corrupt("schema edit", "a new table has no rows").into());
        };
        let carrying = {
            let moment = Moment { micros, seed };
            edited::Carrying::new(&self.edit, schema, table.clone(), moment)?
        };
        Ok(RowCarry(Some(carrying)))
    }
}

#[pyclass(module = "pyfs._core")]
pub(crate) struct RowCarry(Option<edited::Carrying>);

impl RowCarry {
    fn over() -> FormatError {
        FormatError::corrupt("row carry", "it is over: start a new one")
    }
}

#[pymethods]
impl RowCarry {
    fn feed(&mut self, py: Python<'_>, text: PyBackedBytes) -> Result<(), Error> {
        let mut carrying = self.0.take().ok_or_else(Self::over)?;
        // A mebibyte takes some 10 ms.
        py.detach(|| carrying.feed(&text))?;
        self.0 = Some(carrying);
        Ok(())
    }

    fn finish(&mut self, py: Python<'_>) -> Result<BuiltTable, Error> {
        let carrying = self.0.take().ok_or_else(Self::over)?;
        // Sorting, hashing and rendering all rows.
        let built: Result<build::BuiltTable, FormatError> = py.detach(|| carrying.finish());
        Ok(BuiltTable(built?))
    }
}
