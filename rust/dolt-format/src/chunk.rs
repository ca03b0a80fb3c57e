//! `Chunk`: contents proven to match their address.

use bytes::Bytes;

use crate::{Address, FormatError};

/// Immutable contents and their address. Cheap to clone.
///
/// Contents that came from outside become a chunk only through [`Chunk::verify`]; contents made
/// here through [`Chunk::new`], which computes the address. Many at once are hashed together.
#[derive(Clone, PartialEq, Eq)]
pub struct Chunk {
    address: Address,
    contents: Bytes,
}

impl Chunk {
    /// The chunk of contents that were made here.
    pub fn new(contents: impl Into<Bytes>) -> Self {
        let contents = contents.into();
        Self {
            address: Address::of(&contents),
            contents,
        }
    }

    /// The chunks of contents that were made here.
    #[must_use]
    pub fn new_each(contents: Vec<Bytes>) -> Vec<Self> {
        let each: Vec<&[u8]> = contents.iter().map(Bytes::as_ref).collect();
        let addresses = Address::of_each(&each);
        addresses
            .into_iter()
            .zip(contents)
            .map(|(address, contents)| Self { address, contents })
            .collect()
    }

    /// The chunks at `expected`, if all `contents` are what these addresses promise.
    pub fn verify_each(
        expected: &[Address],
        contents: Vec<Bytes>,
    ) -> Result<Vec<Self>, FormatError> {
        let chunks = Self::new_each(contents);
        let wrong = expected.iter().zip(&chunks);
        match wrong
            .into_iter()
            .find(|(expected, chunk)| **expected != chunk.address)
        {
            Some((expected, chunk)) => Err(FormatError::WrongAddress {
                expected: *expected,
                actual: chunk.address,
            }),
            None => Ok(chunks),
        }
    }

    /// The chunk at `expected`, if `contents` are what that address promises.
    pub fn verify(expected: Address, contents: impl Into<Bytes>) -> Result<Self, FormatError> {
        let contents = contents.into();
        let actual = Address::of(&contents);
        if actual != expected {
            return Err(FormatError::WrongAddress { expected, actual });
        }
        Ok(Self {
            address: actual,
            contents,
        })
    }

    /// Where the chunk is found.
    #[must_use]
    pub const fn address(&self) -> Address {
        self.address
    }

    /// The uncompressed bytes.
    #[must_use]
    pub const fn contents(&self) -> &Bytes {
        &self.contents
    }
}

impl std::fmt::Debug for Chunk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chunk({}, {} bytes)", self.address, self.contents.len())
    }
}
