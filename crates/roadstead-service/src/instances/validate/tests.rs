//! Each rule alone, with catalogues that no simulator has.

use std::time::Duration;

use roadstead_core::{
    AppField, Arch, Availability, Billed, CreateGuarantee, FieldKind, Image, Limits, MiB, NameRule,
    OperationId, RebuildRule, ResizeRule, RootPassword, Secret, Support,
};
use serde_json::json;

use super::*;

fn plan() -> Plan {
    Plan {
        id: "p".into(),
        label: "P".into(),
        class: "standard".into(),
        arch: Arch::X86_64,
        vcpus: 1,
        dedicated_cpu: false,
        memory: MiB(1024),
        disk: Some(MiB(25 * 1024)),
        gpus: 0,
        transfer: None,
        network_out: None,
        offerings: vec![
            sold("here", Market::OnDemand, Availability::Available),
            sold("unsure", Market::OnDemand, Availability::Unknown),
            sold("empty", Market::OnDemand, Availability::SoldOut),
            sold("gone", Market::OnDemand, Availability::Retired),
        ],
    }
}

/// A vendor that has everything.
fn descriptor() -> Descriptor {
    Descriptor {
        kind: "fake".into(),
        name: "Fake".into(),
        available: Support::Yes,
        features: Feature::ALL.map(|it| (it, Support::Yes)).into(),
        limits: Limits {
            name: NameRule {
                pattern: "^[a-z]+$".into(),
                min: 1,
                max: 63,
                unique: true,
                sentence: "small letters".into(),
            },
            user_data_bytes: 65_535,
            tags: 50,
            page_max: 100,
        },
        root_password: RootPassword::Native,
        resize: ResizeRule {
            needs_stopped: true,
            shrinks_disk: false,
        },
        rebuild: RebuildRule {
            root_password: false,
            ssh_keys: false,
            user_data: false,
        },
        billed_when_stopped: Billed::Full,
        create_guarantee: CreateGuarantee::Token,
        visibility_lag: Duration::ZERO,
        max_late_commit: Duration::ZERO,
        options_schema: json!({}),
    }
}

fn sold(region: &str, market: Market, availability: Availability) -> Offering {
    Offering {
        region: region.into(),
        market,
        availability,
        price: None,
    }
}

fn image() -> Image {
    Image {
        id: "i".into(),
        label: "I".into(),
        family: "debian".into(),
        version: None,
        arch: Arch::X86_64,
        min_disk: None,
        public: true,
        deprecated: false,
        end_of_life: None,
        cloud_init: None,
        regions: None,
    }
}

fn region(id: &str) -> Region {
    Region {
        id: id.into(),
        label: id.into(),
        country: None,
        city: None,
        available: true,
        features: Vec::new(),
    }
}

fn request() -> CreateServer {
    CreateServer {
        provider: None,
        kind: None,
        label: "web".to_owned(),
        sale: None,
        plan: "p".to_owned(),
        region: "here".to_owned(),
        image: "i".to_owned(),
        root_password: None,
        ssh_keys: Vec::new(),
        user_data: None,
        backups: false,
        ipv6: false,
        private_network: false,
        tags: Vec::new(),
        market: None,
        options: None,
        wait: Duration::ZERO,
    }
}

/// A request that asks for everything beyond a server.
fn greedy() -> CreateServer {
    CreateServer {
        backups: true,
        ipv6: true,
        private_network: true,
        user_data: Some(Secret::from("#cloud-config\n")),
        ssh_keys: vec!["512189".to_owned()],
        ..request()
    }
}

const ALL: [&str; 5] = [
    "backups",
    "ipv6",
    "private_network",
    "user_data",
    "ssh_keys",
];

fn said(check: impl FnOnce(&mut Faults)) -> Vec<(String, String)> {
    let mut faults = Faults::default();
    check(&mut faults);
    let said = faults.0.into_iter();
    said.map(|it| (it.field.into_owned(), it.error)).collect()
}

fn fields(check: impl FnOnce(&mut Faults)) -> Vec<String> {
    said(check).into_iter().map(|it| it.0).collect()
}

#[test]
fn a_plan_has_to_be_had_in_the_region() {
    let on_demand = Market::OnDemand;
    let check = |id: &str| said(|it| it.sale(Some(&plan()), Some(&region(id)), on_demand));
    assert_eq!(check("here"), []);
    assert_eq!(check("unsure"), []);
    for (id, field, sentence) in [
        ("empty", "type", "plan `p` is sold out in `empty`"),
        ("gone", "type", "plan `p` is no longer sold in `gone`"),
        ("nowhere", "region", "plan `p` is not sold in `nowhere`"),
    ] {
        assert_eq!(check(id), [(field.to_owned(), sentence.to_owned())]);
    }
}

#[test]
fn an_image_has_to_be_in_the_region_and_to_fit_the_plan() {
    let check = |image: &Image| {
        said(|it| it.combination(Some(&plan()), Some(image), Some(&region("here"))))
    };
    assert_eq!(check(&image()), []);
    let fitting = Image {
        min_disk: Some(MiB(25 * 1024)),
        regions: Some(vec!["there".into(), "here".into()]),
        ..image()
    };
    assert_eq!(check(&fitting), []);
    let wrong = Image {
        min_disk: Some(MiB(26 * 1024)),
        regions: Some(vec!["there".into()]),
        arch: Arch::Aarch64,
        ..image()
    };
    let said: Vec<_> = check(&wrong).into_iter().collect();
    assert!(said.iter().all(|it| it.0 == "image"));
    let sentences: Vec<_> = said.iter().map(|it| it.1.as_str()).collect();
    assert_eq!(
        sentences,
        [
            "image `i` is not in `here`",
            "image `i` needs 26 GiB of disk, and plan `p` has 25",
            "image `i` does not run on plan `p`'s processors",
        ]
    );
    // Where disks are bought apart, any image fits.
    let diskless = Plan {
        disk: None,
        ..plan()
    };
    let big = Image {
        min_disk: Some(MiB(1 << 30)),
        ..image()
    };
    assert_eq!(
        fields(|it| it.combination(Some(&diskless), Some(&big), Some(&region("here")))),
        [""; 0]
    );
}

#[test]
fn what_the_vendor_lacks_is_refused_with_its_reason() {
    let mut descriptor = descriptor();
    assert_eq!(fields(|it| it.features(&descriptor, &greedy())), [""; 0]);
    for support in descriptor.features.values_mut() {
        *support = Support::No {
            why: "because".into(),
        };
    }
    let said = said(|it| it.features(&descriptor, &greedy()));
    let expected = ALL.map(|it| (it.to_owned(), "because".to_owned()));
    assert_eq!(said, expected);
    assert_eq!(fields(|it| it.features(&descriptor, &request())), [""; 0]);
}

#[test]
fn what_the_region_lacks_is_refused_unless_it_tells_nothing() {
    let bare = Region {
        features: vec![Feature::Gpu],
        ..region("here")
    };
    // Keys are no matter of a region.
    assert_eq!(
        fields(|it| it.region_features(Some(&bare), &greedy())),
        ["backups", "ipv6", "private_network", "user_data"]
    );
    assert_eq!(
        fields(|it| it.region_features(Some(&bare), &request())),
        [""; 0]
    );
    let silent = region("here");
    assert_eq!(
        fields(|it| it.region_features(Some(&silent), &greedy())),
        [""; 0]
    );
    let full = Region {
        features: Feature::ALL.to_vec(),
        ..region("here")
    };
    assert_eq!(
        fields(|it| it.region_features(Some(&full), &greedy())),
        [""; 0]
    );
    // What the vendor lacks altogether is not said twice.
    let both = fields(|it| {
        it.add("backups", "the vendor has none");
        it.region_features(Some(&bare), &greedy());
    });
    assert_eq!(both.iter().filter(|it| *it == "backups").count(), 1);
}

#[test]
fn user_data_has_a_size_and_a_reader() {
    let descriptor = descriptor();
    let with = |bytes: usize| CreateServer {
        user_data: Some(Secret::new("x".repeat(bytes))),
        ..request()
    };
    let check = |request: &CreateServer, cloud_init: Option<bool>| {
        let image = Image {
            cloud_init,
            ..image()
        };
        fields(|it| it.user_data(&descriptor, request.user_data.as_ref(), Some(&image)))
    };
    assert_eq!(check(&with(65_535), Some(true)), [""; 0]);
    // Where the vendor does not say, it is for the vendor to refuse.
    assert_eq!(check(&with(1), None), [""; 0]);
    assert_eq!(check(&with(1), Some(false)), ["user_data"]);
    assert_eq!(check(&with(65_536), Some(true)), ["user_data"]);
    assert_eq!(check(&request(), Some(false)), [""; 0]);
}

#[test]
fn a_root_password_needs_a_way_to_the_server() {
    let with = CreateServer {
        root_password: Some(Secret::from("correct horse")),
        ..request()
    };
    let mut descriptor = descriptor();
    let mut check = |way: RootPassword, cloud_init: Option<bool>| {
        descriptor.root_password = way;
        let image = Image {
            cloud_init,
            ..image()
        };
        said(|it| it.password(&descriptor, &with, Some(&image)))
    };
    assert_eq!(check(RootPassword::Native, Some(false)), []);
    assert_eq!(check(RootPassword::CloudInit, Some(true)), []);
    assert_eq!(check(RootPassword::CloudInit, None), []);
    assert_eq!(
        check(RootPassword::CloudInit, Some(false))[0].0,
        "rootPassword"
    );
    let no = RootPassword::No {
        why: "keys only".into(),
    };
    let expected = ("rootPassword".to_owned(), "keys only".to_owned());
    assert_eq!(check(no, Some(true)), [expected]);
}

#[test]
fn a_market_has_to_be_one_in_which_the_plan_is_sold() {
    let mut plan = plan();
    let here = region("here");
    let check = |plan: &Plan, market| said(|it| it.sale(Some(plan), Some(&here), market));
    let wrong = |field: &str, error: &str| [(field.to_owned(), error.to_owned())];
    assert_eq!(
        check(&plan, Market::Spot),
        wrong("market", "plan `p` is not sold as spot in `here`")
    );
    plan.offerings
        .push(sold("here", Market::Spot, Availability::SoldOut));
    assert_eq!(
        check(&plan, Market::Spot),
        wrong("type", "plan `p` is sold out in `here`")
    );
    assert_eq!(check(&plan, Market::OnDemand), []);
    plan.offerings = vec![sold("here", Market::Spot, Availability::Available)];
    assert_eq!(check(&plan, Market::Spot), []);
    assert_eq!(
        check(&plan, Market::OnDemand),
        wrong("market", "plan `p` is sold as spot only in `here`")
    );
}

#[test]
fn tags_leave_room_for_our_own() {
    let mut descriptor = descriptor();
    descriptor.limits.tags = 5;
    let tags = |count: usize| vec!["blue".to_owned(); count];
    assert_eq!(said(|it| it.tags(&descriptor, &tags(3))), []);
    let expected = ("tags".to_owned(), "at most 3 tags".to_owned());
    assert_eq!(said(|it| it.tags(&descriptor, &tags(4))), [expected]);
    descriptor.limits.tags = 500;
    assert_eq!(said(|it| it.tags(&descriptor, &tags(20))), []);
    assert_eq!(fields(|it| it.tags(&descriptor, &tags(21))), ["tags"]);
}

#[test]
fn answers_to_an_application_are_checked_by_their_names() {
    let descriptor = descriptor();
    let app = MarketplaceApp {
        answers_in: Some("answers".into()),
        fields: vec![AppField {
            name: "mail".into(),
            label: "Mail".into(),
            kind: FieldKind::Text,
            required: true,
            default: None,
            example: None,
            section: None,
        }],
        ..MarketplaceApp::new("7", "Blog")
    };
    let check = |options: serde_json::Value| {
        let asked = CreateInstance {
            key: roadstead_core::CreateKey::new("d", OperationId::fresh().0, "web"),
            plan: "p".into(),
            region: "here".into(),
            image: "i".into(),
            ssh_keys: Vec::new(),
            root_password: None,
            user_data: None,
            tags: Vec::new(),
            backups: false,
            ipv6: false,
            private_network: false,
            market: None,
            options: Some(options),
        };
        fields(|it| it.app(&descriptor, Some(&app), &asked))
    };
    assert_eq!(
        check(json!({ "answers": { "mail": "a@b.example" } })),
        [""; 0]
    );
    for missing in [
        json!({}),
        json!({ "answers": {} }),
        json!({ "answers": [] }),
    ] {
        assert_eq!(check(missing), ["options.answers.mail"]);
    }
    let unknown = json!({ "answers": { "mail": "x", "color": "red" } });
    assert_eq!(check(unknown), ["options.answers.color"]);
}
