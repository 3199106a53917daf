//! Dice from a seed.

use std::time::Duration;

use tidings::engine::draw::Draw;

/// A stream of chance with a name, so that two parts of the world do not share one.
#[derive(Clone, Debug)]
pub(crate) struct Chance(Draw);

impl Chance {
    pub(crate) fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Draw::new(seed.wrapping_mul(0x9e37_79b9).wrapping_add(stream << 40));
        mixed.next_u64();
        Self(mixed)
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// From zero up to but not including `n`; zero where `n` is.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        let n = u64::try_from(n).unwrap().max(1);
        usize::try_from((self.0.next_u64() >> 11) % n).unwrap()
    }

    pub(crate) fn per_mille(&mut self, n: u32) -> bool {
        n > 0 && self.below(1000) < usize::try_from(n).unwrap()
    }

    /// A time between two numbers of milliseconds.
    pub(crate) fn millis(&mut self, low: u64, high: u64) -> Duration {
        let span = usize::try_from(high.saturating_sub(low) + 1).unwrap();
        Duration::from_millis(low + u64::try_from(self.below(span)).unwrap())
    }

    pub(crate) fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }
}
