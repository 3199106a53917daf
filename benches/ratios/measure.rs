//! Rounds in turn, and medians.

use std::time::{Duration, Instant};

/// Measurements of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// The seconds that such a share of the samples stays below.
    pub(crate) fn below(&self, share: f64) -> f64 {
        let mut all: Vec<f64> = self.0.iter().map(Duration::as_secs_f64).collect();
        all.sort_by(f64::total_cmp);
        let at = (share * all.len() as f64) as usize;
        all[at.min(all.len() - 1)]
    }

    /// The medians of neighbouring rounds, in seconds. The state of a shared machine changes
    /// within seconds, and only neighbours have met the same one.
    fn medians(&self) -> impl Iterator<Item = f64> {
        self.0
            .chunks_exact(self.0.len().div_ceil(BLOCKS))
            .map(|block| middle(&mut block.iter().map(Duration::as_secs_f64).collect::<Vec<_>>()))
    }
}

/// Rounds are compared in this many blocks.
const BLOCKS: usize = 30;

/// The middle of what `compare` makes of the sides' medians, block by block.
pub(crate) fn compared<const SIDES: usize>(
    samples: &[Samples; SIDES],
    compare: impl Fn([f64; SIDES]) -> f64,
) -> f64 {
    middle(&mut by_block(samples, compare))
}

/// What `compare` makes of the sides' medians, for each block.
pub(crate) fn by_block<const SIDES: usize>(
    samples: &[Samples; SIDES],
    compare: impl Fn([f64; SIDES]) -> f64,
) -> Vec<f64> {
    let mut blocks = samples.each_ref().map(Samples::medians);
    let mut results = Vec::new();
    loop {
        let block = blocks.each_mut().map(Iterator::next);
        if block.contains(&None) {
            return results;
        }
        results.push(compare(block.map(Option::unwrap_or_default)));
    }
}

/// How many times as long as the second side the first one takes.
pub(crate) fn ratio(samples: &[Samples; 2]) -> f64 {
    compared(samples, |[ours, floor]| ours / floor)
}

/// The middle value.
pub(crate) fn middle(values: &mut [f64]) -> f64 {
    assert!(!values.is_empty(), "nothing was measured");
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The lowest value. For a bound in seconds: what else the machine does only ever adds to it, while
/// it slows both sides of a ratio.
pub(crate) fn least(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::INFINITY, f64::min)
}

/// How long something takes.
pub(crate) fn timed<T>(run: impl FnOnce() -> T) -> Duration {
    let start = Instant::now();
    run();
    start.elapsed()
}

/// Measures the sides in turn, each round beginning with another one, after a tenth as many
/// rounds that do not count.
pub(crate) fn in_turn<const SIDES: usize>(
    rounds: usize,
    sides: [&mut dyn FnMut() -> Duration; SIDES],
) -> [Samples; SIDES] {
    let mut samples = std::array::from_fn(|_| Samples::default());
    let warm_up = rounds / 10;
    for round in 0..rounds + warm_up {
        for step in 0..SIDES {
            let side = (round + step) % SIDES;
            let sample = sides[side]();
            if round >= warm_up {
                samples[side].push(sample);
            }
        }
    }
    samples
}

/// Runs the work on one processor; the threads that it starts stay there too.
///
/// Waking a thread elsewhere costs more than an accept, and which threads share a processor is
/// nobody's choice: two sides that each hop to a thread would be told apart by where it sleeps.
pub(crate) fn on_one_processor<T>(work: impl FnOnce() -> T) -> T {
    #[cfg(target_os = "linux")]
    let _moved = Pinned::to_one();
    work()
}

/// Where the thread could run before.
#[cfg(target_os = "linux")]
struct Pinned(rustix::thread::CpuSet);

#[cfg(target_os = "linux")]
impl Pinned {
    fn to_one() -> Self {
        let before = rustix::thread::sched_getaffinity(None).unwrap();
        let mut one = rustix::thread::CpuSet::new();
        let first = (0..rustix::thread::CpuSet::MAX_CPU).find(|at| before.is_set(*at));
        one.set(first.unwrap());
        rustix::thread::sched_setaffinity(None, &one).unwrap();
        Self(before)
    }
}

#[cfg(target_os = "linux")]
impl Drop for Pinned {
    fn drop(&mut self) {
        rustix::thread::sched_setaffinity(None, &self.0).unwrap();
    }
}
