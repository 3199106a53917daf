//! The Debian archive that this system itself installs from: where a root for another release of
//! Debian can be fetched. No address is written down here; the system's own settings have one.

use std::process::{Command, Stdio};

/// What apt is asked to print for each index it knows.
const FORMAT: &str = "$(ORIGIN) $(LABEL) $(COMPONENT) $(REPO_URI)";

/// The address of the archive, after a fresh look at the archive where apt knows none yet.
pub(super) fn of_this_system() -> Result<String, String> {
    if let Some(found) = main_archive(&index_targets()?) {
        return Ok(found);
    }
    // Where a release is from is read in its index, which a fresh machine has not fetched yet.
    let updated = Command::new("apt-get").args(["update", "-qq"]).status();
    updated.map_err(|error| format!("apt-get did not start: {error}"))?;
    main_archive(&index_targets()?).ok_or_else(|| "apt knows no archive of Debian".to_owned())
}

fn index_targets() -> Result<String, String> {
    let output = Command::new("apt-get")
        .args(["indextargets", "--format", FORMAT])
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("apt-get did not start: {error}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// The first archive of Debian itself; security updates are kept in another, which has no base.
fn main_archive(targets: &str) -> Option<String> {
    let archive = |line: &str| {
        let fields: Vec<&str> = line.split(' ').collect();
        match fields[..] {
            ["Debian", "Debian", "main", address] => Some(address.to_owned()),
            _ => None,
        }
    };
    targets.lines().find_map(archive)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn archive_of_debian_is_chosen_among_strangers() {
        let targets = "Google Google main https://packages.example/apt\n\
                       Debian Debian-Security main http://mirror.example/security/\n\
                       Debian Debian contrib http://mirror.example/contrib/\n\
                       Debian Debian main http://mirror.example/debian/\n";
        let expected = Some("http://mirror.example/debian/".to_owned());
        assert_eq!(main_archive(targets), expected);
    }

    #[test]
    fn system_without_an_archive_of_debian_has_none() {
        assert_eq!(
            main_archive("Ubuntu Ubuntu main http://mirror.example/\n"),
            None
        );
    }
}
