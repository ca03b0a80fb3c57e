//! Where in a storage file a chunk belongs.

use crate::message::node;

/// Kinds of leaves: those of one tree are of one kind, those of others mostly of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind {
    file_id: [u8; 4],
    /// The numbers of fields of its last key and value.
    fields: [[u8; 2]; 2],
}

/// Where a chunk belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Among the leaves of its kind.
    Leaf(Kind),
    /// Above them, the lower numbers first.
    Upper(u8),
}

/// Above every level of a tree.
const TOP: u8 = node::LEVELS_MAX;

pub(super) fn place_of(contents: &[u8]) -> Place {
    let Some(glance) = node::glance(contents) else {
        return Place::Upper(TOP);
    };
    if glance.level > 0 {
        return Place::Upper(glance.level.min(TOP));
    }
    let fields = |tuples: &[u8]| tuples.last_chunk().copied().unwrap_or_default();
    Place::Leaf(Kind {
        file_id: glance.file_id,
        fields: [fields(glance.keys), fields(glance.values)],
    })
}
