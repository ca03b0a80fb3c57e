//! `OldText`: the text that a new one replaces, leaf by leaf, to pass over what stayed the same.
//!
//! The new text is held against the old leaves in order. Where it differs, its records are read one
//! by one until a line is the first of a later leaf whose whole text then follows.

use std::collections::HashMap;

use crate::Address;
use crate::csv::measure::{Measure, hash_of_first_line};
use crate::csv::parse::Boundary;

/// The leaves of an old text, and how far a new one has come among them.
#[derive(Debug, Default)]
pub(crate) struct OldText {
    header: Vec<u8>,
    leaves: Vec<(Address, Measure)>,
    by_first_line: HashMap<u64, usize>,
    state: State,
    /// The first leaf that may still be found.
    next: usize,
    kept: usize,
    /// Leaves whose text the new text does not have.
    replaced: Vec<Address>,
    /// Bytes of their text.
    replaced_bytes: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum State {
    /// The header is still to come.
    Start,
    /// What comes next should be the next leaf.
    InStep,
    /// Something differs.
    Searching,
    /// Another header, or rows that are read in any case.
    #[default]
    Off,
}

impl OldText {
    /// The text with this header line and these leaves in order.
    pub(crate) fn new(header: Vec<u8>, leaves: Vec<(Address, Measure)>) -> Self {
        // A key stands in one row, so that first lines differ; were two equal, one would do.
        let by_first_line = leaves.iter().enumerate().rev();
        let by_first_line = by_first_line
            .map(|(at, (_, measure))| (measure.first_line(), at))
            .collect();
        // Where the text names no columns, its first line is of the first leaf.
        let state = if header.is_empty() {
            State::InStep
        } else {
            State::Start
        };
        Self {
            header,
            leaves,
            by_first_line,
            state,
            next: 0,
            kept: 0,
            replaced: Vec::new(),
            replaced_bytes: 0,
        }
    }

    /// A text of which nothing is to be passed over; its leaves, as far as they are known.
    pub(crate) fn read_whole(leaves: Vec<(Address, Measure)>) -> Self {
        Self {
            leaves,
            ..Self::default()
        }
    }

    /// What to do where a record starts, at the start of `rest`.
    pub(crate) fn at_boundary(&mut self, rest: &[u8], at_end: bool) -> Boundary {
        match self.state {
            State::Off => Boundary::Record,
            State::Start => {
                if rest.starts_with(&self.header) {
                    self.state = State::InStep;
                } else if rest.len() < self.header.len() && !at_end {
                    return Boundary::Wait;
                } else {
                    self.state = State::Off;
                }
                Boundary::Record
            }
            State::InStep => match self.compare(self.next, rest, at_end) {
                Boundary::Record => {
                    self.state = State::Searching;
                    self.search(rest, at_end)
                }
                found => found,
            },
            State::Searching => self.search(rest, at_end),
        }
    }

    fn search(&mut self, rest: &[u8], at_end: bool) -> Boundary {
        let found = hash_of_first_line(rest).and_then(|hash| self.by_first_line.get(&hash));
        match found {
            Some(leaf) if *leaf >= self.next => self.compare(*leaf, rest, at_end),
            _ => Boundary::Record,
        }
    }

    fn compare(&mut self, leaf: usize, rest: &[u8], at_end: bool) -> Boundary {
        let Some((_, measure)) = self.leaves.get(leaf) else {
            return Boundary::Record;
        };
        let len = usize::try_from(measure.length).unwrap_or(usize::MAX);
        match rest.get(..len) {
            Some(text) if measure.matches(text) => {
                self.replace_up_to(leaf);
                self.next = leaf + 1;
                self.kept += 1;
                self.state = State::InStep;
                Boundary::Skip(len)
            }
            None if !at_end => Boundary::Wait,
            _ => Boundary::Record,
        }
    }

    fn replace_up_to(&mut self, leaf: usize) {
        let passed = self.leaves.get(self.next..leaf).unwrap_or_default();
        self.replaced
            .extend(passed.iter().map(|(address, _)| *address));
        self.replaced_bytes += length_of(passed);
    }

    /// Bytes of old text that the new text does not have; of all that is left of it, too, if the
    /// new one is at its end.
    pub(crate) fn replaced_bytes(&self, at_end: bool) -> u64 {
        let rest = self.leaves.get(self.next..).unwrap_or_default();
        self.replaced_bytes + if at_end { length_of(rest) } else { 0 }
    }

    /// The leaves that the new text does not have, once it has ended; `None` if it has none of
    /// them.
    pub(crate) fn finish(mut self) -> Option<Vec<Address>> {
        self.replace_up_to(self.leaves.len());
        (self.kept > 0).then_some(self.replaced)
    }
}

fn length_of(leaves: &[(Address, Measure)]) -> u64 {
    leaves.iter().map(|(_, measure)| measure.length).sum()
}
