//! One refresh for all, sticky sign-out, early renewal, and an app that never answers.

use std::{
    future::pending,
    sync::atomic::{AtomicI64, AtomicU32, Ordering},
};

use async_trait::async_trait;
use data_encoding::BASE64URL_NOPAD;
use futures_util::future::join_all;

use super::*;
use crate::domain::time::{Tick, WallTime};

#[derive(Debug, Default)]
struct Device(AtomicI64);

impl Platform for Device {
    fn tick(&self) -> Tick {
        Tick::default()
    }

    fn wall(&self) -> WallTime {
        WallTime::from_millis(self.0.load(Ordering::SeqCst))
    }

    fn fill_entropy(&self, _buffer: &mut [u8]) {}
}

/// What the app's refresh does.
#[derive(Clone, Debug)]
enum Answer {
    Fresh(String),
    Fails(TokenError),
    Hangs,
}

#[derive(Debug)]
struct App {
    current: Mutex<String>,
    answer: Mutex<Answer>,
    refreshes: AtomicU32,
}

#[async_trait]
impl TokenProvider for App {
    async fn current(&self) -> Result<Option<Token>, TokenError> {
        Ok(Some(Token::new(
            self.current.lock().expect("token").clone(),
        )))
    }

    async fn refresh(&self) -> Result<Token, TokenError> {
        self.refreshes.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        let answer = self.answer.lock().expect("answer").clone();
        match answer {
            Answer::Fresh(token) => Ok(Token::new(token)),
            Answer::Fails(error) => Err(error),
            Answer::Hangs => pending().await,
        }
    }
}

struct World {
    app: Arc<App>,
    device: Arc<Device>,
    auth: Authenticator,
}

impl World {
    fn new(current: &str, answer: Answer) -> Self {
        let app = Arc::new(App {
            current: Mutex::new(current.into()),
            answer: Mutex::new(answer),
            refreshes: AtomicU32::new(0),
        });
        let device = Arc::new(Device::default());
        let (tokens, platform) = (Arc::clone(&app), Arc::clone(&device));
        Self {
            app,
            device,
            auth: Authenticator::new(tokens, platform),
        }
    }

    fn refreshes(&self) -> u32 {
        self.app.refreshes.load(Ordering::SeqCst)
    }

    fn yields(&self, token: &str) {
        *self.app.current.lock().expect("token") = token.into();
    }

    async fn now(&self) -> Result<String, FailureKind> {
        let token = self.auth.token().await.map_err(|e| e.kind)?;
        Ok(token.expect("token").expose().to_owned())
    }
}

fn old() -> Option<Token> {
    Some(Token::new("old"))
}

fn jwt(expires: i64) -> String {
    let claims = format!("{{\"exp\":{expires}}}");
    format!("e30.{}.s", BASE64URL_NOPAD.encode(claims.as_bytes()))
}

#[tokio::test]
async fn l55_concurrent_refreshes_are_one() {
    let world = World::new("old", Answer::Fresh("new".into()));
    let calls = (0..20).map(|_| world.auth.replace(old()));
    for token in join_all(calls).await {
        assert_eq!(token.expect("token").expose(), "new");
    }
    // A call that was refused before, and hears of it late.
    let late = world.auth.replace(old()).await.expect("token");
    assert_eq!((late.expose(), world.refreshes()), ("new", 1));
    // The app still yields the old one: the new one is remembered.
    assert_eq!(world.now().await.as_deref(), Ok("new"));
}

#[tokio::test]
async fn l55_a_token_replaced_by_the_app_needs_no_refresh() {
    let world = World::new("newer", Answer::Fails(TokenError::SignInRequired));
    let token = world.auth.replace(old()).await.expect("token");
    assert_eq!((token.expose(), world.refreshes()), ("newer", 0));
}

#[tokio::test]
async fn l55_a_refresh_whose_first_caller_left_is_taken_up_by_the_next() {
    let world = World::new("old", Answer::Fresh("new".into()));
    assert!(world.auth.replace(old()).now_or_never().is_none());
    let token = world.auth.replace(old()).await.expect("token");
    assert_eq!((token.expose(), world.refreshes()), ("new", 1));
}

#[tokio::test]
async fn l54_refused_refresh_sticks_until_another_token_comes() {
    let world = World::new("old", Answer::Fails(TokenError::SignInRequired));
    let error = world.auth.replace(old()).await.expect_err("ended");
    assert_eq!(error.kind, FailureKind::SignInRequired);
    assert_eq!(error.outcome, Outcome::NotApplied);
    for _ in 0..3 {
        assert_eq!(world.now().await, Err(FailureKind::SignInRequired));
        assert!(world.auth.replace(old()).await.is_err());
    }
    assert_eq!(world.refreshes(), 1);
    world.yields("signed-in-again");
    assert_eq!(world.now().await.as_deref(), Ok("signed-in-again"));
}

#[tokio::test]
async fn l54_the_same_token_again_is_no_fresh_one() {
    let world = World::new("old", Answer::Fresh("old".into()));
    let error = world.auth.replace(old()).await.expect_err("ended");
    assert_eq!(error.kind, FailureKind::SignInRequired);
    assert_eq!(world.now().await, Err(FailureKind::SignInRequired));
}

#[tokio::test]
async fn l54_a_fresh_token_that_is_refused_too_ends_the_session() {
    let world = World::new("old", Answer::Fresh("new".into()));
    let fresh = world.auth.replace(old()).await.expect("token");
    world.auth.end(fresh);
    assert_eq!(world.now().await, Err(FailureKind::SignInRequired));
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn f19_a_refresh_that_fails_by_network_signs_nobody_out() {
    let world = World::new("old", Answer::Fails(TokenError::Unavailable));
    let error = world.auth.replace(old()).await.expect_err("not now");
    assert_eq!(error.kind, FailureKind::Unavailable);
    assert_eq!(error.retry, RetryClass::Backoff);
    assert_eq!(error.outcome, Outcome::NotApplied);
    *world.app.answer.lock().expect("answer") = Answer::Fresh("new".into());
    assert!(world.auth.replace(old()).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn f19_an_app_that_never_answers_is_not_waited_for() {
    let world = World::new("old", Answer::Hangs);
    let error = world.auth.replace(old()).await.expect_err("deadline");
    assert_eq!(error.kind, FailureKind::Unavailable);
}

#[tokio::test]
async fn l89_expired_token_is_refreshed_by_the_sdk() {
    let world = World::new(&jwt(1_000), Answer::Fresh("new".into()));
    // Five minutes and a second before.
    world.device.0.store(699_000, Ordering::SeqCst);
    assert_eq!(world.now().await, Ok(jwt(1_000)));
    world.device.0.store(701_000, Ordering::SeqCst);
    assert_eq!(world.now().await.as_deref(), Ok("new"));
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn f39_a_wrong_clock_costs_one_refresh_and_no_rejection() {
    let world = World::new(&jwt(1_000), Answer::Fresh(jwt(1_001)));
    world.device.0.store(86_400_000, Ordering::SeqCst);
    for _ in 0..5 {
        assert_eq!(world.now().await, Ok(jwt(1_001)));
    }
    assert_eq!(world.refreshes(), 1);
}

#[tokio::test]
async fn an_early_refresh_that_fails_leaves_the_token_in_use() {
    let world = World::new(&jwt(1_000), Answer::Fails(TokenError::Unavailable));
    world.device.0.store(900_000, Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(world.now().await, Ok(jwt(1_000)));
    }
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn l99_debug_shows_no_token() {
    let world = World::new("secret", Answer::Hangs);
    assert_eq!(format!("{:?}", world.auth), "Authenticator");
}
