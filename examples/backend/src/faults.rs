//! Fault rules: what the backend does wrong on purpose, and when.

mod action;
mod rule;

pub use action::{Action, Direction};
pub(crate) use rule::replacement;
pub use rule::{Match, On, Rule, RuleError};

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::Serialize;

/// Something about to happen that a rule may spoil.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event<'a> {
    pub(crate) on: On,
    pub(crate) method: Option<&'a str>,
    pub(crate) path: Option<&'a str>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) conversation: Option<&'a str>,
}

impl<'a> Event<'a> {
    pub(crate) fn new(on: On) -> Self {
        Self {
            on,
            method: None,
            path: None,
            kind: None,
            conversation: None,
        }
    }

    pub(crate) fn request(
        on: On,
        method: &'a str,
        path: &'a str,
        conversation: Option<&'a str>,
    ) -> Self {
        Self {
            on,
            method: Some(method),
            path: Some(path),
            kind: None,
            conversation,
        }
    }

    pub(crate) fn frame(on: On, kind: &'a str, conversation: &'a str) -> Self {
        Self {
            on,
            method: None,
            path: None,
            kind: Some(kind),
            conversation: Some(conversation),
        }
    }
}

/// What the rules want done to an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Decision {
    /// First wait this long,
    pub(crate) delay: Duration,
    /// then do this, or nothing out of the ordinary.
    pub(crate) action: Option<Action>,
}

impl Decision {
    /// The names of what was decided, for the records.
    pub(crate) fn names(&self) -> Vec<String> {
        let delay = (!self.delay.is_zero()).then(|| "delay".to_owned());
        delay
            .into_iter()
            .chain(self.action.as_ref().map(Action::name))
            .collect()
    }
}

/// A rule as it stands now.
#[derive(Clone, Debug, Serialize)]
pub struct RuleStatus {
    /// The rule, with the id it was given.
    #[serde(flatten)]
    pub rule: Rule,
    /// Events that met its conditions so far, spoiled or not.
    pub seen: u32,
    /// Events it spoiled so far.
    pub applied: u32,
}

/// The rules in force. Cheap to clone; all clones share the rules.
///
/// Rules are tried in the order they were added. Delays add up; the first other action that
/// matches is the one taken.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<RuleStatus>,
    next_id: u64,
}

impl Faults {
    /// Adds a rule and returns its id (its own, or a fresh one).
    ///
    /// # Errors
    /// When the action makes no sense for the event, or the id is taken.
    pub fn add(&self, mut rule: Rule) -> Result<String, RuleError> {
        rule.check()?;
        let mut inner = self.lock();
        let id = match rule.id.take() {
            Some(id) if inner.rules.iter().any(|status| status.id() == id) => {
                return Err(RuleError::DuplicateId(id));
            }
            Some(id) => id,
            None => {
                inner.next_id += 1;
                format!("rule-{}", inner.next_id)
            }
        };
        rule.id = Some(id.clone());
        inner.rules.push(RuleStatus {
            rule,
            seen: 0,
            applied: 0,
        });
        Ok(id)
    }

    /// Adds one rule or an array of rules from JSON; all or none.
    ///
    /// # Errors
    /// When the text is not a rule, or [`add`](Self::add) would refuse one.
    pub fn add_json(&self, json: &str) -> Result<Vec<String>, RuleError> {
        let rules = Rule::parse(json)?;
        for rule in &rules {
            rule.check()?;
        }
        rules.into_iter().map(|rule| self.add(rule)).collect()
    }

    /// The rules in force, spent ones included.
    pub fn list(&self) -> Vec<RuleStatus> {
        self.lock().rules.clone()
    }

    /// How many events a rule has spoiled; 0 for an unknown rule.
    pub fn applied(&self, id: &str) -> u32 {
        self.lock()
            .rules
            .iter()
            .find(|status| status.id() == id)
            .map_or(0, |status| status.applied)
    }

    /// Removes a rule; `false` if there was none of that id.
    pub fn remove(&self, id: &str) -> bool {
        let mut inner = self.lock();
        let before = inner.rules.len();
        inner.rules.retain(|status| status.id() != id);
        inner.rules.len() < before
    }

    /// Removes all rules.
    pub fn clear(&self) {
        self.lock().rules.clear();
    }

    /// What to do to an event.
    pub(crate) fn decide(&self, event: &Event<'_>) -> Decision {
        let mut decision = Decision::default();
        for status in &mut self.lock().rules {
            if !status.rule.when.holds(event) || status.is_spent() {
                continue;
            }
            status.seen += 1;
            if status.seen < status.rule.when.nth.unwrap_or(1) {
                continue;
            }
            status.applied += 1;
            match &status.rule.action {
                Action::Delay { ms } => decision.delay += Duration::from_millis(*ms),
                other => {
                    decision.action = Some(other.clone());
                    break;
                }
            }
        }
        decision
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RuleStatus {
    fn id(&self) -> &str {
        self.rule.id.as_deref().unwrap_or_default()
    }

    fn is_spent(&self) -> bool {
        self.rule.times != 0 && self.applied >= self.rule.times
    }
}

#[cfg(test)]
mod tests;
