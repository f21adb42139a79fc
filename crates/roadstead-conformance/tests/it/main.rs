//! The suite run on the vendor in memory, and on one flaw after another.

use std::panic::AssertUnwindSafe;

use futures::FutureExt;
use roadstead_conformance::fake::{FakeHarness, Flaw};
use roadstead_conformance::{cases, conformance_suite};

mod promising_nothing {
    use super::{FakeHarness, conformance_suite};

    conformance_suite!(FakeHarness::start());
}

mod promising_a_token {
    use roadstead_core::CreateGuarantee;

    use super::{FakeHarness, conformance_suite};

    conformance_suite!(FakeHarness::with_guarantee(CreateGuarantee::Token));
}

mod promising_unique_names {
    use roadstead_core::CreateGuarantee;

    use super::{FakeHarness, conformance_suite};

    conformance_suite!(FakeHarness::with_guarantee(CreateGuarantee::UniqueName));
}

macro_rules! caught {
    ($($name:ident: $flaw:ident => $case:ident),+ $(,)?) => { $(
        #[tokio::test]
        async fn $name() {
            let harness = FakeHarness::with_flaw(Flaw::$flaw).await;
            let verdict = AssertUnwindSafe(cases::$case(&harness)).catch_unwind().await;
            assert!(verdict.is_err(), "`{}` has not seen it", stringify!($case));
        }
    )+ };
}

caught!(
    asking_again_before_the_time_is_seen: AskedOnceMoreAfterThrottle => a_429_carries_retry_after,
    a_failure_called_absence_is_seen: CallsAbsenceWhatFailed => a_failure_to_ask_is_never_absence,
    a_lost_create_called_rejected_is_seen: CallsLostCreatesRejected
        => a_create_cut_off_after_commit_is_unknown_and_sent_once,
    a_page_called_a_decode_error_is_seen: CallsPagesDecodeErrors => an_html_page_is_a_server_error,
    a_refused_connection_called_timeout_is_seen: CallsUnreachableTimeout
        => an_unreachable_vendor_is_transport,
    a_lost_address_is_seen: DropsPrivateAddresses => all_addresses_are_kept,
    a_look_by_name_only_is_seen: FindsByNameOnly => find_created_sees_it_by_name_and_by_tag,
    a_look_by_tag_only_is_seen: FindsByTagOnly => find_created_sees_it_by_name_and_by_tag,
    a_forgotten_wait_is_seen: ForgetsRetryAfter => a_429_carries_retry_after,
    a_guessed_status_is_seen: GuessesUnknownStatus => an_unknown_status_is_kept,
    a_hidden_gpu_server_is_seen: HidesGpuServers => gpu_servers_are_listed,
    an_ignored_option_is_seen: IgnoresOptions => an_unknown_option_is_invalid,
    a_job_known_to_one_process_only_is_seen: KeepsJobsInMemory
        => an_operation_survives_serialization,
    float_noise_is_seen: LeavesFloatNoise => prices_are_exact_and_units_right,
    a_lost_account_is_seen: LosesItsAccountInALane => every_lane_leads_to_the_same_account,
    a_schema_without_words_is_seen: LeavesOptionsUndescribed => the_descriptor_is_sound,
    lost_options_are_seen: LosesOptions => every_option_reaches_the_vendor,
    what_cannot_be_set_twice_is_seen: FinishesOnce => every_option_reaches_the_vendor,
    choices_that_there_are_not_are_seen: OffersWhatItHasNot
        => lists_of_choices_agree_with_the_descriptor,
    answers_that_nobody_looks_at_are_seen: SkipsAnswers => an_app_that_is_not_told_all_is_refused,
    a_wrong_unit_is_seen: MistakesUnits => prices_are_exact_and_units_right,
    a_pretense_is_seen: Pretends => what_is_unsupported_refuses,
    a_refused_second_delete_is_seen: RefusesSecondDelete => deleting_twice_succeeds,
    a_repeated_line_is_seen: RepeatsALine => listing_follows_every_page_and_repeats_none,
    a_second_create_is_seen: ResendsCreates
        => a_create_cut_off_after_commit_is_unknown_and_sent_once,
    a_shown_token_is_seen: ShowsTheToken => no_secret_appears_in_debug_or_display,
    a_log_that_only_seems_empty_is_seen: CallsABlindLogEmpty
        => a_log_that_cannot_be_read_is_not_empty,
    a_log_of_the_whole_past_is_seen: TellsOfTheWholePast
        => the_log_tells_what_was_done_after_a_place,
    a_log_without_what_goes_on_is_seen: TellsOnlyWhatIsOver
        => a_lost_answer_is_found_in_the_log,
    tags_lost_by_a_mark_are_seen: ForgetsOtherTags => a_stranger_is_marked_and_found_by_its_tag,
    a_server_renamed_by_a_mark_is_seen: RenamesWhatItMarks
        => a_stranger_is_marked_and_found_by_its_tag,
    a_mark_put_on_twice_is_seen: MarksTwice => marking_and_unmarking_can_be_repeated,
    another_mark_taken_off_is_seen: UnmarksTooMuch => marking_and_unmarking_can_be_repeated,
    a_mark_on_nothing_is_seen: MarksWhatIsGone => a_server_that_is_gone_takes_no_mark,
    a_list_cut_short_is_seen: StopsAfterOnePage => listing_follows_every_page_and_repeats_none,
);
