//! `WaitForDelivery`: until a message's fate is known, in whichever process decides it.

use crate::{
    domain::{
        delivery::{DeliveryState, Reason},
        ids::ClientMessageId,
        journal::JournalEntry,
        message::Message,
    },
    error::ChatError,
    usecases::Ports,
};

/// Waits for one message.
#[derive(Clone, Copy, Debug)]
pub struct WaitForDelivery {
    /// Which.
    pub message: ClientMessageId,
}

/// A message's fate.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// The server has it; the row, unless it was removed meanwhile.
    OnServer(Option<Box<Message>>),
    /// It has not, for good.
    Failed(Reason),
    /// Direct only: nobody knows yet, and waiting longer was not promised.
    Unknown(Reason),
    /// The user took it back.
    Cancelled,
}

impl WaitForDelivery {
    /// Follows the journal until it tells the end.
    ///
    /// # Errors
    /// The store's.
    ///
    /// # Cancel safety
    /// May be dropped and called again.
    pub async fn execute(self, ports: &Ports) -> Result<Delivery, ChatError> {
        let id = self.message;
        loop {
            let seen = ports.repository.revision();
            let (last, row) = ports
                .repository
                .view(move |rows| Ok((rows.journal_of(id)?.pop(), rows.message(id)?)))
                .await?;
            if let Some(fate) = last.and_then(|entry| fate(&entry, row)) {
                return Ok(fate);
            }
            ports.repository.changed(seen).await;
        }
    }
}

fn fate(entry: &JournalEntry, row: Option<Message>) -> Option<Delivery> {
    let reason = || {
        let unnamed = || Reason::new("rejected", false, "the message was not taken");
        entry.reason.clone().unwrap_or_else(unnamed)
    };
    match entry.state {
        state if state.is_on_server() => Some(Delivery::OnServer(row.map(Box::new))),
        DeliveryState::Failed => Some(Delivery::Failed(reason())),
        DeliveryState::Cancelled => Some(Delivery::Cancelled),
        DeliveryState::Uncertain if is_unknown(entry) => Some(Delivery::Unknown(reason())),
        _ => None,
    }
}

fn is_unknown(entry: &JournalEntry) -> bool {
    entry
        .reason
        .as_ref()
        .is_some_and(|reason| reason.code == "send.outcome_unknown")
}
