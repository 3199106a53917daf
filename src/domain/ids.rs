//! Identifiers: ours are minted from given time and entropy, the server's are kept verbatim.

use std::fmt;

use uuid::Uuid;

use crate::domain::time::WallTime;

/// A message's key on this device for life, minted when the row is first stored.
///
/// A UUIDv7, so keys of one device ascend with time. Where a backend takes an idempotency key,
/// this is the key it is given.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClientMessageId(Uuid);

impl ClientMessageId {
    /// Builds the key from a wall-clock moment and ten bytes of entropy.
    #[must_use]
    pub fn mint(at: WallTime, entropy: [u8; 10]) -> Self {
        let millis = u64::try_from(at.as_millis()).unwrap_or(0);
        Self(uuid::Builder::from_unix_timestamp_millis(millis, &entropy).into_uuid())
    }

    /// Restores a key from its sixteen stored bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The sixteen bytes to store.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// Parses the hyphenated form that [`fmt::Display`] prints; `None` for anything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for ClientMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

impl fmt::Debug for ClientMessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

macro_rules! opaque_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// Wraps the text as it came, without reformatting; blank text is no id.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                (!text.trim().is_empty()).then(|| Self(text.to_owned()))
            }

            /// The text as it came.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

opaque_id! {
    /// The server's name for a message: opaque, never invented, never reformatted.
    MessageId
}
opaque_id! {
    /// The server's name for a conversation, or a local one until it is bound.
    ConversationId
}
opaque_id! {
    /// The server's name for a person or a system that writes messages.
    UserId
}

/// What a conversation's local id begins with, until the server has given one.
const LOCAL: &str = "local:";

impl ConversationId {
    /// The id of a conversation that only this device knows, made of the key of its creation.
    #[must_use]
    pub fn local(creation: ClientMessageId) -> Self {
        Self(format!("{LOCAL}{creation}"))
    }

    /// Whether it is a local one. No server is believed to have given such an id.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.0.starts_with(LOCAL)
    }
}
