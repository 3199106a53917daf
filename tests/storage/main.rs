//! The SQLite store against files, disks, locks, processes and kills.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

mod batches;
mod busy;
mod disk;
mod files;
mod kill;
mod migrations;
mod reopen;
mod searching;
mod sharing;
mod support;
mod suspend;
mod wipe;
