//! `Measure`: what is remembered of a leaf's text: its length, and enough to find it elsewhere.

use xxhash_rust::xxh3::xxh3_64;

use crate::FormatError;

/// What is remembered of the text of one leaf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measure {
    /// Its bytes.
    pub length: u64,
    /// A hash of its first line, to find candidates.
    first_line: u64,
    /// A cryptographic hash of all of it, to decide.
    digest: [u8; Self::DIGEST_LEN],
}

impl Measure {
    const DIGEST_LEN: usize = 16;
    /// Bytes of a measure.
    pub const LEN: usize = 8 + 8 + Self::DIGEST_LEN;

    /// The measure of a text.
    #[must_use]
    pub fn of(text: &[u8]) -> Self {
        Self {
            length: text.len() as u64,
            first_line: hash_of_first_line(text).unwrap_or_default(),
            digest: digest(text),
        }
    }

    /// The measure of a text of which only the length is known: it is found in no other.
    #[must_use]
    pub fn of_length(length: u64) -> Self {
        Self {
            length,
            ..Self::default()
        }
    }

    /// Whether it is known what the text says, and not only its length.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.digest != [0; Self::DIGEST_LEN]
    }

    pub(crate) const fn first_line(&self) -> u64 {
        self.first_line
    }

    /// Whether `text`, of the right length, is the text that was measured.
    pub(crate) fn matches(&self, text: &[u8]) -> bool {
        self.is_complete() && self.digest == digest(text)
    }

    /// As bytes, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut raw = [0; Self::LEN];
        raw[..8].copy_from_slice(&self.length.to_le_bytes());
        raw[8..16].copy_from_slice(&self.first_line.to_le_bytes());
        raw[16..].copy_from_slice(&self.digest);
        raw
    }

    /// What [`Self::to_bytes`] made.
    pub fn from_bytes(raw: &[u8]) -> Result<Self, FormatError> {
        let wrong = || FormatError::corrupt("measure", format!("{} bytes", raw.len()));
        let (length, rest) = raw.split_first_chunk::<8>().ok_or_else(wrong)?;
        let (first_line, rest) = rest.split_first_chunk::<8>().ok_or_else(wrong)?;
        Ok(Self {
            length: u64::from_le_bytes(*length),
            first_line: u64::from_le_bytes(*first_line),
            digest: rest.try_into().map_err(|_| wrong())?,
        })
    }
}

fn digest(text: &[u8]) -> [u8; Measure::DIGEST_LEN] {
    let mut digest = [0; Measure::DIGEST_LEN];
    digest.copy_from_slice(&blake3::hash(text).as_bytes()[..Measure::DIGEST_LEN]);
    digest
}

/// A hash of the text up to and with its first line end; `None` where there is none.
pub(crate) fn hash_of_first_line(text: &[u8]) -> Option<u64> {
    let end = memchr::memchr(b'\n', text)?;
    Some(xxh3_64(&text[..=end]))
}
