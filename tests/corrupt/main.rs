//! `cargo xtask corrupt`: damage to a store, round after round, each from its seed.
//!
//! A round fills a store as an app does, ends the process at some point of its life, damages one
//! page or one range of bytes of the database, of its log or of the spare, and opens it again. Then
//! it asks: is every unsent message there, word for word, and every draft? Was the app told once,
//! where anything had to be saved, and not at all where nothing had? Is what is left a whole store?
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a round that cannot go on stops, and its seed is printed"
)]

mod damage;
mod life;
mod promised;
mod round;

use std::{cell::RefCell, process::ExitCode};

use tidings::engine::draw::Draw;

/// Rounds where none are asked for, as within the other suites.
const FEW: u64 = 60;

/// Rounds that failed once, and what was wrong: they come first.
const ONCE_FAILED: [u64; 3] = [
    // The message of a waiting edit was deleted with the local name of its conversation.
    7_817_223_230_648_258_815,
    // Noise in the spare began like an encrypted line.
    118_487_524_757_685_708,
    // The file was sound once its index was, and lacked rows that every store has.
    11_747_987_982_982_563_643,
];

/// From this many rounds on, every kind of damage and of end must have been met.
const ENOUGH: u64 = 300;

struct Arguments {
    rounds: u64,
    seed: u64,
    encrypted: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments {
        rounds: FEW,
        seed: 1,
        encrypted: false,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut number = || {
            let value = given
                .next()
                .ok_or_else(|| format!("{name} needs a value"))?;
            value.parse().map_err(|_| format!("{value} is no number"))
        };
        match name.as_str() {
            "--rounds" => read.rounds = number()?,
            "--seed" => read.seed = number()?,
            "--encrypted" => read.encrypted = true,
            // What `cargo test` itself hands to every program.
            "--nocapture" | "--quiet" | "-q" => {}
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(read)
}

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

fn main() -> ExitCode {
    let given = match arguments() {
        Ok(given) => given,
        Err(error) => {
            eprintln!("{error}\nusage: [--rounds N] [--seed S] [--encrypted]");
            return ExitCode::from(2);
        }
    };
    std::panic::set_hook(Box::new(|info| {
        PANIC.with(|slot| slot.borrow_mut().get_or_insert(info.to_string()).clone());
    }));
    if given.encrypted && !cfg!(feature = "encryption") {
        eprintln!("--encrypted needs a build with the feature `encryption`");
        return ExitCode::from(2);
    }
    let mut seeds = Draw::new(given.seed);
    let mut sums = round::Sums::default();
    let drawn = (0..given.rounds).map(|number| match number {
        0 => given.seed,
        _ => seeds.next_u64(),
    });
    for (number, seed) in ONCE_FAILED.into_iter().chain(drawn).enumerate() {
        if let Err(complaint) = run(seed, given.encrypted, &mut sums) {
            println!("round {number} failed: {complaint}");
            println!("run it again: cargo xtask corrupt --rounds 1 --seed {seed}");
            println!("test result: FAILED. {number} passed; 1 failed; 0 ignored");
            return ExitCode::FAILURE;
        }
    }
    sums.print();
    let unmet = sums.unmet();
    if given.rounds >= ENOUGH && !unmet.is_empty() {
        println!("never met: {unmet:?}");
        println!(
            "test result: FAILED. {} passed; 1 failed; 0 ignored",
            given.rounds
        );
        return ExitCode::FAILURE;
    }
    let rounds = given.rounds;
    println!(
        "{rounds} rounds from seed {}: no unsent message lost, no draft lost",
        given.seed
    );
    let passed = rounds + ONCE_FAILED.len() as u64;
    println!("test result: ok. {passed} passed; 0 failed; 0 ignored");
    ExitCode::SUCCESS
}

fn run(seed: u64, encrypted: bool, sums: &mut round::Sums) -> Result<(), String> {
    PANIC.with(|slot| slot.borrow_mut().take());
    let ended = std::panic::catch_unwind(|| round::run(seed, encrypted));
    let panicked = PANIC.with(|slot| slot.borrow_mut().take());
    match (ended, panicked) {
        (Ok(Ok(met)), None) => {
            sums.add(met);
            Ok(())
        }
        (Ok(Err(complaint)), _) => Err(complaint),
        (_, what) => Err(what.unwrap_or_else(|| "a panic".to_owned())),
    }
}
