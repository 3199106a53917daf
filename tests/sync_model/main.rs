//! A model check of synchronising: many small lives of one conversation, each from a seed.
//!
//! The client is the shipped one over the memory store; the server is a model with three ways of
//! telling its history, the network drops, doubles, delays and reorders what it pushes, reads fail,
//! cursors are refused, processes are killed. After every commit no two neighbours may hide a hole
//! that is not marked; at the end the store is the server's history, the same for every order in
//! which it was told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    reason = "a check that cannot go on stops and names its seed"
)]

mod life;
mod server;
mod watched;

use std::process::{Command, Stdio};

use crate::life::Life;

/// Names a plant to a child of this program.
const PLANT: &str = "TIDINGS_MODEL_PLANT";

/// Seeds of one check.
const SEEDS: u64 = 1_000;

// covers: G9, INV-08, INV-09, INV-10
#[test]
fn g9_f31_f32_f33_any_life_ends_with_the_servers_history_and_never_hides_a_hole() {
    let mut marked = 0;
    for seed in 1..=SEEDS {
        let ended = Life::new(seed, 0).run();
        let ended = ended.unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        marked += ended.marked;
    }
    assert!(marked > SEEDS, "few gaps were ever seen: {marked}");
}

// covers: INV-12
#[test]
fn inv12_the_same_messages_told_in_any_order_end_in_the_same_store() {
    for seed in 1..=SEEDS / 4 {
        let ends: Vec<_> = (0..4).map(|order| Life::new(seed, order).run()).collect();
        let first = ends[0].as_ref().unwrap();
        for (order, end) in ends.iter().enumerate() {
            let end = end.as_ref().unwrap_or_else(|broken| {
                panic!("seed {seed}, order {order}: {broken}");
            });
            assert_eq!(first.rows, end.rows, "seed {seed}, order {order}");
        }
    }
}

/// Runs the check with a planted bug; fails where it is found.
#[test]
#[ignore = "the child of the test below; does nothing by itself"]
fn lives_with_a_plant() {
    let Ok(plant) = std::env::var(PLANT) else {
        return;
    };
    assert!(tidings::testing::plant::sow(&plant), "no plant {plant}");
    for seed in 1..=SEEDS {
        if let Err(broken) = Life::new(seed, 0).run() {
            println!("found:{broken}");
            return;
        }
    }
}

#[test]
fn every_plant_of_the_synchronisation_is_found() {
    for (plant, invariant, _) in tidings::testing::plant::SYNC_PLANTS {
        let program = std::env::current_exe().unwrap();
        let child = Command::new(program)
            .args(["--exact", "lives_with_a_plant", "--ignored", "--nocapture"])
            .env(PLANT, plant)
            .stderr(Stdio::null())
            .output();
        let said = String::from_utf8(child.unwrap().stdout).unwrap();
        let found = said.lines().find_map(|line| line.split_once("found:"));
        let (_, broken) = found.unwrap_or_else(|| panic!("{plant} was not found"));
        assert!(broken.starts_with(invariant), "{plant}: {broken}");
    }
}
