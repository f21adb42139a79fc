//! What becomes of the vendor's words.

use super::*;

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

/// Shortened from the example of the vendor's OpenAPI document, `GET /v2/droplets`.
const DROPLET: &str = r#"{"id":3164444,"name":"example.com","memory":1024,"vcpus":1,"disk":25,
    "locked":false,"status":"active","kernel":null,"created_at":"2020-07-21T18:37:44Z",
    "features":["backups"],"image":{"id":63663980,"slug":"ubuntu-20-04-x64","public":true},
    "size_slug":"s-1vcpu-1gb","networks":{"v4":[
    {"ip_address":"10.128.192.124","netmask":"255.255.0.0","gateway":"nil","type":"private"},
    {"ip_address":"192.241.165.154","netmask":"255.255.255.0","type":"public"}],
    "v6":[{"ip_address":"2604:a880:0:1010::18a:a001","netmask":64,"type":"public"}]},
    "region":{"name":"New York 3","slug":"nyc3"},"tags":["web","env:prod"]}"#;

#[test]
fn a_droplet_keeps_all_its_addresses_and_its_units_are_right() {
    let it = instance(read(DROPLET));
    assert_eq!((it.id.as_str(), &*it.name), ("3164444", "example.com"));
    assert_eq!(
        (it.vcpus, it.memory, it.disk),
        (1, MiB(1024), Some(MiB(25 * 1024)))
    );
    let addresses: Vec<_> = it
        .addresses
        .iter()
        .map(|it| (it.ip.to_string(), it.scope))
        .collect();
    assert_eq!(
        addresses,
        [
            ("10.128.192.124".to_owned(), Scope::Private),
            ("192.241.165.154".to_owned(), Scope::Public),
            ("2604:a880:0:1010::18a:a001".to_owned(), Scope::Public),
        ]
    );
    assert_eq!(
        (it.region.as_str(), it.plan.unwrap().as_str()),
        ("nyc3", "s-1vcpu-1gb")
    );
    assert_eq!(it.image.unwrap().as_str(), "ubuntu-20-04-x64");
    assert_eq!(it.tags, ["web".into(), "env:prod".into()]);
    assert_eq!(it.created.unwrap().to_string(), "2020-07-21T18:37:44Z");
    assert_eq!((it.status.state, it.status.busy), (State::Running, false));
}

#[test]
fn a_stopped_droplet_costs_its_full_price_and_an_unknown_word_is_kept() {
    assert_eq!(status("off".into()).billed, Billed::Full);
    assert_eq!(status("new".into()).state, State::Provisioning);
    let odd = status("hibernating".into());
    assert_eq!(
        (odd.state, &*odd.raw, odd.billed),
        (State::Unknown, "hibernating", Billed::Unknown)
    );
}

#[test]
fn a_droplet_of_which_only_the_id_is_known_is_still_one() {
    let it = instance(read(r#"{"id":7}"#));
    assert_eq!((it.id.as_str(), it.status.state), ("7", State::Unknown));
}

#[test]
fn prices_are_exact_and_transfer_is_in_gigabytes() {
    let it = plan(
        read(
            r#"{"slug":"s-1vcpu-512mb-10gb","description":"Basic","memory":512,"vcpus":1,
            "disk":10,"transfer":0.5,"price_monthly":4.0,"price_hourly":0.00743999984115362,
            "regions":["nyc3","fra1"],"available":true}"#,
        ),
        Timestamp::UNIX_EPOCH,
    );
    assert_eq!(
        (it.transfer, it.disk),
        (Some(GbPerMonth(500)), Some(MiB(10_240)))
    );
    assert_eq!(&*it.label, "Basic, 1 vCPU, 512 MiB");
    assert_eq!(it.offerings.len(), 2);
    let price = it
        .offering_in(&"fra1".into())
        .unwrap()
        .price
        .clone()
        .unwrap();
    assert_eq!(price.hourly.unwrap().amount.to_string(), "0.00744");
    assert_eq!(price.monthly.unwrap().amount.to_string(), "4");
    assert!(price.monthly_is_cap && !it.dedicated_cpu && it.gpus == 0);
}

#[test]
fn an_unknown_price_is_none_and_never_zero() {
    let size = r#"{"slug":"gpu-h100x8","memory":1966080,"vcpus":160,"disk":2046,
        "regions":["nyc2"],"available":false,"price_hourly":null,"gpu_info":{"count":8}}"#;
    let it = plan(read(size), Timestamp::UNIX_EPOCH);
    assert_eq!((it.gpus, it.dedicated_cpu, it.transfer), (8, true, None));
    assert_eq!(it.offerings[0].price, None);
    assert_eq!(it.offerings[0].availability, Availability::SoldOut);
}

#[test]
fn shared_and_dedicated_processors_are_told_apart() {
    for (slug, expected) in [
        ("s-2vcpu-2gb-amd", false),
        ("512mb", false),
        ("c-4", true),
        ("c2-2vcpu-4gb", true),
        ("g-2vcpu-8gb", true),
        ("m-2vcpu-16gb", true),
        ("so1_5-2vcpu-16gb", true),
    ] {
        assert_eq!(dedicated(slug), expected, "{slug}");
    }
}

#[test]
fn images_tell_family_version_and_age() {
    let it = image(read(
        r#"{"id":1,"slug":"ubuntu-24-04-x64","name":"24.04 (LTS) x64","distribution":"Ubuntu",
        "status":"available","public":true,"regions":["nyc3"],"min_disk_size":7}"#,
    ))
    .unwrap();
    assert_eq!(
        (&*it.family, it.version.as_deref()),
        ("ubuntu", Some("24.04"))
    );
    assert_eq!((it.min_disk, it.cloud_init), (Some(MiB(7168)), Some(true)));
    assert_eq!(
        (&*it.label, it.deprecated),
        ("Ubuntu 24.04 (LTS) x64", false)
    );
    let it = image(read(
        r#"{"id":2,"slug":null,"name":"mine 7","distribution":"Rocky Linux",
        "status":"retired","public":false}"#,
    ))
    .unwrap();
    assert_eq!((it.id.as_str(), &*it.family), ("2", "rocky"));
    assert_eq!(
        (it.version, it.cloud_init, it.deprecated),
        (None, None, true)
    );
    assert_eq!(image(read(r#"{"id":3,"status":"deleted"}"#)), None);
}

#[test]
fn regions_are_placed_and_their_features_are_ours() {
    let it = region(read(
        r#"{"slug":"fra1","name":"Frankfurt 1","available":true,
        "features":["backups","ipv6","metadata","install_agent"]}"#,
    ));
    assert_eq!(
        (it.country.as_deref(), it.city.as_deref()),
        (Some("DE"), Some("Frankfurt"))
    );
    assert_eq!(
        it.features,
        [Feature::Backups, Feature::Ipv6, Feature::UserData]
    );
}

#[test]
fn a_job_ends_only_by_a_word_that_says_so() {
    let of = |word: &str| {
        let json = format!(
            r#"{{"id":9,"status":"{word}","type":"resize","resource_id":7,"resource_type":"droplet"}}"#
        );
        operation(read(&json)).status
    };
    assert_eq!(of("completed"), OperationStatus::Succeeded);
    assert_eq!(
        of("in-progress"),
        OperationStatus::Running { percent: None }
    );
    assert_eq!(of("pondering"), OperationStatus::Running { percent: None });
    assert!(matches!(of("errored"), OperationStatus::Failed { .. }));
}

#[test]
fn a_deletion_is_found_again_by_its_id() {
    let job = deletion(7, OperationStatus::Succeeded);
    assert_eq!(deleted(&job.id), Some("7"));
    assert_eq!(deleted(&"982864273".into()), None);
}

#[test]
fn an_account_is_known_by_its_team() {
    let it = account(read(
        r#"{"uuid":"u","email":"a@b.c","droplet_limit":25,"team":{"uuid":"t","name":"Team"}}"#,
    ));
    assert_eq!(
        (&*it.fingerprint, it.label.as_deref(), it.instance_limit),
        ("t", Some("Team"), Some(25))
    );
    let it = account(read(r#"{"uuid":"u","email":"a@b.c"}"#));
    assert_eq!(
        (&*it.fingerprint, it.label.as_deref()),
        ("u", Some("a@b.c"))
    );
}

#[test]
fn only_a_firewall_that_goes_by_a_tag_can_be_chosen() {
    // Shortened from the example of the vendor's OpenAPI document, `GET /v2/firewalls`.
    let id = "fb6045f1-cf1d-4ca3-bfac-18832663025b";
    let of = |tags: &str| {
        let json =
            format!(r#"{{"id":"{id}","name":"firewall","status":"succeeded","tags":{tags}}}"#);
        firewall(serde_json::from_str(&json).unwrap())
    };
    let choice = of(r#"["web","db"]"#).unwrap();
    assert_eq!((choice.value, &*choice.label), (id.into(), "firewall"));
    assert_eq!(
        choice.summary.as_deref(),
        Some("takes servers by the tag `web`")
    );
    assert!(of("[]").is_none() && of("null").is_none());
}

#[test]
fn a_vpc_is_a_choice_in_its_region() {
    let json = r#"{"id":"5a4981aa-9653-4bd1-bef5-d6bff52042e4","name":"env.prod-vpc",
        "region":"nyc1","ip_range":"10.10.10.0/24","default":true}"#;
    let choice = vpc(serde_json::from_str(json).unwrap());
    assert_eq!(choice.region, Some("nyc1".into()));
    assert_eq!(choice.summary.as_deref(), Some("10.10.10.0/24"));
    assert_eq!(choice.value, "5a4981aa-9653-4bd1-bef5-d6bff52042e4");
}
