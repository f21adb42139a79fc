//! Plans side by side, one of them to be chosen.

use maud::{Markup, html};
use roadstead_core::GbPerMonth;

use super::{Column, disk, id_of, memory, money, table};
use crate::form::{Filled, Values};
use crate::offer::{CHEAPEST_FIRST, Offer, arch_word};

/// The columns that say what a plan is, and what it costs.
pub(crate) const PLAN_COLUMNS: [Column<'static>; 8] = [
    Column::new("Per month")
        .sorted_by("monthly")
        .class("number"),
    Column::new("Per hour")
        .sorted_by("hourly")
        .class("number secondary"),
    Column::new("vCPU").sorted_by("vcpus").class("number"),
    Column::new("Memory").sorted_by("memory").class("number"),
    Column::new("Disk")
        .sorted_by("disk")
        .class("number secondary"),
    Column::new("Transfer")
        .sorted_by("transfer")
        .class("number secondary"),
    Column::new("Per vCPU")
        .sorted_by("per_vcpu")
        .class("number secondary"),
    Column::new("Per GiB")
        .sorted_by("per_gib")
        .class("number secondary"),
];

/// Shows what a plan is, and what it costs: the cells of [`PLAN_COLUMNS`].
pub(crate) fn plan_cells(offer: &Offer) -> Markup {
    html! {
        td.number { (money(offer.monthly().as_ref())) }
        td.number.secondary { (money(offer.hourly().as_ref())) }
        td.number { (offer.vcpus) }
        td.number { (memory(offer.memory)) }
        td.number.secondary { (disk(offer.disk)) }
        td.number.secondary { (transfer(offer.transfer)) }
        td.number.secondary { (money(offer.per_vcpu().as_ref())) }
        td.number.secondary { (money(offer.per_gib().as_ref())) }
    }
}

/// Says of what kind a plan is.
pub(crate) fn plan_kind(offer: &Offer) -> String {
    let mut parts = vec![offer.class.as_str(), arch_word(offer.arch)];
    if offer.dedicated {
        parts.push("dedicated CPU");
    }
    parts.retain(|it| !it.is_empty());
    let mut kind = parts.join(", ");
    if offer.gpus > 0 {
        kind = format!("{kind}, {} GPU", offer.gpus);
    }
    kind
}

/// Says how much may leave a server in a month.
pub(crate) fn transfer(included: Option<GbPerMonth>) -> String {
    match included {
        None => "not known".to_owned(),
        Some(GbPerMonth(gb)) if gb >= 1000 && gb.is_multiple_of(100) => {
            let (whole, tenths) = (gb / 1000, gb % 1000 / 100);
            if tenths == 0 {
                format!("{whole} TB")
            } else {
                format!("{whole}.{tenths} TB")
            }
        }
        Some(GbPerMonth(gb)) => format!("{gb} GB"),
    }
}

/// Offers plans in a table, sent as `plan`. What cannot be chosen says why in its name.
pub(crate) fn plan_table(filled: &Filled, offers: &[Offer], path: &str, query: &Values) -> Markup {
    let name = [Column::new("Plan").sorted_by("name")];
    let columns: Vec<_> = name.into_iter().chain(PLAN_COLUMNS).collect();
    let errors: Vec<_> = filled.mistakes.of_field("plan").collect();
    let rows = html! { @for it in offers { (row(filled, it, !errors.is_empty())) } };
    html! {
        fieldset id="field-plan"
            aria-describedby=[(!errors.is_empty()).then_some("field-plan-error")] {
            legend.hidden-text { "Plan" }
            @if !errors.is_empty() { p.error id="field-plan-error" { (errors.join(" ")) } }
            (table("Plans", &columns, rows, path, query, CHEAPEST_FIRST))
        }
    }
}

fn row(filled: &Filled, offer: &Offer, invalid: bool) -> Markup {
    let value = offer.ware.to_string();
    let id = format!("field-plan-{}", id_of(&value));
    html! {
        tr id={ (id) "-row" } {
            th scope="row" {
                label.row-name for=(id) {
                    input type="radio" id=(id) name="plan" value=(value)
                        aria-invalid=[invalid.then_some("true")]
                        checked[value == filled.values.text("plan") && offer.refusal.is_none()]
                        disabled[offer.refusal.is_some()];
                    span {
                        (offer.name)
                        span.small { " " (plan_kind(offer)) }
                        @if let Some(why) = &offer.refusal {
                            " " span.why { "Cannot be chosen: " (why) }
                        }
                    }
                }
            }
            (plan_cells(offer))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::offer::tests::offer;

    #[test]
    fn transfer_is_said_in_the_unit_that_is_exact() {
        for (gb, said) in [
            (500, "500 GB"),
            (1000, "1 TB"),
            (2500, "2.5 TB"),
            (1050, "1050 GB"),
        ] {
            assert_eq!(transfer(Some(GbPerMonth(gb))), said);
        }
        assert_eq!(transfer(None), "not known");
    }

    #[test]
    fn the_reason_stands_in_the_name_of_what_cannot_be_chosen() {
        let fine = offer("small", Some("6"));
        let mut gone = offer("<big>", None);
        gone.refusal = Some("it is sold out".to_owned());
        let filled = Filled::with([("plan", "small")]);
        let shown = plan_table(&filled, &[fine, gone], "/create/plan", &Values::default()).0;
        for part in [
            r#"value="small" checked"#,
            r#"id="field-plan-~3cbig~3e" name="plan" value="&lt;big&gt;" disabled"#,
            "Cannot be chosen: it is sold out</span></span></label>",
            r#"<a href="/create/plan?sort=-monthly">Per month</a>"#,
            "not known",
        ] {
            assert!(shown.contains(part), "{part} is not in {shown}");
        }
    }
}
