//! Tokens handed out by sign-in. They live in the store, so a restart signs nobody out.

use rusqlite::{Connection, OptionalExtension, params};

use crate::clock::Nanos;

/// What a token is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TokenKind {
    Access,
    Refresh,
}

impl TokenKind {
    fn name(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Refresh => "refresh",
        }
    }
}

/// What the store knows of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenState {
    /// Never handed out.
    Unknown,
    /// Good, and whose.
    Valid(String),
    /// Past its time.
    Expired,
    /// Used up or withdrawn.
    Revoked,
}

pub(crate) fn insert(
    connection: &Connection,
    token: &str,
    user: &str,
    kind: TokenKind,
    expires_at: Option<Nanos>,
) -> rusqlite::Result<()> {
    connection
        .execute(
            "INSERT INTO tokens (token, user_id, kind, expires_at) VALUES (?1, ?2, ?3, ?4)",
            params![token, user, kind.name(), expires_at],
        )
        .map(drop)
}

pub(crate) fn state(
    connection: &Connection,
    token: &str,
    kind: TokenKind,
    now: Nanos,
) -> rusqlite::Result<TokenState> {
    let found = connection
        .prepare_cached(
            "SELECT user_id, expires_at, revoked FROM tokens WHERE token = ?1 AND kind = ?2",
        )?
        .query_row(params![token, kind.name()], |row| {
            Ok((
                row.get::<_, String>(0)?,
                row.get::<_, Option<Nanos>>(1)?,
                row.get::<_, bool>(2)?,
            ))
        })
        .optional()?;
    Ok(match found {
        None => TokenState::Unknown,
        Some((_, _, true)) => TokenState::Revoked,
        Some((_, Some(expires_at), _)) if expires_at <= now => TokenState::Expired,
        Some((user, _, _)) => TokenState::Valid(user),
    })
}

/// Withdraws one token.
pub(crate) fn revoke(connection: &Connection, token: &str) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE tokens SET revoked = 1 WHERE token = ?1", [token])
        .map(drop)
}

/// Withdraws every refresh token.
pub(crate) fn revoke_refresh(connection: &Connection) -> rusqlite::Result<()> {
    connection
        .execute("UPDATE tokens SET revoked = 1 WHERE kind = 'refresh'", [])
        .map(drop)
}

/// Lets every access token be past its time.
pub(crate) fn expire_access(connection: &Connection, now: Nanos) -> rusqlite::Result<()> {
    connection
        .execute(
            "UPDATE tokens SET expires_at = ?1 WHERE kind = 'access'",
            [now],
        )
        .map(drop)
}
