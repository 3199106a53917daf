//! Which suites there are: the unit tests of each package, each integration test, the
//! documentation tests. The list comes from the manifests, not from what happened to be built, so
//! that a suite that does not compile is still in the table, as failed.

use std::path::PathBuf;

use crate::cargo::{Kind, Program, Target};

/// Seeds of the simulation inside `cargo xtask test`: enough to see it work, in the slow profile.
/// `cargo xtask simulate` runs the large numbers in the fast one.
const SIMULATION: [&str; 4] = ["--seeds", "40", "--from", "1"];

/// One row of the table.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Suite {
    pub(crate) name: String,
    pub(crate) plan: Plan,
}

/// How a suite is run.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Plan {
    /// A program that the build made, started in the directory of its package.
    Program {
        path: PathBuf,
        directory: PathBuf,
        arguments: Vec<String>,
    },
    /// The documentation tests of the workspace, which only cargo can run.
    Documentation,
    /// The Kotlin packages, which Maven tests against the library and backend of the same build.
    Kotlin,
    /// The build made no program for it.
    NotBuilt,
}

/// Every suite of the workspace, in the order of the manifests, documentation tests and then the
/// other languages last.
pub(crate) fn list(targets: &[Target], programs: &[Program]) -> Vec<Suite> {
    let mut suites: Vec<Suite> = targets
        .iter()
        .filter(|target| target.tested && target.kind != Kind::Other)
        .map(|target| Suite {
            name: name(target),
            plan: plan(target, programs),
        })
        .collect();
    if targets.iter().any(|target| target.doc_tested) {
        suites.push(Suite {
            name: "documentation".to_owned(),
            plan: Plan::Documentation,
        });
    }
    if targets.iter().any(|target| target.package == "tidings-ffi") {
        suites.push(Suite {
            name: "kotlin".to_owned(),
            plan: Plan::Kotlin,
        });
    }
    suites
}

fn name(target: &Target) -> String {
    let package = &target.package;
    match target.kind {
        Kind::Library => format!("{package} (unit)"),
        Kind::Binary => format!("{package} (unit, bin {})", target.name),
        Kind::Test | Kind::Bench | Kind::Other => format!("{package} {}", target.name),
    }
}

fn plan(target: &Target, programs: &[Program]) -> Plan {
    let built = programs.iter().find(|program| {
        program.package_id == target.package_id
            && program.name == target.name
            && program.kind == target.kind
    });
    let Some(program) = built else {
        return Plan::NotBuilt;
    };
    Plan::Program {
        path: program.path.clone(),
        directory: target.directory.clone(),
        arguments: arguments(target),
    }
}

fn arguments(target: &Target) -> Vec<String> {
    let is_simulation = target.kind == Kind::Test && target.name == "simulation";
    if is_simulation {
        SIMULATION.map(str::to_owned).to_vec()
    } else {
        Vec::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(name: &str, kind: Kind) -> Target {
        Target {
            package: "tidings".to_owned(),
            package_id: "id".to_owned(),
            directory: PathBuf::from("root"),
            name: name.to_owned(),
            kind,
            tested: true,
            doc_tested: kind == Kind::Library,
        }
    }

    fn program(name: &str, kind: Kind) -> Program {
        Program {
            package_id: "id".to_owned(),
            name: name.to_owned(),
            kind,
            path: PathBuf::from("program"),
        }
    }

    #[test]
    fn suite_without_a_program_is_listed_as_not_built() {
        let suites = list(&[target("broken", Kind::Test)], &[]);
        assert_eq!(suites.len(), 1);
        assert_eq!(suites[0].plan, Plan::NotBuilt);
    }

    #[test]
    fn binary_and_library_of_one_name_are_two_suites() {
        let targets = [
            target("tidings", Kind::Library),
            target("tidings", Kind::Binary),
        ];
        let programs = [program("tidings", Kind::Library)];
        let suites = list(&targets, &programs);
        assert!(matches!(suites[0].plan, Plan::Program { .. }));
        assert_eq!(suites[1].plan, Plan::NotBuilt);
        assert_eq!(suites[2].plan, Plan::Documentation);
    }

    #[test]
    fn simulation_gets_a_number_of_seeds() {
        let programs = [program("simulation", Kind::Test)];
        let suites = list(&[target("simulation", Kind::Test)], &programs);
        let Plan::Program { arguments, .. } = &suites[0].plan else {
            panic!("not built")
        };
        assert_eq!(arguments[0], "--seeds");
    }
}
