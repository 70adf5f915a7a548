//! Stories: what every storage does, told against `dyn Storage`.
//!
//! A story is a function of a storage that knows nothing of the database behind
//! it. `stories!` makes a test of each for a backend; another backend is one more
//! module that calls it. What is true of one database alone is told in that
//! backend's module.

mod admission;
mod audit;
mod automations;
mod connections;
mod egress_grants;
mod event_tickets;
mod fixture;
mod full_results;
mod hints;
mod idempotency_keys;
mod invocations;
mod migrations;
mod modes;
mod organizations;
mod plugins;
mod reviews;
mod sealed_rows;
mod sessions;
mod transitions;
mod units_of_work;

/// What a story returns: an error is a failed test, with its message.
type Story = Result<(), Box<dyn std::error::Error>>;

/// Makes a test of each story, on a storage of its own from `$open`, which gives
/// none when this machine has no such database.
macro_rules! stories {
    ($open:path) => {
        stories! {
            $open,
            organizations: [
                an_id_is_taken_once,
                organizations_are_listed_by_id,
                a_member_has_one_role_which_can_change,
                a_removed_member_has_no_role,
                a_member_needs_an_organization,
                only_one_at_a_time_holds_an_organization,
                several_may_share_an_organization_and_nobody_then_holds_it,
                an_organization_may_say_how_long_its_requests_wait,
                an_organization_says_what_other_words_mean,
            ],
            automations: [
                an_automation_is_found_only_in_its_organization,
                automations_are_listed_oldest_first,
                an_id_is_taken_once,
            ],
            connections: [
                a_connection_reads_back_as_it_was_written,
                a_connection_is_found_only_in_its_organization,
                several_are_found_at_once,
                an_id_is_taken_once,
                rotation_replaces_the_credential_and_raises_the_version,
                rotation_replaces_base_urls_only_when_given,
                a_status_is_noted_once_and_only_for_the_version_it_is_about,
                only_the_owner_rotates_and_removes,
                removal_takes_the_connection_from_sessions_but_not_from_invocations,
            ],
            sessions: [
                a_session_reads_back_as_it_was_written,
                sessions_are_listed_newest_first_with_their_connections,
                a_session_is_closed_once_and_by_its_organization,
                another_organizations_connection_is_refused,
                another_organizations_automation_is_refused,
                a_connection_named_twice_is_refused,
                an_id_is_taken_once,
            ],
            modes: [
                the_last_mode_put_is_in_force,
                a_mode_is_pinned_to_what_it_was_put_for,
                scopes_do_not_mix,
                a_removed_mode_is_gone,
                modes_are_listed_by_source_and_action,
                the_modes_of_an_action_are_found_in_every_scope_and_pinned,
                a_mode_needs_its_scope,
            ],
            plugins: [
                a_version_reads_back_as_it_was_written,
                a_digest_is_one_version_of_a_plugin_that_exists,
                a_state_is_left_once,
                one_version_is_active_and_one_is_staged,
                what_is_to_be_served_has_a_generation_that_grows,
                versions_are_listed_by_what_they_are,
                a_component_is_kept_until_nobody_goes_back_to_it,
                only_one_at_a_time_holds_a_plugin,
                what_a_plugin_is_needed_for_is_counted,
            ],
            reviews: [
                a_review_reads_back_as_it_was_written,
                what_was_reviewed_last_counts,
                a_source_is_reviewed_for_the_first_time_once,
                reviews_of_organizations_and_sources_do_not_mix,
                an_action_can_be_forgotten,
                those_who_could_have_reviewed_a_source_come_in_pages,
                a_review_needs_its_organization,
            ],
            invocations: [
                every_field_reads_back_as_it_was_written,
                an_invocation_is_found_only_where_it_belongs,
                an_invocation_needs_a_session_of_its_organization,
                an_id_is_taken_once,
                lists_are_filtered_counted_and_newest_first,
                lists_can_carry_session_titles,
                an_execution_finishes_once,
                only_the_executing_node_finishes,
                a_failure_keeps_its_error,
                a_node_renews_its_own_leases,
                every_execution_can_be_declared_interrupted,
                only_an_expired_lease_is_declared_interrupted,
                a_late_completion_changes_nothing,
                what_nobody_decided_expires,
                expiring_takes_those_first_that_have_waited_longest,
                what_waits_in_a_session_expires_with_it,
                an_approval_starts_the_execution_and_keeps_the_params,
                a_refusal_ends_it_and_wipes_the_params,
                only_what_waits_is_decided_and_only_once,
                an_end_and_its_event_are_written_together,
                an_end_whose_event_fails_is_not_written,
                an_execution_needs_a_node_and_a_lease,
                a_pending_invocation_needs_an_end,
                nul_is_kept_wherever_a_guest_or_an_agent_can_put_it,
            ],
            admission: [
                the_window_excludes_its_first_moment,
                pending_counts_exclude_the_expired_and_the_decided,
                the_modes_are_those_of_the_action_and_its_scopes,
                what_was_reviewed_is_that_of_the_action_and_its_organization,
                every_granted_origin_is_known,
                the_session_and_its_connections_are_as_they_are,
                what_does_not_exist_is_not_weighed,
                concurrent_admissions_respect_a_cap,
            ],
            audit: [
                an_event_waits_until_it_has_its_place,
                a_chain_reads_back_in_order_with_its_events,
                a_checkpoint_only_advances,
                what_is_dismissed_is_a_stray,
                the_latest_of_a_kind_is_found,
                there_is_one_key,
                what_waits_is_read_in_pages,
                the_queue_tells_where_an_event_is_to_have_its_place,
            ],
            idempotency_keys: [
                a_key_belongs_to_its_session,
                a_key_is_taken_once,
                a_key_needs_its_invocation,
                old_keys_are_forgotten,
                only_an_old_key_is_freed,
            ],
            egress_grants: [
                an_origin_is_granted_once,
                an_id_is_taken_once,
                a_grant_can_be_withdrawn,
            ],
            sealed_rows: [
                keys_in_use_are_counted_by_column,
                values_under_other_keys_are_listed_by_id,
                resealing_changes_the_sealed_value_alone,
                what_changed_meanwhile_is_not_resealed,
                params_of_what_ended_meanwhile_stay_gone,
            ],
            event_tickets: [
                a_ticket_is_taken_once,
                a_ticket_is_for_one_session_until_it_expires,
                of_many_who_take_a_ticket_one_gets_it,
                expired_tickets_are_forgotten,
                a_ticket_needs_its_session,
            ],
            full_results: [
                a_result_is_found_where_it_belongs_until_it_expires,
                an_invocation_tells_what_is_kept,
                an_invocation_has_one_result,
                a_result_needs_its_invocation,
                what_expired_first_is_removed_first,
            ],
            transitions: [
                transitions_come_by_time_with_their_invocation,
                only_those_of_the_sessions_are_read,
                what_happened_since_a_moment_comes_in_pages,
            ],
            hints: [
                a_hint_reaches_everybody_who_listens,
                a_hint_that_nobody_hears_is_no_error,
                a_hint_is_bounded,
                only_a_shared_database_has_a_clock_of_its_own,
            ],
            units_of_work: [
                writes_are_seen_inside_before_they_are_saved,
                cancelling_rolls_back,
                dropping_rolls_back,
                a_reader_cannot_write,
                a_reader_sees_one_state,
                a_storage_answers_until_it_is_closed,
            ],
        }
    };
    ($open:path, $($subject:ident: [$($story:ident),+ $(,)?],)+) => {
        $(mod $subject {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $story() -> crate::Story {
                    match $open().await? {
                        Some(backend) => crate::$subject::$story(backend.storage()).await,
                        None => Ok(()),
                    }
                }
            )+
        })+
    };
}

mod postgres;
mod sqlite;
