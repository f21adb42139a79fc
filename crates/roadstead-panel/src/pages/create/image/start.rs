//! What a server starts from, as it was chosen.

use roadstead_core::{Image, ImageId, MarketplaceApp};

use crate::failure::Failure;
use crate::form::Mistakes;
use crate::offer::Offer;
use crate::pages::create::chosen::Chosen;
use crate::pages::create::place::Place;
use crate::soon::Soon;

/// What a server starts from.
pub(crate) struct Start {
    /// The image's id.
    pub(crate) image: ImageId,
    /// What is known of the image.
    pub(crate) known: Option<Image>,
    /// The application or script.
    pub(crate) app: Option<MarketplaceApp>,
}

impl Start {
    /// Returns its name for people.
    pub(crate) fn label(&self) -> String {
        let image = self
            .known
            .as_ref()
            .map_or(self.image.as_str(), |it| &it.label);
        match &self.app {
            None => image.to_owned(),
            Some(app) if app.image.is_some() => app.label.to_string(),
            Some(app) => format!("{} on {image}", app.label),
        }
    }
}

/// Returns what a server starts from, or what is wrong with what was chosen.
pub(crate) async fn checked(
    place: &Place<'_>,
    offer: Option<&Offer>,
    chosen: &Chosen,
) -> Result<Result<Start, Mistakes>, Failure> {
    let wrong = |field, why: &str| Ok(Err(Mistakes::one(field, why)));
    let (images, apps) = futures::join!(place.shop.images(), named(place, chosen));
    let (images, apps) = (images?, apps?);
    let app = match apps {
        None => None,
        Some((field, Soon::Here(app))) => match app {
            Some(app) => Some((field, app)),
            None => return wrong(field, "There is no such thing; choose another."),
        },
        Some((field, Soon::Later)) => {
            return wrong(
                field,
                "The provider is still being asked for it; try again.",
            );
        }
        Some((field, Soon::Failed(error))) => {
            let why = format!("The provider does not give it now: {}.", error.message());
            return wrong(field, &why);
        }
    };
    let own = app.as_ref().and_then(|it| it.1.image.clone());
    let has_own = own.is_some();
    let Some(image) = own.or_else(|| chosen.image.clone()) else {
        return wrong(
            "image",
            match app {
                None => "Choose an image.",
                Some(_) => "Choose the image that it works upon.",
            },
        );
    };
    let known = images.here().and_then(|it| {
        let mut all = it.fetched.value.iter();
        all.find(|it| it.id == image).cloned()
    });
    let field = app.as_ref().filter(|_| has_own).map_or("image", |it| it.0);
    if images.here().is_some() && known.is_none() && !has_own {
        return wrong("image", "There is no such image; choose another.");
    }
    if let Some(why) = known.as_ref().and_then(|it| refusal(place, offer, it)) {
        return wrong(field, &format!("Choose another: {why}."));
    }
    let app = app.map(|it| it.1);
    if app.as_ref().is_some_and(|it| !works_upon(it, &image)) {
        return wrong("image", "It does not work upon this image; choose another.");
    }
    Ok(Ok(Start { image, known, app }))
}

type Named = Option<(&'static str, Soon<Option<MarketplaceApp>>)>;

/// Returns the application or script that was chosen, with the field that names it.
async fn named(place: &Place<'_>, chosen: &Chosen) -> Result<Named, Failure> {
    if let Some(id) = &chosen.app {
        let apps = place.shop.apps().await?;
        let app = apps.map(|it| it.fetched.value.iter().find(|it| *it.id == **id).cloned());
        return Ok(Some(("app", app)));
    }
    let Some(id) = &chosen.script else {
        return Ok(None);
    };
    let script = place.shop.scripts(Some(id)).await?;
    Ok(Some(("script", script.map(|it| it.into_iter().next()))))
}

/// Returns whether an application works upon an image.
pub(super) fn works_upon(app: &MarketplaceApp, image: &ImageId) -> bool {
    match (&app.image, &app.images) {
        (Some(own), _) => own == image,
        (None, Some(images)) => images.contains(image),
        (None, None) => true,
    }
}

/// Returns why an image does not go with the region and the plan.
pub(super) fn refusal(place: &Place<'_>, offer: Option<&Offer>, image: &Image) -> Option<String> {
    if image
        .regions
        .as_ref()
        .is_some_and(|it| !it.contains(&place.region))
    {
        return Some(format!("it is not in {}", place.label()));
    }
    let offer = offer?;
    if image.arch != offer.arch {
        return Some(format!(
            "it does not run on the processors of {}",
            offer.name
        ));
    }
    if let (Some(disk), Some(least)) = (offer.disk, image.min_disk)
        && disk < least
    {
        return Some(format!("it needs a disk of {} GiB", least.whole_gib()));
    }
    let allowed = offer.images.is_empty() || offer.images.contains(&image.id);
    (!allowed).then(|| format!("{} is not sold with it", offer.name))
}
