//! `Counter`: the next number of an `AUTO_INCREMENT` column.

use super::row_buffers::RowBuffers;
use crate::message::schema::TableSchema;
use crate::value::encoding as e;
use crate::value::sql_type::SqlType;

/// The next number of a table's `AUTO_INCREMENT` column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Counter {
    column: usize,
    encoding: u8,
    /// The highest number that the column holds.
    max: u64,
    before: u64,
    next: u64,
}

impl Counter {
    /// The counter of a table that has such a column, where `stored` is what its message says.
    pub(super) fn new(schema: &TableSchema, stored: u64) -> Option<Self> {
        let mut columns = schema.columns.iter();
        let column = columns.position(|column| column.auto_increment)?;
        let of = schema.columns.get(column)?;
        let max = match SqlType::parse(&of.sql_type) {
            Ok(SqlType::Int { bits, unsigned }) => {
                u64::MAX >> (u32::from(!unsigned) + u64::BITS - u32::from(bits))
            }
            _ => u64::MAX,
        };
        Some(Self {
            column,
            encoding: of.encoding,
            max,
            before: stored,
            next: stored,
        })
    }

    /// Starts from another number, or where the column is new, from 1; `stored` is kept.
    pub(super) fn start(&mut self, stored: u64, origins: &[Option<usize>]) {
        let is_new = origins.get(self.column).is_some_and(Option::is_none);
        self.before = stored;
        self.next = if is_new { 1 } else { stored };
    }

    /// Goes on behind the number of a row.
    pub(super) fn see(&mut self, row: &RowBuffers) {
        let field = row.field(self.column);
        let number = field.and_then(|field| e::integer(self.encoding, field));
        if let Some(number) = number.and_then(|number| u64::try_from(number).ok()) {
            self.next = self.next.max(number.saturating_add(1));
        }
    }

    /// The next number, which the column may not hold.
    pub(super) fn next(self) -> u64 {
        self.next.max(1)
    }

    /// What is stored: dolt stays at the highest number that the column holds.
    pub(super) fn stored(self) -> u64 {
        self.next.min(self.max).max(self.before)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::schema::Column;

    #[test]
    fn the_highest_number_is_that_of_the_type() {
        for (sql_type, max) in [
            ("tinyint", 127),
            ("tinyint unsigned", 255),
            ("mediumint", 8_388_607),
            ("int unsigned", 4_294_967_295),
            ("bigint", i64::MAX.cast_unsigned()),
            ("bigint unsigned", u64::MAX),
        ] {
            let column = Column {
                sql_type: sql_type.to_owned(),
                auto_increment: true,
                ..Column::default()
            };
            let schema = TableSchema {
                columns: vec![column],
                ..TableSchema::default()
            };
            let mut counter = Counter::new(&schema, 5).expect("a counter");
            assert_eq!((counter.max, counter.stored()), (max, 5), "{sql_type}");
            counter.next = u64::MAX;
            assert_eq!(counter.stored(), max, "{sql_type}");
        }
        assert!(Counter::new(&TableSchema::default(), 0).is_none());
    }
}
