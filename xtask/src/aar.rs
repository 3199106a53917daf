//! `cargo xtask aar`: the library for Android, as an archive that Gradle projects take.
//!
//! **These steps need the Android SDK, an NDK of r28 or later and `cargo-ndk`, and no CI of this
//! project runs them.** They are data, so that tests can hold them against what the tools ask for;
//! `--print` shows them anywhere. `.github/workflows/android.yml` runs them where a runner can.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use crate::bindings;
use crate::cargo;

/// One command of the plan, in the work tree.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Step {
    program: &'static str,
    arguments: Vec<String>,
}

/// Kinds of devices, by the names of Android.
const DEVICES: [&str; 3] = ["arm64-v8a", "armeabi-v7a", "x86_64"];

/// Android 7, as `android/build.gradle.kts` has it.
const OLDEST: &str = "24";

/// Relocations packed in the way that such a system reads, equal functions folded, pages of 16 KB.
/// The name is said, since the system's loader asks for it.
const LINK: [&str; 4] = [
    "link-arg=-Wl,--pack-dyn-relocs=android",
    "link-arg=-Wl,--icf=all",
    "link-arg=-Wl,-z,max-page-size=16384",
    "link-arg=-Wl,-soname,libtidings_ffi.so",
];

/// Runs the plan, or only prints it.
pub(crate) fn run(print: bool) -> Result<ExitCode, String> {
    let steps = plan(&cargo::root().join("bindings/kotlin/android"));
    if print {
        steps.iter().for_each(|step| println!("{}", line(step)));
        return Ok(ExitCode::SUCCESS);
    }
    if std::env::var_os("ANDROID_NDK_HOME").is_none() {
        return Err("aar needs an Android NDK in ANDROID_NDK_HOME; --print shows its steps".into());
    }
    bindings::build_library()?;
    bindings::generate()?;
    steps.iter().try_for_each(start)?;
    Ok(ExitCode::SUCCESS)
}

fn plan(android: &Path) -> Vec<Step> {
    let libraries = android.join("jniLibs");
    let mut steps = vec![step("rm", &["-rf", &text(&libraries)])];
    steps.extend(DEVICES.map(|device| build(device, &libraries)));
    steps.extend(DEVICES.map(|device| aligned(&library(&libraries, device))));
    steps.push(step(
        "gradle",
        &["--project-dir", &text(android), "assembleRelease"],
    ));
    steps
}

/// One kind of library alone, as on every platform.
fn build(device: &str, libraries: &Path) -> Step {
    let mut arguments = vec!["ndk", "-t", device, "--platform", OLDEST, "-o"];
    let folder = text(libraries);
    arguments.push(&folder);
    arguments.extend([
        "rustc",
        "--profile",
        "mobile",
        "--locked",
        "-p",
        "tidings-ffi",
    ]);
    arguments.extend(["--lib", "--crate-type", "cdylib", "--"]);
    arguments.extend(LINK.iter().flat_map(|flag| ["-C", flag]));
    step("cargo", &arguments)
}

/// Fails where a segment is not aligned to 16 KB: newer devices would not load it.
fn aligned(library: &Path) -> Step {
    let check = format!(
        "! readelf -lW '{}' | grep LOAD | grep -v 0x4000",
        library.display()
    );
    step("sh", &["-c", &check])
}

fn library(libraries: &Path, device: &str) -> PathBuf {
    libraries.join(device).join("libtidings_ffi.so")
}

fn step(program: &'static str, arguments: &[&str]) -> Step {
    let arguments = arguments.iter().map(|one| (*one).to_owned()).collect();
    Step { program, arguments }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn line(step: &Step) -> String {
    format!("{} {}", step.program, step.arguments.join(" "))
}

fn start(step: &Step) -> Result<(), String> {
    println!("{}", line(step));
    let status = Command::new(step.program)
        .args(&step.arguments)
        .current_dir(cargo::root())
        .status()
        .map_err(|error| format!("{} did not start: {error}", step.program))?;
    if status.success() {
        return Ok(());
    }
    Err(format!("{} failed", line(step)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_device_is_built_and_its_alignment_checked_before_the_archive_is_made() {
        let steps: Vec<String> = plan(Path::new("/a")).iter().map(line).collect();
        let place = |part: &str| steps.iter().position(|step| step.contains(part));
        for device in DEVICES {
            let built = place(&format!("-t {device} ")).expect("built");
            let checked = place(&format!("/{device}/libtidings_ffi.so")).expect("checked");
            assert!(built < checked && checked < place("assembleRelease").expect("made"));
        }
    }

    #[test]
    fn the_oldest_system_is_that_of_the_gradle_file() {
        let file = cargo::root().join("bindings/kotlin/android/build.gradle.kts");
        let gradle = std::fs::read_to_string(file).expect("the Gradle file");
        assert!(gradle.contains(&format!("minSdk = {OLDEST}")));
    }
}
