//! Rounds in turn, and medians.

use std::time::{Duration, Instant};

/// Measurements of one side.
#[derive(Clone, Debug, Default)]
pub(crate) struct Samples(Vec<Duration>);

impl Samples {
    pub(crate) fn push(&mut self, sample: Duration) {
        self.0.push(sample);
    }

    /// The median in seconds: the noise of a shared machine is all on one side of it.
    pub(crate) fn median(&self) -> f64 {
        let mut seconds: Vec<f64> = self.0.iter().map(Duration::as_secs_f64).collect();
        middle(&mut seconds)
    }
}

/// The middle value.
pub(crate) fn middle(values: &mut [f64]) -> f64 {
    assert!(!values.is_empty(), "nothing was measured");
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
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
