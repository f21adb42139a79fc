//! The macros that turn cases into tests.

/// Makes one test per case: all of them, or those named after `=>`. The first part
/// makes the harness, afresh for each case.
#[macro_export]
macro_rules! conformance_suite {
    ($start:expr $(,)?) => {
        $crate::conformance_suite!($start =>
            the_descriptor_is_sound,
            extensions_agree_with_the_descriptor,
            what_is_unsupported_refuses,
            an_unknown_option_is_invalid,
            a_wrong_option_is_named_and_nothing_is_sent,
            every_option_reaches_the_vendor,
            an_app_starts_with_its_answers,
            an_app_that_is_not_told_all_is_refused,
            lists_of_choices_agree_with_the_descriptor,
            scripts_are_found_by_their_ids,
            the_account_has_a_stable_fingerprint,
            every_lane_leads_to_the_same_account,
            the_catalogue_is_consistent,
            prices_are_exact_and_units_right,
            a_server_lives_its_whole_life,
            all_addresses_are_kept,
            an_operation_survives_serialization,
            the_log_tells_what_was_done_after_a_place,
            a_lost_answer_is_found_in_the_log,
            a_log_that_cannot_be_read_is_not_empty,
            an_unknown_status_is_kept,
            deleting_twice_succeeds,
            a_delete_whose_answer_was_lost_can_be_repeated,
            listing_follows_every_page_and_repeats_none,
            gpu_servers_are_listed,
            a_list_filters_by_tag_and_by_name,
            find_created_sees_it_by_name_and_by_tag,
            a_stranger_is_marked_and_found_by_its_tag,
            marking_and_unmarking_can_be_repeated,
            a_mark_whose_answer_was_lost_can_be_repeated,
            a_server_that_is_gone_takes_no_mark,
            a_create_without_an_answer_is_unknown_and_sent_once,
            a_create_cut_off_after_commit_is_unknown_and_sent_once,
            a_create_answered_by_a_gateway_is_unknown_and_sent_once,
            a_create_with_half_an_answer_is_unknown_and_sent_once,
            a_create_dropped_before_commit_leaves_none,
            a_throttled_create_was_not_executed,
            the_create_guarantee_holds,
            a_lost_answer_settles_as_one_adopted_server,
            a_lost_request_settles_as_one_created_server,
            a_late_commit_settles_as_one_server,
            an_unknown_instance_is_no_such_instance,
            a_failure_to_ask_is_never_absence,
            a_revoked_token_is_bad_token,
            a_429_carries_retry_after,
            an_html_page_is_a_server_error,
            an_unreachable_vendor_is_transport,
            no_secret_appears_in_debug_or_display,
        );
    };
    ($start:expr => $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $case() {
                let harness = $start.await;
                $crate::cases::$case(&harness).await;
            }
        )+
    };
}

/// Makes the tests of a provider that only refuses. The argument makes it.
#[macro_export]
macro_rules! stub_suite {
    ($make:expr $(,)?) => {
        $crate::stub_suite!($make =>
            the_descriptor_says_that_nothing_can_be_had,
            every_call_refuses_with_the_reason,
        );
    };
    ($make:expr => $($case:ident),+ $(,)?) => {
        $(
            #[tokio::test]
            async fn $case() {
                $crate::stub::$case(&$make).await;
            }
        )+
    };
}
