//! `Target`: a column of the table, and where its values come from.

use super::default::{Default, default};
use super::moment::Moment;
use super::rules::{Computed, Rules};
use crate::FormatError;
use crate::csv::record::RecordView;
use crate::message::schema::Column;
use crate::value::collation::Collation;
use crate::value::conversion::Conversion;
use crate::value::from_text::{Reason, TextCodec};

/// Where a column's value comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// A field of the record.
    Field(usize),
    /// The default of a column that the header does not name; `None` is NULL.
    Default(Option<Vec<u8>>),
    /// The same field for each row.
    Same(Vec<u8>),
    /// A UUID for each row.
    Uuid(Moment),
    /// An expression, and the field of the record that has to agree with it.
    Computed(Option<usize>),
}

#[derive(Debug, Clone)]
pub(super) struct Target {
    pub(super) name: String,
    pub(super) origin: Origin,
    pub(super) codec: TextCodec,
    /// How stored values of another type become those of the column.
    pub(super) conversion: Option<Conversion>,
    pub(super) collation: Collation,
    pub(super) nullable: bool,
    /// Whether the column is `AUTO_INCREMENT`: NULL and 0 stand for the next number.
    pub(super) counted: bool,
    /// What it gets in a row that lacks it, where rows may; an error if it cannot be done without.
    pub(super) lacking: Option<Result<Lacking, FormatError>>,
}

/// What a column gets in a row that lacks it.
#[derive(Debug, Clone)]
pub(super) enum Lacking {
    /// The text of a literal; `None` is NULL.
    Text(Option<Vec<u8>>),
    /// What an expression gives.
    Computed,
}

impl Target {
    /// What it gets in a row, on this line, that lacks it.
    pub(super) fn lacking(&self, line: u64) -> Result<&Lacking, FormatError> {
        match &self.lacking {
            Some(Ok(lacking)) => Ok(lacking),
            Some(Err(FormatError::BadRecord { why, .. })) => Err(FormatError::BadRecord {
                line,
                why: why.clone(),
            }),
            Some(Err(error)) => Err(error.clone()),
            None => Err(FormatError::corrupt("row", "it lacks a field")),
        }
    }

    /// Appends the field of the next number.
    pub(super) fn push_next(&self, next: u64, out: &mut Vec<u8>) -> Result<(), Reason> {
        let pushed = self.codec.push(next.to_string().as_bytes(), out);
        pushed.map_err(|_| {
            format!("the column's next number would be {next}, beyond its type").into()
        })
    }
}

/// What a column gets that the text lacks: all of it, or a row.
pub(super) fn lacking(
    position: usize,
    column: &Column,
    codec: &TextCodec,
    rules: &Rules,
    computed: &mut Vec<Computed>,
    header: &RecordView<'_>,
) -> Result<Lacking, FormatError> {
    if column.auto_increment {
        return Ok(Lacking::Text(None));
    }
    let place = if header.is_json() { "row" } else { "header" };
    match default(column, codec, header.line, place)? {
        Default::Text(text) => Ok(Lacking::Text(text)),
        Default::Expression => {
            computed.push(rules.default(position, column).map_err(|why| {
                FormatError::Unsupported(format!(
                    "the {place} lacks column {:?}, whose default pyfs cannot evaluate ({why}); \
                     name the column in the {place}",
                    column.name
                ))
            })?);
            Ok(Lacking::Computed)
        }
    }
}

pub(super) fn unsupported(column: &Column) -> FormatError {
    FormatError::Unsupported(format!(
        "column {:?} has type {}, which pyfs cannot write yet",
        column.name, column.sql_type
    ))
}

/// Whether what stands in the text of a generated column is what is computed.
pub(super) fn agrees(
    target: &Target,
    text: Option<&[u8]>,
    computed: Option<&Vec<u8>>,
) -> Result<(), String> {
    let text = text.filter(|text| !(text.is_empty() && target.codec.empty_is_null()));
    let mut given = Vec::new();
    if let Some(text) = text {
        target
            .codec
            .push(text, &mut given)
            .map_err(Reason::into_owned)?;
    }
    if text.map(|_| &given) == computed {
        return Ok(());
    }
    Err("the column is generated, and its value is another; \
         leave the column out of the header"
        .to_owned())
}
