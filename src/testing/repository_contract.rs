//! What every [`ChatRepository`] must do, as tests: [`repository_contract!`](crate::repository_contract)
//! writes them out for an implementation.
//!
//! ```
//! use std::sync::Arc;
//! use tidings::{adapters::memory::MemoryRepository, testing::repository_contract::Fixture};
//!
//! fn make() -> Fixture {
//!     Fixture::new(Arc::new(MemoryRepository::new()))
//! }
//! tidings::repository_contract!(make);
//! # fn main() {}
//! ```
#![expect(
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a check that fails panics: that is what a test is for"
)]

pub mod conversations;
pub mod journal;
pub mod messages;
pub mod outbox;
pub mod paging;
pub mod retention;
pub mod samples;
pub mod search;
pub mod transactions;

use std::{any::Any, fmt, future::Future, sync::Arc};

use crate::domain::ports::{ChatRepository, Durability, Rows, chat_repository::RowResult};

/// The store under test.
pub type Store = Arc<dyn ChatRepository>;

/// A fresh store, and what must live as long as it does.
pub struct Fixture {
    store: Store,
    keep: Box<dyn Any + Send>,
}

impl Fixture {
    /// A store that needs nothing else.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self::with(store, ())
    }

    /// A store and, say, the temporary directory that it lives in.
    #[must_use]
    pub fn with(store: Store, keep: impl Any + Send) -> Self {
        let keep = Box::new(keep);
        Self { store, keep }
    }
}

impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixture")
            .field("store", &self.store)
            .finish_non_exhaustive()
    }
}

/// Runs one case against a fresh store, on a runtime of its own.
pub fn run<F: Future<Output = ()>>(make: impl FnOnce() -> Fixture, case: impl FnOnce(Store) -> F) {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_time().build().unwrap();
    let Fixture { store, keep } = make();
    runtime.block_on(async {
        case(Arc::clone(&store)).await;
        store.close().await;
    });
    drop((store, keep));
}

/// Writes and expects it to work.
pub(crate) async fn write<T: Send + 'static>(
    store: &Store,
    job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
) -> T {
    store.transact(Durability::Normal, job).await.unwrap()
}

/// Reads and expects it to work.
pub(crate) async fn read<T: Send + 'static>(
    store: &Store,
    job: impl FnOnce(&mut dyn Rows) -> RowResult<T> + Send + 'static,
) -> T {
    store.view(job).await.unwrap()
}

/// Writes out one test for each case of the contract.
///
/// The argument names a function from nothing to a `repository_contract::Fixture` with an empty
/// store.
#[macro_export]
macro_rules! repository_contract {
    ($make:path) => {
        $crate::repository_contract! { $make =>
            conversations::conversation_round_trips_with_every_field,
            conversations::conversation_put_again_keeps_nothing_of_the_old,
            conversations::conversations_come_by_activity_then_by_id,
            conversations::archived_conversations_are_listed_only_when_asked_for,
            conversations::removed_conversation_takes_its_rows_and_no_others,
            conversations::rows_move_from_one_conversation_to_another,
            messages::message_round_trips_with_every_field,
            messages::message_texts_come_back_to_the_byte,
            messages::every_state_role_and_completeness_round_trips,
            messages::gaps_are_found_in_order_and_go_with_their_mark,
            messages::updated_message_keeps_nothing_of_the_old,
            messages::a_key_names_one_row,
            messages::a_server_id_names_one_row_of_a_conversation,
            messages::a_refused_update_leaves_the_row_as_it_was,
            messages::a_row_needs_its_conversation,
            messages::removed_message_is_gone_and_its_server_id_is_free,
            messages::unplaced_rows_are_those_the_server_may_have,
            messages::unread_rows_come_up_to_and_with_the_key,
            search::words_are_found_whatever_their_case_and_accents,
            search::no_query_is_a_wrong_one,
            search::hits_come_newest_first_and_in_pages,
            search::a_search_stays_in_its_conversation,
            search::moved_rows_are_found_where_they_went,
            search::changes_and_removals_show_at_once,
            search::what_still_changes_is_found_as_it_is,
            search::a_removed_conversation_is_not_found,
            paging::pages_walk_back_from_the_newest,
            paging::pages_before_a_key_leave_it_out,
            paging::tombstones_come_only_where_asked_for,
            paging::the_oldest_rows_come_with_their_tombstones,
            paging::pages_after_a_key_walk_forward,
            retention::only_the_oldest_end_goes_and_the_history_says_so,
            retention::what_is_unread_or_waits_stays,
            retention::age_and_size_are_limits_too,
            paging::a_moved_row_is_found_at_its_new_place_only,
            paging::extreme_bounds_are_no_trouble,
            paging::nearest_server_keys_are_found_both_ways,
            outbox::entry_round_trips_with_every_field,
            outbox::entry_put_again_keeps_nothing_of_the_old,
            outbox::every_kind_of_action_round_trips,
            outbox::tracks_do_not_wait_for_one_another,
            outbox::a_track_holds_what_still_waits,
            outbox::changes_and_creations_are_found,
            outbox::heads_are_the_first_that_wait_in_each_conversation,
            outbox::a_long_queue_has_one_head,
            outbox::entries_come_by_accept_order,
            outbox::an_order_is_given_once,
            journal::entries_get_ascending_numbers_and_come_back_whole,
            journal::entries_are_read_on_from_a_number,
            journal::a_number_is_never_given_again,
            journal::settings_are_set_and_replaced,
            transactions::a_failed_job_changes_nothing,
            transactions::a_failed_job_answers_its_own_error,
            transactions::a_job_may_go_on_after_a_refused_row,
            transactions::a_panicking_job_changes_nothing_and_the_store_lives,
            transactions::a_write_inside_a_read_is_refused,
            transactions::a_job_sees_what_it_wrote,
            transactions::the_revision_grows_with_each_commit_and_only_then,
            transactions::a_waiter_wakes_at_the_commit,
            transactions::concurrent_writers_all_survive,
            transactions::a_failure_takes_no_neighbour_with_it,
            transactions::a_dropped_write_is_all_or_nothing,
            transactions::a_closed_store_answers_closed,
        }
    };
    ($make:path => $($area:ident :: $case:ident),+ $(,)?) => {
        $(
            #[test]
            fn $case() {
                use $crate::testing::repository_contract as contract;
                contract::run($make, contract::$area::$case);
            }
        )+
    };
}
