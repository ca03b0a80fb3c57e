//! What is remembered of a text between mounts: the measures of leaves, many in one record.
//!
//! Leaves are grouped by what they are: one in 64 begins a group, by its address. So an edit of a
//! table changes few groups, and a group is found by the leaf it begins with, or by the one that
//! the next one begins with where that first one is what was edited.

use std::collections::HashMap;

use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::extent::TextLayout;
use super::measure::Measure;
use crate::Address;

const ENTRY_LEN: usize = Address::LEN + Measure::LEN;
const CHECKSUM_LEN: usize = size_of::<u64>();

/// A group of leaves, all measured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The leaf it begins with.
    pub first: Address,
    /// The leaf that the next one begins with; the last leaf where there is no next one.
    pub last: Address,
    /// The measures of its leaves, and of `last`, with a checksum.
    pub record: Vec<u8>,
}

/// Whether a group begins with this leaf.
fn begins_group(leaf: Address) -> bool {
    leaf.as_bytes().last().is_some_and(|byte| *byte < 4)
}

impl TextLayout {
    /// The leaves by which measures can be found that the pieces from `offset` on lack: those that
    /// groups begin with, or end with if `by_last`. At most `limit`, each once.
    pub fn unremembered(&mut self, by_last: bool, limit: usize) -> Vec<Address> {
        let mut keys = Vec::new();
        // Where the last one ends is not known before more is expanded, but how it begins.
        let is_open = !self.leading().1 && !by_last;
        for (first, end) in self.groups(self.first_unplaced(), is_open) {
            if keys.len() >= limit {
                break;
            }
            let leaves = self.group_leaves(first, end);
            if leaves.iter().all(|leaf| self.measure(*leaf).is_some()) {
                continue;
            }
            let key = if by_last {
                leaves.last()
            } else {
                leaves.first()
            };
            let Some(key) = key.copied() else { continue };
            if self.note_asked(key, by_last) {
                keys.push(key);
            }
        }
        keys
    }

    /// Takes the measures of a record that was made for `form`; how many were not known.
    /// A record that is damaged, or of another form, is `None`.
    pub fn recall(&mut self, form: &[u8], record: &[u8]) -> Option<usize> {
        let measures = parse(form, record)?;
        let mut count = 0;
        for (leaf, measure) in measures {
            count += usize::from(self.recall_measure(leaf, measure));
        }
        self.advance();
        Some(count)
    }

    /// The groups of which something was measured since the last call, if all of them is known.
    pub fn remember(&mut self, form: &[u8]) -> Vec<Group> {
        let mut groups = Vec::new();
        for (first, end) in self.groups(0, false) {
            let leaves = self.group_leaves(first, end);
            if !leaves.iter().any(|leaf| self.is_fresh(*leaf)) {
                continue;
            }
            let measures: Option<Vec<_>> = leaves
                .iter()
                .map(|leaf| Some((*leaf, self.measure(*leaf)?)))
                .collect();
            let (Some(measures), Some(first), Some(last)) =
                (measures, leaves.first(), leaves.last())
            else {
                continue;
            };
            groups.push(Group {
                first: *first,
                last: *last,
                record: encode(form, &measures),
            });
            self.note_remembered(&leaves);
        }
        groups
    }

    /// The leaves of a group, with the one that the next begins with.
    fn group_leaves(&self, first: usize, last: usize) -> Vec<Address> {
        let (leaves, _) = self.leading();
        let leaves = leaves.get(first..=last).unwrap_or_default();
        leaves.iter().map(|leaf| leaf.address).collect()
    }

    /// The groups of the leading leaves from the one that holds leaf `from` on: positions of their
    /// first and last leaf. With the last one too if `and_open`, whose end is not known.
    fn groups(&self, from: usize, and_open: bool) -> Vec<(usize, usize)> {
        let (leaves, is_all) = self.leading();
        let mut groups = Vec::new();
        let mut first = 0;
        for (at, leaf) in leaves.iter().enumerate().skip(1) {
            if begins_group(leaf.address) {
                if at > from {
                    groups.push((first, at));
                }
                first = at;
            }
        }
        if (is_all || and_open) && !leaves.is_empty() {
            groups.push((first, leaves.len() - 1));
        }
        groups
    }
}

fn encode(form: &[u8], measures: &[(Address, Measure)]) -> Vec<u8> {
    let mut record = Vec::with_capacity(measures.len() * ENTRY_LEN + CHECKSUM_LEN);
    for (leaf, measure) in measures {
        record.extend_from_slice(leaf.as_bytes());
        record.extend_from_slice(&measure.to_bytes());
    }
    let checksum = xxh3_64_with_seed(&record, xxh3_64(form));
    record.extend_from_slice(&checksum.to_le_bytes());
    record
}

fn parse(form: &[u8], record: &[u8]) -> Option<HashMap<Address, Measure>> {
    let (entries, checksum) = record.split_last_chunk::<CHECKSUM_LEN>()?;
    if xxh3_64_with_seed(entries, xxh3_64(form)) != u64::from_le_bytes(*checksum) {
        return None;
    }
    let (entries, rest) = entries.as_chunks::<ENTRY_LEN>();
    if !rest.is_empty() {
        return None;
    }
    let parsed = entries.iter().map(|entry| {
        let (leaf, measure) = entry.split_at(Address::LEN);
        Some((
            Address::try_from(leaf).ok()?,
            Measure::from_bytes(measure).ok()?,
        ))
    });
    parsed.collect()
}
