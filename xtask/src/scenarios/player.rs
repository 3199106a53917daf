//! The program that plays scenarios in one language.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use super::{Kind, Language, backend::Backend};
use crate::swift::Missing;
use crate::{cargo, kotlin, process, swift};

/// A step is given up after a minute by the player itself; past this the player hangs.
const LIMIT: Duration = Duration::from_secs(5 * 60);

/// The player of the Swift package.
const SWIFT: &str = "TidingsScenarios";

/// A player that can be started.
pub(super) struct Player(Language, Kind);

/// What a player did.
pub(super) struct Played {
    pub(super) trace: String,
    /// Why it ended early, where it did.
    pub(super) complaint: Option<String>,
    /// The step that the next player begins with, where this one was killed by its scenario.
    pub(super) left_at: Option<usize>,
}

impl Player {
    /// The player of this language against this backend, or why there is none here.
    pub(super) fn of(language: Language, kind: Kind) -> Result<Self, Missing> {
        kind.prepare()?;
        match language {
            Language::Kotlin => kotlin::available()?,
            Language::Swift => drop(swift::program(SWIFT)?),
            Language::Rust => {}
        }
        Ok(Self(language, kind))
    }

    /// The backend it is for.
    pub(super) const fn kind(&self) -> Kind {
        self.1
    }

    fn command(&self) -> Result<Command, String> {
        match self.0 {
            Language::Rust => {
                let built = cargo::root().join("target/debug/tidings-scenarios");
                Ok(Command::new(built))
            }
            Language::Swift => swift::program(SWIFT).map_err(|missing| format!("{missing:?}")),
            Language::Kotlin => Ok(kotlin::player()),
        }
    }

    /// Plays a scenario from a step on.
    pub(super) fn play(
        &self,
        scenario: &Path,
        backend: &Backend,
        folder: &Path,
        from: usize,
    ) -> Result<Played, String> {
        let mut command = self.command()?;
        command
            .arg(scenario)
            .args([&backend.origin, &backend.admin]);
        command.arg(folder).arg(from.to_string());
        command.args(self.1.argument());
        let (log, complaints) = (folder.join("trace"), folder.join("complaints"));
        let finished = process::run_apart(&mut command, &log, &complaints, LIMIT)
            .map_err(|error| format!("the player did not start: {error}"))?;
        let left_at = (!finished.succeeded()).then(|| left_at(folder)).flatten();
        let complaint = || fs::read_to_string(&complaints).unwrap_or_default();
        Ok(Played {
            complaint: (!finished.succeeded()).then(complaint),
            trace: finished.output,
            left_at,
        })
    }
}

/// Where a killed player left off.
fn left_at(folder: &Path) -> Option<usize> {
    let left = fs::read_to_string(folder.join("left.json")).ok()?;
    let left: Value = serde_json::from_str(&left).ok()?;
    left["next"]
        .as_u64()
        .and_then(|next| usize::try_from(next).ok())
}

/// An empty folder for one scenario's store, inside the work tree so that every root sees it.
pub(super) fn fresh_folder(name: &str) -> Result<PathBuf, String> {
    let folder = cargo::root().join("target/xtask/scenarios").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    Ok(folder)
}
