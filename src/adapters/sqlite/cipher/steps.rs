//! For tests that kill a process between two steps of an encryption.

#[cfg(feature = "testing")]
static WATCHER: std::sync::OnceLock<fn(&str)> = std::sync::OnceLock::new();

/// Calls the function after each step of every encryption in this process, with the step's name.
#[cfg(feature = "testing")]
pub fn on_sealing(watcher: fn(&str)) {
    WATCHER.get_or_init(|| watcher);
}

#[cfg(feature = "testing")]
pub(super) fn step(name: &str) {
    if let Some(watcher) = WATCHER.get() {
        watcher(name);
    }
}

#[cfg(not(feature = "testing"))]
pub(super) const fn step(_: &str) {}
