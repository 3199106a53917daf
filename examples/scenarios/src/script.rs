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
        let all = json(file)?;
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

/// A file of JSON.
pub(crate) fn json(file: &str) -> Result<Value, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("{file}: {error}"))?;
    serde_json::from_str(&text).map_err(|error| format!("{file}: {error}"))
}

fn texts(list: &Value) -> Vec<String> {
    let texts = list.as_array().into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// Texts by their key.
pub(crate) fn pairs(map: &Value) -> BTreeMap<String, String> {
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

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn kept() -> Vec<(Scenario, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios");
        let files = fs::read_dir(folder).expect("scenarios");
        let files = files.flatten().map(|entry| entry.path());
        let files = files.filter(|file| file.extension().is_some_and(|kind| kind == "json"));
        let both = files.map(|file| {
            let scenario = Scenario::read(&file.to_string_lossy()).expect("a scenario");
            let trace = fs::read_to_string(file.with_extension("trace")).expect("its trace");
            (scenario, trace)
        });
        both.collect()
    }

    /// What is kept can be the same in every language: a line for each step, and no id.
    #[test]
    fn g15_kept_traces_tell_every_step_and_no_id() {
        let kept = kept();
        assert!(kept.len() >= 20);
        for (scenario, trace) in kept {
            let told = trace.lines().filter(|line| !line.starts_with("  "));
            let steps = scenario.steps.iter().enumerate();
            let labels: Vec<String> = steps.map(|(at, step)| step.label(at)).collect();
            let told: Vec<&str> = told
                .filter_map(|line| line.split_once(": "))
                .map(|it| it.0)
                .collect();
            assert_eq!(told, labels);
            let is_id = |word: &str| word.len() >= 32 && !word.starts_with("018f0000");
            let has_id = trace.split([' ', ':', '\n', '"']).any(is_id);
            assert!(!has_id, "{trace}");
        }
    }
}
