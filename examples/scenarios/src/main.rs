//! Plays one golden scenario against a backend and prints its trace.
//!
//! `tidings-scenarios SCENARIO ORIGIN ADMIN FOLDER FROM [BACKEND]` plays the steps of the file `SCENARIO` from
//! the number `FROM` on, against the backend at `ORIGIN` whose admin endpoint is `ADMIN`; the store
//! lies in `FOLDER`, and so does what a killed player leaves to the next one. Without a name the
//! backend is the reference one; the others are described beside the scenarios. The format of both is in
//! `tests/scenarios/README.md`; `cargo xtask scenarios` starts backends and players.
#![deny(missing_docs)]
// A player is an app: it reads clocks, spawns and selects.
#![allow(clippy::disallowed_methods, clippy::disallowed_macros)]

mod backend;
mod facts;
mod rest;
mod script;
mod stage;
mod tokens;
mod verbs;
mod watching;

use std::{env, process::ExitCode, time::Duration};

use crate::{
    backend::Backend,
    script::Scenario,
    stage::{Place, Stage},
};

/// A step that takes longer has failed: everything waits for an event, and none comes that late.
const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let ([file, origin, admin, folder, from] | [file, origin, admin, folder, from, _]) =
        arguments.as_slice()
    else {
        eprintln!("usage: tidings-scenarios SCENARIO ORIGIN ADMIN FOLDER FROM [BACKEND]");
        return ExitCode::from(2);
    };
    let backend = Backend::named(arguments.get(5).map(String::as_str), file);
    let played = async {
        let place = Place {
            backend: backend?,
            origin: origin.clone(),
            admin: admin.clone(),
            folder: folder.into(),
        };
        play(file, place, from.parse().unwrap_or(0)).await
    };
    match played.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(complaint) => {
            eprintln!("{complaint}");
            ExitCode::FAILURE
        }
    }
}

async fn play(file: &str, place: Place, from: usize) -> Result<(), String> {
    let scenario = Scenario::read(file)?;
    let mut stage = Stage::set(&scenario, place, from).await?;
    if from == 0
        && let Some(lacking) = stage.lacking(&scenario)
    {
        println!("skipped: the backend lacks {lacking}");
        return Ok(());
    }
    for (number, step) in scenario.steps.iter().enumerate().skip(from) {
        let label = step.label(number);
        stage.next = number + 1;
        let played = tokio::time::timeout(PATIENCE, verbs::perform(&mut stage, step));
        let lines = played
            .await
            .map_err(|_| format!("{label}: nothing came"))?
            .map_err(|complaint| format!("{label}: {complaint}"))?;
        print_step(&label, &lines);
    }
    stage.leave().await;
    Ok(())
}

fn print_step(label: &str, lines: &[String]) {
    let (first, rest) = lines
        .split_first()
        .map_or(("done", &[][..]), |(first, rest)| (first.as_str(), rest));
    println!("{label}: {first}");
    for line in rest {
        println!("  {line}");
    }
}
