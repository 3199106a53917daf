//! `cargo xtask xcframework`: the library for Apple's platforms, as a framework bundle that the
//! package's `binaryTarget` takes.
//!
//! **These steps need macOS with Xcode, and no CI of this project runs them.** They are data, so
//! that the tests can hold their order and arguments against what the tools ask for; `--print`
//! shows them anywhere. `.github/workflows/apple.yml` runs them where a runner can.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::{folder, generate};
use crate::{bindings, cargo};

/// One command of the plan.
#[derive(Clone, Debug, Eq, PartialEq)]
struct Step {
    program: String,
    arguments: Vec<String>,
    variables: Vec<(&'static str, &'static str)>,
}

/// What is built for one kind of device: the targets become one library.
struct Slice {
    name: &'static str,
    /// As the linker names the platform, with the oldest system it has to run on and the SDK.
    platform: [&'static str; 3],
    targets: &'static [(&'static str, &'static str)],
}

/// Devices, simulators and Macs; the oldest systems are those of `Package.swift`.
const SLICES: [Slice; 3] = [
    Slice {
        name: "ios",
        platform: ["ios", "17.0", "17.0"],
        targets: &[("aarch64-apple-ios", "arm64")],
    },
    Slice {
        name: "ios-simulator",
        platform: ["ios-simulator", "17.0", "17.0"],
        targets: &[
            ("aarch64-apple-ios-sim", "arm64"),
            ("x86_64-apple-ios", "x86_64"),
        ],
    },
    Slice {
        name: "macos",
        platform: ["macos", "14.0", "14.0"],
        targets: &[
            ("aarch64-apple-darwin", "arm64"),
            ("x86_64-apple-darwin", "x86_64"),
        ],
    },
];

const OLDEST: [(&str, &str); 2] = [
    ("IPHONEOS_DEPLOYMENT_TARGET", "17.0"),
    ("MACOSX_DEPLOYMENT_TARGET", "14.0"),
];

/// Runs the plan, or only prints it.
pub(crate) fn run(print: bool) -> Result<ExitCode, String> {
    let work = cargo::root().join("target/xcframework");
    let steps = plan(&work, &folder().join("Artifacts"));
    if print {
        steps.iter().for_each(|step| println!("{}", line(step)));
        return Ok(ExitCode::SUCCESS);
    }
    if !cfg!(target_os = "macos") {
        return Err("xcframework needs macOS with Xcode; --print shows its steps".to_owned());
    }
    bindings::build_library()?;
    generate::sources()?;
    steps.iter().try_for_each(start)?;
    Ok(ExitCode::SUCCESS)
}

fn plan(work: &Path, artifacts: &Path) -> Vec<Step> {
    let mut steps = vec![
        step("rm", &["-rf", &text(work), &text(artifacts)]),
        step("mkdir", &["-p", &text(&headers(work)), &text(artifacts)]),
    ];
    let header = folder().join("Sources/CTidingsFFI");
    for name in ["CTidingsFFI.h", "module.modulemap"] {
        steps.push(step(
            "cp",
            &[&text(&header.join(name)), &text(&headers(work))],
        ));
    }
    steps.extend(SLICES.iter().flat_map(|slice| slice_steps(slice, work)));
    steps.extend(bundle(work, artifacts));
    steps
}

/// In a folder of its own: two bundles with a module map at the root of their headers collide.
fn headers(work: &Path) -> PathBuf {
    work.join("headers/CTidingsFFI")
}

fn slice_steps(slice: &Slice, work: &Path) -> Vec<Step> {
    let mut steps = vec![step("mkdir", &["-p", &text(&work.join(slice.name))])];
    let mut libraries = Vec::new();
    for (target, architecture) in slice.targets {
        let library = work.join(slice.name).join(format!("{architecture}.a"));
        steps.extend(library_steps(slice, target, architecture, work, &library));
        libraries.push(text(&library));
    }
    let mut lipo = vec!["lipo".to_owned(), "-create".to_owned()];
    lipo.append(&mut libraries);
    lipo.extend(["-output".to_owned(), text(&slice_library(slice, work))]);
    steps.push(Step {
        program: "xcrun".to_owned(),
        arguments: lipo,
        variables: Vec::new(),
    });
    steps
}

/// Builds one target and hides the bundled SQLite: an app that links the system's own one would
/// otherwise mix the two, whichever the linker meets first.
fn library_steps(
    slice: &Slice,
    target: &str,
    architecture: &str,
    work: &Path,
    library: &Path,
) -> Vec<Step> {
    let [platform, oldest, sdk] = slice.platform;
    let built = cargo::root().join(format!("target/{target}/mobile/libtidings_ffi.a"));
    let merged = work.join(slice.name).join(format!("{architecture}.o"));
    let mut build = step("cargo", &["build", "--locked", "--profile", "mobile"]);
    let package = ["--package", "tidings-ffi", "--target", target];
    build.arguments.extend(package.map(str::to_owned));
    build.variables = OLDEST.to_vec();
    let hide = [
        "ld",
        "-r",
        "-arch",
        architecture,
        "-platform_version",
        platform,
        oldest,
        sdk,
        "-unexported_symbol",
        "_sqlite3_*",
        "-all_load",
        &text(&built),
        "-o",
        &text(&merged),
    ];
    let pack = ["libtool", "-static", "-o", &text(library), &text(&merged)];
    vec![
        step("rustup", &["target", "add", target]),
        build,
        step("xcrun", &hide),
        step("xcrun", &pack),
    ]
}

fn slice_library(slice: &Slice, work: &Path) -> PathBuf {
    work.join(slice.name).join("libtidings_ffi.a")
}

fn bundle(work: &Path, artifacts: &Path) -> Vec<Step> {
    let bundle = artifacts.join("CTidingsFFI.xcframework");
    let archive = artifacts.join("CTidingsFFI.xcframework.zip");
    let mut create = vec!["-create-xcframework".to_owned()];
    for slice in &SLICES {
        create.extend(["-library".to_owned(), text(&slice_library(slice, work))]);
        create.extend(["-headers".to_owned(), text(&work.join("headers"))]);
    }
    create.extend(["-output".to_owned(), text(&bundle)]);
    let create = Step {
        program: "xcodebuild".to_owned(),
        arguments: create,
        variables: Vec::new(),
    };
    let keep = ["-c", "-k", "--keepParent", &text(&bundle), &text(&archive)];
    let checksum = ["package", "compute-checksum", &text(&archive)];
    vec![create, step("ditto", &keep), step("swift", &checksum)]
}

fn step(program: &str, arguments: &[&str]) -> Step {
    Step {
        program: program.to_owned(),
        arguments: arguments.iter().map(|it| (*it).to_owned()).collect(),
        variables: Vec::new(),
    }
}

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn line(step: &Step) -> String {
    let variables = step
        .variables
        .iter()
        .map(|(name, value)| format!("{name}={value} "));
    let variables: String = variables.collect();
    format!("{variables}{} {}", step.program, step.arguments.join(" "))
}

fn start(step: &Step) -> Result<(), String> {
    println!("{}", line(step));
    let status = Command::new(&step.program)
        .args(&step.arguments)
        .envs(step.variables.iter().copied())
        .current_dir(folder())
        .status()
        .map_err(|error| format!("{} did not start: {error}", step.program))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("failed: {}", line(step)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines() -> Vec<String> {
        plan(Path::new("w"), Path::new("a"))
            .iter()
            .map(line)
            .collect()
    }

    #[test]
    fn every_target_is_built_hidden_and_packed_before_the_bundle() {
        let lines = lines();
        let place = |part: &str| lines.iter().position(|line| line.contains(part));
        let bundle = place("-create-xcframework").expect("a bundle");
        for (target, _) in SLICES.iter().flat_map(|slice| slice.targets) {
            let build = format!("--target {target}");
            let hide = format!("target/{target}/mobile/libtidings_ffi.a");
            assert!(place(&build) < place(&hide), "{target}");
            assert!(place(&hide).expect("hidden") < bundle, "{target}");
        }
    }

    #[test]
    fn headers_of_the_bundle_lie_in_a_folder_of_their_own() {
        let lines = lines();
        let copied = |name: &str| {
            lines
                .iter()
                .any(|line| line.starts_with("cp ") && line.contains(name))
        };
        assert!(copied("module.modulemap w/headers/CTidingsFFI"));
        assert!(
            lines
                .iter()
                .any(|line| line.contains("-headers w/headers "))
        );
    }

    #[test]
    fn oldest_systems_are_those_of_the_package() {
        let package = std::fs::read_to_string(folder().join("Package.swift")).expect("read");
        assert!(package.contains(".iOS(.v17), .macOS(.v14)"));
        let build = lines()
            .into_iter()
            .find(|line| line.contains("cargo build"));
        let build = build.expect("a build");
        assert!(build.contains("IPHONEOS_DEPLOYMENT_TARGET=17.0 MACOSX_DEPLOYMENT_TARGET=14.0"));
    }
}
