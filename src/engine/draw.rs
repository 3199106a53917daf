//! Chance from a given seed, for jitter only; nothing secret hangs on it.

/// A small reproducible generator (SplitMix64).
#[derive(Clone, Debug)]
pub struct Draw(u64);

impl Draw {
    /// Starts from a seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// The next number, for a jittered delay.
    #[allow(
        clippy::cast_possible_truncation,
        reason = "the upper half of 64 bits fits in 32"
    )]
    pub const fn jitter(&mut self) -> u32 {
        (self.next_u64() >> 32) as u32
    }
}
