//! Choices that differ from run to run and can be made again.

use std::time::{SystemTime, UNIX_EPOCH};

/// SplitMix64: small, and good enough to choose names and types.
pub(crate) struct Random(u64);

impl Random {
    /// From the seed in `REGENERATION_SEED`, or a new one; it is printed.
    pub(crate) fn from_environment() -> Self {
        let seed = match std::env::var("REGENERATION_SEED") {
            Ok(text) => text.parse().expect("REGENERATION_SEED is a whole number"),
            Err(_) => SystemTime::now()
                .duration_since(UNIX_EPOCH)
                .expect("a clock behind 1970")
                .as_nanos() as u64,
        };
        println!("REGENERATION_SEED={seed}");
        Self(seed)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % limit as u64) as usize
    }

    /// One of several.
    pub(crate) fn choose<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    /// A word that no language and no template knows.
    pub(crate) fn word(&mut self) -> String {
        const SYLLABLES: [&str; 12] = [
            "ba", "ko", "mi", "su", "re", "tal", "vin", "dro", "pex", "lun", "gor", "zi",
        ];
        (0..3).map(|_| *self.choose(&SYLLABLES)).collect()
    }
}
