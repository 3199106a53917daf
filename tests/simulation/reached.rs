//! Places a run must come to: a simulation that no longer gets there has gone blind.

use std::sync::atomic::{AtomicU64, Ordering};

macro_rules! markers {
    ($($name:ident),+ $(,)?) => {
        /// A place.
        #[allow(non_camel_case_types, reason = "printed as they are")]
        #[derive(Clone, Copy, Debug)]
        pub(crate) enum Marker { $($name),+ }
        const NAMES: &[&str] = &[$(stringify!($name)),+];
        static COUNTS: [AtomicU64; NAMES.len()] = [const { AtomicU64::new(0) }; NAMES.len()];
    };
}

markers![
    sent_over_socket,
    sent_over_http,
    uncertain,
    uncertain_resolved_by_history,
    uncertain_resolved_by_key,
    resent_after_proof,
    late_apply_made_a_second_copy,
    failed,
    retried,
    cancelled,
    cancelled_uncertain,
    parked,
    expired,
    direct_withdrawn,
    direct_failed,
    direct_unknown,
    rate_limited,
    signed_out,
    turn_completed,
    turn_incomplete,
    turn_failed,
    answer_replaced_by_row,
    waited_for_turn,
    polling_used,
    gap_marked,
    socket_live,
    deaf_socket_replaced,
    cursor_paged_forward,
    loaded_older,
    kill_while_sending,
    kill_while_streaming,
    kill_before_commit,
    kill_after_commit,
    suspended,
    tombstone_seen,
    revision_seen,
    replay_changed_nothing,
    observer_update,
    observer_reset,
    edited,
    edit_folded_in,
    deleted,
    marked,
    archived,
    completed,
    stopped,
    answer_stopped,
    begun_and_bound,
    created_already,
    draft_stored,
    action_repeated,
    action_refused,
    action_cancelled,
    action_expired,
];

/// Counts one visit.
pub(crate) fn reached(marker: Marker) {
    COUNTS[marker as usize].fetch_add(1, Ordering::Relaxed);
}

/// Every marker with its visits.
pub(crate) fn counts() -> Vec<(&'static str, u64)> {
    let counts = COUNTS.iter().map(|count| count.load(Ordering::Relaxed));
    NAMES.iter().copied().zip(counts).collect()
}
