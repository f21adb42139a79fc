//! Plans, images, regions and applications as clients see them.

use jiff::Timestamp;
use roadstead_core as core;
use roadstead_service::{CatalogueKind, CatalogueStatus};
use schemars::JsonSchema;
use serde::Serialize;

use super::Price;
use crate::openapi::words::{self, Id, Success};

/// What this process keeps of an account's catalogues.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeptAnswer {
    pub(crate) success: Success,
    /// One for each kind.
    pub(crate) catalogues: Vec<KeptCatalogue>,
}

/// What this process keeps of one kind, and how it came by it since the start.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct KeptCatalogue {
    /// `plans`, `images`, `regions` or `marketplace`.
    #[schemars(example = &"plans")]
    kind: &'static str,
    /// How many there are; `null` when nothing is kept.
    items: Option<u64>,
    /// How old it is; `null` when nothing is kept.
    age_seconds: Option<u64>,
    /// Whether it is older than it should be, or the provider has contradicted it.
    stale: bool,
    /// Whether the provider is being asked.
    refreshing: bool,
    /// How the last call failed; `null` when it did not.
    last_failure: Option<CatalogueFailure>,
    /// Requests that were answered from memory, with what was fresh.
    served_fresh: u64,
    /// Requests that were answered from memory, with what was stale.
    served_stale: u64,
    /// Requests that waited for the provider.
    waited: u64,
    /// Calls that brought a new list.
    renewed: u64,
    /// Calls that failed.
    failed: u64,
}

/// A failed call for a catalogue.
#[derive(Debug, Serialize, JsonSchema)]
struct CatalogueFailure {
    /// The code, as in errors.
    #[schemars(schema_with = "words::error_code")]
    code: core::Code,
    /// Why, as a sentence for people.
    #[schemars(example = &"the provider failed")]
    error: String,
    /// When.
    at: Timestamp,
    /// How many have failed in a row, with this one.
    in_a_row: u32,
    /// Until when the provider is not asked in the background.
    not_before: Timestamp,
}

impl From<(CatalogueKind, CatalogueStatus)> for KeptCatalogue {
    fn from((kind, it): (CatalogueKind, CatalogueStatus)) -> Self {
        let count = |it: usize| u64::try_from(it).unwrap_or(u64::MAX);
        let failure = |it: roadstead_service::CatalogueFailure| CatalogueFailure {
            code: it.kind.code(),
            error: it.message.into_owned(),
            at: it.at,
            in_a_row: it.in_a_row,
            not_before: it.not_before,
        };
        Self {
            kind: kind.as_str(),
            items: it.items.map(count),
            age_seconds: it.age.map(|it| it.as_secs()),
            stale: it.stale,
            refreshing: it.refreshing,
            last_failure: it.failure.map(failure),
            served_fresh: it.counts.fresh,
            served_stale: it.counts.stale,
            waited: it.counts.waited,
            renewed: it.counts.renewed,
            failed: it.counts.failed,
        }
    }
}

// Only their schemas are used: what is sent is spliced from bytes that are kept.
macro_rules! catalogue_answers {
    ($($(#[$meta:meta])* $name:ident { $(#[$doc:meta])* $noun:ident: $item:ty })*) => { $(
        $(#[$meta])*
        #[derive(Serialize, JsonSchema)]
        pub(crate) struct $name {
            success: Success,
            $(#[$doc])*
            $noun: Vec<$item>,
            /// Always `null`: it comes in one page.
            #[schemars(extend("type" = "null"))]
            next_cursor: Option<String>,
            /// The account whose catalogue it is.
            provider_id: Id,
            /// How old the answer is.
            age_seconds: u64,
            /// There only as `true`: the answer is older than it should be.
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schemars(extend("type" = "boolean", "const" = true))]
            stale: Option<bool>,
        }
    )* };
}

catalogue_answers! {
    /// Plans.
    PlansAnswer {
        /// The plans.
        plans: Plan
    }
    /// Plans, under the other name that clients know them by.
    SizesAnswer {
        /// The plans.
        sizes: Plan
    }
    /// Images.
    ImagesAnswer {
        /// The images.
        images: Image
    }
    /// Regions.
    RegionsAnswer {
        /// The regions.
        regions: Region
    }
    /// Ready-made applications.
    AppsAnswer {
        /// The applications.
        apps: App
    }
}

/// A size of server.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Plan {
    /// The provider's id; `type` in `POST /api/vps`.
    #[schemars(with = "String", example = &"s-1vcpu-1gb")]
    id: core::PlanId,
    /// A name for people.
    #[schemars(example = &"1 GB, 1 vCPU")]
    label: Box<str>,
    /// The provider's family of plans, as the provider spells it.
    #[schemars(example = &"basic")]
    class: Box<str>,
    /// Processor architecture.
    #[schemars(with = "words::Arch")]
    arch: core::Arch,
    /// Virtual processors.
    #[schemars(example = 1)]
    vcpus: u32,
    /// Whether the processors are not shared.
    dedicated_cpu: bool,
    /// Memory.
    #[schemars(example = 1024)]
    memory_mib: u64,
    /// Local disk; `null` where disks are bought apart.
    #[schemars(example = 25)]
    disk_gib: Option<u64>,
    /// Graphics processors.
    gpus: u32,
    /// Outgoing transfer included each month; `null` where the provider does not say.
    #[schemars(example = 1000)]
    transfer_gb: Option<u64>,
    /// Outgoing bandwidth; `null` where the provider does not say.
    #[schemars(example = 2000)]
    network_out_mbps: Option<u32>,
    /// Where it is sold, and for how much.
    offerings: Vec<Offering>,
}

/// A plan in one region and one market.
#[derive(Debug, Serialize, JsonSchema)]
struct Offering {
    /// Where.
    #[schemars(with = "String", example = &"nyc3")]
    region: core::RegionId,
    /// How it is paid for.
    #[schemars(with = "words::Market")]
    market: core::Market,
    /// Whether it can be had now.
    #[schemars(with = "words::Availability")]
    availability: core::Availability,
    /// The price there; `null` is unknown, and never free.
    price: Option<Price>,
}

impl From<&core::Plan> for Plan {
    fn from(it: &core::Plan) -> Self {
        let offering = |it: &core::Offering| Offering {
            region: it.region.clone(),
            market: it.market,
            availability: it.availability,
            price: it.price.as_ref().map(Price::from),
        };
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            class: it.class.clone(),
            arch: it.arch,
            vcpus: it.vcpus,
            dedicated_cpu: it.dedicated_cpu,
            memory_mib: it.memory.0,
            disk_gib: it.disk.map(core::MiB::whole_gib),
            gpus: it.gpus,
            transfer_gb: it.transfer.map(|it| it.0),
            network_out_mbps: it.network_out.map(|it| it.0),
            offerings: it.offerings.iter().map(offering).collect(),
        }
    }
}

/// Something that a server can be started from.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Image {
    /// The provider's id; `image` in `POST /api/vps`.
    #[schemars(with = "String", example = &"ubuntu-22-04-x64")]
    id: core::ImageId,
    /// A name for people.
    #[schemars(example = &"Ubuntu 22.04 (LTS) x64")]
    label: Box<str>,
    /// The distribution, in small letters.
    #[schemars(example = &"ubuntu")]
    family: Box<str>,
    /// The distribution's version; `null` where the provider does not say.
    #[schemars(example = &"22.04")]
    version: Option<Box<str>>,
    /// Processor architecture.
    #[schemars(with = "words::Arch")]
    arch: core::Arch,
    /// The smallest disk that it fits on; `null` where the provider does not say.
    #[schemars(example = 7)]
    min_disk_gib: Option<u64>,
    /// Whether every customer of the provider sees it.
    public: bool,
    /// Whether the provider advises against new use.
    deprecated: bool,
    /// When its distribution's support ends; `null` where the provider does not say.
    end_of_life: Option<Timestamp>,
    /// Whether it runs cloud-init, which user data and root passwords may need; `null` where the
    /// provider does not say.
    #[schemars(example = true)]
    cloud_init: Option<bool>,
    /// The regions that have it; `null` is everywhere.
    #[schemars(with = "Option<Vec<String>>", example = ["nyc3", "ams3"])]
    regions: Option<Vec<core::RegionId>>,
}

impl From<&core::Image> for Image {
    fn from(it: &core::Image) -> Self {
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            family: it.family.clone(),
            version: it.version.clone(),
            arch: it.arch,
            min_disk_gib: it.min_disk.map(core::MiB::whole_gib),
            public: it.public,
            deprecated: it.deprecated,
            end_of_life: it.end_of_life,
            cloud_init: it.cloud_init,
            regions: it.regions.clone(),
        }
    }
}

/// A place where servers run.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Region {
    /// The provider's id; `region` in `POST /api/vps`.
    #[schemars(with = "String", example = &"nyc3")]
    id: core::RegionId,
    /// A name for people.
    #[schemars(example = &"New York 3")]
    label: Box<str>,
    /// Its ISO 3166-1 code of two capital letters; `null` where the provider does not say.
    #[schemars(example = &"US")]
    country: Option<Box<str>>,
    /// The city or area; `null` where the provider does not say.
    #[schemars(example = &"New York")]
    city: Option<Box<str>>,
    /// Whether servers can be created there now.
    available: bool,
    /// What it has beyond servers.
    #[schemars(schema_with = "words::features")]
    features: Vec<core::Feature>,
}

impl From<&core::Region> for Region {
    fn from(it: &core::Region) -> Self {
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            country: it.country.clone(),
            city: it.city.clone(),
            available: it.available,
            features: it.features.clone(),
        }
    }
}

/// A ready-made application, or a setup script.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct App {
    /// The provider's id.
    #[schemars(example = &"wordpress")]
    id: Box<str>,
    /// A name for people.
    #[schemars(example = &"WordPress on Ubuntu 22.04")]
    label: Box<str>,
    /// What it is, in the words of who made it; `null` where they say nothing.
    #[schemars(example = &"A blog.")]
    summary: Option<Box<str>>,
    /// Who made it; `null` where the provider does not say.
    #[schemars(example = &"acme")]
    publisher: Option<Box<str>>,
    /// The image that starts it, where there is one; else `null`.
    #[schemars(with = "Option<String>", example = &"wordpress-22-04")]
    image: Option<core::ImageId>,
    /// The images that it works upon; `null` is any.
    #[schemars(with = "Option<Vec<String>>", example = ["ubuntu-22-04-x64"])]
    images: Option<Vec<core::ImageId>>,
    /// What `options` of `POST /api/vps` must hold for it to start.
    options: serde_json::Map<String, serde_json::Value>,
    /// The option, an object by the names of `fields`, that takes the answers; `null` where it
    /// asks for nothing.
    #[schemars(example = &"stackscript_data")]
    answers_in: Option<Box<str>>,
    /// What it asks for.
    fields: Vec<AppField>,
}

/// Something that an application asks for.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct AppField {
    /// The name of the answer.
    #[schemars(example = &"admin_email")]
    name: Box<str>,
    /// The question, for people.
    #[schemars(example = &"Administrator's address")]
    label: Box<str>,
    /// `text`, `secret`, `one` or `many` of the `choices`.
    #[serde(rename = "type")]
    #[schemars(extend("enum" = ["text", "secret", "one", "many"]))]
    kind: &'static str,
    /// What can be chosen, where `type` is `one` or `many`; else empty.
    #[schemars(example = ["yes", "no"])]
    choices: Vec<Box<str>>,
    /// Whether there must be an answer.
    required: bool,
    /// What counts where there is no answer; `null` is nothing.
    #[schemars(example = &"no")]
    default: Option<Box<str>>,
    /// An answer to show as an example; `null` where there is none.
    #[schemars(example = &"me@example.com")]
    example: Option<Box<str>>,
    /// The heading that it stands under; `null` is none.
    #[schemars(example = &"Administrator")]
    section: Option<Box<str>>,
}

impl From<&core::MarketplaceApp> for App {
    fn from(it: &core::MarketplaceApp) -> Self {
        Self {
            id: it.id.clone(),
            label: it.label.clone(),
            summary: it.summary.clone(),
            publisher: it.publisher.clone(),
            image: it.image.clone(),
            images: it.images.clone(),
            options: it.options.clone(),
            answers_in: it.answers_in.clone(),
            fields: it.fields.iter().map(AppField::from).collect(),
        }
    }
}

impl From<&core::AppField> for AppField {
    fn from(it: &core::AppField) -> Self {
        Self {
            name: it.name.clone(),
            label: it.label.clone(),
            kind: it.kind.as_str(),
            choices: it.kind.choices().to_vec(),
            required: it.required,
            default: it.default.clone(),
            example: it.example.clone(),
            section: it.section.clone(),
        }
    }
}

/// Setup scripts.
#[derive(Serialize, JsonSchema)]
pub(crate) struct StackScriptsAnswer {
    pub(crate) success: Success,
    /// The scripts.
    pub(crate) stackscripts: Vec<App>,
    /// Always `null`: it comes in one page.
    #[schemars(extend("type" = "null"))]
    pub(crate) next_cursor: Option<String>,
    /// The account that was asked.
    pub(crate) provider_id: Id,
}
