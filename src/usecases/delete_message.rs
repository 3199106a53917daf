//! `DeleteMessage`: an unsent one is taken back, a sent one is deleted where the backend can.

use crate::{
    domain::{ids::ClientMessageId, message::Message, ports::Durability, rules::editor::Editor},
    error::ChatError,
    usecases::{Ports, settle_unsent::CancelMessage},
};

/// Deletes one message.
#[derive(Clone, Copy, Debug)]
pub struct DeleteMessage {
    /// Which.
    pub message: ClientMessageId,
}

impl DeleteMessage {
    /// Cancels or deletes, and leaves a tombstone for a sent one.
    ///
    /// # Errors
    /// `NotFound`; `Unsupported` where the backend cannot; [`ChatError`] of service or store.
    pub async fn execute(self, ports: &Ports) -> Result<Message, ChatError> {
        let id = self.message;
        let found = ports.repository.view(move |rows| rows.message(id)).await?;
        let missing = || ChatError::NotFound("there is no such message here".to_owned());
        let message = found.ok_or_else(missing)?;
        if message.own && !message.state.is_on_server() {
            return CancelMessage { message: id }.execute(ports).await;
        }
        if !ports.service.capabilities().delete {
            return Err(ChatError::Unsupported(
                "this backend cannot delete a message".to_owned(),
            ));
        }
        let Some(server_id) = message.server_id.clone() else {
            return Err(ChatError::OutcomeUnknown);
        };
        ports
            .service
            .delete_message(&message.conversation, &server_id)
            .await?;
        Ok(ports
            .repository
            .transact(Durability::Normal, move |rows| bury(rows, id))
            .await?)
    }
}

fn bury(
    rows: &mut dyn crate::domain::ports::Rows,
    id: ClientMessageId,
) -> crate::domain::ports::chat_repository::RowResult<Message> {
    let gone = || crate::domain::ports::RepositoryError::Internal("the message is gone".to_owned());
    let row = rows.message(id)?.ok_or_else(gone)?;
    let mut editor = Editor::open(rows, &row.conversation)?;
    let tomb = Message {
        deleted: true,
        unread: false,
        text: String::new(),
        ..row.clone()
    };
    let tomb = editor.update(&row, tomb)?;
    editor.finish()?;
    Ok(tomb)
}
