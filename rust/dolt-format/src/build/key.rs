//! Tuples of keys, and how they are ordered.

use std::sync::Arc;

use crate::tree::probe::SortKey;
use crate::value::collation::Collation;
use crate::value::sort_key::push_sort_key;
use crate::value::tuple::{FIELD_BYTES_MAX, Tuple, finish_tuple};

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
