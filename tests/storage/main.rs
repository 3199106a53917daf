//! The SQLite store against files, disks, locks, processes and kills.

mod batches;
mod busy;
mod disk;
mod files;
mod kill;
mod migrations;
mod reopen;
mod sharing;
mod support;
