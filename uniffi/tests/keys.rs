//! An encrypted store across the boundary: the key comes from the app, and what is wrong with it is a
//! code. A library without the cipher refuses a key.

#![allow(clippy::unwrap_used, reason = "a test stops where it is wrong")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use tidings_ffi::{
    ChatClient, ChatError, KeyAnswer, KeySource,
    records::{
        consultations::ConsultationsOptions,
        options::{Backend, ClientOptions, Store, StoreOptions, Tokens},
    },
};

/// A key store whose device may be locked.
struct Keys {
    byte: u8,
    length: usize,
    locked: AtomicBool,
    previous: Option<u8>,
}

impl Keys {
    fn of(byte: u8) -> Arc<Self> {
        Arc::new(Self {
            byte,
            length: 32,
            locked: AtomicBool::new(false),
            previous: None,
        })
    }
}

impl KeySource for Keys {
    fn key(&self, previous: bool) -> Result<KeyAnswer, ChatError> {
        if self.locked.load(Ordering::SeqCst) {
            return Ok(KeyAnswer::Locked);
        }
        let byte = if previous {
            self.previous
        } else {
            Some(self.byte)
        };
        Ok(byte.map_or(KeyAnswer::Missing, |byte| KeyAnswer::Key {
            bytes: vec![byte; self.length],
        }))
    }
}

/// A key store that fails.
#[cfg(feature = "encryption")]
struct Broken;

#[cfg(feature = "encryption")]
impl KeySource for Broken {
    fn key(&self, _: bool) -> Result<KeyAnswer, ChatError> {
        Err(tidings::ChatError::Closed.into())
    }
}

async fn open(path: &str, keys: Option<Arc<dyn KeySource>>) -> Result<Arc<ChatClient>, String> {
    let options = ClientOptions {
        // Nobody is there; the store is opened all the same.
        backend: Backend::Consultations {
            options: ConsultationsOptions {
                origin: "http://127.0.0.1:9".to_owned(),
                socket_origin: None,
                api_key: None,
                socket_auth: None,
                dialect: None,
                trust: None,
                personas: None,
                extensions: false,
            },
        },
        store: Store::File {
            options: StoreOptions {
                path: path.to_owned(),
                shared: false,
                passive: false,
                barrier: false,
                unsafe_no_sync: true,
                busy_timeout_ms: 5000,
                keys,
            },
        },
        tokens: Tokens::None,
        settings: Vec::new(),
    };
    ChatClient::start(options).await.map_err(code)
}

fn code(error: ChatError) -> String {
    let ChatError::Failed { problem } = error;
    problem.code
}

fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chat.db").to_str().unwrap().to_owned();
    (folder, path)
}

#[tokio::test]
#[cfg(not(feature = "encryption"))]
async fn key_without_a_cipher_is_refused_and_nothing_is_stored() {
    let (folder, path) = folder();
    let refused = open(&path, Some(Keys::of(1))).await.unwrap_err();
    assert_eq!(refused, "store.no_cipher");
    assert!(!folder.path().join("chat.db").exists());
}

#[tokio::test]
#[cfg(feature = "encryption")]
async fn store_opens_with_its_key_and_with_no_other() {
    let (folder, path) = folder();
    let client = open(&path, Some(Keys::of(1))).await.unwrap();
    let begun = client.begin_conversation(new()).await.unwrap();
    client
        .send(
            begun.id,
            "a word that nobody may read".to_owned(),
            SendMode::Durable,
            None,
            None,
        )
        .await
        .unwrap();
    client.shutdown().await.unwrap();
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(entry.unwrap().path()).unwrap();
        assert!(!bytes.windows(6).any(|six| six == b"nobody"));
    }
    assert_eq!(
        open(&path, Some(Keys::of(2))).await.unwrap_err(),
        "store.wrong_key"
    );
    assert_eq!(open(&path, None).await.unwrap_err(), "store.no_key");
    let client = open(&path, Some(Keys::of(1))).await.unwrap();
    assert_eq!(client.conversations(all()).await.unwrap().len(), 1);
    client.shutdown().await.unwrap();
}

#[tokio::test]
#[cfg(feature = "encryption")]
async fn locked_or_broken_key_store_is_waited_for_and_a_short_key_is_none() {
    let (_folder, path) = folder();
    let keys = Keys::of(1);
    keys.locked.store(true, Ordering::SeqCst);
    let refused = open(&path, Some(Arc::clone(&keys) as _)).await;
    assert_eq!(refused.unwrap_err(), "store.locked");
    assert_eq!(
        open(&path, Some(Arc::new(Broken))).await.unwrap_err(),
        "store.locked"
    );
    keys.locked.store(false, Ordering::SeqCst);
    open(&path, Some(keys))
        .await
        .unwrap()
        .shutdown()
        .await
        .unwrap();
    let short = Arc::new(Keys {
        length: 31,
        ..Arc::into_inner(Keys::of(1)).unwrap()
    });
    assert_eq!(open(&path, Some(short)).await.unwrap_err(), "store.no_key");
}

#[tokio::test]
#[cfg(feature = "encryption")]
async fn key_is_changed_while_both_are_given() {
    let (_folder, path) = folder();
    open(&path, Some(Keys::of(1)))
        .await
        .unwrap()
        .shutdown()
        .await
        .unwrap();
    let both = Arc::new(Keys {
        previous: Some(1),
        ..Arc::into_inner(Keys::of(2)).unwrap()
    });
    open(&path, Some(both))
        .await
        .unwrap()
        .shutdown()
        .await
        .unwrap();
    assert_eq!(
        open(&path, Some(Keys::of(1))).await.unwrap_err(),
        "store.wrong_key"
    );
    open(&path, Some(Keys::of(2)))
        .await
        .unwrap()
        .shutdown()
        .await
        .unwrap();
}

#[test]
fn answer_prints_no_key() {
    let answer = KeyAnswer::Key {
        bytes: vec![77; 32],
    };
    assert_eq!(format!("{answer:?}"), "KeyAnswer");
}

#[cfg(feature = "encryption")]
use tidings_ffi::records::delivery::SendMode;

#[cfg(feature = "encryption")]
fn new() -> tidings_ffi::records::conversation::NewConversation {
    tidings_ffi::records::conversation::NewConversation {
        persona: None,
        context: None,
        attributes: Vec::new(),
    }
}

#[cfg(feature = "encryption")]
fn all() -> tidings_ffi::records::conversation::ConversationFilter {
    tidings_ffi::records::conversation::ConversationFilter {
        include_archived: false,
        limit: 0,
    }
}
