//! `Input`: from the fields of a record to the tuples of a row.

use std::sync::Arc;

use xxhash_rust::xxh3::xxh3_128;

use super::default::{Default, default, zero};
use super::rules::{Computed, Rules};
use super::stream::NewRow;
use crate::csv::columns::{Columns, Source};
use crate::csv::parse::RecordView;
use crate::expression::Fault;
use crate::message::schema::{Column, TableSchema};
use crate::tree::blob;
use crate::tree::probe::SortKey;
use crate::value::adaptive::{push_varint, varint_len};
use crate::value::collation::Collation;
use crate::value::encoding as e;
use crate::value::from_text::{Reason, TextCodec};
use crate::value::sort_key::push_sort_key;
use crate::value::sql_type::SqlType;
use crate::value::tuple::{FIELD_BYTES_MAX, Tuple, finish_tuple};
use crate::{Address, Chunk, FormatError};

/// Bytes of an out-of-band value's address, and one for good measure: what Dolt counts when it
/// weighs whether to move a value out (dolt: `go/store/val/tuple_builder.go`).
const OUT_OF_BAND_WEIGHT: usize = 21;
const CARDINALITY_LEN: usize = 8;
pub(super) const KEY_TOO_LONG: &str = "its key is too long";
pub(super) const VALUES_TOO_LONG: &str = "its values take more than 65,504 bytes together";

/// Where a column's value comes from.
#[derive(Debug, Clone)]
enum Origin {
    /// A field of the record.
    Field(usize),
    /// The default of a column that the header does not name; `None` is NULL.
    Default(Option<Vec<u8>>),
    /// An expression, and the field of the record that has to agree with it.
    Computed(Option<usize>),
}

#[derive(Debug, Clone)]
struct Target {
    name: String,
    origin: Origin,
    codec: TextCodec,
    collation: Collation,
    nullable: bool,
    /// Whether the column is `AUTO_INCREMENT`: NULL and 0 stand for the next number.
    counted: bool,
    /// What it gets in a row that lacks it, where rows may; an error if it cannot be done without.
    lacking: Option<Result<Lacking, FormatError>>,
}

/// What a column gets in a row that lacks it.
#[derive(Debug, Clone)]
enum Lacking {
    /// The text of a literal; `None` is NULL.
    Text(Option<Vec<u8>>),
    /// What an expression gives.
    Computed,
}

impl Target {
    /// What it gets in a row, on this line, that lacks it.
    fn lacking(&self, line: u64) -> Result<&Lacking, FormatError> {
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
    fn push_next(&self, next: u64, out: &mut Vec<u8>) -> Result<(), Reason> {
        let pushed = self.codec.push(next.to_string().as_bytes(), out);
        pushed.map_err(|_| {
            format!("the column's next number would be {next}, beyond its type").into()
        })
    }
}

/// Whose text it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextOf<'a> {
    /// Where the text is of stored rows that get a new form: the column of the table that each
    /// field is of, or none for a field that is dropped.
    pub(crate) carried: Option<&'a [Option<String>]>,
    /// Rows that are stored already are taken as they are: dolt lets some in that break the rules.
    pub(crate) stored: bool,
    /// Whether NULL and 0 stand for the next number of an `AUTO_INCREMENT` column.
    pub(crate) numbered: bool,
}

/// How records become rows.
#[derive(Debug)]
pub(crate) struct Input {
    field_count: usize,
    /// One for each column of the table.
    targets: Vec<Target>,
    /// Positions of the columns of the key tuple and of the value tuple.
    pub(super) key_columns: Vec<usize>,
    pub(super) value_columns: Vec<usize>,
    target_row_size: usize,
    rules: Rules,
    /// What is computed, in table order.
    computed: Vec<Computed>,
}

/// The encoded fields of one row, one for each column, and what is made of them.
#[derive(Debug, Default)]
pub(crate) struct RowBuffers {
    pub(super) bytes: Vec<u8>,
    computed: Vec<u8>,
    /// Where each column's field lies; `None` for NULL. Adaptive values are plain.
    pub(super) fields: Vec<Option<(usize, usize)>>,
    pub(super) sort_key: Vec<u8>,
    pub(super) key: Vec<u8>,
    pub(super) value: Vec<u8>,
    pub(super) ends: Vec<u16>,
    pub(super) addresses: Vec<u16>,
}

impl RowBuffers {
    /// A column's field; `None` for NULL.
    pub(crate) fn field(&self, column: usize) -> Option<&[u8]> {
        let (start, end) = self.fields.get(column).copied().flatten()?;
        self.bytes.get(start..end)
    }

    /// The key of the row that was made.
    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    /// The row that was made.
    pub(super) fn row(&self, line: u64) -> NewRow<'_> {
        NewRow {
            sort_key: &self.sort_key,
            key: &self.key,
            value: &self.value,
            addresses: &self.addresses,
            line,
        }
    }
}

impl Input {
    /// The input whose header is `header`.
    pub(crate) fn new(
        schema: &TableSchema,
        header: &RecordView<'_>,
        of: TextOf<'_>,
    ) -> Result<Self, FormatError> {
        let TextOf {
            carried, stored, ..
        } = of;
        let columns = Columns::new(schema)?;
        let origins = named_columns(schema, header, carried)?;
        let mut rules = Rules::new(schema)?;
        if stored {
            rules.trust_stored(schema);
        }
        let mut computed = rules.generated.clone();
        let mut targets = Vec::with_capacity(schema.columns.len());
        for ((position, column), origin) in schema.columns.iter().enumerate().zip(origins) {
            let shown = columns
                .shown
                .iter()
                .find(|shown| shown.position == position);
            let encoding = shown.map_or(column.encoding, |shown| shown.encoding);
            let sql_type = SqlType::parse(&column.sql_type)?;
            let codec = TextCodec::new(&sql_type, encoding).ok_or_else(|| unsupported(column))?;
            let origin = match origin {
                field if column.generated && (column.is_virtual || !stored) => {
                    Origin::Computed(field)
                }
                Some(position) => Origin::Field(position),
                None if carried.is_some()
                    && !column.auto_increment
                    && !column.nullable
                    && column.default.is_empty() =>
                {
                    Origin::Default(Some(zero(column, &codec)?))
                }
                None => match lacking(position, column, &codec, &rules, &mut computed, header)? {
                    Lacking::Text(text) => Origin::Default(text),
                    Lacking::Computed => Origin::Computed(None),
                },
            };
            let may_lack = header.is_json() && matches!(origin, Origin::Field(_));
            let lacking = may_lack.then(|| {
                if column.nullable {
                    // Dolt exports NULL so, and imports it so.
                    return Ok(Lacking::Text(None));
                }
                lacking(position, column, &codec, &rules, &mut computed, header)
            });
            let nullable = column.nullable;
            // Columns of other collations are no keys.
            let collation = Collation::named(sql_type.collation()).unwrap_or_default();
            targets.push(Target {
                name: column.name.clone(),
                origin,
                codec,
                collation,
                nullable,
                counted: column.auto_increment && of.numbered,
                lacking,
            });
        }
        computed.sort_by_key(|computed| computed.column);
        let key_columns: Vec<usize> = schema
            .primary_key
            .iter()
            .copied()
            .map(usize::from)
            .collect();
        let is_value =
            |at: &usize| matches!(columns.sources.get(*at), Some(Some(Source::Value(_))));
        let value_columns = (0..targets.len()).filter(is_value).collect();
        Ok(Self {
            field_count: header.len(),
            targets,
            key_columns,
            value_columns,
            target_row_size: usize::from(schema.target_row_size),
            rules,
            computed,
        })
    }

    /// Whether rows have no key.
    pub(crate) fn keyless(&self) -> bool {
        self.key_columns.is_empty()
    }

    /// The codec of each column, whether it may be NULL, and whether NULL and 0 in it stand for the
    /// next number; if the fields of a record are the columns in their order, and nothing is
    /// computed.
    pub(super) fn in_order(&self) -> Option<Vec<(&TextCodec, bool, bool)>> {
        let in_order =
            self.targets.iter().enumerate().all(
                |(at, target)| matches!(target.origin, Origin::Field(position) if position == at),
            );
        let plain = in_order && self.computed.is_empty() && self.field_count == self.targets.len();
        plain.then(|| {
            let targets = self.targets.iter();
            targets
                .map(|target| (&target.codec, target.nullable, target.counted))
                .collect()
        })
    }

    /// Whether the table demands something of whole rows.
    pub(super) fn demands(&self) -> bool {
        self.rules.demands()
    }

    /// Fails for a row that breaks what the table demands.
    pub(super) fn check(&self, line: u64, buffers: &RowBuffers) -> Result<(), FormatError> {
        self.rules.check(line, buffers)
    }

    /// Makes the sort keys of stored keys.
    pub(crate) fn sort_key(&self) -> SortKey {
        let columns = self.key_columns.iter();
        sort_key_of(
            columns
                .map(|column| (self.encoding(*column), self.collation(*column)))
                .collect(),
        )
    }

    /// An empty line stands for a row of one NULL where there is one column that may be NULL.
    pub(crate) fn empty_line_is_a_row(&self) -> bool {
        matches!(self.targets.as_slice(), [target] if target.nullable)
    }

    /// The encoding of a column's field.
    pub(crate) fn encoding(&self, column: usize) -> u8 {
        self.targets
            .get(column)
            .map_or(0, |target| target.codec.encoding())
    }

    /// How a column's strings are ordered.
    pub(crate) fn collation(&self, column: usize) -> Collation {
        self.targets
            .get(column)
            .map_or_else(Collation::default, |target| target.collation)
    }

    /// Encodes the fields of a record. `next` is the next number of an `AUTO_INCREMENT` column.
    pub(crate) fn encode(
        &self,
        record: &RecordView<'_>,
        next: u64,
        buffers: &mut RowBuffers,
    ) -> Result<(), FormatError> {
        if record.len() != self.field_count {
            return Err(FormatError::BadRecord {
                line: record.line,
                why: format!(
                    "{} fields, the header has {}",
                    record.len(),
                    self.field_count
                ),
            });
        }
        buffers.bytes.clear();
        buffers.fields.clear();
        for target in &self.targets {
            let bad = |text: &[u8], why: String| FormatError::BadValue {
                line: record.line,
                column: target.name.clone(),
                value: shortened(text),
                why,
            };
            let start = buffers.bytes.len();
            let text = match &target.origin {
                Origin::Field(position) => match record.field(*position) {
                    None if record.is_absent(*position) => match target.lacking(record.line)? {
                        Lacking::Text(text) => text.as_deref(),
                        Lacking::Computed => {
                            buffers.fields.push(None);
                            continue;
                        }
                    },
                    text => text,
                },
                Origin::Default(text) => text.as_deref(),
                Origin::Computed(_) => {
                    buffers.fields.push(None);
                    continue;
                }
            };
            let empty_is_null = target.codec.empty_is_null();
            let Some(text) = text.filter(|text| !(text.is_empty() && empty_is_null)) else {
                if target.counted {
                    let pushed = target.push_next(next, &mut buffers.bytes);
                    pushed.map_err(|why| bad(b"", why.into_owned()))?;
                    buffers.fields.push(Some((start, buffers.bytes.len())));
                    continue;
                }
                if !target.nullable {
                    let why = if empty_is_null {
                        "the column is NOT NULL"
                    } else {
                        "the column is NOT NULL; write \"\" for an empty string"
                    };
                    return Err(bad(b"", why.to_owned()));
                }
                buffers.fields.push(None);
                continue;
            };
            let pushed = target.codec.push(text, &mut buffers.bytes);
            pushed.map_err(|why| bad(text, why.into_owned()))?;
            if target.counted && buffers.bytes[start..].iter().all(|byte| *byte == 0) {
                buffers.bytes.truncate(start);
                let pushed = target.push_next(next, &mut buffers.bytes);
                pushed.map_err(|why| bad(text, why.into_owned()))?;
            }
            buffers.fields.push(Some((start, buffers.bytes.len())));
        }
        Ok(())
    }

    /// Replaces a field of the encoded ones; else why the column does not take it.
    pub(crate) fn set(
        &self,
        column: usize,
        field: Option<&[u8]>,
        buffers: &mut RowBuffers,
    ) -> Result<(), String> {
        let target = self.targets.get(column).ok_or("a column is not there")?;
        if let Origin::Computed(_) = target.origin {
            return Err(format!("column {:?} is generated", target.name));
        }
        if field.is_none() && !target.nullable {
            return Err(format!("column {:?} is NOT NULL", target.name));
        }
        let start = buffers.bytes.len();
        buffers.bytes.extend_from_slice(field.unwrap_or_default());
        if let Some(slot) = buffers.fields.get_mut(column) {
            *slot = field.map(|_| (start, buffers.bytes.len()));
        }
        Ok(())
    }

    /// Computes what is computed of the encoded fields, and checks what the table demands, if
    /// that is to be `checked`.
    pub(crate) fn complete(
        &self,
        record: &RecordView<'_>,
        checked: bool,
        buffers: &mut RowBuffers,
    ) -> Result<(), FormatError> {
        let line = record.line;
        for Computed { column, assignment } in &self.computed {
            let Some(target) = self.targets.get(*column) else {
                continue;
            };
            let given = match target.origin {
                // The default of a column that the row has.
                Origin::Field(position) if !record.is_absent(position) => continue,
                Origin::Computed(Some(position)) if !record.is_absent(position) => Some(position),
                _ => None,
            };
            let text = given.and_then(|position| record.field(position));
            let bad = |why: String| FormatError::BadValue {
                line,
                column: target.name.clone(),
                value: shortened(text.unwrap_or_default()),
                why,
            };
            let mut bytes = std::mem::take(&mut buffers.computed);
            bytes.clear();
            let pushed = assignment.push(&|at| self.rules.value(at, buffers), &mut bytes);
            let found = pushed.map_err(|fault| match fault {
                Fault::Refused(why) => bad(format!("the column is computed, and {why}")),
                Fault::Unsupported(why) => FormatError::Unsupported(format!(
                    "line {line}: the computed column {:?}: {why}",
                    target.name
                )),
            })?;
            if !found && !target.nullable {
                return Err(bad(
                    "the column is NOT NULL, and computed as NULL".to_owned()
                ));
            }
            if given.is_some() {
                agrees(target, text, found.then_some(&bytes)).map_err(bad)?;
            }
            let start = buffers.bytes.len();
            buffers.bytes.extend_from_slice(&bytes);
            if let Some(field) = buffers.fields.get_mut(*column) {
                *field = found.then_some((start, start + bytes.len()));
            }
            buffers.computed = bytes;
        }
        if checked {
            self.rules.check(line, buffers)?;
        }
        Ok(())
    }

    /// Makes the row's tuples of the encoded fields; what stands out of band goes to `blobs`.
    pub(crate) fn make_row(
        &self,
        line: u64,
        buffers: &mut RowBuffers,
        blobs: &mut Vec<Chunk>,
    ) -> Result<(), FormatError> {
        let RowBuffers {
            bytes,
            computed: _,
            fields,
            sort_key,
            key,
            value,
            ends,
            addresses,
        } = buffers;
        let field = |column: usize| {
            let (start, end) = fields.get(column).copied().flatten()?;
            bytes.get(start..end)
        };
        sort_key.clear();
        key.clear();
        for column in &self.key_columns {
            push_sort_key(
                self.encoding(*column),
                self.collation(*column),
                field(*column),
                sort_key,
            );
        }
        let too_long = |why: &str| FormatError::BadRecord {
            line,
            why: why.to_owned(),
        };
        let key_fields = self.key_columns.iter().map(|column| field(*column));
        push_tuple(key_fields, key, ends).ok_or_else(|| too_long(KEY_TOO_LONG))?;

        value.clear();
        addresses.clear();
        let head = if self.keyless() { CARDINALITY_LEN } else { 0 };
        let columns: Vec<(u8, Option<&[u8]>)> = self
            .value_columns
            .iter()
            .map(|at| (self.encoding(*at), field(*at)))
            .collect();
        let out_of_band = choose_out_of_band(head, &columns, self.target_row_size);
        ends.clear();
        if head > 0 {
            value.extend_from_slice(&1u64.to_le_bytes());
            ends.push(CARDINALITY_LEN as u16);
        }
        for ((encoding, field), moved) in columns.iter().zip(&out_of_band) {
            if let Some(field) = field {
                push_value_field(*encoding, field, *moved, value, addresses, blobs)?;
            }
            if value.len() > FIELD_BYTES_MAX {
                return Err(too_long(VALUES_TOO_LONG));
            }
            ends.push(value.len() as u16);
        }
        addresses.reverse();
        finish_tuple(value, ends);
        if self.keyless() {
            let hash = xxh3_128(value.get(CARDINALITY_LEN..).unwrap_or_default());
            key.clear();
            key.extend_from_slice(&hash.to_le_bytes());
            sort_key.extend_from_slice(key);
            key.extend_from_slice(&[1, 0]);
        }
        Ok(())
    }

    /// A key for a message: the fields as they would be shown are not at hand, so its bytes.
    pub(crate) fn describe_key(&self, key: &[u8]) -> String {
        let names: Vec<&str> = self
            .key_columns
            .iter()
            .filter_map(|column| self.targets.get(*column))
            .map(|target| target.name.as_str())
            .collect();
        let tuple = Tuple::new(key);
        let values: Vec<String> = self
            .key_columns
            .iter()
            .enumerate()
            .map(|(position, column)| {
                let field = tuple
                    .and_then(|tuple| tuple.field(position))
                    .unwrap_or_default();
                match e::integer(self.encoding(*column), field) {
                    Some(number) if self.encoding(*column) <= e::UINT64 => number.to_string(),
                    _ => {
                        let text = String::from_utf8_lossy(field);
                        let text: String = text.chars().filter(|c| !c.is_control()).collect();
                        format!("{:?}", text.chars().take(40).collect::<String>())
                    }
                }
            })
            .collect();
        format!("({}) = ({})", names.join(", "), values.join(", "))
    }
}

/// What a column gets that the text lacks: all of it, or a row.
fn lacking(
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

/// The position in the header of each column of the table; `None` where it is not named.
fn named_columns(
    schema: &TableSchema,
    header: &RecordView<'_>,
    carried: Option<&[Option<String>]>,
) -> Result<Vec<Option<usize>>, FormatError> {
    let bad = |why: String| FormatError::BadRecord {
        line: header.line,
        why,
    };
    let mut origins: Vec<Option<usize>> = vec![None; schema.columns.len()];
    for position in 0..header.len() {
        let name = header.field(position).unwrap_or_default();
        let name = std::str::from_utf8(name)
            .map_err(|_| bad(format!("the header's field {} is not UTF-8", position + 1)))?
            .trim_end();
        let name = match carried.map(|names| names.get(position)) {
            Some(Some(Some(name))) => name,
            Some(_) => continue,
            None => name,
        };
        let named = |column: &Column| column.name == name && !column.hidden_system;
        let exact = schema.columns.iter().position(named);
        let same = |column: &Column| {
            column.name.to_lowercase() == name.to_lowercase() && !column.hidden_system
        };
        let found = exact.or_else(|| schema.columns.iter().position(same));
        let Some(slot) = found.and_then(|at| origins.get_mut(at)) else {
            let known: Vec<&str> = schema
                .columns
                .iter()
                .filter(|column| !column.hidden_system)
                .map(|column| column.name.as_str())
                .collect();
            return Err(bad(format!(
                "the header names {name:?}, which is no column of the table; its columns are {}",
                known.join(", ")
            )));
        };
        if slot.replace(position).is_some() {
            return Err(bad(format!("the header names column {name:?} twice")));
        }
    }
    Ok(origins)
}

fn unsupported(column: &Column) -> FormatError {
    FormatError::Unsupported(format!(
        "column {:?} has type {}, which pyfs cannot write yet",
        column.name, column.sql_type
    ))
}

/// Whether what stands in the text of a generated column is what is computed.
fn agrees(target: &Target, text: Option<&[u8]>, computed: Option<&Vec<u8>>) -> Result<(), String> {
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

fn shortened(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(64).collect()
}

/// Makes the sort keys of tuples whose fields have these encodings and collations.
pub(crate) fn sort_key_of(fields: Vec<(u8, Collation)>) -> SortKey {
    Arc::new(move |key| {
        let tuple = Tuple::new(key);
        let mut sort_key = Vec::with_capacity(2 * key.len());
        for (position, (encoding, collation)) in fields.iter().enumerate() {
            let field = tuple.and_then(|tuple| tuple.field(position));
            push_sort_key(*encoding, *collation, field, &mut sort_key);
        }
        sort_key
    })
}

/// Appends the tuple of fields that stand in it as they are.
pub(crate) fn push_tuple<'a>(
    fields: impl Iterator<Item = Option<&'a [u8]>>,
    out: &mut Vec<u8>,
    ends: &mut Vec<u16>,
) -> Option<()> {
    let start = out.len();
    ends.clear();
    for field in fields {
        out.extend_from_slice(field.unwrap_or_default());
        let end = out.len() - start;
        if end > FIELD_BYTES_MAX {
            return None;
        }
        ends.push(end as u16);
    }
    finish_tuple(out, ends);
    Some(())
}

/// Which of a tuple's fields stand out of band (dolt: `go/store/val/tuple_builder.go`). `head` is
/// what fields before these weigh.
pub(crate) fn choose_out_of_band(
    head: usize,
    fields: &[(u8, Option<&[u8]>)],
    target: usize,
) -> Vec<bool> {
    let mut moved = vec![false; fields.len()];
    if !fields.iter().any(|(encoding, _)| e::is_adaptive(*encoding)) {
        return moved;
    }
    let mut total = head;
    let mut candidates: Vec<(isize, usize)> = Vec::new();
    for (position, (encoding, field)) in fields.iter().enumerate() {
        let Some(field) = field else { continue };
        let len = field.len();
        if !e::is_adaptive(*encoding) {
            // A year is counted as two bytes, though it takes one.
            total += if *encoding == e::YEAR { 2 } else { len };
            continue;
        }
        total += 1 + len;
        let forced = 1 + len > target;
        moved[position] = forced;
        let kept = if forced {
            varint_len(len as u64) + Address::LEN
        } else {
            OUT_OF_BAND_WEIGHT
        };
        candidates.push((1 + len as isize - kept as isize, position));
    }
    if total > target {
        candidates.retain(|(saving, _)| *saving > 0);
        candidates.sort_by_key(|(saving, _)| std::cmp::Reverse(*saving));
        for (saving, position) in candidates {
            moved[position] = true;
            total -= saving.unsigned_abs();
            if total <= target {
                break;
            }
        }
    }
    moved
}

/// Appends a field of a value tuple. `addresses` gets the position of a chunk address in it.
pub(crate) fn push_value_field(
    encoding: u8,
    field: &[u8],
    moved: bool,
    out: &mut Vec<u8>,
    addresses: &mut Vec<u16>,
    blobs: &mut Vec<Chunk>,
) -> Result<(), FormatError> {
    if !e::is_adaptive(encoding) {
        out.extend_from_slice(field);
        return Ok(());
    }
    if !moved {
        out.push(0);
        out.extend_from_slice(field);
        return Ok(());
    }
    push_varint(field.len() as u64, out);
    let (root, chunks) = blob::build(field)?;
    blobs.extend(chunks);
    addresses.push(out.len().min(usize::from(u16::MAX)) as u16);
    out.extend_from_slice(root.as_bytes());
    Ok(())
}
