//! The lines of the spare: each has a checksum of its own, so that a damaged one is known and its
//! neighbours are not.

use serde_json::{Value as Json, json};

use rusqlite::types::Value;

use super::super::{cipher::LineCipher, generic::GenericRow};

/// Begins an encrypted line; a plain one begins with its checksum.
const SEALED: char = '~';

/// What is encrypted in a line, if it is.
pub(super) fn sealed(line: &[u8]) -> Option<&[u8]> {
    line.strip_prefix(SEALED.encode_utf8(&mut [0; 4]).as_bytes())
}

/// A table of which rows are kept twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in super::super) enum Kept {
    /// Drafts, and what unsent messages refer to.
    Conversation,
    /// What a waiting change refers to, and what became of an action that waits no longer.
    Message,
    /// What is unsent.
    Outbox,
    /// Names of conversations begun here, which were deleted, who this device is.
    Setting,
}

impl Kept {
    const ALL: [Self; 4] = [
        Self::Conversation,
        Self::Message,
        Self::Outbox,
        Self::Setting,
    ];

    pub(in super::super) const fn table(self) -> &'static str {
        match self {
            Self::Conversation => "conversation",
            Self::Message => "message",
            Self::Outbox => "outbox",
            Self::Setting => "setting",
        }
    }

    /// The column that a line's key stands for, in the newest schema.
    pub(in super::super) const fn key(self) -> &'static str {
        match self {
            Self::Conversation | Self::Message | Self::Outbox => "id",
            Self::Setting => "name",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kept| kept.table() == name)
    }
}

/// A row as it was after a commit, or the word that it is gone.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Line {
    /// The number of that commit among those that changed something kept twice.
    pub(in super::super) number: i64,
    /// The schema's version.
    pub(in super::super) version: i64,
    pub(in super::super) kept: Kept,
    /// The row's id, as text.
    pub(in super::super) key: String,
    /// The id of the conversation that it is in.
    pub(in super::super) conversation: Option<String>,
    /// `None` where it is gone.
    pub(in super::super) row: Option<GenericRow>,
}

impl Line {
    /// The text of the line, its end included; `None` where the cipher fails.
    pub(in super::super) fn encode(&self, cipher: Option<&LineCipher>) -> Option<String> {
        let body = self.to_json().to_string();
        let plain = format!("{:08x} {body}", checksum(body.as_bytes()));
        Some(match cipher {
            None => plain + "\n",
            Some(cipher) => format!("{SEALED}{}\n", cipher.seal(plain.as_bytes())?),
        })
    }

    /// Reads a line without its end; `None` where it is not as it was written. With a cipher no
    /// other line is believed.
    pub(in super::super) fn decode(line: &[u8], cipher: Option<&LineCipher>) -> Option<Self> {
        match (cipher, sealed(line)) {
            (None, None) => Self::decode_plain(line),
            (Some(cipher), Some(sealed)) => Self::decode_plain(&cipher.open(sealed)?),
            _ => None,
        }
    }

    fn decode_plain(line: &[u8]) -> Option<Self> {
        let (sum, rest) = line.split_at_checked(8)?;
        let body = rest.strip_prefix(b" ")?;
        let sum = u32::from_str_radix(std::str::from_utf8(sum).ok()?, 16).ok()?;
        if sum != checksum(body) {
            return None;
        }
        Self::from_json(&serde_json::from_str(std::str::from_utf8(body).ok()?).ok()?)
    }

    fn to_json(&self) -> Json {
        json!({
            "n": self.number,
            "v": self.version,
            "t": self.kept.table(),
            "k": self.key,
            "c": self.conversation,
            "row": self.row.as_ref().map(row_to_json),
        })
    }

    fn from_json(json: &Json) -> Option<Self> {
        Some(Self {
            number: json["n"].as_i64()?,
            version: json["v"].as_i64()?,
            kept: Kept::parse(json["t"].as_str()?)?,
            key: json["k"].as_str()?.to_owned(),
            conversation: json["c"].as_str().map(str::to_owned),
            row: match &json["row"] {
                Json::Null => None,
                row => Some(row_from_json(row.as_array()?)?),
            },
        })
    }
}

fn row_to_json(row: &GenericRow) -> Json {
    let columns = row.0.iter();
    columns
        .map(|(name, value)| json!([name, value_to_json(value)]))
        .collect()
}

fn row_from_json(columns: &[Json]) -> Option<GenericRow> {
    let column = |pair: &Json| Some((pair[0].as_str()?.to_owned(), value_from_json(&pair[1])?));
    columns
        .iter()
        .map(column)
        .collect::<Option<_>>()
        .map(GenericRow)
}

fn value_to_json(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::Integer(number) => json!(number),
        // The schema has none; its bits are kept all the same.
        Value::Real(number) => tagged("r", number.to_bits().to_string()),
        Value::Text(text) => json!(text),
        Value::Blob(bytes) => tagged("x", hex(bytes)),
    }
}

fn tagged(tag: &str, text: String) -> Json {
    json!({ tag: text })
}

fn value_from_json(json: &Json) -> Option<Value> {
    Some(match json {
        Json::Null => Value::Null,
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::String(text) => Value::Text(text.clone()),
        Json::Object(map) => match (map.get("x"), map.get("r")) {
            (Some(text), _) => Value::Blob(unhex(text.as_str()?)?),
            (_, Some(bits)) => Value::Real(f64::from_bits(bits.as_str()?.parse().ok()?)),
            _ => return None,
        },
        _ => return None,
    })
}

/// Lower-case hexadecimal.
pub(in super::super) fn hex(bytes: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(bytes)
}

/// The bytes that [`hex`] wrote.
pub(in super::super) fn unhex(text: &str) -> Option<Vec<u8>> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).ok()
}

/// CRC-32 as in zip files: it finds every burst of up to 32 bits, and misses others once in four
/// thousand million.
pub(in super::super) fn checksum(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        let index = (crc ^ u32::from(*byte)) & 0xff;
        (crc >> 8) ^ TABLE.get(index as usize).copied().unwrap_or_default()
    };
    !bytes.iter().fold(u32::MAX, step)
}

const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = index as u32;
        let mut bit = 0;
        while bit < 8 {
            crc = (crc >> 1) ^ if crc & 1 == 1 { 0xedb8_8320 } else { 0 };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line {
            number: 7,
            version: 2,
            kept: Kept::Outbox,
            key: "00ff".to_owned(),
            conversation: Some("c \"1\"\n".to_owned()),
            row: Some(GenericRow(vec![
                ("id".to_owned(), Value::Blob(vec![0, 255])),
                ("body".to_owned(), Value::Text("two\nlines 🦀\0".to_owned())),
                ("due".to_owned(), Value::Null),
                ("n".to_owned(), Value::Integer(i64::MIN)),
                ("r".to_owned(), Value::Real(f64::NEG_INFINITY)),
            ])),
        }
    }

    #[test]
    fn a_line_comes_back_as_it_was() {
        for line in [
            line(),
            Line {
                row: None,
                ..line()
            },
        ] {
            let text = line.encode(None).expect("a line");
            assert_eq!(text.matches('\n').count(), 1);
            assert_eq!(Line::decode(text.trim_end().as_bytes(), None), Some(line));
        }
    }

    #[test]
    fn a_line_with_any_byte_changed_is_known() {
        let text = line().encode(None).expect("a line");
        let text = text.trim_end().as_bytes().to_vec();
        for at in 0..text.len() {
            let mut damaged = text.clone();
            damaged[at] ^= 0x11;
            assert_eq!(Line::decode(&damaged, None), None, "byte {at}");
            assert_eq!(Line::decode(&text[..at], None), None, "cut at {at}");
        }
    }

    #[test]
    fn the_checksum_is_the_usual_one() {
        assert_eq!(checksum(b"123456789"), 0xcbf4_3926);
    }
}
