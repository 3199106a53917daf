//! A build without the cipher, and a store that needs it.

use std::{path::Path, sync::Arc};

use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::{RepositoryError, StoreKey},
    testing::ScriptedKeys,
};

use crate::support::{contents, home};

fn refused(directory: &Path, options: SqliteOptions) {
    let before = contents(directory);
    let outcome = SqliteRepository::open(options).map(drop);
    assert_eq!(outcome, Err(RepositoryError::NoCipher));
    assert!(before == contents(directory), "a refused file was changed");
}

/// To this build such a file is noise, and noise is else taken for a damaged store.
#[test]
fn an_encrypted_store_is_named_and_not_touched() {
    for (beside, bytes) in [("db.cipher", "encrypted"), ("db.spare", "~AAAA\n")] {
        let (home, path) = home();
        let noise: Vec<u8> = (0..8_192_u32).map(|n| (n * 7919 % 251) as u8).collect();
        std::fs::write(&path, noise).expect("written");
        std::fs::write(path.with_extension(beside), bytes).expect("written");
        refused(home.path(), SqliteOptions::new(&path));
    }
}

#[test]
fn a_key_is_refused_and_nothing_is_stored_in_plain() {
    let (home, path) = home();
    let key = StoreKey::from_slice(&[1; StoreKey::LENGTH]).expect("a key");
    let keys = ScriptedKeys::new(key);
    let options = SqliteOptions {
        keys: Some(Arc::new(keys.clone())),
        ..SqliteOptions::new(&path)
    };
    refused(home.path(), options);
    assert_eq!(keys.asked(), 0, "the app is not even asked");
}
