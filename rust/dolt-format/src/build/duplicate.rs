//! Keys that stand in two rows.

use super::arena::Arena;
use super::input::Input;
use crate::FormatError;

/// Fails where two rows of the sorted `arena` have one key.
pub(super) fn check_keys(arena: &Arena, input: &Input) -> Result<(), FormatError> {
    let mut last: Option<(&[u8], u64)> = None;
    for row in arena.rows() {
        if let Some((sort_key, line)) = last
            && sort_key == row.sort_key
        {
            return Err(duplicate(input, row.key, row.line, line));
        }
        last = Some((row.sort_key, row.line));
    }
    Ok(())
}

/// The error for a key that stands on two lines.
pub(super) fn duplicate(input: &Input, key: &[u8], one: u64, other: u64) -> FormatError {
    FormatError::DuplicateKey {
        line: one.max(other),
        why: format!(
            "the primary key {} stands on line {} already",
            input.describe_key(key),
            one.min(other)
        ),
    }
}
