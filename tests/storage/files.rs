//! Files that are not ours or not of this time are named and never touched; files that are no
//! store or not whole are kept aside, and the store goes on with what was unsent.

use std::path::Path;

use rusqlite::{Connection, config::DbConfig};
use tidings::{
    adapters::sqlite::{Executor, SqliteOptions, SqliteRepository},
    domain::{ports::RepositoryError, rules::salvage as rules},
    testing::repository_contract::samples,
};

use crate::support::{Store, accept_into, accepted, contents, filled, home, open, open_with};

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

/// Opening must keep the files aside, byte for byte, and leave word; gives the fresh store.
async fn moved_aside(directory: &Path, path: &Path) -> Store {
    let before = contents(directory);
    let store = open(path);
    let word = store.view(|rows| rules::word(rows)).await.expect("a view");
    let kept = word.expect("word of it").kept;
    let after = contents(directory);
    for part in ["", "-wal"] {
        let was = before.get(&directory.join(format!("chat.db{part}")));
        let is = after.get(&directory.join(format!("{kept}{part}")));
        let bytes = |file: Option<&Vec<u8>>| file.cloned().unwrap_or_default();
        assert!(
            bytes(was) == bytes(is),
            "chat.db{part} is not kept as it was"
        );
    }
    store
}

#[tokio::test]
async fn f43_what_is_no_database_is_moved_aside() {
    let noise: Vec<u8> = (0..12_288_u32).map(|n| (n * 7919 % 251) as u8).collect();
    for bytes in [b"x".as_slice(), b"SQLite format 3\0", &[0; 4096], &noise] {
        let (home, path) = home();
        std::fs::write(&path, bytes).expect("written");
        let store = moved_aside(home.path(), &path).await;
        assert_eq!(accepted(&store).await, [0; 0]);
        accept_into(&store, 1).await.expect("accepted");
        store.close().await;
        let store = open(&path);
        assert_eq!(accepted(&store).await, [1], "it begins anew once");
        store.close().await;
    }
}

#[tokio::test]
async fn f43_a_damaged_header_loses_nothing_unsent() {
    let (origin, path) = home();
    filled(&path).await;
    let whole = std::fs::read(&path).expect("a store");
    let spare = std::fs::read(path.with_extension("db.spare")).expect("a spare");
    drop(origin);
    // Magic, page size, read version, reserved space, fractions, page count, schema format,
    // text encoding, version, mark, kind of the first page.
    for (at, value) in [
        (3, 0),
        (16, 0x07),
        (19, 9),
        (21, 1),
        (31, 0xff),
        (47, 9),
        (59, 7),
        (60, 0x7f),
        (63, 1),
        (68, 0x77),
        (100, 0x77),
    ] {
        let mut bytes = whole.clone();
        bytes[at] = value;
        let (home, path) = home();
        std::fs::write(&path, &bytes).expect("written");
        std::fs::write(path.with_extension("db.spare"), &spare).expect("written");
        let store = moved_aside(home.path(), &path).await;
        assert_eq!(accepted(&store).await.len(), 50, "byte {at}");
        store.close().await;
    }
}

#[tokio::test]
async fn f43_a_file_that_was_cut_loses_nothing_unsent() {
    for cut in [50, 512, 4096, 20_000, 4_096 * 13] {
        let (home, path) = home();
        filled(&path).await;
        let whole = std::fs::read(&path).expect("a store");
        assert!(cut < whole.len());
        std::fs::write(&path, &whole[..cut]).expect("written");
        let store = moved_aside(home.path(), &path).await;
        assert_eq!(accepted(&store).await.len(), 50, "cut to {cut}");
        store.close().await;
    }
}

/// Whoever deletes the file does not delete what was promised.
#[tokio::test]
async fn inv01_a_file_that_is_gone_loses_nothing_unsent() {
    let (_home, path) = home();
    filled(&path).await;
    std::fs::remove_file(&path).expect("removed");
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
    let word = store.view(|rows| rules::word(rows)).await.expect("a view");
    assert_eq!(
        word.map(|word| (word.unsent, word.kept)),
        Some((50, String::new()))
    );
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
        refused(home.path(), &path, RepositoryError::Foreign);
    }
}

#[tokio::test]
async fn f44_a_newer_version_is_refused_untouched() {
    let (home, path) = home();
    filled(&path).await;
    let now = set_version(&path, 99, false);
    refused(home.path(), &path, RepositoryError::Newer);
    set_version(&path, now, false);
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
    store.close().await;
}

/// Writes what another version would write; gives what was there.
fn set_version(path: &Path, version: i64, in_log: bool) -> i64 {
    let db = Connection::open(path).expect("a file");
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, in_log)
        .expect("no checkpoint");
    let before = db.query_row("PRAGMA user_version", (), |row| row.get(0));
    db.pragma_update(None, "user_version", version)
        .expect("set");
    db.execute(
        "UPDATE counter SET value = ?1 WHERE name = 'schema'",
        [version],
    )
    .expect("counted");
    before.expect("a version")
}

/// The newer version's word may stand in the log alone, as after a kill of it.
#[tokio::test]
async fn f44_a_newer_version_is_seen_in_the_log() {
    let (home, path) = home();
    filled(&path).await;
    set_version(&path, 99, true);
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
async fn f42_a_read_only_directory_or_file_is_unavailable() {
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

/// A page deep inside is not read at the opening. Whoever meets it is told; the store repairs
/// itself, and the next call finds everything unsent.
#[tokio::test]
async fn f43_a_damaged_page_is_told_at_its_use_and_repaired_without_a_restart() {
    for executor in [Executor::Thread, Executor::Inline] {
        let (_home, path) = home();
        filled(&path).await;
        let page = page_of(&path, "message");
        let options = SqliteOptions {
            executor,
            ..SqliteOptions::new(&path)
        };
        let store = open_with(options).expect("a store");
        // The first read is the opening connection's, which may still hold the page.
        store.view(|rows| rows.journal_head()).await.expect("read");
        let mut bytes = std::fs::read(&path).expect("a store");
        let start = (page - 1) * 4096;
        bytes[start..start + 4096].fill(0x5a);
        std::fs::write(&path, &bytes).expect("written");
        let before = store.revision();
        let look = |store: Store| async move {
            let read = store.view(|rows| rows.message(samples::key(1))).await;
            read.map(|row| row.is_some())
        };
        assert_eq!(look(store.clone()).await, Err(RepositoryError::Corrupt));
        assert_eq!(look(store.clone()).await, Ok(true));
        assert!(store.revision() > before, "observers look again");
        assert_eq!(store.salvages(), 1);
        assert_eq!(accepted(&store).await.len(), 50);
        accept_into(&store, 51).await.expect("accepted");
        store.close().await;
        let store = open(&path);
        let entries = store.view(|rows| rows.outbox(None)).await;
        assert_eq!(entries.expect("a view").len(), 51);
        store.close().await;
    }
}

/// The file cannot be moved away under another: told now, repaired by the next who is alone.
#[tokio::test]
async fn f43_a_damaged_file_in_use_by_two_is_told_and_repaired_later() {
    let (_home, path) = home();
    filled(&path).await;
    let page = page_of(&path, "message");
    let options = || SqliteOptions {
        busy_timeout: std::time::Duration::from_millis(20),
        ..SqliteOptions::new(&path)
    };
    let first = open_with(options()).expect("a store");
    let mut bytes = std::fs::read(&path).expect("a store");
    let start = (page - 1) * 4096;
    bytes[start..start + 4096].fill(0x5a);
    std::fs::write(&path, &bytes).expect("written");
    let second = open_with(options()).expect("a store");
    let read = second.view(|rows| rows.message(samples::key(1))).await;
    assert_eq!(read.map(drop), Err(RepositoryError::Corrupt));
    let entries = second.view(|rows| rows.outbox(None)).await;
    assert_eq!(entries.expect("the outbox is whole").len(), 50);
    second.close().await;
    first.close().await;
    let store = open(&path);
    assert_eq!(accepted(&store).await.len(), 50);
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
