//! `Traversal`: an algorithm that says which chunks it needs and is fed them.

use crate::{Address, Chunk, FormatError};

/// An algorithm over chunks that someone else fetches.
///
/// The contract: [`needs`](Self::needs) hands out each address once, in order of use, as far as
/// it is known; [`feed`](Self::feed) takes what was handed out, in any portions and any order.
/// Nothing handed out and nothing outstanding means done. A failed `feed` ends the traversal.
pub trait Traversal {
    /// What comes out in the end.
    type Output;

    /// At most `limit` addresses to be fetched next. Empty while chunks are outstanding means
    /// "feed first"; empty with nothing outstanding means done.
    fn needs(&mut self, limit: usize) -> Vec<Address>;

    /// Takes chunks that were asked for.
    fn feed(&mut self, chunks: &[Chunk]) -> Result<(), FormatError>;

    /// The result, once there are no needs left. Called once.
    fn result(&mut self) -> Result<Self::Output, FormatError>;
}
