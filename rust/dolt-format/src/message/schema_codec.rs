//! `TableSchema` to and from its message.

use flatbuffers::{TableFinishedWIPOffset, WIPOffset};

use super::field;
use super::flatbuffer::{Budget, Builder, TableView, finish};
use super::schema::{Check, Column, FulltextInfo, Index, TableSchema};
use crate::{Chunk, FormatError};

pub(crate) const TARGET_ROW_SIZE_DEFAULT: u16 = 2048;
pub(crate) const COLLATION_DEFAULT: u16 = 309;
const TAG_KEYLESS_HASH: u64 = (1 << 51) + 5000;
const TAG_KEYLESS_CARDINALITY: u64 = (1 << 51) + 5001;
const ENCODING_HASH: u8 = 14;
const ENCODING_CARDINALITY: u8 = 10;

/// Columns, indexes or checks that one table may have: a tuple has at most 4096 fields.
const ITEMS_MAX: usize = 4096;

type Offset = WIPOffset<TableFinishedWIPOffset>;

impl TableSchema {
    /// The schema that a chunk holds.
    pub fn decode(chunk: &Chunk) -> Result<Self, FormatError> {
        let view = TableView::root(chunk.contents(), *b"DSCH", "table schema", 8)?;
        let mut budget = Budget::of(chunk.contents(), "table schema");
        for (slot, what) in [(0, "columns"), (2, "indexes"), (3, "checks")] {
            let count = view.tables(slot, usize::MAX)?.len();
            if count > ITEMS_MAX {
                let why = format!("it has {count} {what}, at most {ITEMS_MAX} are possible");
                return Err(FormatError::corrupt("table schema", why));
            }
        }
        let mut hidden = 0;
        let mut columns = Vec::new();
        for column in view.tables(0, 17)? {
            let column = budget.table(column)?;
            if column.bool(10)? {
                hidden += 1;
            } else if hidden == 0 {
                columns.push(decode_column(&column, &mut budget)?);
            } else {
                let why = "a column stands behind hidden ones";
                return Err(FormatError::corrupt("table schema", why));
            }
        }
        // Only the two bookkeeping columns of a keyless table are hidden, and they are last.
        if hidden != 0 && hidden != 2 {
            let why = format!("it has {hidden} hidden columns, a keyless table has 2");
            return Err(FormatError::corrupt("table schema", why));
        }
        let keyless = hidden == 2;
        let clustered = view
            .table(1, 15)?
            .ok_or_else(|| FormatError::corrupt("table schema", "it has no clustered index"))?;
        let primary_key = if keyless {
            Vec::new()
        } else {
            budget.u16s(&clustered, 2)?
        };
        let schema = Self {
            address: chunk.address(),
            columns,
            primary_key,
            indexes: view
                .tables(2, 15)?
                .map(|index| decode_index(&budget.table(index)?, &mut budget))
                .collect::<Result<_, _>>()?,
            checks: view
                .tables(3, 4)?
                .map(|check| decode_check(&budget.table(check)?, &mut budget))
                .collect::<Result<_, _>>()?,
            collation: match view.u16(4)? {
                0 => COLLATION_DEFAULT,
                collation => collation,
            },
            comment: budget.string(&view, 6)?,
            target_row_size: match view.u16(7)? {
                0 => TARGET_ROW_SIZE_DEFAULT,
                size => size,
            },
        };
        schema.check(keyless)?;
        Ok(schema)
    }

    fn check(&self, keyless: bool) -> Result<(), FormatError> {
        let bad = |why: String| Err(FormatError::corrupt("table schema", why));
        // Index columns of a keyless table may name the two hidden columns too.
        let count = self.columns.len() + if keyless { 2 } else { 0 };
        if !keyless && self.primary_key.is_empty() {
            return bad("its clustered index has no columns".to_owned());
        }
        let positions = self
            .indexes
            .iter()
            .flat_map(|index| index.index_columns.iter().chain(&index.key_columns));
        match self
            .primary_key
            .iter()
            .chain(positions)
            .find(|at| usize::from(**at) >= count)
        {
            Some(at) => bad(format!("an index names column {at} of {count}")),
            None => Ok(()),
        }
    }

    /// The schema's chunk, byte for byte as Dolt writes it.
    pub fn encode(&self) -> Result<Chunk, FormatError> {
        let count = u16::try_from(self.columns.len())
            .ok()
            .filter(|count| usize::from(*count) <= ITEMS_MAX)
            .ok_or_else(|| {
                let count = self.columns.len();
                FormatError::Unsupported(format!("a table of {count} columns, above {ITEMS_MAX}"))
            })?;
        let mut b = Builder::new();
        let keyless = self.primary_key.is_empty();
        let mut columns = Vec::new();
        if keyless {
            for (name, tag, encoding) in [
                (
                    "keyless_cardinality",
                    TAG_KEYLESS_CARDINALITY,
                    ENCODING_CARDINALITY,
                ),
                ("keyless_hash_id", TAG_KEYLESS_HASH, ENCODING_HASH),
            ] {
                columns.push(encode_hidden_column(&mut b, name, tag, encoding));
            }
        }
        for (position, column) in (0..count).zip(&self.columns).rev() {
            let is_key = self.primary_key.contains(&position);
            columns.push(encode_column(&mut b, column, position, is_key));
        }
        columns.reverse();
        let columns = b.create_vector(&columns);
        let clustered = self.encode_clustered(&mut b, count);
        let mut indexes: Vec<_> = self
            .indexes
            .iter()
            .rev()
            .map(|index| encode_index(&mut b, index))
            .collect();
        indexes.reverse();
        let indexes = b.create_vector(&indexes);
        let mut checks: Vec<_> = self
            .checks
            .iter()
            .rev()
            .map(|check| encode_check(&mut b, check))
            .collect();
        checks.reverse();
        let checks = b.create_vector(&checks);
        let comment = b.create_string(&self.comment);
        let has_features = !self.comment.is_empty()
            || self.target_row_size != TARGET_ROW_SIZE_DEFAULT
            || self
                .columns
                .iter()
                .any(|column| !column.on_update.is_empty());
        let table = b.start_table();
        b.push_slot_always(field(1), clustered);
        b.push_slot_always(field(0), columns);
        b.push_slot_always(field(2), indexes);
        b.push_slot_always(field(3), checks);
        b.push_slot(field(4), self.collation, 0);
        if !self.comment.is_empty() {
            b.push_slot_always(field(6), comment);
        }
        b.push_slot(field(7), self.target_row_size, TARGET_ROW_SIZE_DEFAULT);
        b.push_slot(field(5), has_features, false);
        let table = b.end_table(table);
        finish(b, table, "DSCH").map(Chunk::new)
    }

    fn encode_clustered(&self, b: &mut Builder, count: u16) -> Offset {
        // The two hidden columns of a keyless table stand last: row hash, then cardinality.
        let (keys, values): (Vec<u16>, Vec<u16>) = if self.primary_key.is_empty() {
            (
                vec![count],
                std::iter::once(count + 1).chain(0..count).collect(),
            )
        } else {
            let values = (0..count)
                .filter(|at| !self.primary_key.contains(at))
                .collect();
            (self.primary_key.clone(), values)
        };
        let keys = b.create_vector(&keys);
        let values = b.create_vector(&values);
        let table = b.start_table();
        b.push_slot_always(field(2), keys);
        b.push_slot_always(field(3), keys);
        b.push_slot_always(field(4), values);
        b.push_slot(field(5), true, false);
        b.push_slot(field(6), true, false);
        b.end_table(table)
    }
}

fn decode_column(view: &TableView<'_>, budget: &mut Budget) -> Result<Column, FormatError> {
    Ok(Column {
        name: budget.string(view, 0)?,
        sql_type: budget.string(view, 1)?,
        default: budget.string(view, 2)?,
        comment: budget.string(view, 3)?,
        on_update: budget.string(view, 13)?,
        tag: view.u64(5)?,
        encoding: view.u8(6)?,
        nullable: view.bool(8)?,
        auto_increment: view.bool(9)?,
        generated: view.bool(11)?,
        is_virtual: view.bool(12)?,
        hidden_system: view.bool(15)?,
    })
}

fn encode_hidden_column(b: &mut Builder, name: &str, tag: u64, encoding: u8) -> Offset {
    let name = b.create_string(name);
    let table = b.start_table();
    b.push_slot_always(field(0), name);
    b.push_slot(field(4), -1i16, 0);
    b.push_slot(field(5), tag, 0);
    b.push_slot(field(6), encoding, 0);
    b.push_slot(field(11), true, false);
    b.push_slot(field(10), true, false);
    b.end_table(table)
}

fn encode_column(b: &mut Builder, column: &Column, position: u16, is_key: bool) -> Offset {
    let adaptive = matches!(column.encoding, 135 | 136 | 138 | 139);
    let comment = b.create_string(&column.comment);
    let default = b.create_string(&column.default);
    let on_update = b.create_string(&column.on_update);
    let sql_type = b.create_string(&column.sql_type);
    let name = b.create_string(&column.name);
    let table = b.start_table();
    b.push_slot_always(field(0), name);
    b.push_slot_always(field(1), sql_type);
    b.push_slot_always(field(2), default);
    b.push_slot_always(field(3), comment);
    // A signed number whose position is below ITEMS_MAX has the same bits.
    b.push_slot(field(4), position, 0);
    b.push_slot(field(5), column.tag, 0);
    b.push_slot(field(6), column.encoding, 0);
    b.push_slot(field(7), is_key, false);
    b.push_slot(field(9), column.auto_increment, false);
    b.push_slot(field(8), column.nullable, false);
    b.push_slot(field(11), column.generated, false);
    b.push_slot(field(12), column.is_virtual, false);
    if !column.on_update.is_empty() {
        b.push_slot_always(field(13), on_update);
    }
    b.push_slot(field(14), adaptive, false);
    b.push_slot(field(16), adaptive, false);
    b.push_slot(field(15), column.hidden_system, false);
    b.end_table(table)
}

fn decode_index(view: &TableView<'_>, budget: &mut Budget) -> Result<Index, FormatError> {
    let fulltext_info = view
        .table(11, 8)?
        .map(|info| {
            Ok::<_, FormatError>(FulltextInfo {
                config: budget.string(&info, 0)?,
                position: budget.string(&info, 1)?,
                doc_count: budget.string(&info, 2)?,
                global_count: budget.string(&info, 3)?,
                row_count: budget.string(&info, 4)?,
                key_type: info.u8(5)?,
                key_name: budget.string(&info, 6)?,
                key_positions: budget.u16s(&info, 7)?,
            })
        })
        .transpose()?;
    Ok(Index {
        name: budget.string(view, 0)?,
        comment: budget.string(view, 1)?,
        index_columns: budget.u16s(view, 2)?,
        key_columns: budget.u16s(view, 3)?,
        prefix_lengths: budget.u16s(view, 8)?,
        unique: view.bool(6)?,
        system_defined: view.bool(7)?,
        spatial: view.bool(9)?,
        fulltext: view.bool(10)?,
        vector: view.bool(12)?,
        fulltext_info,
        predicate: budget.string(view, 14)?,
    })
}

fn encode_index(b: &mut Builder, index: &Index) -> Offset {
    let name = b.create_string(&index.name);
    let comment = b.create_string(&index.comment);
    let predicate = (!index.predicate.is_empty()).then(|| b.create_string(&index.predicate));
    let index_columns = b.create_vector(&index.index_columns);
    let key_columns = b.create_vector(&index.key_columns);
    let prefix_lengths = b.create_vector(&index.prefix_lengths);
    let fulltext_info = index.fulltext_info.as_ref().map(|info| {
        let texts = [
            &info.config,
            &info.position,
            &info.doc_count,
            &info.global_count,
            &info.row_count,
            &info.key_name,
        ]
        .map(|text| b.create_string(text));
        let key_positions = b.create_vector(&info.key_positions);
        let [
            config,
            position,
            doc_count,
            global_count,
            row_count,
            key_name,
        ] = texts;
        let table = b.start_table();
        b.push_slot_always(field(0), config);
        b.push_slot_always(field(1), position);
        b.push_slot_always(field(2), doc_count);
        b.push_slot_always(field(3), global_count);
        b.push_slot_always(field(4), row_count);
        b.push_slot(field(5), info.key_type, 0);
        b.push_slot_always(field(6), key_name);
        b.push_slot_always(field(7), key_positions);
        b.end_table(table)
    });
    let vector_info = index.vector.then(|| {
        let table = b.start_table();
        b.push_slot(field(0), 1u8, 0);
        b.end_table(table)
    });
    let table = b.start_table();
    b.push_slot_always(field(0), name);
    b.push_slot_always(field(1), comment);
    b.push_slot_always(field(2), index_columns);
    b.push_slot_always(field(3), key_columns);
    b.push_slot(field(6), index.unique, false);
    b.push_slot(field(7), index.system_defined, false);
    b.push_slot_always(field(8), prefix_lengths);
    b.push_slot(field(9), index.spatial, false);
    b.push_slot(field(10), index.fulltext, false);
    if let Some(info) = fulltext_info {
        b.push_slot_always(field(11), info);
    }
    if let Some(info) = vector_info {
        b.push_slot(field(12), true, false);
        b.push_slot_always(field(13), info);
    }
    if let Some(predicate) = predicate {
        b.push_slot_always(field(14), predicate);
    }
    b.end_table(table)
}

fn decode_check(view: &TableView<'_>, budget: &mut Budget) -> Result<Check, FormatError> {
    Ok(Check {
        name: budget.string(view, 0)?,
        expression: budget.string(view, 1)?,
        enforced: view.bool(2)?,
        is_not_valid: view.bool(3)?,
    })
}

fn encode_check(b: &mut Builder, check: &Check) -> Offset {
    let expression = b.create_string(&check.expression);
    let name = b.create_string(&check.name);
    let table = b.start_table();
    b.push_slot(field(2), check.enforced, false);
    b.push_slot_always(field(1), expression);
    b.push_slot_always(field(0), name);
    b.push_slot(field(3), check.is_not_valid, false);
    b.end_table(table)
}
