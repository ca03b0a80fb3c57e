//! `Address`: 20 bytes of SHA-512, printed in Dolt's base32.

use std::fmt;
use std::str::FromStr;

use sha512_lanes::{Digest, digest, digests};

use crate::FormatError;

const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";

/// The address of a chunk: the first 20 bytes of the SHA-512 of its contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Address([u8; Self::LEN]);

impl Address {
    /// Bytes of an address.
    pub const LEN: usize = 20;
    /// Characters of an address in text: 160 bits, 5 a character.
    pub const TEXT_LEN: usize = 32;
    /// The address that stands for "none": 20 zero bytes.
    pub const EMPTY: Self = Self([0; Self::LEN]);

    /// The address of `contents`.
    #[must_use]
    pub fn of(contents: &[u8]) -> Self {
        Self::of_digest(&digest(contents))
    }

    /// The address of each of `contents`: several times as fast as one by one.
    #[must_use]
    pub fn of_each(contents: &[&[u8]]) -> Vec<Self> {
        digests(contents).iter().map(Self::of_digest).collect()
    }

    fn of_digest(digest: &Digest) -> Self {
        let (raw, _) = digest.split_first_chunk().expect("a digest has 64 bytes");
        Self(*raw)
    }

    /// The address whose raw bytes these are.
    #[must_use]
    pub const fn new(raw: [u8; Self::LEN]) -> Self {
        Self(raw)
    }

    /// The raw bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Whether this is the address that stands for "none".
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The first 8 bytes as a big-endian number: what an index sorts by.
    #[must_use]
    pub fn prefix(&self) -> u64 {
        let (prefix, _) = self.0.split_first_chunk().expect("LEN > 8");
        u64::from_be_bytes(*prefix)
    }

    /// The 12 bytes after the prefix.
    #[must_use]
    pub fn suffix(&self) -> &[u8] {
        self.0.split_at(8).1
    }
}

impl TryFrom<&[u8]> for Address {
    type Error = FormatError;

    fn try_from(raw: &[u8]) -> Result<Self, FormatError> {
        let raw = raw.try_into().map_err(|_| {
            FormatError::corrupt(
                "address",
                format!("{} bytes, expected {}", raw.len(), Self::LEN),
            )
        })?;
        Ok(Self(raw))
    }
}

impl FromStr for Address {
    type Err = FormatError;

    fn from_str(text: &str) -> Result<Self, FormatError> {
        let wrong = || FormatError::NotAnAddress {
            text: text.chars().take(64).collect(),
        };
        if text.len() != Self::TEXT_LEN {
            return Err(wrong());
        }
        let mut raw = [0; Self::LEN];
        // 8 characters are 40 bits are 5 bytes.
        for (group, bytes) in text.as_bytes().chunks_exact(8).zip(raw.chunks_exact_mut(5)) {
            let mut bits = 0u64;
            for character in group {
                let digit = match character {
                    b'0'..=b'9' => character - b'0',
                    b'a'..=b'v' => character - b'a' + 10,
                    _ => return Err(wrong()),
                };
                bits = bits << 5 | u64::from(digit);
            }
            bytes.copy_from_slice(bits.to_be_bytes().split_at(3).1);
        }
        Ok(Self(raw))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(Self::TEXT_LEN);
        for group in self.0.chunks_exact(5) {
            let bits = group
                .iter()
                .fold(0u64, |bits, byte| bits << 8 | u64::from(*byte));
            for shift in (0..8).rev() {
                let digit = (bits >> (5 * shift)) & 31;
                let character = usize::try_from(digit).ok().and_then(|d| ALPHABET.get(d));
                text.push(char::from(
                    *character.expect("five bits index 32 characters"),
                ));
            }
        }
        f.pad(&text)
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_dolt_does() {
        assert_eq!(
            Address::of(b"abc").to_string(),
            "rmnjb8cjc5tblj21ed4qs821649eduie"
        );
        assert_eq!(
            Address::of(b"hello dolt").to_string(),
            "culugoool1a06s8it4he4fqq8ptj48pt"
        );
        assert_eq!(Address::EMPTY.to_string(), "0".repeat(32));
    }

    #[test]
    fn parses_what_it_prints() {
        let address = Address::of(b"hello dolt");
        assert_eq!(address.to_string().parse(), Ok(address));
    }

    #[test]
    fn refuses_what_dolt_refuses() {
        for text in [
            "",
            "culugoool1a06s8it4he4fqq8ptj48p",
            "CULUGOOOL1A06S8IT4HE4FQQ8PTJ48PT",
        ] {
            assert!(text.parse::<Address>().is_err(), "{text}");
        }
    }
}
