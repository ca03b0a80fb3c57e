//! `ChunkCache`: chunks in memory, bounded in bytes, least recently used out first.

use std::collections::{HashMap, VecDeque};

use crate::{Address, Chunk};

/// What a cached chunk costs besides its contents.
const OVERHEAD_LEN: usize = 200;

/// Chunks by address.
#[derive(Debug)]
pub struct ChunkCache {
    bytes_max: usize,
    bytes: usize,
    /// Each with the number of its last use.
    chunks: HashMap<Address, (Chunk, u64)>,
    /// Uses in order. One that is not a chunk's last is passed over.
    uses: VecDeque<(Address, u64)>,
    last_use: u64,
}

impl ChunkCache {
    /// A cache of at most `bytes_max` bytes.
    #[must_use]
    pub fn new(bytes_max: usize) -> Self {
        Self {
            bytes_max,
            bytes: 0,
            chunks: HashMap::new(),
            uses: VecDeque::new(),
            last_use: 0,
        }
    }

    /// The chunk at `address`, if it is here; it is now the most recently used.
    pub fn get(&mut self, address: Address) -> Option<Chunk> {
        let number = self.last_use + 1;
        let (chunk, used) = self.chunks.get_mut(&address)?;
        *used = number;
        let chunk = chunk.clone();
        self.note_use(address, number);
        Some(chunk)
    }

    /// Keeps `chunk`, and lets go of others if it must.
    pub fn put(&mut self, chunk: Chunk) {
        let address = chunk.address();
        if self.chunks.contains_key(&address) {
            return;
        }
        self.bytes += chunk.contents().len() + OVERHEAD_LEN;
        let number = self.last_use + 1;
        self.chunks.insert(address, (chunk, number));
        self.note_use(address, number);
        while self.bytes > self.bytes_max && self.chunks.len() > 1 {
            let Some((address, number)) = self.uses.pop_front() else {
                break;
            };
            if self
                .chunks
                .get(&address)
                .is_some_and(|(_, used)| *used == number)
                && let Some((gone, _)) = self.chunks.remove(&address)
            {
                self.bytes -= gone.contents().len() + OVERHEAD_LEN;
            }
        }
    }

    fn note_use(&mut self, address: Address, number: u64) {
        self.last_use = number;
        self.uses.push_back((address, number));
        if self.uses.len() > 2 * self.chunks.len() + 64 {
            let chunks = &self.chunks;
            self.uses.retain(|(address, number)| {
                chunks.get(address).is_some_and(|(_, used)| used == number)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(number: u8) -> Chunk {
        Chunk::new(vec![number; 100])
    }

    #[test]
    fn those_used_longest_ago_go() {
        let mut cache = ChunkCache::new(3 * (100 + OVERHEAD_LEN));
        for number in 0..3 {
            cache.put(chunk(number));
            cache.put(chunk(number));
        }
        assert!(cache.get(chunk(0).address()).is_some());
        cache.put(chunk(3));
        let held: Vec<bool> = (0..4)
            .map(|number| cache.get(chunk(number).address()).is_some())
            .collect();
        assert_eq!(held, [true, false, true, true]);
    }

    #[test]
    fn the_last_one_stays_however_long() {
        let mut cache = ChunkCache::new(10);
        cache.put(chunk(1));
        assert_eq!(cache.get(chunk(1).address()), Some(chunk(1)));
        cache.put(chunk(2));
        assert_eq!(cache.get(chunk(1).address()), None);
        assert_eq!(cache.get(chunk(2).address()), Some(chunk(2)));
    }

    #[test]
    fn uses_are_forgotten_in_time() {
        let mut cache = ChunkCache::new(1 << 20);
        cache.put(chunk(1));
        for _ in 0..1000 {
            cache.get(chunk(1).address());
        }
        assert!(cache.uses.len() < 100);
    }
}
