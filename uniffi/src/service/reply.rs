//! Where a backend of the app's own puts its answer.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::calls::{ServiceAnswer, ServiceFailure};

pub(super) type Answer = Result<ServiceAnswer, ServiceFailure>;

/// Where the answer to one call goes; the first one counts, and none at all is an unknown outcome.
#[derive(Debug, uniffi::Object)]
pub struct ServiceReply(Mutex<Option<oneshot::Sender<Answer>>>);

impl ServiceReply {
    pub(super) fn pair() -> (Arc<Self>, oneshot::Receiver<Answer>) {
        let (sender, receiver) = oneshot::channel();
        (Arc::new(Self(Mutex::new(Some(sender)))), receiver)
    }

    fn answer(&self, answer: Answer) {
        let sender = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            let _ = sender.send(answer);
        }
    }
}

#[uniffi::export]
impl ServiceReply {
    /// It worked.
    pub fn resolve(&self, answer: ServiceAnswer) {
        self.answer(Ok(answer));
    }

    /// It did not.
    pub fn reject(&self, failure: ServiceFailure) {
        self.answer(Err(failure));
    }
}
