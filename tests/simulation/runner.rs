//! Runs seeds, compares traces, sows plants, and prints what a person needs to run one again.

use std::{cell::RefCell, process::ExitCode, time::Instant};

use tidings::testing::plant;

use crate::{
    reached,
    seed::Seed,
    world::{self, Outcome, Violation},
};

/// Seeds that found something once.
const REGRESSIONS: &str = include_str!("seeds.txt");

/// One seed in so many is run twice, and the traces compared.
const COMPARED: u64 = 50;

/// From this many seeds on, every marker must have been reached.
const ENOUGH: u64 = 300;

/// Places that take several faults at once: due only in a longer run.
const RARE: &[&str] = &["direct_unknown", "cancelled_uncertain", "expired"];
const ENOUGH_FOR_RARE: u64 = 1_000;

/// A plant must be found within this many seeds.
const FOUND_WITHIN: u64 = 2_000;

thread_local! {
    static PANIC: RefCell<Option<String>> = const { RefCell::new(None) };
}

struct Arguments {
    seeds: Option<u64>,
    from: Seed,
    plant: Option<String>,
    story: bool,
    keep_going: bool,
    /// Every seed runs twice, not only one in [`COMPARED`].
    twice: bool,
}

fn arguments() -> Result<Arguments, String> {
    let mut read = Arguments {
        seeds: None,
        from: Seed::new(1),
        plant: None,
        story: false,
        keep_going: false,
        twice: false,
    };
    let mut given = std::env::args().skip(1);
    while let Some(name) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{name} needs a value"));
        let number = |text: String| text.parse().map_err(|_| format!("{text} is no number"));
        match name.as_str() {
            "--seeds" => read.seeds = Some(number(value()?)?),
            "--from" => read.from = value()?.parse()?,
            "--plant" => read.plant = Some(value()?),
            "--story" => read.story = true,
            "--live" => crate::trace::LIVE.store(true, std::sync::atomic::Ordering::Relaxed),
            "--keep-going" => read.keep_going = true,
            "--twice" => read.twice = true,
            // What `cargo test` itself hands to every program.
            "--nocapture" | "--quiet" | "-q" => {}
            other => return Err(format!("unknown argument {other}")),
        }
    }
    Ok(read)
}

pub(crate) fn main() -> ExitCode {
    let given = match arguments() {
        Ok(given) => given,
        Err(error) => {
            eprintln!(
                "{error}\nusage: [--seeds N] [--from S] [--story] [--keep-going] [--twice] [--plant NAME|list]"
            );
            return ExitCode::from(2);
        }
    };
    std::panic::set_hook(Box::new(|info| {
        let what = info.to_string();
        PANIC.with(|slot| slot.borrow_mut().get_or_insert(what).clone());
    }));
    match given.plant.as_deref() {
        Some("list") => list(),
        Some(name) => hunt(name, &given),
        None => seeds(&given),
    }
}

fn list() -> ExitCode {
    for (name, invariant, what) in plant::PLANTS {
        println!("{name:<36} {invariant:<8} {what}");
    }
    ExitCode::SUCCESS
}

/// One seed; a panic anywhere in it is a violation too.
fn run(seed: Seed) -> Outcome {
    PANIC.with(|slot| slot.borrow_mut().take());
    let ended = std::panic::catch_unwind(|| world::run(seed));
    let panicked = PANIC.with(|slot| slot.borrow_mut().take());
    let mut outcome = ended.unwrap_or(Outcome {
        hash: 0,
        violation: None,
        lines: Vec::new(),
    });
    if let Some(what) = panicked {
        let what = format!("a panic: {what}");
        outcome.violation.get_or_insert(Violation {
            invariant: "INV-25",
            what,
        });
    }
    outcome
}

/// So many seeds, from one on, all in the same world as that.
fn stories(from: Seed, count: u64) -> impl Iterator<Item = Seed> {
    let numbers = from.number..from.number + count;
    numbers.map(move |number| Seed { number, ..from })
}

fn seeds(given: &Arguments) -> ExitCode {
    let count = given.seeds.unwrap_or(40);
    let started = Instant::now();
    let (mut passed, mut failed, mut compared) = (0_u64, 0_u64, 0_u64);
    let regressions = REGRESSIONS
        .lines()
        .filter_map(|line| line.split_whitespace().next()?.parse().ok());
    let known: Vec<Seed> = if given.seeds == Some(1) {
        Vec::new()
    } else {
        regressions.collect()
    };
    for (at, seed) in known
        .into_iter()
        .chain(stories(given.from, count))
        .enumerate()
    {
        let outcome = run(seed);
        if given.story {
            print_story(&outcome);
        }
        let mut complaint = outcome.violation.clone();
        if given.twice || (at as u64).is_multiple_of(COMPARED) {
            compared += 1;
            let again = run(seed);
            if again.hash != outcome.hash && complaint.is_none() {
                let what = first_difference(&outcome, &again);
                complaint = Some(Violation {
                    invariant: "INV-25",
                    what,
                });
            }
        }
        let Some(found) = complaint else {
            passed += 1;
            continue;
        };
        failed += 1;
        report(seed, &found, &outcome, given);
        if !given.keep_going {
            break;
        }
    }
    let unreached = if passed + failed >= ENOUGH {
        print_markers(passed + failed)
    } else {
        0
    };
    let (last, took) = (
        given.from.number + count.max(1) - 1,
        started.elapsed().as_secs_f64(),
    );
    println!(
        "{passed} seeds passed in {took:.1} s ({}..{last}), trace hashes compared on {compared}",
        given.from
    );
    failed += unreached;
    let verdict = if failed == 0 { "ok" } else { "FAILED" };
    println!("test result: {verdict}. {passed} passed; {failed} failed; 0 ignored");
    if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn report(seed: Seed, found: &Violation, outcome: &Outcome, given: &Arguments) {
    if !given.keep_going && !given.story {
        print_story(outcome);
    }
    println!("{}: {}, seed {seed}", found.invariant, found.what);
    println!("run it again: cargo xtask simulate --seeds 1 --from {seed} --story");
}

fn print_story(outcome: &Outcome) {
    for line in &outcome.lines {
        println!("{line}");
    }
}

fn first_difference(a: &Outcome, b: &Outcome) -> String {
    let at = a.lines.iter().zip(&b.lines).find(|(a, b)| a != b);
    match at {
        Some((a, b)) => format!("two runs of one seed differ: {a:?} and {b:?}"),
        None => format!(
            "two runs of one seed differ in length: {} and {}",
            a.lines.len(),
            b.lines.len()
        ),
    }
}

fn print_markers(seeds: u64) -> u64 {
    let counts = reached::counts();
    let parts: Vec<_> = counts
        .iter()
        .map(|(name, count)| format!("{name} {count}"))
        .collect();
    println!("reached: {}", parts.join(", "));
    let due = |(name, count): &&(&'static str, u64)| {
        *count == 0 && (seeds >= ENOUGH_FOR_RARE || !RARE.contains(name))
    };
    let missing: Vec<_> = counts.iter().filter(due).map(|(name, _)| *name).collect();
    if !missing.is_empty() {
        println!("never reached: {}", missing.join(", "));
    }
    missing.len() as u64
}

/// Sows a plant and looks for a violation of the invariant that it must break.
fn hunt(name: &str, given: &Arguments) -> ExitCode {
    let Some((_, invariant, _)) = plant::PLANTS.iter().find(|(plant, ..)| *plant == name) else {
        println!("there is no plant {name}: `--plant list` names them all");
        return ExitCode::from(2);
    };
    plant::sow(name);
    let mut others = std::collections::BTreeMap::<&str, u64>::new();
    for seed in stories(given.from, given.seeds.unwrap_or(FOUND_WITHIN)) {
        let Some(found) = run(seed).violation else {
            continue;
        };
        if found.invariant == *invariant {
            println!(
                "{name}: found by seed {seed}, {}: {}",
                found.invariant, found.what
            );
            return ExitCode::SUCCESS;
        }
        *others.entry(found.invariant).or_default() += 1;
    }
    println!("{name}: not found; other invariants broken: {others:?}");
    ExitCode::FAILURE
}
