//! Where attachments belong: every placeholder, however deep, names one that is there.

use std::{borrow::Cow, fmt};

use serde::de::{self, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::adapters::socketio::WireError;

/// Checks the placeholders of all values. JSON nested beyond the parser's depth is refused too:
/// what cannot be looked through cannot be vouched for.
pub(super) fn check(values: &[Box<RawValue>], attachments: usize) -> Result<(), WireError> {
    for value in values {
        let mut read = serde_json::Deserializer::from_str(value.get());
        let looked = Look { attachments }.deserialize(&mut read);
        looked.map_err(|_| WireError::BadAttachments)?;
    }
    Ok(())
}

/// What a value is, as far as a placeholder is concerned.
#[derive(Clone, Copy, PartialEq)]
enum Seen {
    True,
    Number(Option<usize>),
    Other,
}

/// Looks through one value.
#[derive(Clone, Copy)]
struct Look {
    attachments: usize,
}

impl<'de> DeserializeSeed<'de> for Look {
    type Value = Seen;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Seen, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look {
    type Value = Seen;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Seen, E> {
        Ok(if value { Seen::True } else { Seen::Other })
    }

    fn visit_u64<E>(self, value: u64) -> Result<Seen, E> {
        Ok(Seen::Number(usize::try_from(value).ok()))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Seen, E> {
        Ok(Seen::Number(None))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Seen, E> {
        Ok(Seen::Number(None))
    }

    fn visit_str<E>(self, _: &str) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_unit<E>(self) -> Result<Seen, E> {
        Ok(Seen::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Seen, A::Error> {
        while items.next_element_seed(self)?.is_some() {}
        Ok(Seen::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Seen, A::Error> {
        let (mut placeholder, mut number) = (false, None);
        while let Some(name) = fields.next_key::<Cow<'de, str>>()? {
            let seen = fields.next_value_seed(self)?;
            match (name.as_ref(), seen) {
                ("_placeholder", seen) => placeholder = seen == Seen::True,
                ("num", Seen::Number(named)) => number = named,
                _ => {}
            }
        }
        match number {
            _ if !placeholder => Ok(Seen::Other),
            Some(number) if number < self.attachments => Ok(Seen::Other),
            _ => Err(de::Error::custom("a placeholder without an attachment")),
        }
    }
}
