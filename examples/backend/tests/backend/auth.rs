use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tidings_backend::{AuthPlacement, Backend, Secret, StaticToken};

use crate::support::{CONSULTATIONS, Http, Socket, start, start_with, text};

const LOGIN: &str = "/api/v1/auth/login";
const REFRESH: &str = "/api/v1/auth/refresh";

fn guarded() -> Backend {
    start_with(|config| config.sign_in_required = true)
}

async fn sign_in(backend: &Backend) -> (String, String) {
    let body = json!({ "email": "a@example.org", "password": "secret" });
    let data = Http::new(backend).post(LOGIN, body).await.data();
    (text(&data["access_token"]), text(&data["refresh_token"]))
}

#[tokio::test]
async fn without_tokens_configured_any_token_or_none_will_do() {
    let backend = start();
    assert_eq!(Http::new(&backend).get(CONSULTATIONS).await.status, 200);
    assert_eq!(
        Http::new(&backend)
            .with_token("whatever")
            .get(CONSULTATIONS)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn with_tokens_configured_others_are_unauthorized_in_plain_text() {
    let backend = start_with(|config| config.tokens = vec![StaticToken::new("good", "alice")]);
    assert_eq!(
        Http::new(&backend)
            .with_token("good")
            .get(CONSULTATIONS)
            .await
            .status,
        200
    );
    for http in [Http::new(&backend), Http::new(&backend).with_token("bad")] {
        let answer = http.get(CONSULTATIONS).await;
        assert_eq!((answer.status, answer.text.as_str()), (401, "unauthorized"));
    }
}

#[tokio::test]
async fn the_api_key_is_required_when_configured() {
    let backend = start_with(|config| config.api_key = Some(Secret::new("k")));
    let http = Http::new(&backend);
    assert_eq!(http.get(CONSULTATIONS).await.status, 401);
    let keyed = http.request("GET", CONSULTATIONS).header("x-api-key", "k");
    assert_eq!(Http::send(keyed).await.expect("an answer").status, 200);
}

#[tokio::test]
async fn signing_in_gives_a_token_that_says_when_it_ends() {
    let backend = guarded();
    let (access, _) = sign_in(&backend).await;
    let claims = access.split('.').nth(1).expect("claims");
    let claims = URL_SAFE_NO_PAD.decode(claims).expect("base64url");
    let claims: Value = serde_json::from_slice(&claims).expect("JSON");
    assert!(claims["exp"].as_i64().expect("exp") > 1_700_000_000);
    assert_eq!(
        Http::new(&backend)
            .with_token(&access)
            .get(CONSULTATIONS)
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn an_expired_token_is_refreshed_and_the_old_refresh_token_is_used_up() {
    let backend = guarded();
    let (access, refresh) = sign_in(&backend).await;
    backend.expire_access_tokens();
    assert_eq!(
        Http::new(&backend)
            .with_token(&access)
            .get(CONSULTATIONS)
            .await
            .status,
        401
    );

    let http = Http::new(&backend);
    let fresh = http
        .post(REFRESH, json!({ "refresh_token": refresh }))
        .await
        .data();
    let fresh = text(&fresh["access_token"]);
    assert_eq!(
        Http::new(&backend)
            .with_token(&fresh)
            .get(CONSULTATIONS)
            .await
            .status,
        200
    );

    let again = http
        .post(REFRESH, json!({ "refresh_token": refresh }))
        .await;
    assert_eq!(again.status, 401);
    assert!(again.text.contains("revoked"));
    assert_eq!(backend.refreshes(), 1, "only rotations count");
}

#[tokio::test]
async fn revoked_refresh_tokens_say_so() {
    let backend = guarded();
    let (_, refresh) = sign_in(&backend).await;
    backend.revoke_refresh_tokens();
    let answer = Http::new(&backend)
        .post(REFRESH, json!({ "refresh_token": refresh }))
        .await;
    assert_eq!(answer.status, 401);
    assert_eq!(
        answer.json()["error"]["message"],
        "refresh token has been revoked"
    );
    assert_eq!(
        Http::new(&backend).post(REFRESH, json!({})).await.status,
        400
    );
}

#[tokio::test]
async fn the_upgrade_takes_the_token_from_the_header_or_the_query() {
    let backend = start_with(|config| config.tokens = vec![StaticToken::new("good", "alice")]);
    let id = Http::new(&backend).with_token("good").create().await;
    assert!(Socket::dial(&backend, &id, "?token=good").await.is_ok());
    let header = Socket::dial_with(&backend, &id, "", |headers| {
        headers.insert("authorization", "Bearer good".parse().expect("a value"));
    });
    assert!(header.await.is_ok());
    let refused = Socket::dial(&backend, &id, "?token=bad")
        .await
        .err()
        .expect("refused");
    assert!(refused.to_string().contains("401"), "{refused}");
    let placements: Vec<_> = backend
        .requests()
        .into_iter()
        .filter(|request| request.upgrade)
        .map(|request| (request.auth, request.query))
        .collect();
    assert_eq!(
        placements,
        [
            (AuthPlacement::Query, None),
            (AuthPlacement::Header, None),
            (AuthPlacement::Query, None),
        ]
    );
}

#[tokio::test]
async fn a_token_in_the_query_may_be_escaped() {
    let backend = start_with(|config| config.tokens = vec![StaticToken::new("a+b/c=", "alice")]);
    let id = Http::new(&backend).with_token("a+b/c=").create().await;
    assert!(
        Socket::dial(&backend, &id, "?token=a%2Bb%2Fc%3D")
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn tokens_and_texts_stay_out_of_the_records() {
    let backend = start();
    let http = Http::new(&backend).with_token("sesame");
    let id = http.create().await;
    http.say(&id, "my secret").await;
    drop(
        Socket::dial(&backend, &id, "?token=sesame&resume=3")
            .await
            .expect("an upgrade"),
    );
    let records = format!("{:?}{:?}", backend.requests(), backend.frames());
    assert!(records.contains("resume=3"));
    assert!(
        !records.contains("sesame") && !records.contains("secret"),
        "{records}"
    );
}

#[tokio::test]
async fn secrets_do_not_show_in_debug_output() {
    let backend = start_with(|config| {
        config.tokens = vec![StaticToken::new("sesame", "alice")];
        config.api_key = Some(Secret::new("sesame"));
    });
    assert!(!format!("{backend:?}").contains("sesame"));
}
