//! `Step`: what is done for a column of each row that becomes a line.

use std::sync::Arc;

use super::columns::{Columns, Source};
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;

/// How a column's values are found and printed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) place: Place,
    pub(super) cell: Cell,
    /// Its position among the shown columns.
    pub(super) column: usize,
}

/// Where a column's value stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Place {
    /// In the field of the value behind the one before it.
    Next,
    /// In such a field, and it is not shown.
    Hidden,
    /// In a field of the key.
    Key(usize),
    /// Nowhere, it is computed.
    Computed,
}

/// How the values of a column are printed, for those of which tables have most.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cell {
    Int8,
    Int16,
    Int32,
    Int64,
    Uint8,
    Uint16,
    Uint32,
    Uint64,
    /// Text or bytes with a zero behind them.
    Text,
    /// Text or bytes that may be out of band.
    Adaptive,
    /// A datetime with so many digits of a second, in the `number`th column of such.
    Datetime {
        precision: u8,
        number: usize,
    },
    /// Anything else.
    Other,
}

impl Step {
    /// The steps of a row, and how many of them print datetimes.
    pub(super) fn of(columns: &Columns) -> (Arc<[Self]>, usize) {
        let (mut steps, mut datetime_columns, mut upcoming) = (Vec::new(), 0, 0);
        for (at, column) in columns.shown.iter().enumerate() {
            let place = match column.source {
                Source::Key(field) => Place::Key(field),
                Source::Value(field) => {
                    // They are stored in the order of the table.
                    let hidden = Self {
                        place: Place::Hidden,
                        cell: Cell::Other,
                        column: at,
                    };
                    steps.extend((upcoming..field).map(|_| hidden));
                    upcoming = field + 1;
                    Place::Next
                }
                Source::Computed(_) => Place::Computed,
            };
            let cell = match (column.encoding, &column.sql_type) {
                (e::INT8, _) => Cell::Int8,
                (e::INT16, _) => Cell::Int16,
                (e::INT32, _) => Cell::Int32,
                (e::INT64, _) => Cell::Int64,
                (e::UINT8, _) => Cell::Uint8,
                (e::UINT16, _) => Cell::Uint16,
                (e::UINT32, _) => Cell::Uint32,
                (e::UINT64 | e::BIT64, _) => Cell::Uint64,
                (_, SqlType::Json) => Cell::Other,
                (e::STRING | e::BYTES, _) => Cell::Text,
                (e::STRING_ADAPTIVE | e::BYTES_ADAPTIVE, _) => Cell::Adaptive,
                (e::DATETIME, SqlType::Datetime { precision, .. }) => {
                    datetime_columns += 1;
                    Cell::Datetime {
                        precision: *precision,
                        number: datetime_columns - 1,
                    }
                }
                _ => Cell::Other,
            };
            steps.push(Self {
                place,
                cell,
                column: at,
            });
        }
        (steps.into(), datetime_columns)
    }
}
