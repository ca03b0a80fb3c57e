//! `Input`: from the fields of a record to the tuples of a row.

use xxhash_rust::xxh3::xxh3_128;

use super::default::zero;
use super::header::named_columns;
use super::key::{push_tuple, sort_key_of};
use super::moment::Moment;
use super::out_of_band::{choose_out_of_band, push_value_field};
use super::row_buffers::RowBuffers;
use super::rules::{Computed, Rules};
use super::target::{Lacking, Origin, Target, agrees, lacking, unsupported};
use crate::csv::columns::{Columns, Source};
use crate::csv::record::RecordView;
use crate::expression::Fault;
use crate::message::schema::{Column, TableSchema};
use crate::tree::probe::SortKey;
use crate::value::collation::Collation;
use crate::value::conversion::Conversion;
use crate::value::encoding as e;
use crate::value::from_text::TextCodec;
use crate::value::sort_key::push_sort_key;
use crate::value::sql_type::SqlType;
use crate::value::tuple::{FIELD_BYTES_MAX, Tuple, finish_tuple};
use crate::{Chunk, FormatError};

const CARDINALITY_LEN: usize = 8;
pub(super) const KEY_TOO_LONG: &str = "its key is too long";
pub(super) const VALUES_TOO_LONG: &str = "its values take more than 65,504 bytes together";

/// A field of a text of stored rows that get a new form.
#[derive(Debug, Clone)]
pub(crate) struct Carried {
    /// The column of the table that it is of.
    pub(crate) name: String,
    /// How its values are converted; by their text, where there is none.
    pub(crate) conversion: Option<Conversion>,
}

/// Whose text it is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TextOf<'a> {
    /// Where the text is of stored rows that get a new form: the column of the table that each
    /// field is of, or none for a field that is dropped.
    pub(crate) carried: Option<&'a [Option<Carried>]>,
    /// When they get it.
    pub(crate) moment: Option<Moment>,
    /// Rows that are stored already are taken as they are: dolt lets some in that break the rules.
    pub(crate) stored: bool,
    /// Whether NULL and 0 stand for the next number of an `AUTO_INCREMENT` column.
    pub(crate) numbered: bool,
}

/// Decides about a value of a column that does not take it: fails, or lets it pass.
pub(crate) type Refuse<'a> =
    dyn FnMut(usize, Option<&[u8]>, FormatError) -> Result<(), FormatError> + 'a;
impl TextOf<'_> {
    /// Stored rows have no header that could name the column.
    fn lacking(&self, column: &Column, error: FormatError) -> FormatError {
        if self.carried.is_none() {
            return error;
        }
        FormatError::Unsupported(format!(
            "column {:?}: pyfs cannot compute its default {} for the rows that are there; add the \
             column without it and set it after, or add it with dolt",
            column.name, column.default
        ))
    }

    /// Where a column gets its values whose default differs each time.
    fn at_moment(&self, column: &Column, sql_type: &SqlType) -> Option<Origin> {
        let moment = self.moment.as_ref()?;
        if Moment::is_uuid(&column.default, sql_type) {
            return Some(Origin::Uuid(*moment));
        }
        let text = moment.time(&column.default, sql_type)?;
        Some(Origin::Default(Some(text)))
    }
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
                    Origin::Same(zero(column, &codec)?)
                }
                None if let Some(origin) = of.at_moment(column, &sql_type) => origin,
                None => match lacking(position, column, &codec, &rules, &mut computed, header)
                    .map_err(|error| of.lacking(column, error))?
                {
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
            let conversion = match (&origin, carried) {
                (Origin::Field(position), Some(carried)) => {
                    let field = carried.get(*position).and_then(Option::as_ref);
                    field.and_then(|field| field.conversion.clone())
                }
                _ => None,
            };
            let nullable = column.nullable;
            // Columns of other collations are no keys.
            let collation = Collation::named(sql_type.collation()).unwrap_or_default();
            targets.push(Target {
                name: column.name.clone(),
                origin,
                codec,
                conversion,
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
        let in_order = self.targets.iter().enumerate().all(|(at, target)| {
            matches!(target.origin, Origin::Field(position) if position == at)
                && target.conversion.is_none()
        });
        let plain = in_order && self.computed.is_empty() && self.field_count == self.targets.len();
        plain.then(|| {
            let targets = self.targets.iter();
            targets
                .map(|target| (&target.codec, target.nullable, target.counted))
                .collect()
        })
    }

    /// Whether the text of every row that dolt stores gives that row again, where it is taken.
    pub(super) fn is_exact(&self) -> bool {
        self.targets.iter().all(|target| target.codec.is_exact())
    }

    /// How a column's text becomes a field, where it is not computed.
    pub(super) fn codec(&self, column: usize) -> Option<&TextCodec> {
        self.targets.get(column).map(|target| &target.codec)
    }

    /// Which field of a record is of a computed column, and given all the same.
    pub(super) fn given(&self, column: usize, record: &RecordView<'_>) -> Option<usize> {
        match self.targets.get(column)?.origin {
            Origin::Computed(Some(position)) if !record.is_absent(position) => Some(position),
            _ => None,
        }
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
    ///
    /// `refuse` is told of each value that its column does not take, as NULL or as text, and why;
    /// where it does not fail, NULL stands in its place.
    pub(crate) fn encode(
        &self,
        record: &RecordView<'_>,
        next: u64,
        buffers: &mut RowBuffers,
        refuse: &mut Refuse<'_>,
    ) -> Result<(), FormatError> {
        record.check_len(self.field_count)?;
        buffers.bytes.clear();
        buffers.fields.clear();
        for (column, target) in self.targets.iter().enumerate() {
            let bad = |text: &[u8], why: String| FormatError::BadValue {
                line: record.line,
                column: target.name.clone(),
                value: shortened(text),
                why,
            };
            let start = buffers.bytes.len();
            let uuid;
            let text = match &target.origin {
                Origin::Same(field) => {
                    buffers.bytes.extend_from_slice(field);
                    buffers.fields.push(Some((start, buffers.bytes.len())));
                    continue;
                }
                Origin::Uuid(moment) => {
                    uuid = moment.uuid(record.line);
                    Some(uuid.as_bytes())
                }
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
            if let (Some(conversion), Some(text)) = (&target.conversion, text) {
                let pushed = conversion.push(text, &mut buffers.bytes);
                let found = pushed.map_err(|why| bad(text, why.into_owned()))?;
                if !found && !target.nullable {
                    let why = "it becomes NULL, and the column is NOT NULL";
                    return Err(bad(text, why.to_owned()));
                }
                let field = (start, buffers.bytes.len());
                buffers.fields.push(found.then_some(field));
                continue;
            }
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
                    refuse(column, None, bad(b"", why.to_owned()))?;
                }
                buffers.fields.push(None);
                continue;
            };
            if let Err(why) = target.codec.push(text, &mut buffers.bytes) {
                refuse(column, Some(text), bad(text, why.into_owned()))?;
                buffers.bytes.truncate(start);
                buffers.fields.push(None);
                continue;
            }
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
        buffers.replace_field(column, field);
        Ok(())
    }

    /// Computes what is computed of the encoded fields, and checks what the table demands, if
    /// that is to be `checked`. What `record` says of computed columns has to agree.
    pub(crate) fn complete(
        &self,
        line: u64,
        record: Option<&RecordView<'_>>,
        checked: bool,
        buffers: &mut RowBuffers,
    ) -> Result<(), FormatError> {
        let is_absent = |at: usize| record.is_some_and(|record| record.is_absent(at));
        for Computed { column, assignment } in &self.computed {
            let Some(target) = self.targets.get(*column) else {
                continue;
            };
            let given = match target.origin {
                // The default of a column that the row has.
                Origin::Field(position) if !is_absent(position) => continue,
                Origin::Computed(Some(position)) if record.is_some() && !is_absent(position) => {
                    Some(position)
                }
                _ => None,
            };
            let text = given.and_then(|position| record?.field(position));
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

    /// A key for a message: its columns, and its fields as the text shows them.
    pub(crate) fn describe_key(&self, key: &[u8]) -> String {
        let columns = self.key_columns.iter();
        let targets = columns.filter_map(|column| self.targets.get(*column));
        let names: Vec<&str> = targets.clone().map(|target| target.name.as_str()).collect();
        let tuple = Tuple::new(key);
        let values: Vec<String> = targets
            .enumerate()
            .map(|(position, target)| {
                let field = tuple.and_then(|tuple| tuple.field(position));
                let shown = target.codec.show(field.unwrap_or_default());
                if target.codec.encoding() <= e::UINT64 {
                    return shown;
                }
                let shown = shown.chars().filter(|c| !c.is_control());
                format!("{:?}", shown.take(40).collect::<String>())
            })
            .collect();
        format!("({}) = ({})", names.join(", "), values.join(", "))
    }
}

fn shortened(text: &[u8]) -> String {
    String::from_utf8_lossy(text).chars().take(64).collect()
}
