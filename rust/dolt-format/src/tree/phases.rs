//! `Phases`: a traversal that is others, one after the other.

use std::collections::VecDeque;

use super::traversal::Traversal;
use crate::{Address, Chunk, FormatError};

/// What all traversals do, whatever comes out.
pub(crate) trait Steps {
    fn needs(&mut self, limit: usize) -> Vec<Address>;
    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError>;
}

impl<T: Traversal> Steps for T {
    fn needs(&mut self, limit: usize) -> Vec<Address> {
        Traversal::needs(self, limit)
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        Traversal::feed(self, chunks)
    }
}

/// What is done in phases, each of them a traversal.
pub(crate) trait Phases {
    /// The phase that is under way; `None` once all are over.
    fn steps(&mut self) -> Option<&mut dyn Steps>;

    /// Begins the next phase with what came out of this one.
    fn advance(&mut self) -> Result<(), FormatError>;

    /// A chunk that needs not be fetched.
    fn at_hand(&self, _address: &Address) -> Option<Chunk> {
        None
    }
}

/// Leads something through its phases.
#[derive(Debug)]
pub(crate) struct Relay<P> {
    pub(crate) phases: P,
    wanted: VecDeque<Address>,
    outstanding: usize,
}

impl<P: Phases> Relay<P> {
    /// Begins with the phase that `phases` is in.
    pub(crate) fn new(phases: P) -> Result<Self, FormatError> {
        let mut relay = Self {
            phases,
            wanted: VecDeque::new(),
            outstanding: 0,
        };
        relay.go_on()?;
        Ok(relay)
    }

    pub(crate) fn needs(&mut self, limit: usize) -> Vec<Address> {
        let count = limit.min(self.wanted.len());
        self.wanted.drain(..count).collect()
    }

    pub(crate) fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        self.outstanding = self.outstanding.saturating_sub(chunks.len());
        if let Some(steps) = self.phases.steps() {
            steps.feed(chunks)?;
        }
        self.go_on()
    }

    /// Goes on as far as the chunks at hand allow.
    fn go_on(&mut self) -> Result<(), FormatError> {
        while let Some(steps) = self.phases.steps() {
            let needs = steps.needs(usize::MAX);
            let mut at_hand = Vec::new();
            for address in &needs {
                match self.phases.at_hand(address) {
                    Some(chunk) => at_hand.push(chunk),
                    None => self.wanted.push_back(*address),
                }
            }
            self.outstanding += needs.len() - at_hand.len();
            if !at_hand.is_empty() {
                if let Some(steps) = self.phases.steps() {
                    steps.feed(&at_hand)?;
                }
            } else if self.outstanding > 0 {
                return Ok(());
            } else {
                self.phases.advance()?;
            }
        }
        Ok(())
    }
}
