//! Messages in lanes: which block of which message goes into which lane.

use crate::Digest;

pub(crate) const BLOCK: usize = 128;

/// A word of each lane.
pub(crate) type Words<const N: usize> = [u64; N];

const INITIAL: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

/// A message on its way through a lane.
struct Lane<'a> {
    /// Its place among the messages.
    at: usize,
    /// Its whole blocks that are left.
    blocks: &'a [[u8; BLOCK]],
    /// What is behind its whole blocks, padded; where that is one block, it is the second.
    tail: [[u8; BLOCK]; 2],
    /// Blocks of the tail that are left; without any the lane is idle.
    tail_left: usize,
}

impl<'a> Lane<'a> {
    const IDLE: Self = Self {
        at: 0,
        blocks: &[],
        tail: [[0; BLOCK]; 2],
        tail_left: 0,
    };

    fn begin(&mut self, at: usize, message: &'a [u8]) {
        let (blocks, rest) = message.as_chunks::<BLOCK>();
        self.at = at;
        self.blocks = blocks;
        // Sixteen bytes for the number of bits, of which there are fewer than 2^64.
        self.tail_left = if rest.len() < BLOCK - 16 { 1 } else { 2 };
        let tail = &mut self.tail.as_flattened_mut()[BLOCK * (2 - self.tail_left)..];
        tail.fill(0);
        tail[..rest.len()].copy_from_slice(rest);
        tail[rest.len()] = 0x80;
        let bits = (message.len() as u64) << 3;
        self.tail[1][BLOCK - 8..].copy_from_slice(&bits.to_be_bytes());
    }

    fn is_idle(&self) -> bool {
        self.tail_left == 0
    }

    fn block(&self) -> &[u8; BLOCK] {
        let tail = || &self.tail[2 - self.tail_left.clamp(1, 2)];
        self.blocks.first().unwrap_or_else(tail)
    }

    /// Passes over the block.
    fn advance(&mut self) {
        match self.blocks.split_first() {
            Some((_, rest)) => self.blocks = rest,
            None => self.tail_left -= 1,
        }
    }
}

/// The digest of each message, `N` at a time. `compress` takes a block of each lane, as sixteen
/// words, into the state.
pub(crate) fn digests<const N: usize>(
    messages: &[&[u8]],
    compress: impl Fn(&mut [Words<N>; 8], &[Words<N>; 16]),
) -> Vec<Digest> {
    let mut digests = vec![[0; 64]; messages.len()];
    let mut waiting = messages.iter().enumerate();
    let mut lanes = [Lane::IDLE; N];
    let mut state = [[0; N]; 8];
    let mut block = [[0; N]; 16];
    loop {
        let mut busy = 0;
        for (number, lane) in lanes.iter_mut().enumerate() {
            if lane.is_idle() {
                let Some((at, message)) = waiting.next() else {
                    continue;
                };
                lane.begin(at, message);
                for (words, initial) in state.iter_mut().zip(INITIAL) {
                    words[number] = initial;
                }
            }
            busy += 1;
            let (words, _) = lane.block().as_chunks::<8>();
            for (to, word) in block.iter_mut().zip(words) {
                to[number] = u64::from_be_bytes(*word);
            }
        }
        if busy == 0 {
            return digests;
        }
        compress(&mut state, &block);
        for (number, lane) in lanes.iter_mut().enumerate() {
            if lane.is_idle() {
                continue;
            }
            lane.advance();
            if lane.is_idle() {
                let (words, _) = digests[lane.at].as_chunks_mut::<8>();
                for (word, state) in words.iter_mut().zip(&state) {
                    *word = state[number].to_be_bytes();
                }
            }
        }
    }
}
