//! What a benchmark found, as a JSON line or a row of the table.

use serde_json::{Map, Value, json};

/// On which side of its bound a ratio must stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// At most the bound.
    Max,
    /// At least the bound.
    Min,
}

/// One measured ratio.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    name: &'static str,
    kind: Kind,
    ratio: f64,
    bound: f64,
    n: usize,
    notes: Vec<(&'static str, f64)>,
}

impl Finding {
    /// A ratio that must not exceed its bound, over `n` measurements of each side.
    pub(crate) const fn at_most(name: &'static str, ratio: f64, bound: f64, n: usize) -> Self {
        Self {
            name,
            kind: Kind::Max,
            ratio,
            bound,
            n,
            notes: Vec::new(),
        }
    }

    /// A ratio that must not fall below its bound, over `n` measurements of each side.
    pub(crate) fn at_least(name: &'static str, ratio: f64, bound: f64, n: usize) -> Self {
        Self {
            kind: Kind::Min,
            ..Self::at_most(name, ratio, bound, n)
        }
    }

    /// A further ratio or count that helps to read the result.
    pub(crate) fn note(mut self, name: &'static str, value: f64) -> Self {
        self.notes.push((name, value));
        self
    }

    /// Whether the bound holds.
    pub(crate) fn holds(&self) -> bool {
        match self.kind {
            Kind::Max => self.ratio <= self.bound,
            Kind::Min => self.ratio >= self.bound,
        }
    }

    fn json(&self) -> Value {
        let mut line = Map::new();
        line.insert("name".into(), json!(self.name));
        line.insert("ratio".into(), rounded(self.ratio));
        line.insert("bound".into(), rounded(self.bound));
        line.insert("kind".into(), json!(self.sign().1));
        line.insert("n".into(), json!(self.n));
        line.insert("holds".into(), json!(self.holds()));
        for (name, value) in &self.notes {
            line.insert((*name).into(), rounded(*value));
        }
        Value::Object(line)
    }

    fn row(&self) -> String {
        let verdict = if self.holds() { "holds" } else { "BROKEN" };
        let (sign, _) = self.sign();
        let bound = format!("{sign} {}", rounded(self.bound));
        let notes: Vec<String> = self
            .notes
            .iter()
            .map(|(name, value)| format!("{name} {}", rounded(*value)))
            .collect();
        let ratio = rounded(self.ratio).to_string();
        let (name, n, notes) = (self.name, self.n, notes.join(", "));
        format!("{name:<16} {ratio:>9}  {bound:<9} {n:>6}  {verdict:<7} {notes}")
    }

    const fn sign(&self) -> (&'static str, &'static str) {
        match self.kind {
            Kind::Max => ("<=", "max"),
            Kind::Min => (">=", "min"),
        }
    }
}

/// Three decimals: more would only be noise.
fn rounded(value: f64) -> Value {
    json!((value * 1000.0).round() / 1000.0)
}

/// The command line.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    json: bool,
    /// Broken bounds are shown, and do not fail the run.
    pub(crate) no_bounds: bool,
    names: Vec<String>,
}

impl Options {
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self::default();
        for argument in arguments {
            match argument.as_str() {
                "--json" => options.json = true,
                "--no-bounds" => options.no_bounds = true,
                // What `cargo bench` itself adds.
                "--bench" => {}
                flag if flag.starts_with('-') => {
                    return Err(format!(
                        "unknown flag {flag}; there are --json and --no-bounds"
                    ));
                }
                _ => options.names.push(argument),
            }
        }
        Ok(options)
    }

    /// Whether a benchmark was asked for; all are where none was named.
    pub(crate) fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|part| name.contains(part.as_str()))
    }

    pub(crate) fn print_head(&self) {
        if !self.json {
            println!(
                "{:<16} {:>9}  {:<9} {:>6}",
                "benchmark", "ratio", "bound", "n"
            );
        }
    }

    pub(crate) fn print(&self, finding: &Finding) {
        if self.json {
            println!("{}", finding.json());
        } else {
            println!("{}", finding.row());
        }
    }
}
