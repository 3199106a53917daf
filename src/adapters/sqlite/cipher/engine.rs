//! What SQLCipher does for us, and how lines beside the database are encrypted.
//!
//! Its fourth format, fixed: AES-256 in CBC mode and an HMAC-SHA512 for each page of 4096 bytes, in
//! the database and in its log. The salt, of which the pages' HMAC key is made, begins the file. It
//! is made of the key and given to each connection: so its damage costs nothing, and a look at it
//! tells whether a key is the file's.

use std::{fmt, path::Path};

use ring::{
    aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hmac,
};
use rusqlite::Connection;
use secrecy::zeroize::Zeroizing;

use crate::{
    adapters::sqlite::{error::failed, probe},
    domain::ports::{RepositoryError, StoreKey, chat_repository::RowResult},
};

/// What is said where a store is encrypted and there is no key.
pub(super) const CLOSED: RepositoryError = RepositoryError::NoKey;

const SALT: usize = 16;
const PAGE: u64 = 4096;

/// As much as it says of itself goes to standard error by default; its codes are enough.
const QUIET: &str = "PRAGMA cipher_log_level = NONE;";

/// Not left to the version that is linked in.
const FORMAT: &str = "PRAGMA cipher_compatibility = 4;";

/// Tells the name under which [`copy`] attaches the new file.
const TARGET: &str = "sealed";

#[allow(clippy::unnecessary_wraps, reason = "a build without the cipher fails")]
pub(super) const fn must_be_there() -> RowResult<()> {
    Ok(())
}

/// Gives a connection that has read nothing yet its key.
///
/// # Errors
/// What SQLite said. Whether the key fits, the first read tells.
pub(super) fn unlock(db: &Connection, key: &StoreKey) -> RowResult<()> {
    give(db, &specification(key, Some(&salt(key))))
}

/// Whether anything in the file was written with this key.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn proves(store: &Path, key: &StoreKey) -> RowResult<bool> {
    Ok(begins_with_salt(store, key)? || has_page(store, key)?)
}

/// Writes everything in the connection's database to a new file under that key, and looks whether
/// it is all there.
///
/// # Errors
/// `Corrupt` where it is not, or where it cannot be read; what SQLite said.
pub(super) fn copy(db: &Connection, place: &Path, key: &StoreKey) -> RowResult<()> {
    let place = place.to_str().ok_or_else(unnamed)?;
    let key = specification(key, Some(&salt(key)));
    let run = || {
        db.execute_batch(QUIET)?;
        db.execute("ATTACH ?1 AS sealed KEY ?2", (place, &*key))?;
        db.execute_batch(
            "PRAGMA sealed.cipher_compatibility = 4;
             PRAGMA sealed.synchronous = FULL;",
        )?;
        db.query_row("SELECT sqlcipher_export('sealed')", (), |_| Ok(()))?;
        for label in ["application_id", "user_version"] {
            let number: i64 =
                db.query_row(&format!("PRAGMA main.{label}"), (), |row| row.get(0))?;
            db.pragma_update(Some(TARGET), label, number)?;
        }
        let same = is_copied(db)?;
        db.execute_batch("DETACH sealed")?;
        Ok(same)
    };
    match run().map_err(failed)? {
        true => Ok(()),
        false => Err(RepositoryError::Corrupt),
    }
}

/// Whether the copy is whole and each table has as many rows.
fn is_copied(db: &Connection) -> rusqlite::Result<bool> {
    let text = |sql: &str| db.query_row(sql, (), |row| row.get::<_, String>(0));
    let count = |sql: String| db.query_row(&sql, (), |row| row.get::<_, i64>(0));
    let tables = "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND rootpage > 0";
    let mut tables = db.prepare(tables)?;
    let mut names = tables.query(())?;
    let mut same = text("PRAGMA sealed.integrity_check(1)")? == "ok"
        && count("SELECT count(*) FROM main.sqlite_schema".to_owned())?
            == count("SELECT count(*) FROM sealed.sqlite_schema".to_owned())?;
    while let Some(row) = names.next()? {
        let name: String = row.get(0)?;
        same &= count(format!("SELECT count(*) FROM main.\"{name}\""))?
            == count(format!("SELECT count(*) FROM sealed.\"{name}\""))?;
    }
    Ok(same)
}

/// The file's beginning, which says nothing of the key and belongs to it alone.
fn salt(key: &StoreKey) -> [u8; SALT] {
    let mut salt = [0; SALT];
    let made = subkey(key, "tidings store: salt");
    for (to, from) in salt.iter_mut().zip(made.as_ref()) {
        *to = *from;
    }
    salt
}

/// A key for one purpose, from which neither the raw key nor another's can be found.
fn subkey(key: &StoreKey, purpose: &str) -> hmac::Tag {
    let raw = hmac::Key::new(hmac::HMAC_SHA256, key.expose());
    hmac::sign(&raw, purpose.as_bytes())
}

/// A raw key as SQLCipher reads it; without a salt it takes the file's.
fn specification(key: &StoreKey, salt: Option<&[u8; SALT]>) -> Zeroizing<String> {
    let hex = &data_encoding::HEXLOWER;
    let raw = Zeroizing::new(hex.encode(key.expose()));
    let salt = salt.map(|salt| hex.encode(salt)).unwrap_or_default();
    Zeroizing::new(["x'", &raw, &salt, "'"].concat())
}

fn give(db: &Connection, key: &Zeroizing<String>) -> RowResult<()> {
    let sql = Zeroizing::new([QUIET, "PRAGMA key = \"", key, "\";", FORMAT].concat());
    db.execute_batch(&sql).map_err(failed)
}

fn begins_with_salt(store: &Path, key: &StoreKey) -> RowResult<bool> {
    let db = probe::without_log(store)?;
    give(&db, &specification(key, None))?;
    let found = db.query_row("PRAGMA cipher_salt", (), |row| row.get::<_, String>(0));
    let expected = data_encoding::HEXLOWER.encode(&salt(key));
    Ok(found.map_err(failed)? == expected)
}

/// Looks at every page, so it takes a second for some hundred megabytes; only for a file that does
/// not open.
fn has_page(store: &Path, key: &StoreKey) -> RowResult<bool> {
    let db = probe::without_log(store)?;
    unlock(&db, key)?;
    let run = || -> rusqlite::Result<u64> {
        let mut statement = db.prepare("PRAGMA cipher_integrity_check")?;
        let mut complaints = statement.query(())?;
        let mut count = 0;
        while complaints.next()?.is_some() {
            count += 1;
        }
        Ok(count)
    };
    let pages = probe::size(store) / PAGE;
    let rest = u64::from(!probe::size(store).is_multiple_of(PAGE));
    Ok(run().map_err(failed)? < pages + rest)
}

fn unnamed() -> RepositoryError {
    RepositoryError::Unavailable("its path cannot be named".to_owned())
}

/// Encrypts lines, each for itself, with subkeys of the store's key.
///
/// The nonce is made of the line, so that none has to be drawn or counted, over processes and kills:
/// the same line is the same again, which tells nothing, for each has its commit's number.
pub(in super::super) struct LineCipher {
    key: LessSafeKey,
    nonces: hmac::Key,
}

impl fmt::Debug for LineCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LineCipher")
    }
}

impl LineCipher {
    /// With the store's key.
    ///
    /// # Errors
    /// `Internal`, where the cipher refuses a key of its own length.
    pub(in super::super) fn new(key: &StoreKey) -> RowResult<Self> {
        let cipher = subkey(key, "tidings store: lines");
        let refused = |_| RepositoryError::Internal("the cipher takes no key".to_owned());
        let cipher = UnboundKey::new(&CHACHA20_POLY1305, cipher.as_ref()).map_err(refused)?;
        let nonces = subkey(key, "tidings store: nonces of lines");
        Ok(Self {
            key: LessSafeKey::new(cipher),
            nonces: hmac::Key::new(hmac::HMAC_SHA256, nonces.as_ref()),
        })
    }

    /// The line as it is written, without an end; `None` where the cipher fails.
    pub(in super::super) fn seal(&self, line: &[u8]) -> Option<String> {
        let mut nonce = [0; NONCE_LEN];
        let made = hmac::sign(&self.nonces, line);
        nonce.copy_from_slice(made.as_ref().get(..NONCE_LEN)?);
        let mut text = line.to_vec();
        let sealed = Nonce::assume_unique_for_key(nonce);
        self.key
            .seal_in_place_append_tag(sealed, Aad::empty(), &mut text)
            .ok()?;
        let bytes = [nonce.as_slice(), &text].concat();
        Some(data_encoding::BASE64_NOPAD.encode(&bytes))
    }

    /// What [`Self::seal`] was given; `None` where the line is another key's, or damaged.
    pub(in super::super) fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let bytes = data_encoding::BASE64_NOPAD.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = text.to_vec();
        let line = self.key.open_in_place(nonce, Aad::empty(), &mut text);
        line.ok().map(|line| line.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> StoreKey {
        StoreKey::from_slice(&[byte; StoreKey::LENGTH]).expect("a key")
    }

    #[test]
    fn a_line_opens_with_its_key_as_it_was_and_not_otherwise() {
        let cipher = LineCipher::new(&key(1)).expect("a cipher");
        let sealed = cipher.seal(b"what was typed").expect("a line");
        assert_eq!(
            cipher.open(sealed.as_bytes()).as_deref(),
            Some(b"what was typed".as_slice())
        );
        assert_ne!(sealed, cipher.seal(b"what was typee").expect("a line"));
        let other = LineCipher::new(&key(2)).expect("a cipher");
        assert_eq!(other.open(sealed.as_bytes()), None);
        for at in 0..sealed.len() {
            let mut damaged = sealed.clone().into_bytes();
            damaged[at] = if damaged[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(cipher.open(&damaged), None, "byte {at}");
            assert_eq!(cipher.open(&sealed.as_bytes()[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn the_salt_belongs_to_the_key_and_is_not_part_of_it() {
        assert_eq!(salt(&key(1)), salt(&key(1)));
        assert_ne!(salt(&key(1)), salt(&key(2)));
        let specification = specification(&key(0xab), Some(&salt(&key(0xab))));
        assert_eq!(specification.len(), 3 + 2 * (StoreKey::LENGTH + SALT));
        assert!(specification.starts_with(&format!("x'{}", "ab".repeat(32))));
    }
}
