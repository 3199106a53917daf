//! The backends that scenarios are played against, and what they leave out.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::folder;
use crate::swift::Missing;
use crate::{bindings, node};

/// One of them.
#[derive(Clone, Copy, Debug, Eq, PartialEq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// The reference backend.
    Reference,
    /// The real Socket.IO server of `examples/interop`.
    Socketio,
}

impl Kind {
    pub(super) const ALL: [Self; 2] = [Self::Reference, Self::Socketio];

    /// What tells a player of it, and the folder beside the scenarios that describes it.
    pub(super) const fn argument(self) -> Option<&'static str> {
        match self {
            Self::Reference => None,
            Self::Socketio => Some("socketio"),
        }
    }

    /// What it takes beside what the build made. CI promises the tools.
    pub(super) fn prepare(self) -> Result<(), Missing> {
        if self == Self::Reference {
            return Ok(());
        }
        match node::missing_tool() {
            Some(missing) if bindings::are_tools_promised() => {
                Err(Missing::Failed(missing.to_owned()))
            }
            Some(missing) => Err(Missing::Skipped(missing.to_owned())),
            None => node::install().map_err(Missing::Failed),
        }
    }

    /// Which scenarios cannot be played on it beyond what its capabilities say, and why: one list for
    /// the players of every language.
    pub(super) fn skips(self) -> Result<BTreeMap<String, String>, String> {
        let Some(name) = self.argument() else {
            return Ok(BTreeMap::new());
        };
        let file = folder().join(name).join("backend.json");
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", file.display());
        let text = fs::read_to_string(&file).map_err(|error| wrong(&error))?;
        let all: Value = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
        let listed = all["skips"].as_object().into_iter().flatten();
        let reason = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(listed
            .map(|(name, why)| (name.clone(), reason(why)))
            .collect())
    }

    /// The trace that is kept of a scenario on it: one of its own only where that differs.
    pub(super) fn kept(self, scenario: &Path) -> PathBuf {
        let trace = scenario.with_extension("trace");
        let own = match (self.argument(), trace.parent(), trace.file_name()) {
            (Some(name), Some(folder), Some(file)) => folder.join(name).join(file),
            _ => return trace,
        };
        if own.exists() { own } else { trace }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_skipped_is_a_scenario_and_has_a_reason() {
        let skips = Kind::Socketio.skips().expect("the list");
        assert!(!skips.is_empty() && Kind::Reference.skips().expect("none").is_empty());
        for (name, why) in skips {
            assert!(
                folder().join(format!("{name}.json")).exists(),
                "there is no {name}"
            );
            assert!(!why.is_empty(), "{name} is skipped without a reason");
        }
    }
}
