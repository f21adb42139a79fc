//! The cases: each holds a provider to one sentence of its contract.

mod catalogue;
mod create;
mod descriptor;
mod errors;
mod life;
mod list;
mod log;
mod mark;
mod options;
mod settle;

use roadstead_core::{CreateKey, Instance, Provider};
use uuid::Uuid;

pub use self::catalogue::{prices_are_exact_and_units_right, the_catalogue_is_consistent};
pub use self::create::{
    a_create_answered_by_a_gateway_is_unknown_and_sent_once,
    a_create_cut_off_after_commit_is_unknown_and_sent_once,
    a_create_dropped_before_commit_leaves_none,
    a_create_with_half_an_answer_is_unknown_and_sent_once,
    a_create_without_an_answer_is_unknown_and_sent_once, a_throttled_create_was_not_executed,
    the_create_guarantee_holds,
};
pub(crate) use self::descriptor::check_descriptor;
pub use self::descriptor::{
    an_unknown_option_is_invalid, every_lane_leads_to_the_same_account,
    extensions_agree_with_the_descriptor, the_account_has_a_stable_fingerprint,
    the_descriptor_is_sound, what_is_unsupported_refuses,
};
pub use self::errors::{
    a_429_carries_retry_after, a_failure_to_ask_is_never_absence, a_revoked_token_is_bad_token,
    an_html_page_is_a_server_error, an_unknown_instance_is_no_such_instance,
    an_unreachable_vendor_is_transport, no_secret_appears_in_debug_or_display,
};
pub use self::life::{
    a_delete_whose_answer_was_lost_can_be_repeated, a_server_lives_its_whole_life,
    all_addresses_are_kept, an_operation_survives_serialization, an_unknown_status_is_kept,
    deleting_twice_succeeds,
};
pub use self::list::{
    a_list_filters_by_tag_and_by_name, find_created_sees_it_by_name_and_by_tag,
    gpu_servers_are_listed, listing_follows_every_page_and_repeats_none,
};
pub use self::log::{
    a_log_that_cannot_be_read_is_not_empty, a_lost_answer_is_found_in_the_log,
    the_log_tells_what_was_done_after_a_place,
};
pub use self::mark::{
    a_mark_whose_answer_was_lost_can_be_repeated, a_server_that_is_gone_takes_no_mark,
    a_stranger_is_marked_and_found_by_its_tag, marking_and_unmarking_can_be_repeated,
};
pub use self::options::{
    a_wrong_option_is_named_and_nothing_is_sent, an_app_starts_with_its_answers,
    an_app_that_is_not_told_all_is_refused, every_option_reaches_the_vendor,
    lists_of_choices_agree_with_the_descriptor, scripts_are_found_by_their_ids,
};
pub use self::settle::{
    a_late_commit_settles_as_one_server, a_lost_answer_settles_as_one_adopted_server,
    a_lost_request_settles_as_one_created_server,
};
use crate::harness::Harness;

/// Returns a mark that no other case uses.
fn key(label: &str) -> CreateKey {
    CreateKey::new("suite", Uuid::now_v7(), label)
}

/// Makes a server without faults.
async fn make(
    harness: &impl Harness,
    provider: &dyn Provider,
    label: &str,
) -> (CreateKey, Instance) {
    let key = key(label);
    let created = provider
        .create_instance(&harness.request(key.clone()))
        .await;
    (key, created.expect("the server is created").instance)
}
