//! Last: what it is called, who gets in, what else it has; and what all of it comes to.

mod answers;
mod options;
mod page;
mod request;
mod snippet;

use std::fmt;

use actix_web::{HttpRequest, HttpResponse};
use futures::future::try_join_all;
use roadstead_core::Feature;
use roadstead_service::{
    Accepted, CreateServer, Error, Grant, InstancePatch, ManageInstances, PageRequest, ReadKeys,
    SshKey,
};

use self::options::Lists;
use super::chosen::Chosen;
use super::image::{self, Start};
use super::place::{self, Place};
use super::plan;
use crate::failure::{Answer, Failure};
use crate::form::{Filled, Form, Mistakes, Sent, Values};
use crate::offer::Offer;
use crate::visitor::Member;

/// The most keys of an organization that are offered; it may have as many.
const MOST_KEYS: u32 = 200;

/// What is about to be created.
struct Desk<'a> {
    member: &'a Member<ManageInstances>,
    host: String,
    chosen: Chosen,
    place: Place<'a>,
    offer: Option<Offer>,
    start: Start,
    keys: Vec<SshKey>,
    lists: Lists,
}

pub(super) async fn show(member: Member<ManageInstances>, request: HttpRequest) -> Answer {
    let desk = match Desk::open(&member, &request).await? {
        Ok(desk) => desk,
        Err(page) => return Ok(page),
    };
    let defaults = desk.start.app.as_ref().map(answers::defaults);
    let defaults = defaults.iter().flatten();
    let defaults = defaults.map(|(name, value)| (name.as_str(), value.as_str()));
    Ok(desk.page(&Filled::with(defaults), &[]))
}

pub(super) async fn create(
    Sent(member, form): Sent<Member<ManageInstances>>,
    request: HttpRequest,
) -> Answer {
    let desk = match Desk::open(&member, &request).await? {
        Ok(desk) => desk,
        Err(page) => return Ok(page),
    };
    if form.values.checked("preview") {
        return Ok(desk.page(&Filled::again(form.values, Mistakes::default()), &[]));
    }
    let mistakes = request::check(&form.values);
    if !mistakes.is_empty() {
        return Ok(desk.page(&Filled::again(form.values, mistakes), &[]));
    }
    let labels = request::labels(&form.values);
    let mut made = Vec::new();
    for (number, label) in labels.iter().enumerate() {
        match desk.create(&form, number, label).await? {
            Ok(accepted) => made.push(accepted),
            Err(error) => {
                let mistakes = desk.mistakes(error)?;
                let rest = labels.get(number..).unwrap_or_default();
                return Ok(desk.again(form, mistakes, &made, rest));
            }
        }
    }
    Ok(match made.as_slice() {
        [one] => member.go(&format!("/servers/{}", one.instance.id)),
        _ => member.go("/"),
    })
}

impl<'a> Desk<'a> {
    /// Takes what was chosen, or returns the page on which something has to be chosen again.
    async fn open(
        member: &'a Member<ManageInstances>,
        request: &HttpRequest,
    ) -> Result<Result<Self, HttpResponse>, Failure> {
        let query = member.query()?;
        let chosen = Chosen::read(&query);
        let place = match place::checked(member, &chosen).await? {
            Ok(place) => place,
            Err(mistakes) => return place::page(member, chosen, mistakes).await.map(Err),
        };
        let offer = match plan::checked(&place, &chosen).await? {
            Ok(offer) => offer,
            Err(mistakes) => {
                let page = plan::page(member, &place, &chosen, query, mistakes);
                return page.await.map(Err);
            }
        };
        let start = match image::checked(&place, offer.as_ref(), &chosen).await? {
            Ok(start) => start,
            Err(mistakes) => {
                let page = image::page(member, &place, offer.as_ref(), &chosen, &query, mistakes);
                return page.await.map(Err);
            }
        };
        let keys = member.may::<ReadKeys>()?;
        let some = PageRequest {
            cursor: None,
            limit: MOST_KEYS,
        };
        let keys = member.platform.ssh_keys(&keys, &some).await?.items;
        let named = options::lists(&place.shop.descriptor().options_schema);
        let shop = &place.shop;
        let lists = named
            .into_iter()
            .map(|it| async move { Ok::<_, Failure>((it, shop.choices(it).await?)) });
        let lists = try_join_all(lists).await?;
        Ok(Ok(Self {
            member,
            host: request.connection_info().host().to_owned(),
            chosen,
            offer,
            start,
            keys,
            lists: lists.into_iter().collect(),
            place,
        }))
    }

    /// Puts the intent to create one of the servers on record, and what the member notes of it.
    async fn create(
        &self,
        form: &Form,
        number: usize,
        label: &str,
    ) -> Result<Result<Accepted, Error>, Failure> {
        let platform = &self.member.platform;
        let request = self.request(&form.values, label);
        let grant = self.grant(form, &number)?;
        let accepted = match platform.create_server(&grant, request).await {
            Ok(accepted) => accepted,
            refused => return Ok(refused),
        };
        if let Some(notes) = form.values.given("notes") {
            let patch = InstancePatch {
                notes: Some(notes.to_owned()),
                ..InstancePatch::default()
            };
            let grant = self.grant(form, &format_args!("{number}/notes"))?;
            let kept = platform.change_server(&grant, accepted.instance.id, patch);
            kept.await?;
        }
        Ok(Ok(accepted))
    }

    /// Returns the proof under which a part of what a form asks for is done once.
    fn grant(
        &self,
        form: &Form,
        part: &impl fmt::Display,
    ) -> Result<Grant<ManageInstances>, Failure> {
        let grant = self.member.may::<ManageInstances>()?;
        Ok(grant.under_key(form.key_of(part)))
    }

    fn request(&self, values: &Values, label: &str) -> CreateServer {
        request::of(&self.place, &self.start, &self.chosen, values, label)
    }

    /// Says what is wrong beside the fields of this page.
    fn mistakes(&self, error: Error) -> Result<Mistakes, Failure> {
        let mut mistakes = Mistakes::of(error)?;
        for mistake in &mut mistakes.fields {
            match &*mistake.field {
                "plan_id" => mistake.field = "type".into(),
                "provider_type" => mistake.field = "provider_id".into(),
                _ => {}
            }
        }
        if let Some(app) = &self.start.app {
            answers::place(app, &mut mistakes);
        }
        Ok(mistakes)
    }

    /// Shows the form again. What was made is said, and not asked for once more.
    fn again(
        &self,
        form: Form,
        mistakes: Mistakes,
        made: &[Accepted],
        rest: &[String],
    ) -> HttpResponse {
        let mut values = form.values;
        if let [first, more @ ..] = rest
            && !made.is_empty()
        {
            values.set("label", first);
            values.set("more", &more.join("\n"));
        }
        self.page(&Filled::again(values, mistakes), made)
    }

    /// Returns why something cannot be had here.
    fn refusal(&self, feature: Feature) -> Option<String> {
        let by_provider = self.place.shop.descriptor().refusal(feature);
        let region = self.place.known.as_ref();
        // A region that tells nothing may have it all.
        let lacks = region.filter(|it| !it.features.is_empty() && !it.features.contains(&feature));
        by_provider
            .map(String::from)
            .or_else(|| lacks.map(|it| format!("{} does not offer this", it.label)))
    }
}
