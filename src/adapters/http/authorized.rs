//! HTTP with the account's credentials: a refused token is renewed once and the call repeated.

use std::{fmt, sync::Arc};

use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    adapters::http::{Authenticator, HttpClient, HttpReply, HttpRequest},
    domain::{ports::Token, retry::ServiceError},
};

/// The header of the API key.
const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// A client that signs every request.
#[derive(Clone)]
pub struct AuthorizedClient {
    http: HttpClient,
    auth: Arc<Authenticator>,
    api_key: Option<SecretString>,
    refuses: fn(&HttpReply) -> bool,
}

impl fmt::Debug for AuthorizedClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizedClient")
            .field("http", &self.http)
            .finish_non_exhaustive()
    }
}

impl AuthorizedClient {
    /// Signs with the authenticator's token and, where given, the API key.
    #[must_use]
    pub const fn new(
        http: HttpClient,
        auth: Arc<Authenticator>,
        api_key: Option<SecretString>,
    ) -> Self {
        Self {
            http,
            auth,
            api_key,
            refuses: HttpReply::is_unauthorized,
        }
    }

    /// The same for a backend that refuses tokens in a way of its own.
    #[must_use]
    pub const fn refused_by(mut self, refuses: fn(&HttpReply) -> bool) -> Self {
        self.refuses = refuses;
        self
    }

    /// The token store, shared with the WebSocket.
    #[must_use]
    pub const fn auth(&self) -> &Arc<Authenticator> {
        &self.auth
    }

    /// Makes one call. A refused token proves that nothing happened, so the call may be repeated once.
    ///
    /// # Errors
    /// [`ServiceError`] where no reply came, or no token is to be had. Any reply is `Ok`.
    ///
    /// # Cancel safety
    /// As [`HttpClient::execute`]; a refresh that others wait for goes on.
    pub async fn call(&self, request: HttpRequest) -> Result<HttpReply, ServiceError> {
        let token = self.auth.token().await?;
        let reply = self.once(request.clone(), token.as_ref()).await?;
        if !(self.refuses)(&reply) {
            return Ok(reply);
        }
        let fresh = self.auth.replace(token).await?;
        let again = self.once(request, Some(&fresh)).await?;
        if (self.refuses)(&again) {
            self.auth.end(fresh);
        }
        Ok(again)
    }

    async fn once(
        &self,
        mut request: HttpRequest,
        token: Option<&Token>,
    ) -> Result<HttpReply, ServiceError> {
        self.sign(&mut request.headers, token);
        self.http.execute(request).await
    }

    /// Adds the credentials to a request's headers, marked so that nothing prints them.
    pub fn sign(&self, headers: &mut HeaderMap, token: Option<&Token>) {
        if let Some(bearer) = token.and_then(|t| secret(&format!("Bearer {}", t.expose()))) {
            headers.insert(AUTHORIZATION, bearer);
        }
        self.sign_key(headers);
    }

    /// Adds the API key only.
    pub fn sign_key(&self, headers: &mut HeaderMap) {
        let key = self.api_key.as_ref();
        if let Some(value) = key.and_then(|k| secret(k.expose_secret())) {
            headers.insert(API_KEY, value);
        }
    }
}

/// A token that no header can carry is not sent; the server then says 401.
fn secret(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}
