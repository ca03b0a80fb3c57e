//! Tables whose schema was edited: new ones, and those whose rows are carried over.

use super::input::Carried;
use super::moment::Moment;
use super::{BuiltTable, Lines, TableBuild};
use crate::csv::columns::Columns;
use crate::message::schema::TableSchema;
use crate::message::table::Table;
use crate::schema::edit::SchemaEdit;
use crate::schema::origin::conversion;
use crate::tree::chunker::MapBuilder;
use crate::tree::{Kind, address_map};
use crate::{Chunk, FormatError, TextFormat};

/// The table of an edit that needs no rows: a new one, one without rows, and one whose rows stay
/// as they are stored. `None` where the rows have to be carried over.
pub fn without_rows(
    edit: &SchemaEdit,
    base: Option<&Chunk>,
) -> Result<Option<BuiltTable>, FormatError> {
    let old = base
        .map(|base| Table::decode(base.contents()))
        .transpose()?;
    let count = old.as_ref().map_or(0, |old| old.rows.tree_count());
    let (rows, indexes) = match &old {
        Some(old) if edit.rows_stay => (old.rows.message().clone(), old.indexes.clone()),
        _ if count > 0 => return Ok(None),
        _ => return empty(edit).map(Some),
    };
    let address = edit.chunk.address();
    let table = Table::encode(address, &rows, &indexes, edit.auto_increment)?;
    Ok(Some(BuiltTable {
        table,
        chunks: vec![edit.chunk.clone()],
        row_count: count,
        measures: Vec::new(),
        format: TextFormat::Csv,
        lines: Lines::default(),
    }))
}

fn empty(edit: &SchemaEdit) -> Result<BuiltTable, FormatError> {
    let rows = MapBuilder::new(Kind::Tuples).finish()?;
    let root = rows.root.address();
    let names = edit.schema.indexes.iter().map(|index| index.name.as_str());
    let indexes = address_map::build(names.map(|name| (name, root)))?;
    let table = Table::encode(
        edit.chunk.address(),
        rows.root.contents(),
        indexes.root.contents(),
        edit.auto_increment,
    )?;
    let mut chunks = indexes.nodes;
    if !edit.schema.indexes.is_empty() {
        chunks.push(rows.root);
    }
    chunks.push(edit.chunk.clone());
    Ok(BuiltTable {
        table,
        chunks,
        row_count: 0,
        measures: Vec::new(),
        format: TextFormat::Csv,
        lines: Lines::default(),
    })
}

/// Carries the rows of a table over to an edited schema: takes the text of the old table.
#[derive(Debug)]
pub struct Carrying {
    build: TableBuild,
    schema: Chunk,
}

impl Carrying {
    /// Carries rows at `moment` from `old`, whose table's message is `base`.
    pub fn new(
        edit: &SchemaEdit,
        old: &TableSchema,
        base: Chunk,
        moment: Moment,
    ) -> Result<Self, FormatError> {
        let mut build = TableBuild::new(edit.schema.clone(), base)?;
        if let Some(counter) = &mut build.rows.auto_increment {
            counter.start(edit.auto_increment, &edit.origins);
        }
        let new_name = |position: usize| {
            let before = old.columns.get(position)?;
            let at = edit
                .origins
                .iter()
                .position(|origin| *origin == Some(position))?;
            let column = edit.schema.columns.get(at)?;
            if before.generated || column.generated {
                return None;
            }
            // That it is possible was checked.
            let conversion = conversion(before, column).ok().flatten();
            let name = column.name.clone();
            Some(Carried { name, conversion })
        };
        let shown = Columns::new(old)?.shown;
        let carried = shown.iter().map(|column| new_name(column.position));
        build.rows.carried = Some(carried.collect());
        build.rows.moment = Some(moment);
        Ok(Self {
            build,
            schema: edit.chunk.clone(),
        })
    }

    /// Takes the next bytes of the old table's text, cut anywhere.
    pub fn feed(&mut self, text: &[u8]) -> Result<(), FormatError> {
        self.build.feed(text).map_err(of_row)
    }

    /// The end of the text.
    pub fn finish(self) -> Result<BuiltTable, FormatError> {
        let mut built = self.build.finish().map_err(of_row)?;
        built.chunks.push(self.schema);
        Ok(built)
    }
}

/// The statement is at fault for a row that it leaves no place for.
fn of_row(error: FormatError) -> FormatError {
    let why = match error {
        FormatError::BadValue {
            line,
            column,
            value,
            why,
        } => format!("the row on line {line} of the table has {value:?} in {column:?}: {why}"),
        FormatError::BadRecord { line, why } => {
            format!("the row on line {line} of the table: {why}")
        }
        other => return other,
    };
    FormatError::BadRecord { line: 1, why }
}
