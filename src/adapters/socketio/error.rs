//! What can be wrong with a frame.

/// Why a frame cannot be read, or must not be written.
///
/// A frame that cannot be read ends the connection, as it does at every peer of this protocol: what
/// follows it could no longer be trusted to belong together. No variant holds any content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// Nothing where a packet should be.
    #[error("an empty packet")]
    Empty,
    /// A packet of a type that neither protocol has.
    #[error("a packet of an unknown type")]
    UnknownType,
    /// JSON that is none, or of the wrong kind for its packet.
    #[error("a payload that does not fit its packet")]
    BadPayload,
    /// Base64 that is none.
    #[error("binary data that is not base64")]
    BadBase64,
    /// A handshake without what a session needs.
    #[error("a handshake that lacks what a session needs")]
    BadHandshake,
    /// A namespace that cannot be one.
    #[error("a name that no namespace can have")]
    BadNamespace,
    /// An acknowledgement without its number, or with one beyond every count.
    #[error("an acknowledgement without a usable number")]
    BadAck,
    /// An event's name is missing, or is one of those the protocol keeps for itself.
    #[error("a name that no event can have")]
    BadEvent,
    /// The number of attachments is missing, or a placeholder points beyond them.
    #[error("attachments that do not add up")]
    BadAttachments,
    /// Text came where an attachment was due.
    #[error("text where an attachment was due")]
    AttachmentDue,
    /// An attachment came where none was due.
    #[error("an attachment that nothing asked for")]
    AttachmentUnasked,
    /// More than the limits allow.
    #[error("more than the limits allow")]
    TooLarge,
}
