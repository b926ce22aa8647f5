//! What the store promises, on both engines: every case below runs once on SQLite and once on a PostgreSQL server of its own.
//!
//! A machine without PostgreSQL's programs fails the second half and says what to run; nothing is skipped.

#![allow(clippy::unwrap_used, missing_docs, unreachable_pub)]

mod access;
mod agents;
mod book;
mod businesses;
mod callers;
mod calls;
mod database;
mod faults;
mod keys;
mod limits;
mod lists;
mod lives;
mod numbers;
mod people;
mod records;
mod replay;
mod saves;
mod schema;
mod server;
mod talks;
mod tenants;

macro_rules! on_both_engines {
    ($($module:ident: $($case:ident)+;)+) => {
        mod sqlite {
            $($(#[tokio::test]
            async fn $case() {
                crate::$module::$case(crate::database::Database::sqlite().await).await;
            })+)+
        }
        mod postgres {
            $($(#[tokio::test]
            async fn $case() {
                crate::$module::$case(crate::database::Database::postgres().await).await;
            })+)+
        }
    };
}

on_both_engines! {
    access:
        an_installation_keeps_its_first_name
        of_many_first_owners_one_is_made
        an_account_is_found_by_its_address
        a_session_reads_back_and_may_go_on
        a_log_in_may_renew_the_hash
        a_session_belongs_to_its_users_business
        of_two_refreshes_at_once_one_wins
        an_ended_session_is_not_refreshed
        a_key_reads_back_until_it_is_revoked
        the_audit_log_is_pruned_as_the_docs_tell
        the_audit_log_is_read_by_its_business_and_never_changed;
    agents:
        a_new_database_has_the_front_desk
        a_new_database_has_an_assistant_without_a_playbook
        an_agent_is_found_by_number_uuid_and_name_in_any_case
        columns_become_the_agent_of_a_call
        eagerness_is_a_word_or_a_number
        settings_have_bounds
        every_setting_has_a_column_and_the_view_its_default
        what_was_written_by_hand_is_read_as_far_as_it_fits
        names_are_unique_in_a_business_whatever_their_case;
    book:
        an_agent_reads_back_as_it_was_made
        an_edit_is_the_next_version_and_the_next_call_meets_it
        of_two_editors_at_once_the_second_is_told
        a_draft_is_met_by_nobody_until_it_is_published
        a_name_is_one_agents_whatever_its_case
        of_many_agents_of_one_name_at_once_one_is_made
        a_deleted_agent_is_gone_and_its_calls_are_not
        an_edit_by_hand_is_kept_and_found_in_the_history
        old_versions_are_forgotten
        agents_that_were_never_changed_have_their_live_version
        agents_of_another_business_are_not_found_and_not_changed;
    businesses:
        a_business_is_made_with_its_owner_and_found_by_number_uuid_and_name
        a_business_is_made_whole_or_not_at_all
        a_name_is_one_businesses_whatever_its_case
        of_two_editors_of_a_business_the_second_is_told
        the_zone_of_a_business_is_that_of_its_limits;
    callers:
        a_returning_caller_is_known_by_the_newest_name
        a_caller_without_a_name_has_called_all_the_same
        a_number_that_we_dialled_is_known_too
        the_outcome_is_that_of_the_last_call
        callers_of_another_business_are_strangers;
    calls:
        a_call_reads_back_as_it_was_written
        a_recording_that_is_saved_has_an_address
        a_call_without_agent_or_carrier_id_is_kept
        lines_stand_in_the_order_they_were_spoken
        a_reply_follows_its_turn_where_the_clock_cannot_tell
        the_timeline_is_oldest_first
        applying_records_again_changes_nothing
        a_call_ends_once
        progress_stops_at_the_end
        an_older_progress_does_not_win
        two_events_that_say_the_same_are_two
        any_text_survives_but_nul
        many_writers_lose_nothing;
    keys:
        a_call_is_found_by_number_uuid_and_carrier_id
        carrier_ids_that_are_uuids_are_found_in_either_spelling
        the_newest_of_two_calls_with_one_carrier_id_answers
        conversations_are_paged_newest_first;
    lists:
        calls_are_paged_newest_first_while_others_arrive
        lists_are_filtered_by_agent_status_and_time
        turns_come_in_spoken_order_with_their_answers
        a_turn_is_found_by_number_and_uuid_in_its_own_conversation
        lists_show_no_other_business;
    lives:
        the_calls_of_a_dead_life_are_closed_and_no_others
        a_call_ends_at_the_last_sign_of_life
        a_heartbeat_is_a_sign_of_life_of_every_open_call
        a_silent_life_is_buried_and_one_that_beats_is_not
        a_life_that_was_presumed_dead_has_the_last_word
        an_open_call_of_no_known_life_is_closed_when_it_is_older_than_any_call;
    limits:
        a_business_has_no_limits_until_it_is_given_some
        limits_that_were_written_by_hand_hold_as_far_as_they_fit
        a_day_has_had_what_other_lives_let_in
        days_that_are_long_over_are_forgotten
        a_call_is_counted_once_and_for_its_own_business;
    numbers:
        of_many_rows_of_one_number_at_once_one_is_made
        a_number_reads_back_and_leads_to_its_agent
        numbers_are_paged_oldest_first_and_found_by_agent
        a_number_has_agents_of_its_own_business_alone
        a_number_whose_agent_is_deleted_has_none
        numbers_that_were_written_by_hand_are_checked;
    people:
        a_user_is_found_by_number_uuid_and_address_in_their_own_business
        the_first_user_is_an_owner_and_closes_the_interface
        of_many_accounts_of_one_address_at_once_one_is_made
        an_owner_is_not_made_where_the_interface_would_not_know
        of_two_owners_who_remove_each_other_one_stays
        one_who_is_disabled_is_no_owner_that_a_business_keeps
        a_change_is_made_to_the_user_that_was_seen
        another_password_leaves_the_session_that_begins_with_it
        nobody_who_was_disabled_meanwhile_gets_in
        a_deleted_user_takes_their_log_ins_along_and_leaves_their_record
        sessions_that_are_long_over_are_forgotten
        records_are_found_by_what_was_done_to_what_and_when
        log_ins_of_before_are_read_back_from_the_record;
    saves:
        a_version_that_becomes_live_is_to_be_told
        an_agents_versions_are_told_one_after_the_other
        a_claim_holds_as_long_as_its_life
        of_many_that_claim_at_once_one_gets_it
        what_failed_is_told_later_and_before_what_follows
        a_save_is_kept_until_every_listener_has_settled_it
        nobody_hears_of_what_is_gone;
    talks:
        a_talk_is_a_conversation_without_a_call
        a_talk_that_a_dead_process_left_open_is_closed;
    tenants:
        reading_sees_only_its_own_business
        writing_reaches_only_its_own_business
        no_agent_number_or_limit_of_another_business_is_seen_or_changed
        no_account_key_or_record_of_another_business_is_seen_or_changed
        no_turn_or_caller_of_another_business_is_seen
        the_schema_itself_keeps_businesses_apart;
    faults:
        a_broken_batch_leaves_nothing
        a_transaction_that_the_engine_ends_spoils_no_other
        records_of_an_unknown_call_are_refused
        errors_tell_no_stored_text
        a_locked_database_is_unavailable_in_time
        a_closed_store_is_unavailable
        a_missing_schema_is_refused
        rows_of_unexpected_types_are_unreadable
        opening_tells_what_is_wrong
        opening_an_impossible_place_fails;
    schema:
        migrating_twice_changes_nothing
        agents_from_before_the_bounds_are_read
        a_newer_schema_is_left_alone
        how_far_the_schema_is_can_be_asked
        earlier_names_are_views
        views_have_the_columns_of_earlier_systems
        the_history_is_a_column_of_conversations
        views_cannot_be_written
        the_file_or_server_is_sound_after_use;
}
