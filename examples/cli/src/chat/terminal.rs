//! The terminal: taken for the chat, given back whatever happens.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use crossterm::{
    cursor::Show,
    event::{self, DisableBracketedPaste, EnableBracketedPaste, Event, KeyEventKind},
    execute,
};
use ratatui::DefaultTerminal;
use tokio::sync::mpsc;

use super::update;

static TAKEN: AtomicBool = AtomicBool::new(false);

/// The terminal while it is ours; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Screen {
    /// To draw on.
    pub(super) terminal: DefaultTerminal,
}

impl Screen {
    /// Takes the terminal.
    pub(super) fn take() -> io::Result<Self> {
        TAKEN.store(true, Ordering::SeqCst);
        match ratatui::try_init() {
            Ok(terminal) => {
                // Without it a pasted line break would send.
                let _ = execute!(io::stdout(), EnableBracketedPaste);
                Ok(Self { terminal })
            }
            Err(error) => {
                restore();
                Err(error)
            }
        }
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

/// Gives the terminal back, if it was taken.
pub(crate) fn restore() {
    if TAKEN.swap(false, Ordering::SeqCst) {
        let _ = execute!(io::stdout(), DisableBracketedPaste, Show);
        let _ = ratatui::try_restore();
    }
}

/// Keys and pasted text, read on a thread of their own. `None` stands for a change of size.
pub(super) fn keys() -> mpsc::Receiver<Option<update::Event>> {
    let (tx, rx) = mpsc::channel(64);
    thread::spawn(move || {
        while let Ok(read) = event::read() {
            let told = match read {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    Some(update::Event::Key(key))
                }
                Event::Paste(text) => Some(update::Event::Paste(text)),
                Event::Resize(..) => None,
                _ => continue,
            };
            if tx.blocking_send(told).is_err() {
                break;
            }
        }
    });
    rx
}
