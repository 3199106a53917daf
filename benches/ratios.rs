//! The performance claims as ratios: what the SDK costs against the least it could cost.
//!
//! Each benchmark measures the SDK and its floor in turn, round by round, in this one process, and
//! compares medians or counts. No figure is an absolute time: machines differ and are noisy, and a
//! ratio of neighbours survives both.
//!
//! `cargo xtask bench [--json] [--no-bounds] [NAME…]` builds and runs it. The exit code is 1 where
//! a bound is broken, unless `--no-bounds`; names choose benchmarks by a part of their name.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a benchmark measures real time, and stops where its set-up fails"
)]

#[path = "ratios/accept.rs"]
mod accept;
#[path = "ratios/bare.rs"]
mod bare;
#[path = "ratios/burst.rs"]
mod burst;
#[path = "ratios/child.rs"]
mod child;
#[path = "ratios/device.rs"]
mod device;
#[path = "ratios/drain.rs"]
mod drain;
#[cfg(feature = "encryption")]
#[path = "ratios/encryption.rs"]
mod encryption;
#[path = "ratios/first_byte.rs"]
mod first_byte;
#[path = "ratios/group.rs"]
mod group;
#[path = "ratios/http.rs"]
mod http;
#[path = "ratios/ingest.rs"]
mod ingest;
#[path = "ratios/measure.rs"]
mod measure;
#[path = "ratios/memory.rs"]
mod memory;
#[path = "ratios/missed.rs"]
mod missed;
#[path = "ratios/opening.rs"]
mod opening;
#[path = "ratios/pages.rs"]
mod pages;
#[path = "ratios/passive.rs"]
mod passive;
#[path = "ratios/polls.rs"]
mod polls;
#[path = "ratios/report.rs"]
mod report;
#[path = "ratios/search.rs"]
mod search;
#[path = "ratios/servers.rs"]
mod servers;
#[path = "ratios/socket.rs"]
mod socket;
#[path = "ratios/store.rs"]
mod store;
#[path = "ratios/suspend.rs"]
mod suspend;
#[path = "ratios/turns.rs"]
mod turns;
#[path = "ratios/watched.rs"]
mod watched;
#[path = "ratios/written.rs"]
mod written;

use std::process::ExitCode;

use report::{Finding, Options};

/// One benchmark; a few share a set-up and bring several findings.
struct Benchmark {
    /// The names of its findings.
    names: &'static [&'static str],
    run: fn() -> Vec<Finding>,
}

const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        names: &["accept_normal"],
        run: accept::normal,
    },
    Benchmark {
        names: &["accept_full"],
        run: accept::full,
    },
    Benchmark {
        names: &["accept_inline"],
        run: accept::inline,
    },
    Benchmark {
        names: &["accept_64"],
        run: group::concurrent,
    },
    Benchmark {
        names: &["accept_pending"],
        run: search::accept_pending,
    },
    Benchmark {
        names: &["search_100000"],
        run: search::hundred_thousand,
    },
    Benchmark {
        names: &["open_10000", "open_1000000"],
        run: opening::first_page,
    },
    Benchmark {
        names: &["history_bytes", "history_commits"],
        run: written::history,
    },
    #[cfg(feature = "encryption")]
    Benchmark {
        names: &["encryption_accept"],
        run: encryption::accepting,
    },
    #[cfg(feature = "encryption")]
    Benchmark {
        names: &["encryption_open", "encryption_page"],
        run: encryption::reading,
    },
    Benchmark {
        names: &["newest_page"],
        run: pages::newest,
    },
    Benchmark {
        names: &["ingest"],
        run: ingest::history,
    },
    Benchmark {
        names: &["drain_2000", "drain_seconds", "drain_flat"],
        run: drain::all,
    },
    Benchmark {
        names: &["burst_syncs", "burst_bytes"],
        run: burst::pushed,
    },
    Benchmark {
        names: &["missed_requests", "missed_memory"],
        run: missed::everywhere,
    },
    Benchmark {
        names: &["passive_memory"],
        run: passive::watching,
    },
    Benchmark {
        names: &["suspend_seconds"],
        run: suspend::under_load,
    },
    Benchmark {
        names: &["round_trip"],
        run: socket::round_trip,
    },
    Benchmark {
        names: &["first_byte_live"],
        run: first_byte::live,
    },
    Benchmark {
        names: &["first_byte_idle"],
        run: first_byte::idle,
    },
    Benchmark {
        names: &["calls_20_turns", "bytes_20_turns"],
        run: turns::twenty,
    },
    Benchmark {
        names: &["idle_poll_bytes"],
        run: polls::idle,
    },
];

fn main() -> ExitCode {
    if child::is_asked_for() {
        return child::run();
    }
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(options) => options,
        Err(complaint) => {
            eprintln!("bench: {complaint}");
            return ExitCode::from(2);
        }
    };
    let mut sound = true;
    options.print_head();
    for benchmark in BENCHMARKS {
        if !benchmark.names.iter().any(|name| options.wants(name)) {
            continue;
        }
        for finding in (benchmark.run)() {
            sound &= finding.holds();
            options.print(&finding);
        }
    }
    if sound || options.no_bounds {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
