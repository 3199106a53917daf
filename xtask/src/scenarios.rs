//! `cargo xtask scenarios`: plays the golden scenarios against the reference backend, or another.
//!
//! A player is a program: Rust, Swift and Kotlin have one each. It is given a scenario, a backend and
//! a folder, and prints what happened, without ids and times. What the three print is the same, and
//! the same as the trace that is kept beside the scenario. `tests/scenarios/README.md` has the format.

mod backend;
mod kind;
mod player;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use serde_json::Value;

use crate::libtest::Counts;
use crate::table::Row;
use crate::{bindings, cargo, swift};
pub(crate) use kind::Kind;
use player::Player;

/// The languages that have a player.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Language {
    /// The core itself.
    Rust,
    /// The Swift package.
    Swift,
    /// The Kotlin package.
    Kotlin,
}

impl Language {
    const ALL: [Self; 3] = [Self::Rust, Self::Swift, Self::Kotlin];

    fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Swift => "swift",
            Self::Kotlin => "kotlin",
        }
    }
}

/// What a trace of a scenario begins with that the backend cannot play.
const SKIPPED: &str = "skipped: ";

/// A scenario and where it lies.
struct Scenario {
    name: String,
    file: PathBuf,
    /// Options of the backend.
    backend: Vec<String>,
}

/// Builds what is needed and writes one trace for each scenario; fails where a player got stuck.
pub(crate) fn run(
    language: Language,
    kind: Kind,
    out: &Path,
    names: &[String],
) -> Result<ExitCode, String> {
    bindings::build_library()?;
    build_player(language)?;
    let player = Player::of(language, kind).map_err(|missing| format!("{missing:?}"))?;
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut all_ended = true;
    for scenario in chosen(names)? {
        let (trace, complaint) = play(&player, &scenario)?;
        let file = out.join(format!("{}.trace", scenario.name));
        let skipped = trace
            .lines()
            .next()
            .filter(|line| line.starts_with(SKIPPED));
        let told = complaint.as_deref().or(skipped).unwrap_or("played");
        println!("{:<16} {told}", scenario.name);
        fs::write(&file, &trace).map_err(|error| format!("{}: {error}", file.display()))?;
        all_ended &= complaint.is_none();
    }
    Ok(if all_ended {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn build_player(language: Language) -> Result<(), String> {
    match language {
        Language::Rust => Ok(()),
        Language::Swift => swift::build(),
        Language::Kotlin => bindings::generate().and_then(|()| bindings::build_kotlin()),
    }
}

/// One row of the table for each language and backend, played by what the suites before it built.
pub(crate) fn test_rows() -> Vec<Row> {
    let each = |kind| Language::ALL.map(|language| test_row(language, kind));
    Kind::ALL.into_iter().flat_map(each).collect()
}

fn test_row(language: Language, kind: Kind) -> Row {
    let started = Instant::now();
    let on = kind.argument().map(|name| format!(" on {name}"));
    let name = format!("scenarios {}{}", language.name(), on.unwrap_or_default());
    println!("running {name}");
    let (counts, note) = match Player::of(language, kind) {
        Ok(player) => compared(&player),
        Err(swift::Missing::Skipped(reason)) => (skipped(), Some(reason)),
        Err(swift::Missing::Failed(reason)) => (failed(), Some(reason)),
    };
    Row {
        name,
        counts,
        duration: started.elapsed(),
        note,
    }
}

/// How many traces are those that are kept.
fn compared(player: &Player) -> (Counts, Option<String>) {
    let scenarios = match chosen(&[]) {
        Ok(scenarios) => scenarios,
        Err(reason) => return (failed(), Some(reason)),
    };
    let mut counts = Counts::default();
    for scenario in &scenarios {
        match differs(player, scenario) {
            Verdict::Same => counts.passed += 1,
            Verdict::Skipped(reason) => {
                counts.ignored += 1;
                println!("{}: {reason}", scenario.name);
            }
            Verdict::Differs(difference) => {
                counts.failed += 1;
                println!("---- {} ----\n{difference}\n----", scenario.name);
            }
        }
    }
    (counts, None)
}

/// What a played scenario is worth.
enum Verdict {
    /// The trace that is kept.
    Same,
    /// It needs what the backend has not, and so it is kept.
    Skipped(String),
    Differs(String),
}

fn differs(player: &Player, scenario: &Scenario) -> Verdict {
    let (trace, complaint) = match play(player, scenario) {
        Ok(played) => played,
        Err(reason) => return Verdict::Differs(reason),
    };
    let kept = fs::read_to_string(player.kind().kept(&scenario.file)).unwrap_or_default();
    match (complaint, trace.starts_with(SKIPPED)) {
        (None, true) if trace == kept => Verdict::Skipped(trace.trim().to_owned()),
        (None, false) if trace == kept => Verdict::Same,
        (complaint, _) => {
            let complaint = complaint.unwrap_or_default();
            let text = format!("{complaint}\nexpected:\n{kept}\nplayed:\n{trace}");
            Verdict::Differs(text)
        }
    }
}

/// Plays one scenario to its end: a player that had itself killed is followed by another one.
fn play(player: &Player, scenario: &Scenario) -> Result<(String, Option<String>), String> {
    if let Some(reason) = player.kind().skips()?.get(&scenario.name) {
        return Ok((format!("{SKIPPED}{reason}\n"), None));
    }
    let backend = backend::Backend::start(player.kind(), &scenario.backend)?;
    let folder = player::fresh_folder(&scenario.name)?;
    let (mut trace, mut from) = (String::new(), 0);
    loop {
        let played = player.play(&scenario.file, &backend, &folder, from)?;
        trace.push_str(&played.trace);
        match played.left_at {
            Some(next) if next > from => from = next,
            _ => return Ok((trace, played.complaint)),
        }
    }
}

fn chosen(names: &[String]) -> Result<Vec<Scenario>, String> {
    let all = all()?;
    let unknown = names
        .iter()
        .find(|name| all.iter().all(|one| one.name != **name));
    if let Some(name) = unknown {
        return Err(format!("there is no scenario {name}"));
    }
    let is_chosen = |one: &Scenario| names.is_empty() || names.contains(&one.name);
    Ok(all.into_iter().filter(is_chosen).collect())
}

fn folder() -> PathBuf {
    cargo::root().join("tests/scenarios")
}

fn all() -> Result<Vec<Scenario>, String> {
    let folder = folder();
    let entries =
        fs::read_dir(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    files.retain(|file| file.extension().is_some_and(|kind| kind == "json"));
    files.sort();
    files.into_iter().map(scenario).collect()
}

fn scenario(file: PathBuf) -> Result<Scenario, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
    let text = fs::read_to_string(&file).map_err(|error| wrong(&error))?;
    let all: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
    let listed = all["backend"].as_array().into_iter().flatten();
    let mut backend: Vec<String> = listed
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect();
    if all["extensions"] == Value::Bool(true) {
        backend.extend(["--extensions".to_owned(), "on".to_owned()]);
    }
    let name = file
        .file_stem()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    Ok(Scenario {
        name,
        backend,
        file,
    })
}

fn skipped() -> Counts {
    Counts {
        ignored: 1,
        ..Counts::default()
    }
}

fn failed() -> Counts {
    Counts {
        failed: 1,
        ..Counts::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_has_its_trace_and_there_are_enough() {
        let all = all().expect("scenarios");
        assert!(all.len() >= 20, "{}", all.len());
        for one in &all {
            let kept = one.file.with_extension("trace");
            assert!(kept.exists(), "{} has no trace", one.name);
            let own = Kind::Socketio.kept(&one.file);
            let differs = own == kept || fs::read(&own).ok() != fs::read(&kept).ok();
            assert!(differs, "{} is kept twice", one.name);
        }
    }

    #[test]
    fn unknown_name_is_said() {
        assert!(chosen(&["nothing of the kind".to_owned()]).is_err());
        assert_eq!(chosen(&["send".to_owned()]).expect("send").len(), 1);
    }
}
