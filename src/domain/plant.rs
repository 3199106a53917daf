//! Planted bugs: the simulation must find each, or it has gone blind.
//!
//! A plant is a branch in shipped code that only a build with the feature `testing` can take, and
//! only after [`sow`]; without the feature [`planted`] is a constant `false`.

#[cfg(feature = "testing")]
use std::sync::atomic::{AtomicUsize, Ordering};

#[cfg(feature = "testing")]
static SOWN: AtomicUsize = AtomicUsize::new(0);

/// Every plant: its name, the invariant that must break, and what it does wrong.
#[cfg(feature = "testing")]
pub const PLANTS: &[(&str, &str, &str)] = &[
    (
        "forget-before-ack",
        "INV-01",
        "the outbox entry goes when the attempt leaves, not when it is confirmed",
    ),
    (
        "plain-resend",
        "INV-02",
        "an attempt without an answer is sent again without reading the history",
    ),
    (
        "sent-on-timeout",
        "INV-03",
        "an attempt whose deadline passed is called sent",
    ),
    (
        "replace-by-new-row",
        "INV-04",
        "a streamed answer is removed and the server's row inserted under another key",
    ),
    (
        "echo-is-new",
        "INV-05",
        "the server's echo of an own message is taken for another message",
    ),
    (
        "overtake-uncertain",
        "INV-06",
        "a message is sent while the one before it is uncertain",
    ),
    (
        "order-by-clock",
        "INV-07",
        "waiting messages are ordered by the wall clock",
    ),
    (
        "cursor-first",
        "INV-10",
        "the cursor is stored before the page it covers",
    ),
    (
        "same-words-same-message",
        "INV-10",
        "a server row with the words of a known one is taken for that one",
    ),
    (
        "given-up-sinks",
        "INV-07",
        "an answer that the server gave up stays below the answers of later turns",
    ),
    (
        "again-is-a-change",
        "INV-11",
        "a row that the server tells again is written again",
    ),
    (
        "skip-update",
        "INV-13",
        "an observer is not told of rows that changed in place",
    ),
    ("count-twice", "INV-14", "an unread row counts twice"),
    (
        "late-piece-new-row",
        "INV-18",
        "a piece that comes after the turn's deadline opens a new answer",
    ),
    (
        "echo-is-an-answer",
        "INV-18",
        "a piece that comes after the row it belongs to was read opens a new answer",
    ),
    (
        "fragments-stay",
        "INV-18",
        "a partial answer stays beside the server's row that says all of it",
    ),
    (
        "edit-unsent-shown-only",
        "INV-01",
        "an edit of an unsent message changes what is shown, not what is sent",
    ),
    (
        "deleted-still-queued",
        "INV-01",
        "a deleted message that has not left stays in the outbox",
    ),
    (
        "change-on-the-wire",
        "INV-03",
        "a new edit goes into the one that is on the wire, and ends with it",
    ),
    (
        "first-mark-stands",
        "INV-15",
        "a read mark that waits is not moved on by a newer one",
    ),
    (
        "create-again",
        "INV-02",
        "a creation of unknown outcome is repeated without reading the listing",
    ),
    (
        "begun-without-words",
        "INV-01",
        "what was written into a conversation begun here does not move to the server's",
    ),
    (
        "begun-without-draft",
        "INV-17",
        "the draft of a conversation begun here does not move to the server's",
    ),
    (
        "end-overtakes",
        "INV-06",
        "the end of a conversation leaves before the messages that wait in it",
    ),
    (
        "expired-silently",
        "INV-01",
        "an action that grew too old ends without a word",
    ),
    (
        "kill-drops-actions",
        "INV-01",
        "an action that was on the wire at a kill is forgotten",
    ),
    (
        "stop-never-leaves",
        "INV-03",
        "an answer under way is taken for one that has ended, and not stopped",
    ),
    (
        "refused-stays-archived",
        "INV-08",
        "an archive mark that the server refused stays",
    ),
    (
        "deleted-comes-back",
        "INV-16",
        "a message shows its text again once the server has deleted it",
    ),
    (
        "never-again",
        "INV-22",
        "a message whose attempt failed is never tried again",
    ),
    (
        "never-probe",
        "INV-23",
        "a silent socket is trusted for ever",
    ),
];

/// Plants that the model check of synchronising finds; see [`PLANTS`].
#[cfg(feature = "testing")]
pub const SYNC_PLANTS: &[(&str, &str, &str)] = &[
    (
        "gap-unmarked",
        "INV-09",
        "the newest page is stored above a hole that nothing marks",
    ),
    (
        "gap-closed-early",
        "INV-09",
        "one page into a gap is taken for all of it",
    ),
];

/// Activates one plant for this process; `false` where there is none of that name.
#[cfg(feature = "testing")]
pub fn sow(name: &str) -> bool {
    let mut all = PLANTS.iter().chain(SYNC_PLANTS);
    let Some(index) = all.position(|(plant, ..)| *plant == name) else {
        return false;
    };
    SOWN.store(index + 1, Ordering::Relaxed);
    true
}

/// Whether this plant is active.
#[cfg(feature = "testing")]
#[must_use]
pub fn planted(name: &str) -> bool {
    let index = SOWN.load(Ordering::Relaxed);
    index > 0
        && PLANTS
            .iter()
            .chain(SYNC_PLANTS)
            .nth(index - 1)
            .is_some_and(|(plant, ..)| *plant == name)
}

/// Whether this plant is active: never, in a build that ships.
#[cfg(not(feature = "testing"))]
#[must_use]
pub(crate) const fn planted(_: &str) -> bool {
    false
}
