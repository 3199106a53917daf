//! Which Swift there is: the one on the `PATH`, else one in a Debian root.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::root;
use crate::bindings;

/// The oldest release whose language mode is Swift 6.
const OLDEST: u32 = 6;

/// A Swift toolchain that can run commands in the work tree.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Toolchain {
    /// `swift` of the `PATH`.
    Installed,
    /// The one inside this root.
    Rooted(PathBuf),
}

/// Why there is none, and whether that is a failure here.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Missing {
    /// A developer's machine that cannot have one: the suite is skipped, by name.
    Skipped(String),
    /// There had to be one.
    Failed(String),
}

impl Toolchain {
    /// Finds one, or makes it where that is possible.
    ///
    /// In CI there has to be one; elsewhere a machine may go without.
    pub(crate) fn ensure() -> Result<Self, Missing> {
        if is_installed() {
            return Ok(Self::Installed);
        }
        root::is_possible().map_err(|reason| missing(bindings::are_tools_promised(), reason))?;
        // A machine that could have one and failed to get it is broken, in CI or not.
        root::ensure().map(Self::Rooted).map_err(Missing::Failed)
    }

    /// `program` with these variables, started in `directory`; arguments are the caller's.
    pub(crate) fn command(
        &self,
        program: &str,
        directory: &Path,
        variables: &[(&str, String)],
    ) -> Command {
        match self {
            Self::Installed => {
                let mut command = Command::new(program);
                command
                    .current_dir(directory)
                    .envs(variables.iter().cloned());
                command
            }
            Self::Rooted(root) => {
                let mut command = root::command(root, directory);
                command.args(
                    variables
                        .iter()
                        .map(|(name, value)| format!("{name}={value}")),
                );
                command.arg(program);
                command
            }
        }
    }
}

fn missing(is_ci: bool, reason: String) -> Missing {
    if is_ci {
        Missing::Failed(reason)
    } else {
        Missing::Skipped(reason)
    }
}

fn is_installed() -> bool {
    let output = Command::new("swift").arg("--version").output();
    output.is_ok_and(|output| is_new_enough(&String::from_utf8_lossy(&output.stdout)))
}

fn is_new_enough(version: &str) -> bool {
    let (_, rest) = version.split_once("Swift version ").unwrap_or_default();
    let major = rest.split(|letter: char| !letter.is_ascii_digit()).next();
    major
        .and_then(|major| major.parse::<u32>().ok())
        .is_some_and(|major| major >= OLDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swift_older_than_six_is_no_toolchain() {
        assert!(is_new_enough(
            "Swift version 6.0.3 (swift-6.0.3-RELEASE)\nTarget: x"
        ));
        assert!(is_new_enough(
            "Apple Swift version 6.2 (swiftlang-6.2.0.19.9)"
        ));
        assert!(!is_new_enough(
            "Swift version 5.10.1 (swift-5.10.1-RELEASE)"
        ));
        assert!(!is_new_enough("no such command"));
    }

    #[test]
    fn missing_toolchain_fails_in_ci_and_is_skipped_elsewhere() {
        let reason = || "why".to_owned();
        assert_eq!(missing(true, reason()), Missing::Failed(reason()));
        assert_eq!(missing(false, reason()), Missing::Skipped(reason()));
    }

    #[test]
    fn command_of_a_root_runs_in_the_directory_with_its_variables() {
        let toolchain = Toolchain::Rooted(PathBuf::from("/r"));
        let command = toolchain.command("swift", Path::new("/w"), &[("A", "b".to_owned())]);
        let arguments: Vec<_> = command.get_args().map(|it| it.to_string_lossy()).collect();
        assert!(arguments.ends_with(&["/w".into(), "A=b".into(), "swift".into()]));
    }
}
