//! What an event or an acknowledgement carries: unread JSON values, and binary attachments.

use std::fmt;

use serde_json::value::{RawValue, to_raw_value};

use crate::adapters::{json, socketio::WireError};

/// The values of an event or an acknowledgement, in order.
#[derive(Clone, Default)]
pub struct Arguments {
    values: Vec<Box<RawValue>>,
    attachments: Vec<Vec<u8>>,
}

/// Prints no content.
impl fmt::Debug for Arguments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (values, attached) = (self.values.len(), self.attachments.len());
        write!(f, "Arguments({values} values, {attached} attachments)")
    }
}

/// Equal where the JSON texts and the bytes are.
impl PartialEq for Arguments {
    fn eq(&self, other: &Self) -> bool {
        let texts = |of: &Self| -> Vec<String> {
            of.values.iter().map(|raw| raw.get().to_owned()).collect()
        };
        texts(self) == texts(other) && self.attachments == other.attachments
    }
}

impl Arguments {
    /// Arguments without attachments.
    #[must_use]
    pub fn of(values: impl IntoIterator<Item = serde_json::Value>) -> Self {
        let raw = |value| to_raw_value(&value).ok();
        Self {
            values: values.into_iter().filter_map(raw).collect(),
            attachments: Vec::new(),
        }
    }

    pub(super) const fn raw(values: Vec<Box<RawValue>>) -> Self {
        Self {
            values,
            attachments: Vec::new(),
        }
    }

    /// The same with attachments; a placeholder stands in the values for each.
    ///
    /// # Errors
    /// [`WireError::BadAttachments`] where a placeholder points beyond them.
    pub fn with_attachments(mut self, attachments: Vec<Vec<u8>>) -> Result<Self, WireError> {
        super::attachments::check(&self.values, attachments.len())?;
        self.attachments = attachments;
        Ok(self)
    }

    /// What stands in a value for the attachment of this number.
    #[must_use]
    pub fn placeholder(number: usize) -> serde_json::Value {
        serde_json::json!({ "_placeholder": true, "num": number })
    }

    /// How many values there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The JSON of one value.
    #[must_use]
    pub fn json(&self, at: usize) -> Option<&str> {
        self.values.get(at).map(|raw| raw.get())
    }

    /// One value where it is text.
    #[must_use]
    pub fn text(&self, at: usize) -> Option<String> {
        json::string(self.json(at)?)
    }

    /// The attachments, in order.
    #[must_use]
    pub fn attachments(&self) -> &[Vec<u8>] {
        &self.attachments
    }

    /// Adds attachments whose placeholders were judged already.
    pub(super) fn attach(&mut self, attachments: Vec<Vec<u8>>) {
        self.attachments = attachments;
    }

    pub(super) fn values(&self) -> &[Box<RawValue>] {
        &self.values
    }
}
