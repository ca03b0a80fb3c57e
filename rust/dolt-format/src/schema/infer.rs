//! `Inference`: the schema of a new table, from its text.
//!
//! Types are those of `dolt schema import -c` (dolt: `doltcore/env/actions/infer_schema.go`), which
//! looks at some rows only. Every row is looked at here: where dolt's type could not hold a value as
//! it stands, the type is one that can.

mod guess;

use std::collections::BTreeSet;

use super::tags;
use crate::csv::parse::RecordReader;
use crate::csv::record::RecordView;
use crate::jsonl::parse::JsonRows;
use crate::jsonl::scan::Given;
use crate::message::schema::{Column, TableSchema};
use crate::message::schema_codec::{COLLATION_DEFAULT, TARGET_ROW_SIZE_DEFAULT};
use crate::{FormatError, TextFormat};
use guess::{Guess, Inferred};

/// The most characters of a name.
const NAME_LEN_MAX: usize = 64;
/// Dolt looks at fewer and fewer rows: by this factor.
const SAMPLE_GROWTH: f64 = 1.02;

/// Reads text and finds the schema of the table that it would be. Takes no more memory for
/// longer texts.
#[derive(Debug)]
pub struct Inference {
    reader: RecordReader,
    columns: Columns,
}

/// What is known of the columns so far.
#[derive(Debug, Default)]
struct Columns {
    names: Vec<String>,
    /// The names in lower case.
    lower: BTreeSet<String>,
    /// Rows in JSON so far.
    rows: u64,
    guesses: Vec<Guess>,
    /// Whether each field of the last row holds a value.
    last: Vec<bool>,
    sample: Sample,
    first_is_empty: bool,
}

/// Which rows dolt looks at, besides the last one.
#[derive(Debug, Default)]
struct Sample {
    step: i32,
    /// Rows until the next one of them.
    left: u64,
}

impl Sample {
    fn takes_next(&mut self) -> bool {
        if self.left == 0 {
            self.left = SAMPLE_GROWTH.powi(self.step) as u64;
            self.step += 1;
        }
        self.left -= 1;
        self.left == 0
    }
}

impl Default for Inference {
    fn default() -> Self {
        Self::new(TextFormat::Csv)
    }
}

impl Inference {
    /// An inference from a text in this format.
    #[must_use]
    pub fn new(format: TextFormat) -> Self {
        let reader = match format.delimiter() {
            Some(delimiter) => RecordReader::new(delimiter),
            None => RecordReader::of_json(JsonRows::of_new_table()),
        };
        Self {
            reader,
            columns: Columns::default(),
        }
    }

    /// Takes the next bytes of the text, cut anywhere.
    pub fn feed(&mut self, text: &[u8]) -> Result<(), FormatError> {
        let columns = &mut self.columns;
        self.reader.feed(text, &mut |record: RecordView<'_>| {
            columns.take(&record).map(|()| false)
        })
    }

    /// The names of the columns that were found so far.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns.names
    }

    /// The end of the text: the schemas that `table` may have, the best first.
    ///
    /// The first has the first column as its key. It is to be tried, for whether all values of that
    /// are unique is not known yet. The last has no key. `taken` are the tags of all columns of the
    /// database.
    pub fn finish(
        mut self,
        table: &str,
        taken: &BTreeSet<u64>,
    ) -> Result<Vec<TableSchema>, FormatError> {
        let columns = &mut self.columns;
        self.reader
            .finish(&mut |record: RecordView<'_>| columns.take(&record).map(|()| false))?;
        self.columns.schemas(table, taken)
    }
}

impl Columns {
    fn take(&mut self, record: &RecordView<'_>) -> Result<(), FormatError> {
        if record.is_json() {
            return self.take_json(record);
        }
        if self.names.is_empty() {
            for position in 0..record.len() {
                let name = record.field(position).unwrap_or_default();
                self.add_column(name, position, record.line)?;
            }
            return Ok(());
        }
        record.check_len(self.names.len())?;
        let sampled = self.sample.takes_next();
        let columns = self.names.iter().zip(&mut self.guesses);
        for (position, (name, guess)) in columns.enumerate() {
            let text = record.field(position).unwrap_or_default();
            let added = guess.add(text, sampled);
            added.map_err(|why| bad_value(record.line, name, text, why))?;
            if let Some(last) = self.last.get_mut(position) {
                *last = !text.is_empty();
            }
        }
        self.first_is_empty |= self.last.first() == Some(&false);
        Ok(())
    }

    /// Takes a row in JSON, which may name columns that none before it had.
    fn take_json(&mut self, record: &RecordView<'_>) -> Result<(), FormatError> {
        for position in self.names.len()..record.len() {
            let name = record.name(position).unwrap_or_default();
            self.add_column(name.as_bytes(), position, record.line)?;
            self.first_is_empty |= position == 0 && self.rows > 0;
        }
        self.rows += 1;
        for (position, guess) in self.guesses.iter_mut().enumerate() {
            let given = record.given(position);
            let has_value = !matches!(given, Given::Absent | Given::Null);
            self.first_is_empty |= position == 0 && !has_value;
            if has_value {
                let text = record.field(position).unwrap_or_default();
                let name = self.names.get(position).map_or("", String::as_str);
                let added = guess.add_json(given, text);
                added.map_err(|why| bad_value(record.line, name, text, why))?;
            }
        }
        Ok(())
    }

    fn add_column(&mut self, name: &[u8], position: usize, line: u64) -> Result<(), FormatError> {
        let name = column_name(name)
            .map_err(|why| bad_value(line, &format!("field {}", position + 1), name, &why))?;
        if !self.lower.insert(name.to_lowercase()) {
            let why = format!("the header names column {name:?} twice");
            let column = format!("field {}", position + 1);
            return Err(bad_value(line, &column, name.as_bytes(), &why));
        }
        self.names.push(name);
        self.guesses.push(Guess::default());
        self.last.push(false);
        Ok(())
    }

    fn schemas(&self, table: &str, taken: &BTreeSet<u64>) -> Result<Vec<TableSchema>, FormatError> {
        if self.names.is_empty() {
            return Err(FormatError::BadRecord {
                line: 1,
                why: "an empty text is no table: nothing names its columns".to_owned(),
            });
        }
        let last = self.last.iter().copied();
        let types: Vec<Inferred> = self
            .guesses
            .iter()
            .zip(last)
            .map(|(guess, last)| guess.inferred(last))
            .collect();
        let keyless = self.schema(&types, None, table, taken)?;
        let can_be_key = types.first().is_some_and(|first| first.can_be_key());
        if self.first_is_empty || !can_be_key {
            return Ok(vec![keyless]);
        }
        let keyed = self.schema(&types, Some(0), table, taken)?;
        Ok(vec![keyed, keyless])
    }

    /// The schema with a key of that column, or of none.
    fn schema(
        &self,
        types: &[Inferred],
        key: Option<u16>,
        table: &str,
        taken: &BTreeSet<u64>,
    ) -> Result<TableSchema, FormatError> {
        let named = self.names.iter().map(String::as_str);
        let kinds = types.iter().map(|inferred| inferred.kind(key.is_none()));
        let tags = tags::choose_all(taken, table, named.zip(kinds))?;
        let columns = self.names.iter().zip(types).zip(tags).zip(0..);
        let columns = columns.map(|(((name, inferred), tag), position)| Column {
            name: name.clone(),
            sql_type: inferred.sql_type().to_owned(),
            encoding: inferred.encoding(),
            nullable: key != Some(position),
            tag,
            ..Column::default()
        });
        Ok(TableSchema {
            columns: columns.collect(),
            primary_key: key.into_iter().collect(),
            collation: COLLATION_DEFAULT,
            target_row_size: TARGET_ROW_SIZE_DEFAULT,
            ..TableSchema::default()
        })
    }
}

/// The name of a column, as it stands in a text.
fn column_name(text: &[u8]) -> Result<String, String> {
    let name = std::str::from_utf8(text)
        .map_err(|_| "the column's name is not UTF-8".to_owned())?
        .trim_end();
    if name.is_empty() {
        return Err("the column has no name in the header".to_owned());
    }
    if name.chars().count() > NAME_LEN_MAX {
        return Err(format!(
            "a column's name has at most {NAME_LEN_MAX} characters"
        ));
    }
    if name.contains('\0') {
        return Err("a column's name has no NUL".to_owned());
    }
    Ok(name.to_owned())
}

fn bad_value(line: u64, column: &str, text: &[u8], why: &str) -> FormatError {
    FormatError::BadValue {
        line,
        column: column.to_owned(),
        value: String::from_utf8_lossy(text).chars().take(64).collect(),
        why: why.to_owned(),
    }
}
