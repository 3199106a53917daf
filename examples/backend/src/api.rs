//! The REST side of `consultations`.

pub(crate) mod auth;
mod consultations;
mod envelope;
mod extensions;
mod guidance;
mod messages;
pub(crate) mod posting;
mod requests;
pub(crate) mod shapes;

pub(crate) use envelope::{Problem, Reply, render};

use axum::{
    Router,
    routing::{get, patch, post, put},
};

use crate::{app::Shared, ws};

/// All public routes.
pub(crate) fn routes() -> Router<Shared> {
    let consultations = Router::new()
        .route("/", post(consultations::create).get(consultations::list))
        .route("/quick-actions", get(guidance::quick_actions))
        .route(
            "/{id}",
            get(consultations::get).delete(consultations::delete),
        )
        .route("/{id}/complete", post(consultations::complete))
        .route("/{id}/suggest-goals", post(guidance::suggest_goals))
        .route("/{id}/messages", get(messages::list).post(messages::post))
        .route(
            "/{id}/messages/{message}",
            patch(extensions::edit).delete(extensions::delete),
        )
        .route("/{id}/stop", post(extensions::stop))
        .route("/{id}/read", put(extensions::read))
        .route("/{id}/ws", get(ws::upgrade));
    Router::new()
        .nest("/api/v1/consultations", consultations)
        .route("/api/v1/auth/login", post(auth::login))
        .route("/api/v1/auth/refresh", post(auth::refresh))
        .route(
            "/api/v1/tidings/capabilities",
            get(extensions::capabilities),
        )
        .fallback(async || Problem::not_found("no such endpoint"))
        .method_not_allowed_fallback(async || Problem::method_not_allowed())
}
