//! Files that are no store, not ours, not whole, or not of this time: named, and never touched.

use std::path::Path;

use rusqlite::{Connection, config::DbConfig};
use tidings::{
    adapters::sqlite::{SqliteOptions, SqliteRepository},
    domain::ports::RepositoryError,
};

use crate::support::{accepted, contents, filled, home, open};

/// Opening must fail so, and leave every byte of the directory as it was.
fn refused(directory: &Path, path: &Path, why: RepositoryError) {
    let before = contents(directory);
    let shared = SqliteOptions {
        shared: true,
        ..SqliteOptions::new(path)
    };
    for options in [SqliteOptions::new(path), shared] {
        let outcome = SqliteRepository::open(options);
        assert_eq!(outcome.map(drop), Err(why.clone()));
        let after = contents(directory);
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>()
        );
        assert!(before == after, "a refused file was changed");
    }
}

#[test]
fn f43_what_is_no_database_is_refused_untouched() {
    let noise: Vec<u8> = (0..12_288_u32).map(|n| (n * 7919 % 251) as u8).collect();
    for bytes in [b"x".as_slice(), b"SQLite format 3\0", &[0; 4096], &noise] {
        let (home, path) = home();
        std::fs::write(&path, bytes).expect("written");
        refused(home.path(), &path, RepositoryError::Corrupt);
    }
}

#[tokio::test]
async fn f43_a_damaged_header_is_refused_untouched() {
    let (origin, path) = home();
    filled(&path).await;
    let whole = std::fs::read(&path).expect("a store");
    drop(origin);
    // Magic, page size, read version, reserved space, fractions, page count, schema format,
    // text encoding, kind of the first page.
    for (at, value) in [
        (3, 0),
        (16, 0x07),
        (19, 9),
        (21, 1),
        (31, 0xff),
        (47, 9),
        (59, 7),
        (100, 0x77),
    ] {
        let mut bytes = whole.clone();
        bytes[at] = value;
        let (home, path) = home();
        std::fs::write(&path, &bytes).expect("written");
        refused(home.path(), &path, RepositoryError::Corrupt);
    }
}

#[tokio::test]
async fn f43_a_file_that_was_cut_is_refused_untouched() {
    let (home, path) = home();
    filled(&path).await;
    let whole = std::fs::read(&path).expect("a store");
    for length in [50, 512, 4096, whole.len() / 2, whole.len() - 4096] {
        std::fs::write(&path, &whole[..length]).expect("written");
        refused(home.path(), &path, RepositoryError::Corrupt);
    }
    std::fs::write(&path, &whole).expect("written");
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
    store.close().await;
}

#[test]
fn a_database_of_somebody_else_is_refused_untouched() {
    for pragma in [
        "",
        "PRAGMA application_id = 1234;",
        "PRAGMA user_version = 1;",
    ] {
        let (home, path) = home();
        let other = Connection::open(&path).expect("a file");
        let sql = format!("CREATE TABLE theirs (x); {pragma}");
        other.execute_batch(&sql).expect("their schema");
        drop(other);
        refused(home.path(), &path, RepositoryError::Corrupt);
    }
}

#[tokio::test]
async fn f44_a_newer_version_is_refused_untouched() {
    let (home, path) = home();
    filled(&path).await;
    let later = Connection::open(&path).expect("a file");
    let version: i64 = later
        .query_row("PRAGMA user_version", (), |row| row.get(0))
        .expect("a version");
    later
        .pragma_update(None, "user_version", version + 1)
        .expect("set");
    drop(later);
    refused(home.path(), &path, RepositoryError::Newer);
    let back = Connection::open(&path).expect("a file");
    back.pragma_update(None, "user_version", version)
        .expect("set");
    drop(back);
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
    store.close().await;
}

/// The newer version's word may stand in the log alone, as after a kill of it.
#[tokio::test]
async fn f44_a_newer_version_is_seen_in_the_log() {
    let (home, path) = home();
    filled(&path).await;
    let later = Connection::open(&path).expect("a file");
    later
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .expect("no checkpoint");
    later.pragma_update(None, "user_version", 99).expect("set");
    drop(later);
    let log = home.path().join("chat.db-wal");
    let read = || [&path, &log].map(|file| std::fs::read(file).expect("its bytes"));
    let before = read();
    assert!(!before[1].is_empty(), "the word must be in the log");
    let outcome = SqliteRepository::open(SqliteOptions::new(&path));
    assert_eq!(outcome.map(drop), Err(RepositoryError::Newer));
    assert!(read() == before);
}

/// A kill between creating the file and its first migration.
#[tokio::test]
async fn an_empty_file_becomes_a_store() {
    let (_home, path) = home();
    std::fs::write(&path, b"").expect("written");
    let store = open(&path);
    store.close().await;
    let (_other, path) = home();
    let blank = Connection::open(&path).expect("a file");
    blank
        .execute_batch("PRAGMA journal_mode = WAL")
        .expect("a log");
    drop(blank);
    assert!(std::fs::metadata(&path).expect("a file").len() > 0);
    let store = open(&path);
    assert_eq!(accepted(&store).await, [0; 0]);
    store.close().await;
}

fn unavailable(path: &Path) {
    let outcome = SqliteRepository::open(SqliteOptions::new(path)).map(drop);
    let Err(RepositoryError::Unavailable(why)) = outcome else {
        panic!("{outcome:?}");
    };
    let name = path.to_str().expect("a name");
    assert!(!why.contains(name), "the path is nobody's business: {why}");
}

#[test]
fn a_place_that_cannot_be_written_is_unavailable() {
    let (home, path) = home();
    unavailable(&home.path().join("missing").join("chat.db"));
    std::fs::write(&path, b"").expect("written");
    unavailable(&path.join("chat.db"));
    unavailable(home.path());
    #[cfg(target_os = "linux")]
    unavailable(Path::new("/proc/self/chat.db"));
}

/// Whoever may write anywhere, as a superuser may, cannot see this; the test above stands then.
#[cfg(unix)]
#[tokio::test]
async fn a_read_only_directory_or_file_is_unavailable() {
    use std::{fs::Permissions, os::unix::fs::PermissionsExt as _};
    let (home, path) = home();
    filled(&path).await;
    let allow = |file: &Path, mode| {
        std::fs::set_permissions(file, Permissions::from_mode(mode)).expect("allowed");
    };
    allow(&path, 0o444);
    let binding = std::fs::OpenOptions::new()
        .append(true)
        .open(&path)
        .is_err();
    if binding {
        unavailable(&path);
    }
    allow(&path, 0o644);
    allow(home.path(), 0o555);
    if binding {
        unavailable(&home.path().join("other.db"));
    }
    allow(home.path(), 0o755);
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
    store.close().await;
}

/// A page deep inside is not read at the opening; it is named when it is.
#[tokio::test]
async fn f43_a_damaged_page_is_corrupt_at_its_use_and_the_store_answers_on() {
    let (_home, path) = home();
    filled(&path).await;
    let page = page_of(&path, "message");
    let mut bytes = std::fs::read(&path).expect("a store");
    let start = (page - 1) * 4096;
    bytes[start..start + 4096].fill(0x5a);
    std::fs::write(&path, &bytes).expect("written");
    let store = open(&path);
    let read =
        store.view(|rows| rows.message(tidings::testing::repository_contract::samples::key(1)));
    assert_eq!(read.await.map(drop), Err(RepositoryError::Corrupt));
    let entries = store
        .view(|rows| rows.outbox(None))
        .await
        .expect("the outbox is whole");
    assert_eq!(entries.len(), 50, "what is unsent can be saved");
    store.close().await;
}

#[tokio::test]
async fn no_path_stands_in_what_a_log_may_print() {
    let (_home, path) = home();
    let store = open(&path);
    let shown = format!("{store:?}");
    assert!(!shown.contains("chat.db"), "{shown}");
    store.close().await;
}

fn page_of(path: &Path, table: &str) -> usize {
    let db = Connection::open(path).expect("a file");
    let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
    let page: i64 = db
        .query_row(sql, [table], |row| row.get(0))
        .expect("a page");
    usize::try_from(page).expect("a page")
}
