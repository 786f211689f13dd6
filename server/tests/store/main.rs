//! What every store promises, shown on each of them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // helpers of tests are tests

mod laws;
mod model;
mod random;
#[cfg(feature = "redis")]
mod redis;
#[cfg(feature = "redis")]
mod redis_server;
mod rig;
#[cfg(feature = "sqlite")]
mod sqlite;

use rig::Rig;

/// Each law is a test of each store.
macro_rules! laws {
    ($($law:ident)*) => {
        mod memory_store {
            $(#[tokio::test] async fn $law() { super::laws::$law(&mut super::Rig::memory()).await })*
        }
        #[cfg(feature = "sqlite")]
        mod sqlite_store {
            $(#[tokio::test] async fn $law() { super::laws::$law(&mut super::Rig::sqlite()).await })*
        }
        #[cfg(feature = "redis")]
        mod redis_store {
            $(#[tokio::test] async fn $law() { super::laws::$law(&mut super::Rig::redis()).await })*
        }
    };
}

laws! {
    a_session_is_created_once
    an_id_that_is_taken_is_not_given_again
    a_wrong_secret_finds_nothing
    a_claim_supersedes_the_lease_before
    a_claim_tells_how_far_the_session_is
    a_message_is_committed_once
    a_gap_is_refused_and_nothing_of_the_call_is_done
    a_broadcast_reaches_every_member_and_the_history_in_order
    a_broadcast_to_others_leaves_oneself_out
    an_outbox_has_no_gaps
    payloads_come_back_as_they_were
    a_read_keeps_to_its_limits
    what_is_acknowledged_is_forgotten
    who_is_further_than_what_was_sent_is_told_that_it_is_lost
    a_lease_that_was_never_given_is_of_a_session_that_is_lost
    a_claim_beyond_what_was_sent_ends_the_session
    a_claim_below_what_was_acknowledged_comes_late_and_changes_nothing
    a_released_session_lives_for_its_time
    a_kept_session_lives
    a_session_that_nobody_keeps_ends
    a_superseded_connection_neither_keeps_nor_releases_nor_ends
    a_session_that_is_ended_is_gone
    an_overflow_by_number_ends_that_session_only
    an_overflow_by_bytes_ends_that_session_only
    one_s_own_overflow_is_told_and_does_not_stop_the_others_messages
    an_overflow_is_forgotten_in_time
    members_come_and_go
    joining_twice_is_joining_once
    an_application_can_speak_without_a_message
    a_user_has_so_many_sessions
    a_count_goes_on_until_nobody_counted_for_long
    history_has_pages_and_an_end
    changes_name_who_has_something_new
    totals_count
    many_tasks_at_once_keep_each_session_s_order
    a_room_of_ten_thousand
}
