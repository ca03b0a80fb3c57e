//! `Pieces`: the texts of leaves, many in one.

use super::measure::Measure;
use super::render::Render;
use crate::FormatError;

/// The texts of some leaves, in pieces of so many leaves each.
#[derive(Debug, Default)]
pub struct Pieces {
    /// The text of each piece.
    pub texts: Vec<Vec<u8>>,
    /// What the text of each leaf measures.
    pub measures: Vec<Measure>,
}

impl Render {
    /// The texts of the leaves in pieces of `leaves_per_piece`. Called instead of `result`.
    pub fn pieces(&mut self, leaves_per_piece: usize) -> Result<Pieces, FormatError> {
        let mut pieces = Pieces::default();
        // Neighbours are of much the same length.
        let mut room = 0;
        for leaves in self.leaves.chunks(leaves_per_piece) {
            let stored: usize = leaves.iter().map(|leaf| leaf.message().len()).sum();
            let mut text = Vec::with_capacity(room.max(stored));
            for leaf in leaves {
                let start = text.len();
                self.renderer.render(leaf, &self.values, &mut text)?;
                let own = text.get(start..).unwrap_or_default();
                pieces.measures.push(Measure::of(own));
            }
            room = text.len() + text.len() / 16;
            text.shrink_to(room);
            pieces.texts.push(text);
        }
        Ok(pieces)
    }
}
