//! Resident memory of this process, as Linux tells it.

/// In bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    pub(crate) now: u64,
    /// The highest since the last reset.
    pub(crate) highest: u64,
}

impl Resident {
    /// Begins a new highest; `None` where nobody tells.
    pub(crate) fn reset() -> Option<Self> {
        std::fs::write("/proc/self/clear_refs", "5").ok()?;
        Self::read()
    }

    /// What it is now.
    pub(crate) fn read() -> Option<Self> {
        let status = std::fs::read_to_string("/proc/self/status").ok()?;
        let field = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kilobytes: u64 = line.split_whitespace().next()?.parse().ok()?;
            Some(1024 * kilobytes)
        };
        Some(Self {
            now: field("VmRSS:")?,
            highest: field("VmHWM:")?,
        })
    }
}
