//! Everything else that can be watched: each look is whole, so nothing has to be queued.

use std::sync::Arc;

use tidings::runtime::observers::{
    ConversationsObserver, DeliveryObserver, MessageObserver, OutboxObserver,
};
use tokio::sync::Mutex;

use crate::{
    client::Lifetime,
    error::ChatError,
    records::{
        conversation::{ConversationFilter, ConversationInfo},
        delivery::{DeliveryRecord, OutboxItem},
        message::Message,
    },
    runtime::read,
    timeline::Reader,
};

/// What is watched.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum WatchTopic {
    /// The list of conversations.
    Conversations {
        /// Which of them.
        filter: ConversationFilter,
    },
    /// Every unsent message.
    Outbox,
    /// What happens to sent messages, one thing at a time, without a hole.
    Deliveries,
    /// One message.
    Message {
        /// Its local key.
        id: String,
    },
}

/// What was seen: the kind that its topic names.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Snapshot {
    /// The list of conversations.
    Conversations {
        /// All of it, newest activity first.
        list: Vec<ConversationInfo>,
    },
    /// Every unsent message.
    Outbox {
        /// All of them, in accept order.
        items: Vec<OutboxItem>,
    },
    /// What happened to one message.
    Delivery {
        /// The record.
        record: DeliveryRecord,
    },
    /// One message.
    Message {
        /// The row; `None` where there is no such row.
        message: Option<Message>,
    },
}

#[derive(Debug)]
pub(crate) enum Observer {
    Conversations(ConversationsObserver),
    Outbox(OutboxObserver),
    Deliveries(DeliveryObserver),
    Message(MessageObserver),
}

impl Observer {
    async fn next(&mut self) -> Result<Snapshot, ChatError> {
        Ok(match self {
            Self::Conversations(observer) => Snapshot::Conversations {
                list: observer.next().await?.into_iter().map(Into::into).collect(),
            },
            Self::Outbox(observer) => Snapshot::Outbox {
                items: observer.next().await?.into_iter().map(Into::into).collect(),
            },
            Self::Deliveries(observer) => Snapshot::Delivery {
                record: observer.next().await?.into(),
            },
            Self::Message(observer) => Snapshot::Message {
                message: observer.next().await?.map(Message::from),
            },
        })
    }
}

#[derive(Debug)]
struct Inner {
    observer: Mutex<Observer>,
    reader: Reader,
}

/// One thing that is watched. One reader at a time; a second one waits for the first.
#[derive(Debug, uniffi::Object)]
pub struct Watch(Arc<Inner>);

impl Watch {
    pub(crate) fn new(observer: Observer, lifetime: Arc<Lifetime>) -> Self {
        Self(Arc::new(Inner {
            observer: Mutex::new(observer),
            reader: Reader::new(lifetime),
        }))
    }
}

#[uniffi::export]
impl Watch {
    /// How it is, at once the first time, then whenever that changed; `None` at the end.
    ///
    /// May be dropped and called again; nothing is lost.
    pub async fn next(&self) -> Result<Option<Snapshot>, ChatError> {
        let inner = Arc::clone(&self.0);
        let look = async move {
            let next = async { inner.observer.lock().await.next().await.map(Some) };
            inner.reader.until_end(next).await
        };
        read(None, look).await
    }

    /// Ends the reading, now and for good.
    pub fn stop(&self) {
        self.0.reader.stop();
    }
}
