//! The SQLite store against files, disks, locks, processes and kills.
#![expect(clippy::expect_used, reason = "a test that cannot go on panics")]

mod batches;
mod busy;
#[cfg(not(feature = "encryption"))]
mod cipherless;
mod disk;
mod files;
mod index_damage;
mod kill;
mod migrations;
mod reopen;
mod searching;
mod sharing;
mod support;
mod suspend;
mod wipe;
