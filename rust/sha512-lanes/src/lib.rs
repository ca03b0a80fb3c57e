//! SHA-512 of many messages at once, one in each lane of a vector register.
//!
//! One message alone is hashed block after block, and each round waits for the one before. Messages
//! that have nothing to do with each other fill the lanes of wide registers: eight with AVX-512, four
//! with AVX2. Where the processor has neither, each is hashed alone.
//!
//! The only unsafe code is the calls of functions that need those instructions, once the processor
//! said that it has them, and the change between vectors and arrays of the same bits.

#[cfg(target_arch = "x86_64")]
mod lanes;
#[cfg(target_arch = "x86_64")]
mod x86;

use sha2::{Digest as _, Sha512};

/// A SHA-512 digest.
pub type Digest = [u8; 64];

/// The digest of one message.
#[must_use]
pub fn digest(message: &[u8]) -> Digest {
    Sha512::digest(message).into()
}

/// The digest of each message, in their order.
#[must_use]
pub fn digests(messages: &[&[u8]]) -> Vec<Digest> {
    #[cfg(target_arch = "x86_64")]
    if messages.len() > 1 {
        if is_x86_feature_detected!("avx512f") {
            // SAFETY: the processor has what the function needs.
            return lanes::digests(messages, |state, block| unsafe {
                x86::avx512::compress(state, block);
            });
        }
        if is_x86_feature_detected!("avx2") {
            // SAFETY: as above.
            return lanes::digests(messages, |state, block| unsafe {
                x86::avx2::compress(state, block);
            });
        }
    }
    messages.iter().map(|message| digest(message)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages() -> Vec<Vec<u8>> {
        let lens = (0..300).chain([511, 4096, 4097, 70_000]);
        lens.map(|len| (0..len).map(|at| (at * 31 + len) as u8).collect())
            .collect()
    }

    fn check(hash: impl Fn(&[&[u8]]) -> Vec<Digest>) {
        let messages = messages();
        for count in [0, 1, 2, 3, 5, 8, 9, 17, messages.len()] {
            let some: Vec<&[u8]> = messages
                .iter()
                .rev()
                .take(count)
                .map(Vec::as_slice)
                .collect();
            let alone: Vec<Digest> = some.iter().map(|message| digest(message)).collect();
            assert_eq!(hash(&some), alone, "{count} messages");
        }
    }

    #[test]
    fn lanes_give_what_each_message_gives_alone() {
        check(digests);
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    fn so_do_those_of_older_processors() {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has what the function needs.
            let compress = |state: &mut _, block: &_| unsafe { x86::avx2::compress(state, block) };
            check(|messages| lanes::digests(messages, compress));
        }
    }
}
