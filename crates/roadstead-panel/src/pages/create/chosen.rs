//! What has been chosen so far, as it stands in addresses.

use maud::{Markup, html};
use roadstead_core::{ImageId, ProviderId, RegionId};

use crate::form::{Filled, Mistakes, Values};
use crate::offer::Ware;

/// What has been chosen so far.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    /// The account.
    pub(super) account: Option<ProviderId>,
    /// The region.
    pub(super) region: Option<RegionId>,
    /// The plan.
    pub(super) ware: Option<Ware>,
    /// The image.
    pub(super) image: Option<ImageId>,
    /// The ready-made application.
    pub(super) app: Option<String>,
    /// The setup script.
    pub(super) script: Option<String>,
}

impl Chosen {
    /// Reads what stands in an address.
    pub(super) fn read(values: &Values) -> Self {
        let text = |name: &str| values.given(name).map(str::to_owned);
        Self {
            account: values.given("account").and_then(|it| it.parse().ok()),
            region: values.given("region").map(RegionId::from),
            ware: values.given("plan").map(Ware::read),
            image: values.given("image").map(ImageId::from),
            app: text("app"),
            // Typed, where it is not in the list.
            script: text("other").or_else(|| text("script")),
        }
    }

    fn pairs(&self) -> Vec<(&'static str, String)> {
        let account = self.account.map(|it| it.to_string());
        let region = self.region.as_ref().map(|it| it.as_str().to_owned());
        let ware = self.ware.as_ref().map(Ware::to_string);
        let image = self.image.as_ref().map(|it| it.as_str().to_owned());
        [
            ("account", account),
            ("region", region),
            ("plan", ware),
            ("image", image),
            ("app", self.app.clone()),
            ("script", self.script.clone()),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }

    /// Returns it as the values of a form.
    pub(super) fn values(&self) -> Values {
        let pairs = self.pairs();
        Values::of(pairs.iter().map(|(name, value)| (*name, value.as_str())))
    }

    /// Returns it as a form that is shown, with more that stands in it.
    pub(super) fn filled(&self, more: &[(&str, &str)], mistakes: Mistakes) -> Filled {
        let pairs = self.pairs();
        let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
        Filled::again(Values::of(pairs.chain(more.iter().copied())), mistakes)
    }

    /// Returns the address of a page with it.
    pub(super) fn at(&self, path: &str) -> String {
        format!("{path}{}", self.values().with(&[]))
    }

    /// Sends it along with a form, but for what the form asks for itself.
    pub(super) fn hidden(&self, asked: &[&str]) -> Markup {
        html! {
            @for (name, value) in self.pairs() {
                @if !asked.contains(&name) { input type="hidden" name=(name) value=(value); }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_as_it_is_written() {
        let id = ProviderId::fresh();
        let address = format!(
            "/create?account={id}&region=nyc3&plan=s-1vcpu-1gb&image=linode%2Fdebian12&script=7"
        );
        let values = Values::parse(address.split_once('?').unwrap().1.as_bytes()).unwrap();
        let chosen = Chosen::read(&values);
        assert_eq!(chosen.at("/create"), address);
        let hidden = chosen.hidden(&["image"]).0;
        assert!(hidden.contains(r#"name="script" value="7""#) && !hidden.contains("debian"));
    }

    #[test]
    fn what_is_typed_counts_before_what_is_chosen_and_nonsense_is_nothing() {
        let values = Values::of([("script", "7"), ("other", " 8 "), ("account", "x")]);
        let chosen = Chosen::read(&values);
        assert_eq!(chosen.script.as_deref(), Some("8"));
        assert_eq!(chosen.account, None);
        assert_eq!(Chosen::default().at("/create"), "/create");
    }
}
