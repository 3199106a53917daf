//! The bounds of what a peer may make us hold.

/// The most attachments that the protocol's own parser takes (since its version 4.2.6).
pub const MOST_ATTACHMENTS: usize = 10;

/// The bounds of one packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WireLimits {
    /// Most attachments of one packet.
    pub attachments: usize,
    /// Most bytes of all attachments of one packet together.
    pub attached: usize,
    /// Most arguments of one event or acknowledgement.
    pub arguments: usize,
    /// Most bytes of a packet's text.
    pub text: usize,
}

impl Default for WireLimits {
    /// As many attachments as peers take; 4 MiB of them, four times what a server lets pass by
    /// default; 64 arguments, where two are usual; 1 MiB of text, which is all of a default frame.
    fn default() -> Self {
        Self {
            attachments: MOST_ATTACHMENTS,
            attached: 4 * 1024 * 1024,
            arguments: 64,
            text: 1024 * 1024,
        }
    }
}
