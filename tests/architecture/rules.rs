//! The rules. Each takes one source or one file's text and returns the violations it found, as
//! sentences that say what to do instead.

use super::code::{Source, words};

const FILE_LINES: usize = 600;
const FUNCTION_LINES: usize = 80;

/// The comment that lets a transition function be long: splitting one table helps nobody.
const ONE_MATCH: &str = "one match";

/// What one layer may use, by module of the crate, and which crates it must never see.
struct Layer {
    module: &'static str,
    may: &'static [&'static str],
    never: &'static [&'static str],
}

/// Everything that does input or output. Small crates of values (delays, dates) are not among them.
const EFFECTS: &[&str] = &[
    "axum",
    "hyper",
    "rusqlite",
    "rustls",
    "rustls_platform_verifier",
    "tokio",
    "tokio_rustls",
    "tokio_tungstenite",
    "tracing_subscriber",
    "webpki_roots",
];

const LAYERS: &[Layer] = &[
    Layer {
        module: "domain",
        may: &["domain"],
        never: EFFECTS,
    },
    Layer {
        module: "engine",
        may: &["domain", "engine"],
        never: EFFECTS,
    },
    Layer {
        module: "usecases",
        may: &["domain", "error", "usecases"],
        never: EFFECTS,
    },
    // The outermost error ring: one mapping from the ports' errors, shared by all that return it.
    Layer {
        module: "error",
        may: &["domain"],
        never: EFFECTS,
    },
    Layer {
        module: "adapters",
        may: &["domain", "adapters"],
        never: &["axum"],
    },
    Layer {
        module: "runtime",
        may: &["config", "domain", "engine", "error", "usecases", "runtime"],
        never: &["axum"],
    },
];

/// What every adapter may use beside itself.
const SHARED_ADAPTERS: [&str; 6] = ["http", "json", "net", "printable", "storage", "websocket"];

const BACKENDS: [&str; 4] = ["consultations", "socketio", "apigateway", "gateway"];

/// Words that name no concept.
const EMPTY_WORDS: [&str; 7] = [
    "manager", "helper", "helpers", "util", "utils", "impl", "impls",
];

/// A text that may stand only in some modules.
struct Confined {
    texts: &'static [&'static str],
    modules: &'static [&'static str],
    instead: &'static str,
}

const CONFINED: &[Confined] = &[
    Confined {
        texts: &[
            "Instant::now",
            "SystemTime::now",
            "Timestamp::now",
            "Zoned::now",
            "Utc::now",
        ],
        modules: &["adapters/system"],
        instead: "only adapters/system reads a clock; take the time as a value",
    },
    Confined {
        texts: &[
            "Uuid::new_v4",
            "rand::random",
            "thread_rng",
            "getrandom::",
            "OsRng",
        ],
        modules: &["adapters/system"],
        instead: "only adapters/system draws randomness; take the entropy as a value",
    },
    Confined {
        texts: &["Uuid::now_v7"],
        modules: &[],
        instead: "an id is built from the time and entropy the caller was given",
    },
    Confined {
        texts: &["tokio::spawn", "task::spawn", "spawn_local", "JoinSet"],
        modules: &["runtime"],
        instead: "only the runtime spawns tasks",
    },
    Confined {
        texts: &["thread::spawn", "thread::Builder"],
        modules: &["runtime", "adapters/sqlite"],
        instead: "only the store and the runtime own threads",
    },
    Confined {
        texts: &["select!"],
        modules: &["runtime"],
        instead: "only the runtime selects, always biased",
    },
];

/// All rules for one source of the SDK.
pub(crate) fn all(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    let rules = [
        layers,
        adapters,
        engines,
        confined,
        biased,
        sizes,
        names,
        module_docs,
    ];
    rules.iter().flat_map(|rule| rule(source)).collect()
}

/// The rules for programs: examples and tasks may do what they like, in readable pieces.
pub(crate) fn for_programs(source: &Source) -> Vec<String> {
    if source.is_test() {
        return Vec::new();
    }
    [sizes, names, module_docs]
        .iter()
        .flat_map(|rule| rule(source))
        .collect()
}

/// Layers point inward.
pub(crate) fn layers(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    for layer in LAYERS.iter().filter(|layer| source.is_in(layer.module)) {
        for path in source.paths() {
            let module = path.split("::").next().unwrap_or_default();
            if !layer.may.contains(&module) {
                found.push(format!(
                    "{}: `{path}` is outside the layer's reach",
                    source.path
                ));
            }
        }
        for outside in words(&source.code).filter(|word| layer.never.contains(word)) {
            found.push(format!(
                "{}: `{outside}` does not belong in this layer",
                source.path
            ));
        }
    }
    found
}

/// An adapter knows itself and the shared parts, not its neighbours.
pub(crate) fn adapters(source: &Source) -> Vec<String> {
    let Some(inner) = source.path.strip_prefix("src/adapters/") else {
        return Vec::new();
    };
    let own = inner.split(['/', '.']).next().unwrap_or_default();
    let foreign = |path: &String| {
        let mut parts = path.split("::");
        let adapter = (parts.next() == Some("adapters"))
            .then(|| parts.next())
            .flatten();
        adapter.is_some_and(|name| name != own && !SHARED_ADAPTERS.contains(&name))
    };
    let paths = source
        .paths()
        .into_iter()
        .filter(|_| own != "mod")
        .filter(foreign);
    paths
        .map(|path| format!("{}: `{path}` is another adapter", source.path))
        .collect()
}

/// Engines are plain machines, and they branch on capabilities, never on a backend's name.
pub(crate) fn engines(source: &Source) -> Vec<String> {
    if !source.is_in("engine") {
        return Vec::new();
    }
    let code = source.code.to_lowercase();
    let backends = BACKENDS.iter().filter(|name| code.contains(*name));
    let mut found: Vec<String> = backends
        .map(|name| {
            format!(
                "{}: an engine knows no backend `{name}`: branch on a capability",
                source.path
            )
        })
        .collect();
    if words(&source.code).any(|word| word == "async" || word == "await") {
        found.push(format!("{}: an engine never awaits", source.path));
    }
    found
}

/// Clocks, randomness, tasks and threads each have one home.
pub(crate) fn confined(source: &Source) -> Vec<String> {
    if source.is_in("testing") {
        return Vec::new();
    }
    let mut found = Vec::new();
    for rule in CONFINED
        .iter()
        .filter(|rule| !rule.modules.iter().any(|home| source.is_in(home)))
    {
        for text in rule
            .texts
            .iter()
            .filter(|text| source.code.contains(**text))
        {
            found.push(format!("{}: `{text}`: {}", source.path, rule.instead));
        }
    }
    found
}

/// A `select!` that picks at random makes a seed tell half the story.
pub(crate) fn biased(source: &Source) -> Vec<String> {
    let unbiased = source.code.split("select!").skip(1).any(|body| {
        let body = body
            .trim_start()
            .trim_start_matches(['{', '('])
            .trim_start();
        !body.starts_with("biased;")
    });
    if unbiased {
        vec![format!("{}: `select!` without `biased;`", source.path)]
    } else {
        Vec::new()
    }
}

/// Files and functions a reader can hold in mind.
pub(crate) fn sizes(source: &Source) -> Vec<String> {
    let mut found = Vec::new();
    let lines = source.raw.lines().count() - source.test_lines;
    if lines > FILE_LINES {
        found.push(format!(
            "{}: {lines} lines, at most {FILE_LINES}",
            source.path
        ));
    }
    for function in source.functions() {
        let may_be_long = source.is_marked(function.first_line, ONE_MATCH);
        if function.lines > FUNCTION_LINES && !may_be_long {
            let (name, lines) = (&function.name, function.lines);
            found.push(format!(
                "{}: fn {name}: {lines} lines, at most {FUNCTION_LINES}",
                source.path
            ));
        }
    }
    found
}

/// Names say what a thing is.
pub(crate) fn names(source: &Source) -> Vec<String> {
    let file = source
        .path
        .rsplit('/')
        .next()
        .unwrap_or_default()
        .trim_end_matches(".rs");
    let declared = source.names().into_iter().chain([file.to_owned()]);
    let empty = declared.filter(|name| {
        parts(name)
            .iter()
            .any(|part| EMPTY_WORDS.contains(&part.as_str()))
    });
    empty
        .map(|name| format!("{}: `{name}` says nothing: name the concept", source.path))
        .collect()
}

/// The lower-case words of `CamelCase` and `snake_case`.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    for letter in name.chars() {
        if letter == '_' || letter.is_ascii_uppercase() {
            parts.push(String::new());
        }
        if letter != '_'
            && let Some(part) = parts.last_mut()
        {
            part.push(letter.to_ascii_lowercase());
        }
    }
    parts
}

/// Every module says in its first line what it is for.
pub(crate) fn module_docs(source: &Source) -> Vec<String> {
    let documented = source.raw.lines().find(|line| !line.trim().is_empty());
    if documented.is_some_and(|line| line.starts_with("//!")) {
        return Vec::new();
    }
    vec![format!(
        "{}: starts without `//!`: say what the module is for",
        source.path
    )]
}

/// No text of the repository points outside it, or at one machine.
pub(crate) fn private_places(path: &str, text: &str) -> Vec<String> {
    const ADVISORIES: &str = concat!("..", "/shared/advisory-db.bundle");
    let text = if path == ".ci/run" {
        text.replace(ADVISORIES, "")
    } else {
        text.to_owned()
    };
    let places = [
        concat!("..", "/shared"),
        concat!("/wo", "rk/"),
        concat!("/tm", "p/"),
    ];
    let stands = |place: &&&str| {
        let mut before = text
            .match_indices(**place)
            .map(|(start, _)| text.get(..start));
        before.any(|before| {
            !before
                .unwrap_or_default()
                .ends_with(|letter: char| letter.is_alphanumeric())
        })
    };
    let found = places.iter().filter(stands);
    found
        .map(|place| format!("{path}: names `{place}`"))
        .collect()
}
