//! A kept trace, and what of it a command shows.

/// A scenario's trace.
#[derive(Debug, Default)]
pub(super) struct Trace {
    /// Why this backend plays none.
    pub(super) skipped: Option<String>,
    /// Each step's lines, the first without its label.
    pub(super) steps: Vec<Vec<String>>,
}

impl Trace {
    pub(super) fn read(text: &str) -> Self {
        let mut trace = Self::default();
        for line in text.lines() {
            if let Some(detail) = line.strip_prefix("  ") {
                trace
                    .steps
                    .last_mut()
                    .expect("a step")
                    .push(detail.to_owned());
            } else if let Some(reason) = line.strip_prefix("skipped: ") {
                trace.skipped = Some(reason.to_owned());
            } else {
                let (_, told) = line.split_once(": ").expect("a label");
                trace.steps.push(vec![told.to_owned()]);
            }
        }
        trace
    }
}

/// A step's lines without what no line of the command tells: the light of a connection, the words
/// that wait in the outbox, the flags of a row.
pub(super) fn as_shown(verb: &str, lines: &[String]) -> Vec<String> {
    let (first, details) = lines.split_first().expect("a line");
    let word = |text: &str| text.split(' ').next().unwrap_or_default().to_owned();
    let head = match verb {
        "connection" => word(first),
        _ => first.clone(),
    };
    let details = details.iter().map(|line| match verb {
        "outbox" => word(line),
        "history" => row(line),
        _ => line.clone(),
    });
    [head].into_iter().chain(details).collect()
}

/// Name, role, state and text of a row.
fn row(line: &str) -> String {
    let (facts, text) = line.split_once(" \"").expect("rows here are our own");
    let words: Vec<_> = facts.split(' ').take(3).collect();
    format!("{} \"{text}", words.join(" "))
}
