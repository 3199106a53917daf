//! Planted bugs: the simulation must find each, or it has gone blind.
//!
//! A plant is a branch in shipped code that only a build with the feature `testing` can take, and
//! only after [`sow`]; without the feature `planted` is a constant `false`.

use std::sync::atomic::{AtomicUsize, Ordering};

static SOWN: AtomicUsize = AtomicUsize::new(0);

/// Every plant: its name, the invariant that must break, and what it does wrong.
pub const PLANTS: &[(&str, &str, &str)] = &[];

/// Activates one plant for this process; `false` where there is none of that name.
pub fn sow(name: &str) -> bool {
    let Some(index) = PLANTS.iter().position(|(plant, ..)| *plant == name) else {
        return false;
    };
    SOWN.store(index + 1, Ordering::Relaxed);
    true
}

/// Whether this plant is active.
#[must_use]
pub fn planted(name: &str) -> bool {
    let index = SOWN.load(Ordering::Relaxed);
    index > 0
        && PLANTS
            .get(index - 1)
            .is_some_and(|(plant, ..)| *plant == name)
}
