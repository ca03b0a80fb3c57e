//! `Together`: several traversals at once, so that they share their round trips.

use std::collections::HashMap;

use super::traversal::Traversal;
use crate::{Address, Chunk, FormatError};

/// Runs traversals side by side; a chunk that several of them want is asked for once.
#[derive(Debug)]
pub struct Together<T> {
    parts: Vec<T>,
    asked: HashMap<Address, Vec<usize>>,
}

impl<T: Traversal> Together<T> {
    /// Runs `parts`.
    #[must_use]
    pub fn new(parts: Vec<T>) -> Self {
        Self {
            parts,
            asked: HashMap::new(),
        }
    }
}

impl<T: Traversal> Traversal for Together<T> {
    type Output = Vec<T::Output>;

    fn needs(&mut self, limit: usize) -> Vec<Address> {
        let mut needs = Vec::new();
        for (number, part) in self.parts.iter_mut().enumerate() {
            for address in part.needs(limit.saturating_sub(needs.len())) {
                let askers = self.asked.entry(address).or_default();
                if askers.is_empty() {
                    needs.push(address);
                }
                askers.push(number);
            }
        }
        needs
    }

    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError> {
        for chunk in chunks {
            let address = chunk.address();
            let askers = self.asked.remove(&address).ok_or_else(|| {
                FormatError::corrupt(format!("chunk {address}"), "it was not asked for")
            })?;
            for number in askers {
                if let Some(part) = self.parts.get_mut(number) {
                    part.feed(std::slice::from_ref(chunk))?;
                }
            }
        }
        Ok(())
    }

    fn result(&mut self) -> Result<Self::Output, FormatError> {
        self.parts.iter_mut().map(Traversal::result).collect()
    }
}
