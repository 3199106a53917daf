//! A Debian root that holds a Swift toolchain: made once below `target`, entered with `chroot`.
//!
//! The root appears under its name only when it is whole, so a half-made one is never used: it lies
//! under another name and is removed before the next attempt. One process makes it at a time.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::mirror;
use crate::{cargo, process};

/// The Debian release that packages Swift, and what a Swift package needs of it. The number is the
/// recipe's: a change of it makes a new root.
const RELEASE: &str = "trixie";
const PACKAGES: &str = "swiftlang,libc6-dev,ca-certificates";
const RECIPE: &str = "1";

/// Three minutes on two busy cores; past this the network is down, and the others should be heard.
const MAKING: Duration = Duration::from_secs(20 * 60);
const INSTALLING: Duration = Duration::from_secs(5 * 60);

/// What debootstrap mounts and starts ends with it, and it ends with this process: nobody writes into
/// a half-made root that the next run removes.
const ALONE: [&str; 8] = [
    "--pdeathsig",
    "KILL",
    "unshare",
    "--mount",
    "--pid",
    "--fork",
    "--kill-child",
    "debootstrap",
];

/// Enters the root with the work tree at its own place, in mounts that end with the process: a
/// killed run leaves none behind.
const ENTER: &str = r#"set -eu
root=$1 tree=$2 directory=$3; shift 3
mkdir -p "$root$tree" "$root/root/home"
mount --bind "$tree" "$root$tree"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
exec chroot "$root" /usr/bin/env -i -C "$directory" \
  PATH=/usr/local/bin:/usr/bin:/bin HOME=/root/home LANG=C.UTF-8 "$@"
"#;

/// Whether this system can make such a root at all; if not, the reason.
pub(super) fn is_possible() -> Result<(), String> {
    if !Path::new("/etc/debian_version").exists() {
        return Err("no Swift 6 on the PATH, and this is no Debian to make a root with".to_owned());
    }
    let user = Command::new("id").arg("-u").output();
    let is_root = user.is_ok_and(|output| output.stdout.trim_ascii() == b"0");
    if is_root {
        Ok(())
    } else {
        Err("no Swift 6 on the PATH, and only root can make a Debian root for it".to_owned())
    }
}

/// The finished root, made now if it is not there.
pub(super) fn ensure() -> Result<PathBuf, String> {
    let folder = cargo::root().join("target/swift");
    ensure_in(&folder, fill)
}

/// A command that runs inside `root`, with `directory` of the work tree as its own.
pub(super) fn command(root: &Path, directory: &Path) -> Command {
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", ENTER, "enter"]);
    command.arg(root).arg(cargo::root()).arg(directory);
    command
}

fn ensure_in(folder: &Path, fill: fn(&Path) -> Result<(), String>) -> Result<PathBuf, String> {
    let finished = folder.join(format!("{RELEASE}-{RECIPE}"));
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let lock = File::create(folder.join("lock")).map_err(|error| error.to_string())?;
    lock.lock().map_err(|error| error.to_string())?;
    if finished.is_dir() {
        return Ok(finished);
    }
    let making = folder.join(format!("{RELEASE}-{RECIPE}.making"));
    remove(&making)?;
    fill(&making)?;
    fs::rename(&making, &finished).map_err(|error| error.to_string())?;
    Ok(finished)
}

fn remove(folder: &Path) -> Result<(), String> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(format!("{}: {error}", folder.display()))
        }
        _ => Ok(()),
    }
}

fn fill(making: &Path) -> Result<(), String> {
    tool()?;
    println!("making a Debian root with Swift below target (once, some minutes)");
    let mut debootstrap = Command::new("setpriv");
    debootstrap
        .args(ALONE)
        .args([
            "--variant=minbase",
            &format!("--include={PACKAGES}"),
            RELEASE,
        ])
        .arg(making)
        .arg(mirror::of_this_system()?);
    bounded("debootstrap", &mut debootstrap, MAKING)?;
    tidy(making)
}

/// The packages as they came take 0.7 GB and are never read again; older builds lack `swift`.
fn tidy(root: &Path) -> Result<(), String> {
    remove(&root.join("var/cache/apt/archives"))?;
    let swift = root.join("usr/bin/swift");
    // A link of the root leads nowhere from out here.
    if swift.symlink_metadata().is_ok() {
        return Ok(());
    }
    std::os::unix::fs::symlink("/usr/libexec/swift/bin/swift", swift)
        .map_err(|error| format!("the root's swift: {error}"))
}

fn tool() -> Result<(), String> {
    if Command::new("debootstrap")
        .arg("--version")
        .output()
        .is_ok()
    {
        return Ok(());
    }
    let mut update = Command::new("apt-get");
    bounded("apt-get update", update.args(["update", "-qq"]), INSTALLING)?;
    let mut install = Command::new("apt-get");
    install
        .args([
            "install",
            "-y",
            "-qq",
            "--no-install-recommends",
            "debootstrap",
        ])
        .env("DEBIAN_FRONTEND", "noninteractive");
    bounded("apt-get install", &mut install, INSTALLING)
}

fn bounded(name: &str, command: &mut Command, limit: Duration) -> Result<(), String> {
    let log = cargo::root().join("target/xtask/logs/swift-root.log");
    let finished = process::run(command, &log, limit)
        .map_err(|error| format!("{name} did not start: {error}"))?;
    if finished.succeeded() {
        return Ok(());
    }
    let lines: Vec<&str> = finished.output.lines().rev().take(20).collect();
    let end: Vec<&str> = lines.into_iter().rev().collect();
    Err(format!("{name} failed:\n{}", end.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = cargo::root().join("target/xtask/self-test").join(name);
        remove(&folder).expect("a folder to start with");
        folder
    }

    fn whole(making: &Path) -> Result<(), String> {
        fs::create_dir(making).map_err(|error| error.to_string())?;
        fs::write(making.join("whole"), "").map_err(|error| error.to_string())
    }

    fn broken(making: &Path) -> Result<(), String> {
        fs::create_dir(making).map_err(|error| error.to_string())?;
        fs::write(making.join("half"), "").map_err(|error| error.to_string())?;
        Err("the network is down".to_owned())
    }

    #[test]
    fn half_made_root_is_never_used_and_made_again() {
        let folder = folder("root-half");
        ensure_in(&folder, broken).expect_err("the network is down");
        let root = ensure_in(&folder, whole).expect("made");
        assert!(root.join("whole").exists() && !root.join("half").exists());
    }

    #[test]
    fn finished_root_is_not_made_again() {
        let folder = folder("root-once");
        let root = ensure_in(&folder, whole).expect("made");
        assert_eq!(ensure_in(&folder, broken).expect("found"), root);
    }
}
