//! Lenient, shallow JSON: one level at a time, each field judged for itself.
//!
//! An object is a map from names to unread slices of the input, so a field of an odd type spoils
//! only itself, and a hostile body costs no more memory than its own size.

use std::{
    borrow::{Borrow, Cow},
    collections::BTreeMap,
    fmt,
};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::domain::time::WallTime;

/// A list longer than this is read up to here; the rest counts as skipped.
const LONGEST_LIST: usize = 10_000;

/// An object whose fields are not read yet.
#[derive(Default)]
pub(crate) struct Object<'a>(BTreeMap<Name<'a>, &'a RawValue>);

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Object({} fields)", self.0.len())
    }
}

impl<'a> Object<'a> {
    /// Reads one object; `None` for anything else.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        Some(Self(serde_json::from_str(text).ok()?))
    }

    /// The raw text of the first of these fields that is there and not null.
    pub(crate) fn raw(&self, names: &[&str]) -> Option<&'a str> {
        let mut found = names.iter().filter_map(|name| self.0.get(*name));
        found.find_map(|raw| Some(raw.get()).filter(|text| *text != "null"))
    }

    /// Whether the field is there, null or not.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// A nested object.
    pub(crate) fn object(&self, names: &[&str]) -> Option<Self> {
        names
            .iter()
            .find_map(|name| Self::parse(self.raw(&[name])?))
    }

    /// A string; one with broken escapes is repaired.
    pub(crate) fn text(&self, names: &[&str]) -> Option<String> {
        names.iter().find_map(|name| string(self.raw(&[name])?))
    }

    /// An id: a string, or a number's own digits, verbatim.
    pub(crate) fn id(&self, names: &[&str]) -> Option<String> {
        let of = |raw: &str| string(raw).or_else(|| integer(raw).map(|_| raw.to_owned()));
        names.iter().find_map(|name| of(self.raw(&[name])?))
    }

    /// A whole number, however written.
    pub(crate) fn number(&self, names: &[&str]) -> Option<i64> {
        names.iter().find_map(|name| integer(self.raw(&[name])?))
    }

    /// A number that cannot be negative.
    pub(crate) fn count(&self, names: &[&str]) -> Option<usize> {
        usize::try_from(self.number(names)?).ok()
    }

    /// A truth value.
    pub(crate) fn flag(&self, names: &[&str]) -> Option<bool> {
        names
            .iter()
            .find_map(|name| serde_json::from_str(self.raw(&[name])?).ok())
    }

    /// A moment; an unreadable one is unknown, never now.
    pub(crate) fn time(&self, names: &[&str]) -> Option<WallTime> {
        names
            .iter()
            .find_map(|name| WallTime::parse_rfc3339(&string(self.raw(&[name])?)?))
    }

    /// A string, number or truth value as plain text.
    pub(crate) fn scalar(&self, name: &str) -> Option<String> {
        let raw = self.raw(&[name])?;
        let nested = raw.starts_with(['{', '[']);
        string(raw).or_else(|| (!nested).then(|| raw.to_owned()))
    }

    /// The items of a list, unread.
    pub(crate) fn list(&self, names: &[&str]) -> Option<Items<'a>> {
        names
            .iter()
            .find_map(|name| serde_json::from_str(self.raw(&[name])?).ok())
    }
}

/// A field's name; one with broken escapes is repaired like any other string.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Name<'a>(Cow<'a, str>);

impl Borrow<str> for Name<'_> {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Name<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(NameVisitor)
    }
}

struct NameVisitor;

impl<'de> Visitor<'de> for NameVisitor {
    type Value = Name<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Name(Cow::Owned(text.to_owned())))
    }
}

/// The unread items of a list.
#[derive(Default)]
pub(crate) struct Items<'a> {
    /// The items' own texts.
    pub(crate) items: Vec<&'a str>,
    /// How many more there were.
    pub(crate) beyond: usize,
}

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(ItemsVisitor)
    }
}

struct ItemsVisitor;

impl<'de> Visitor<'de> for ItemsVisitor {
    type Value = Items<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut read = Items::default();
        while read.items.len() < LONGEST_LIST {
            let Some(raw) = seq.next_element::<&'de RawValue>()? else {
                return Ok(read);
            };
            read.items.push(raw.get());
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {
            read.beyond += 1;
        }
        Ok(read)
    }
}

/// Reads a JSON string; lone surrogates become replacement characters instead of an error.
pub(crate) fn string(raw: &str) -> Option<String> {
    if !raw.starts_with('"') {
        return None;
    }
    serde_json::from_str(raw).ok().or_else(|| {
        serde_json::from_str::<Repaired>(raw)
            .ok()
            .map(|text| text.0)
    })
}

struct Repaired(String);

impl<'de> Deserialize<'de> for Repaired {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Asked for bytes, serde_json passes lone surrogates through instead of refusing them.
        deserializer.deserialize_bytes(RepairedVisitor)
    }
}

struct RepairedVisitor;

impl Visitor<'_> for RepairedVisitor {
    type Value = Repaired;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Self::Value, E> {
        Ok(Repaired(String::from_utf8_lossy(bytes).into_owned()))
    }
}

/// A whole number; `12.0` and `"12"` count, since some servers write so.
fn integer(raw: &str) -> Option<i64> {
    let bare = raw.trim_matches('"');
    let float = || bare.parse::<f64>().ok().filter(|f| f.fract() == 0.0);
    #[expect(clippy::cast_possible_truncation, reason = "a float cast saturates")]
    let whole = |f: f64| f as i64;
    bare.parse().ok().or_else(|| float().map(whole))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f36_a_field_of_an_odd_type_spoils_only_itself() {
        let text = r#"{"id":7,"content":["x"],"created_at":12,"ok":"maybe","n":"12","z":null}"#;
        let object = Object::parse(text).expect("object");
        assert_eq!(object.id(&["id"]).as_deref(), Some("7"));
        assert_eq!(object.text(&["content"]), None);
        assert_eq!(object.time(&["created_at"]), None);
        assert_eq!(object.flag(&["ok"]), None);
        assert_eq!(object.count(&["n"]), Some(12));
        assert_eq!(object.raw(&["z", "n"]), Some("\"12\""));
        assert!(object.has("z"));
    }

    #[test]
    fn f38_a_lone_surrogate_is_replaced_not_refused() {
        let object = Object::parse(r#"{"content":"a\ud800b\u0000"}"#).expect("object");
        let text = object.text(&["content"]).expect("text");
        assert!(text.starts_with('a') && text.ends_with("b\0"), "{text:?}");
    }

    #[test]
    fn f37_deep_nesting_and_long_lists_are_bounded() {
        let deep = format!("{{\"x\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(Object::parse(&deep).is_some_and(|o| o.has("x")));
        let long = format!("{{\"l\":[1{}]}}", ",1".repeat(20_000));
        let object = Object::parse(&long).expect("object");
        let items = object.list(&["l"]).expect("list");
        assert_eq!((items.items.len(), items.beyond), (10_000, 10_001));
    }
}
