//! Opening a conversation's socket.

use http::header::HeaderMap;
use url::Url;

use crate::{
    adapters::{
        consultations::{
            envelope::Complaint,
            frames::{ConsultationsDecoder, ConsultationsEncoder},
            service::ConsultationsService,
        },
        http::{Effect, HttpReply, status},
        net::BoxedIo,
        websocket::{DialError, WebSocketSession},
    },
    domain::{
        ids::ConversationId,
        ports::{ChatService, RealtimeSession, Token},
        retry::{FailureKind, Outcome, RetryClass, ServiceError},
    },
};

/// One conversation's open socket.
pub type ConsultationsSession<S = BoxedIo> =
    WebSocketSession<ConsultationsEncoder, ConsultationsDecoder, S>;

impl ConsultationsService {
    /// Dials with the current token. Where the upgrade refuses it, a request decides: it renews
    /// the token, or ends the session. A socket that refuses what requests are taken with is no
    /// reason to sign anybody out.
    pub(super) async fn open_session(
        &self,
        id: &ConversationId,
    ) -> Result<ConsultationsSession, ServiceError> {
        let auth = self.api.auth();
        let token = auth.token().await?;
        let refused = match self.dial(id, token.as_ref()).await {
            Err(DialError::Refused(reply)) if reply.is_unauthorized() => token,
            other => return other.map_err(|e| self.no_session(e)),
        };
        self.conversation(id).await?;
        let current = auth.token().await?;
        if current == refused {
            return Err(refused_here_only());
        }
        match self.dial(id, current.as_ref()).await {
            Err(DialError::Refused(reply)) if reply.is_unauthorized() => Err(refused_here_only()),
            other => other.map_err(|e| self.no_session(e)),
        }
    }

    async fn dial(
        &self,
        id: &ConversationId,
        token: Option<&Token>,
    ) -> Result<ConsultationsSession, DialError> {
        let url = self.socket_url(id, token).map_err(DialError::Failed)?;
        let mut headers = HeaderMap::new();
        let header_token = token.filter(|_| self.config.ws_auth.in_header());
        self.api.sign(&mut headers, header_token);
        let socket = self.dialer.dial(&url, headers).await?;
        let encoder = ConsultationsEncoder {
            sends: !self.learned.is_s34(),
            extensions: self.config.extensions,
        };
        let session =
            ConsultationsSession::new(socket, encoder, ConsultationsDecoder::new(id.clone()));
        // The server counts a first ping as presence; where the socket is broken, reading tells.
        let _ = session.probe().await;
        Ok(session)
    }

    fn socket_url(&self, id: &ConversationId, token: Option<&Token>) -> Result<Url, ServiceError> {
        let mut url = self.resource(&self.ws_origin, id, &["ws"])?;
        if let Some(token) = token.filter(|_| self.config.ws_auth.in_query()) {
            url.query_pairs_mut().append_pair("token", token.expose());
        }
        Ok(url)
    }

    fn no_session(&self, error: DialError) -> ServiceError {
        match error {
            DialError::Failed(error) => error,
            DialError::Refused(reply) if reply.is_success() => {
                status::unreadable(&reply, Effect::Read)
            }
            DialError::Refused(reply) => self.refused_upgrade(&reply),
        }
    }

    fn refused_upgrade(&self, reply: &HttpReply) -> ServiceError {
        let complaint = Complaint::read(&reply.body);
        self.refusal(reply, &complaint, Effect::Read)
    }
}

/// Requests are taken with this token, the socket is not.
fn refused_here_only() -> ServiceError {
    let text = "the socket refuses the token that requests are taken with";
    ServiceError {
        status: Some(401),
        ..ServiceError::new(
            FailureKind::NotAllowed,
            RetryClass::Backoff,
            Outcome::NotApplied,
            text,
        )
    }
}
