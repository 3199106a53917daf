//! Counts how often a program waits for its disk.
//!
//! A program that links this crate calls its `fsync` and `fdatasync` in place of the C library's:
//! SQLite and Rust's own files alike, since both are linked into it. Each call is counted and
//! handed on to the kernel. Linux only; elsewhere nothing is counted.

#[cfg(target_os = "linux")]
mod counting {
    use std::sync::atomic::{AtomicU64, Ordering};

    use libc::{SYS_fdatasync, SYS_fsync, c_int, c_long};

    pub(crate) static SYNCS: AtomicU64 = AtomicU64::new(0);

    /// Stands in for the C library's.
    // SAFETY: the name and the signature are the C library's, and so is what it does.
    #[unsafe(no_mangle)]
    extern "C" fn fsync(file: c_int) -> c_int {
        hand_on(SYS_fsync, file)
    }

    /// Stands in for the C library's.
    // SAFETY: as above.
    #[unsafe(no_mangle)]
    extern "C" fn fdatasync(file: c_int) -> c_int {
        hand_on(SYS_fdatasync, file)
    }

    fn hand_on(call: c_long, file: c_int) -> c_int {
        SYNCS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: both calls take a descriptor and touch no memory of ours; `syscall` sets `errno`
        // and answers 0 or -1 as the functions do.
        let answer = unsafe { libc::syscall(call, file) };
        if answer == 0 { 0 } else { -1 }
    }
}

/// How often this program has waited for a disk; `None` where nobody counts.
#[must_use]
pub fn so_far() -> Option<u64> {
    #[cfg(target_os = "linux")]
    return Some(counting::SYNCS.load(std::sync::atomic::Ordering::Relaxed));
    #[cfg(not(target_os = "linux"))]
    None
}
