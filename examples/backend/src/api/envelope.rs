//! Answers and problems, wrapped as the dialect wants them.
//!
//! Handlers return a [`Reply`] or a [`Problem`]; both travel in the response's extensions until
//! [`render`] writes them, so that only this file knows the envelopes.

use axum::{
    body::Body,
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use crate::{config::Dialect, ws::frames::go_json};

/// A success.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    data: Option<Value>,
}

impl Reply {
    pub(crate) fn ok(data: Value) -> Self {
        Self {
            status: StatusCode::OK,
            data: Some(data),
        }
    }

    pub(crate) fn created(data: Value) -> Self {
        Self {
            status: StatusCode::CREATED,
            data: Some(data),
        }
    }

    pub(crate) fn accepted(data: Value) -> Self {
        Self {
            status: StatusCode::ACCEPTED,
            data: Some(data),
        }
    }

    pub(crate) fn no_content() -> Self {
        Self {
            status: StatusCode::NO_CONTENT,
            data: None,
        }
    }
}

/// A failure.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    message: String,
    code: Option<&'static str>,
    details: Option<Value>,
}

impl Problem {
    fn new(status: StatusCode, message: &str, code: Option<&'static str>) -> Self {
        Self {
            status,
            message: message.to_owned(),
            code,
            details: None,
        }
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, Some("BAD_REQUEST"))
    }

    pub(crate) fn invalid(message: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message, Some("VALIDATION_ERROR"))
    }

    /// The status differs by dialect; the socket's code does not.
    pub(crate) fn not_active(dialect: Dialect) -> Self {
        let status = match dialect {
            Dialect::Production => StatusCode::BAD_REQUEST,
            Dialect::S34 => StatusCode::FORBIDDEN,
        };
        Self::new(
            status,
            "Consultation is not active",
            Some("CONSULTATION_NOT_ACTIVE"),
        )
    }

    pub(crate) fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", None)
    }

    /// Unlike a bad access token, a bad refresh token is told in JSON.
    pub(crate) fn bad_refresh(message: &str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message, Some("UNAUTHORIZED"))
    }

    pub(crate) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, message, Some("FORBIDDEN"))
    }

    pub(crate) fn not_found(message: &str) -> Self {
        Self::new(StatusCode::NOT_FOUND, message, Some("NOT_FOUND"))
    }

    pub(crate) fn no_consultation() -> Self {
        Self::not_found("consultation not found")
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed", None)
    }

    pub(crate) fn goal_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "goal not found",
            Some("GOAL_NOT_FOUND"),
        )
    }

    pub(crate) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "request too large",
            Some("BAD_REQUEST"),
        )
    }

    pub(crate) fn too_many_active(cap: usize) -> Self {
        let message = format!("too many active consultations: at most {cap} are allowed");
        Self::new(StatusCode::TOO_MANY_REQUESTS, &message, None)
    }

    pub(crate) fn conflict(message: &str, details: Value) -> Self {
        let problem = Self::new(StatusCode::CONFLICT, message, Some("CONSULTATION_EXISTS"));
        Self {
            details: Some(details),
            ..problem
        }
    }

    pub(crate) fn key_reused() -> Self {
        let message = "this key was used for another message";
        Self::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            message,
            Some("IDEMPOTENCY_KEY_REUSED"),
        )
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The code an error frame carries.
    pub(crate) fn socket_code(&self) -> &'static str {
        self.code.unwrap_or("INTERNAL_ERROR")
    }

    fn body(&self, dialect: Dialect) -> Value {
        if dialect == Dialect::S34 && self.details.is_none() {
            return json!({ "success": false, "error": self.message });
        }
        let mut error = json!({ "message": self.message });
        if let Some(error) = error.as_object_mut() {
            if let Some(code) = self.code {
                error.insert("code".to_owned(), json!(code));
            }
            if let Some(details) = &self.details {
                error.insert("details".to_owned(), details.clone());
            }
        }
        match dialect {
            Dialect::Production => json!({ "error": error }),
            Dialect::S34 => json!({ "success": false, "error": error }),
        }
    }

    /// Production answers a missing or bad token in plain text.
    fn is_plain(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED && self.code.is_none()
    }
}

impl From<rusqlite::Error> for Problem {
    fn from(error: rusqlite::Error) -> Self {
        tracing::error!(%error, "the store failed");
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "internal error",
            Some("INTERNAL_ERROR"),
        )
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a response that carries a [`Reply`] or a [`Problem`].
pub(crate) fn render(dialect: Dialect, mut response: Response) -> Response {
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        if problem.is_plain() {
            return with_body(response, "text/plain; charset=utf-8", problem.message);
        }
        let body = go_json(&problem.body(dialect));
        return with_body(response, "application/json", body);
    }
    let Some(reply) = response.extensions_mut().remove::<Reply>() else {
        return response;
    };
    let Some(data) = reply.data else {
        return response;
    };
    let body = match dialect {
        Dialect::Production => json!({ "data": data }),
        Dialect::S34 => json!({ "success": true, "data": data, "error": null }),
    };
    with_body(response, "application/json", go_json(&body))
}

fn with_body(mut response: Response, content_type: &'static str, body: String) -> Response {
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    *response.body_mut() = Body::from(body);
    response
}
