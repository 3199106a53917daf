//! `--key-file`: the key of an encrypted store, read from a file at each opening.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use tidings::domain::ports::{KeyError, KeyProvider, StoreKey};

use crate::{
    args::Global,
    failure::{Exit, Failure},
};

/// The source of the key that the options name; a file that has none is told at once.
///
/// A file that cannot be read is not: the store says then that there is no key, or not yet.
pub(crate) fn provider(global: &Global) -> Result<Option<Arc<dyn KeyProvider>>, Failure> {
    let Some(current) = global.key_file.clone() else {
        return Ok(None);
    };
    let previous = global.previous_key_file.clone();
    let files = [
        (Some(&current), "key_file"),
        (previous.as_ref(), "previous_key_file"),
    ];
    for (path, field) in files {
        if let Some(Ok(None)) = path.map(|path| read(path)) {
            return Err(no_key(field));
        }
    }
    Ok(Some(Arc::new(KeyFiles { current, previous })))
}

fn no_key(field: &'static str) -> Failure {
    let text = "the file holds no key: it needs 32 bytes, or 64 hexadecimal digits";
    Failure::new(Exit::Usage, "usage", text).field(field)
}

struct KeyFiles {
    current: PathBuf,
    previous: Option<PathBuf>,
}

impl fmt::Debug for KeyFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeyFiles")
    }
}

impl KeyProvider for KeyFiles {
    fn key(&self) -> Result<StoreKey, KeyError> {
        demand(&self.current)
    }

    fn previous(&self) -> Result<Option<StoreKey>, KeyError> {
        self.previous.as_deref().map(demand).transpose()
    }
}

fn demand(path: &Path) -> Result<StoreKey, KeyError> {
    match read(path) {
        Ok(Some(key)) => Ok(key),
        Ok(None) => Err(KeyError::Missing),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(KeyError::Missing),
        // On a disk that is not mounted yet, or behind rights that come with a sign-in.
        Err(_) => Err(KeyError::Locked),
    }
}

/// The key in a file, `None` where there is none in it.
fn read(path: &Path) -> io::Result<Option<StoreKey>> {
    let bytes = std::fs::read(path)?;
    Ok(StoreKey::from_slice(&bytes).or_else(|| from_hex(&bytes)))
}

fn from_hex(text: &[u8]) -> Option<StoreKey> {
    let digits = text.trim_ascii();
    let nibble = |digit: &u8| char::from(*digit).to_digit(16);
    let bytes = digits.chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(nibble(high)? * 16 + nibble(low)?).ok(),
        _ => None,
    });
    StoreKey::from_slice(&bytes.collect::<Option<Vec<u8>>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_32_bytes_or_64_digits() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("key");
        let raw = [0x5a; 32];
        let digits = "5A".repeat(16) + &"5a".repeat(16) + "\n";
        for bytes in [raw.as_slice(), digits.as_bytes()] {
            std::fs::write(&path, bytes).expect("written");
            let key = read(&path).expect("read").expect("a key");
            assert_eq!(key.expose(), &raw);
        }
        for bytes in [
            "",
            "5a",
            &"5a".repeat(33),
            &"5g".repeat(32),
            &"5".repeat(63),
        ] {
            std::fs::write(&path, bytes).expect("written");
            assert!(read(&path).expect("read").is_none(), "{bytes}");
            assert_eq!(demand(&path).map(drop), Err(KeyError::Missing));
        }
        assert_eq!(demand(home.path()).map(drop), Err(KeyError::Locked));
    }
}
