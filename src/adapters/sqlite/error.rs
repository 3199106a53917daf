//! The one place that turns SQLite's failures into the port's.

use rusqlite::{Error, ErrorCode};

use crate::domain::ports::RepositoryError;

/// The port's word for it, without statement, value or path.
pub(super) fn failed(error: Error) -> RepositoryError {
    match error {
        Error::SqliteFailure(_, Some(why)) if is_missing(&why) => RepositoryError::Corrupt,
        Error::SqliteFailure(failure, _) => by_code(failure),
        // Rows that do not read back are not rows of ours.
        Error::FromSqlConversionFailure(..)
        | Error::IntegralValueOutOfRange(..)
        | Error::InvalidColumnType(..)
        | Error::Utf8Error(..) => RepositoryError::Corrupt,
        _ => RepositoryError::Internal("a statement of the store does not fit".to_owned()),
    }
}

fn by_code(failure: rusqlite::ffi::Error) -> RepositoryError {
    if is_damage(failure.extended_code) {
        return RepositoryError::Corrupt;
    }
    let unavailable = |why: &str| RepositoryError::Unavailable(why.to_owned());
    match failure.code {
        ErrorCode::DiskFull => RepositoryError::Full,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => RepositoryError::Corrupt,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => unavailable("it is locked"),
        ErrorCode::FileLockingProtocolFailed => unavailable("it cannot be locked"),
        ErrorCode::ReadOnly | ErrorCode::PermissionDenied => unavailable("it cannot be written"),
        ErrorCode::CannotOpen => unavailable("it cannot be opened"),
        ErrorCode::SystemIoFailure => unavailable("the disk failed"),
        ErrorCode::OperationInterrupted => unavailable("it was ended early"),
        _ => RepositoryError::Internal(format!("SQLite code {}", failure.extended_code)),
    }
}

/// The statements are fixed, so a table or index that they name and that is not there was lost
/// with its line in the schema.
fn is_missing(why: &str) -> bool {
    why.starts_with("no such table") || why.starts_with("no such index")
}

/// Failures to read or write that no second try mends: a file that ends before its own last page,
/// and a file system that says that it is damaged itself.
const fn is_damage(code: i32) -> bool {
    matches!(
        code,
        rusqlite::ffi::SQLITE_IOERR_SHORT_READ | rusqlite::ffi::SQLITE_IOERR_CORRUPTFS
    )
}

/// A file operation of ours that failed; only its kind is told.
pub(super) fn io_failed(error: &std::io::Error) -> RepositoryError {
    match error.kind() {
        std::io::ErrorKind::StorageFull => RepositoryError::Full,
        kind => RepositoryError::Unavailable(kind.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(raw: i32) -> &'static str {
        let failure = rusqlite::ffi::Error::new(raw);
        failed(Error::SqliteFailure(failure, Some("INSERT secret".into()))).code()
    }

    #[test]
    fn each_failure_has_its_word() {
        use rusqlite::ffi as f;
        assert_eq!(code(f::SQLITE_FULL), "store.full");
        for raw in [
            f::SQLITE_BUSY,
            f::SQLITE_BUSY_SNAPSHOT,
            f::SQLITE_LOCKED,
            f::SQLITE_READONLY,
            f::SQLITE_CANTOPEN,
            f::SQLITE_IOERR_WRITE,
            f::SQLITE_PERM,
        ] {
            assert_eq!(code(raw), "store.unavailable", "{raw}");
        }
        assert_eq!(code(f::SQLITE_CORRUPT_INDEX), "store.corrupt");
        assert_eq!(code(f::SQLITE_NOTADB), "store.corrupt");
        assert_eq!(code(f::SQLITE_IOERR_SHORT_READ), "store.corrupt");
        assert_eq!(code(f::SQLITE_CONSTRAINT_UNIQUE), "internal");
    }

    #[test]
    fn no_statement_reaches_the_words() {
        let failure = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_MISUSE);
        let error = failed(Error::SqliteFailure(failure, Some("INSERT secret".into())));
        assert!(!error.to_string().contains("secret"));
    }
}
