//! Sign-in, refresh, and who a request comes from.

use axum::{extract::State, http::HeaderMap};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Problem, Reply, requests::Body};
use crate::{
    app::Shared,
    clock::{self, Nanos},
    store::{TokenKind, TokenState, tokens},
};

/// Whose things an anonymous caller sees when anyone may come in.
const EVERYONE: &str = "11111111-1111-4111-8111-111111111111";

/// The bearer token: from the header, else from the query.
pub(crate) fn token(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    header_token(headers).or_else(|| query_token(query))
}

pub(crate) fn header_token(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("authorization")?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| token.trim().to_owned())
}

pub(crate) fn query_token(query: Option<&str>) -> Option<String> {
    query_value(query, "token")
}

/// A value from the query.
pub(crate) fn query_value(query: Option<&str>, name: &str) -> Option<String> {
    let url = reqwest::Url::parse(&format!("http://query/?{}", query?)).ok()?;
    let mut pairs = url.query_pairs();
    pairs.find_map(|(key, value)| (key == name).then(|| value.into_owned()))
}

/// The user a request comes from.
pub(crate) async fn identify(
    app: &Shared,
    headers: &HeaderMap,
    query: Option<&str>,
) -> Result<String, Problem> {
    check_api_key(app, headers)?;
    let is_open = app.config.tokens.is_empty() && !app.config.sign_in_required;
    let Some(token) = token(headers, query) else {
        return if is_open {
            Ok(EVERYONE.to_owned())
        } else {
            Err(Problem::unauthorized())
        };
    };
    if let Some(known) = app
        .config
        .tokens
        .iter()
        .find(|known| known.token.reveal() == token)
    {
        return Ok(known.user.clone());
    }
    let state = app
        .store
        .run(move |db| tokens::state(db, &token, TokenKind::Access, clock::now()))
        .await?;
    match state {
        TokenState::Valid(user) => Ok(user),
        TokenState::Unknown if is_open => Ok(EVERYONE.to_owned()),
        _ => Err(Problem::unauthorized()),
    }
}

fn check_api_key(app: &Shared, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(wanted) = &app.config.api_key else {
        return Ok(());
    };
    let given = headers
        .get("x-api-key")
        .and_then(|value| value.to_str().ok());
    if given == Some(wanted.reveal()) {
        Ok(())
    } else {
        Err(Problem::unauthorized())
    }
}

/// What `login` takes.
#[derive(Deserialize)]
pub(super) struct Login {
    email: Option<String>,
    password: Option<String>,
}

/// `POST /auth/login`: any address and password but a blank one; each address is its own user.
pub(super) async fn login(
    State(app): State<Shared>,
    headers: HeaderMap,
    Body(login): Body<Login>,
) -> Result<Reply, Problem> {
    check_api_key(&app, &headers)?;
    let given = |value: Option<String>| value.filter(|value| !value.trim().is_empty());
    let (Some(email), Some(_)) = (given(login.email), given(login.password)) else {
        return Err(Problem::bad_refresh("invalid credentials"));
    };
    let user = user_of(&email.trim().to_lowercase());
    let grant = Grant::new(&app, user);
    let data = grant.body();
    app.store.run(move |db| grant.store(db)).await?;
    Ok(Reply::ok(data))
}

/// A user id that is the same for an address every time (FNV-1a, spread over a UUID).
fn user_of(email: &str) -> String {
    const BASIS: u128 = 0x6c62_272e_07bb_0142_62b8_2175_6295_c58d;
    const PRIME: u128 = 0x0000_0000_0100_0000_0000_0000_0000_013b;
    let hash = email.bytes().fold(BASIS, |hash, byte| {
        (hash ^ u128::from(byte)).wrapping_mul(PRIME)
    });
    uuid::Builder::from_random_bytes(hash.to_be_bytes())
        .into_uuid()
        .to_string()
}

/// What `refresh` takes.
#[derive(Deserialize)]
pub(super) struct Refresh {
    refresh_token: Option<String>,
}

/// `POST /auth/refresh`: a refresh token works once; the answer holds its successor.
pub(super) async fn refresh(
    State(app): State<Shared>,
    headers: HeaderMap,
    Body(refresh): Body<Refresh>,
) -> Result<Reply, Problem> {
    check_api_key(&app, &headers)?;
    let old = refresh
        .refresh_token
        .ok_or_else(|| Problem::bad_request("missing refresh_token"))?;
    let lifetime = app.clone();
    let granted = app
        .store
        .run(move |db| {
            let state = tokens::state(db, &old, TokenKind::Refresh, clock::now())?;
            let TokenState::Valid(user) = state else {
                return Ok(Err(state));
            };
            tokens::revoke(db, &old)?;
            let grant = Grant::new(&lifetime, user);
            grant.store(db)?;
            Ok(Ok(grant))
        })
        .await?;
    match granted {
        Ok(grant) => {
            app.journal.refreshed();
            Ok(Reply::ok(grant.body()))
        }
        Err(TokenState::Revoked) => Err(Problem::bad_refresh("refresh token has been revoked")),
        Err(_) => Err(Problem::bad_refresh("invalid refresh token")),
    }
}

/// A fresh pair of tokens.
struct Grant {
    user: String,
    access: String,
    refresh: String,
    expires_at: Nanos,
}

impl Grant {
    fn new(app: &Shared, user: String) -> Self {
        let lifetime = Nanos::try_from(app.config.token_lifetime.as_nanos()).unwrap_or(Nanos::MAX);
        let expires_at = clock::now().saturating_add(lifetime);
        let access = jwt(&user, expires_at);
        Self {
            user,
            access,
            refresh: format!("refresh-{}", crate::store::new_id()),
            expires_at,
        }
    }

    fn body(&self) -> Value {
        json!({ "access_token": self.access, "refresh_token": self.refresh })
    }

    fn store(&self, db: &rusqlite::Connection) -> rusqlite::Result<()> {
        let expires_at = Some(self.expires_at);
        tokens::insert(db, &self.access, &self.user, TokenKind::Access, expires_at)?;
        tokens::insert(db, &self.refresh, &self.user, TokenKind::Refresh, None)
    }
}

/// Clients read `exp` from the token, so it is shaped like a JWT. It is checked by looking it up,
/// never by its signature, which is random.
fn jwt(user: &str, expires_at: Nanos) -> String {
    let header = URL_SAFE_NO_PAD.encode(r#"{"alg":"HS256","typ":"JWT"}"#);
    let id = uuid::Uuid::new_v4();
    let claims =
        json!({ "sub": user, "exp": expires_at.div_euclid(1_000_000_000), "jti": id.to_string() });
    let claims = URL_SAFE_NO_PAD.encode(claims.to_string());
    let signature: Vec<u8> = [*uuid::Uuid::new_v4().as_bytes(), *id.as_bytes()].concat();
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}
