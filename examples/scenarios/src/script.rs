//! A scenario as its file has it.

use std::{collections::BTreeMap, fs};

use serde_json::Value;

/// A scenario.
pub(crate) struct Scenario {
    /// Capabilities without which it is skipped.
    pub(crate) needs: Vec<String>,
    /// Whether the backend's extensions are used.
    pub(crate) extensions: bool,
    /// Timings and limits.
    pub(crate) settings: BTreeMap<String, String>,
    /// The tokens that the app has, one after the other.
    pub(crate) tokens: Vec<String>,
    /// What is done.
    pub(crate) steps: Vec<Step>,
}

/// One step.
pub(crate) struct Step(Value);

impl Scenario {
    pub(crate) fn read(file: &str) -> Result<Self, String> {
        let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
        let all: Value = serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))?;
        let steps = all.get("steps").and_then(Value::as_array);
        Ok(Self {
            needs: texts(&all["needs"]),
            extensions: all["extensions"].as_bool().unwrap_or(false),
            settings: pairs(&all["settings"]),
            tokens: texts(&all["tokens"]),
            steps: steps.into_iter().flatten().cloned().map(Step).collect(),
        })
    }
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

fn pairs(map: &Value) -> BTreeMap<String, String> {
    let pairs = map.as_object().into_iter().flatten();
    pairs
        .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
        .collect()
}

impl Step {
    /// What is done.
    pub(crate) fn verb(&self) -> &str {
        self.maybe("do").unwrap_or_default()
    }

    /// Its line in the trace begins with this.
    pub(crate) fn label(&self, number: usize) -> String {
        let named = ["as", "of", "in"].iter().find_map(|key| self.maybe(key));
        let named = named.map(|name| format!(" {name}")).unwrap_or_default();
        format!("{} {}{named}", number + 1, self.verb())
    }

    pub(crate) fn maybe(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(Value::as_str)
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str, String> {
        self.maybe(key)
            .ok_or_else(|| format!("the step lacks {key}"))
    }

    pub(crate) fn number(&self, key: &str, default: u64) -> u64 {
        self.0.get(key).and_then(Value::as_u64).unwrap_or(default)
    }

    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        self.0.get(key).and_then(Value::as_bool).unwrap_or(default)
    }

    /// A part of it as JSON text, where it is there.
    pub(crate) fn json(&self, key: &str) -> Option<String> {
        self.0.get(key).map(Value::to_string)
    }
}
