//! Units, prices, addresses and words.

use serde_json::json;

use super::*;

fn read<T: serde::de::DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).unwrap()
}

/// Shortened from the example of the vendor's OpenAPI document, `GET /linode/instances`.
const LINODE: &str = r#"{"id":123,"label":"linode123","status":"running","region":"us-east",
    "type":"g6-standard-1","image":"linode/debian10","group":"Linode-Group",
    "ipv4":["203.0.113.1","192.168.133.7"],"ipv6":"c001:d00d::1337/128",
    "specs":{"disk":81920,"memory":4096,"vcpus":2,"gpus":0,"transfer":4000},
    "backups":{"enabled":true,"last_successful":null},"hypervisor":"kvm","lke_cluster_id":null,
    "tags":["example tag","another example"],"created":"2018-01-01T00:01:01"}"#;

#[test]
fn a_linode_keeps_all_its_addresses_and_its_units_are_right() {
    let it = instance(read(LINODE));
    assert_eq!((it.id.as_str(), &*it.name), ("123", "linode123"));
    assert_eq!(
        (it.vcpus, it.memory, it.disk),
        (2, MiB(4096), Some(MiB(81_920)))
    );
    let addresses: Vec<_> = it
        .addresses
        .iter()
        .map(|it| (it.ip.to_string(), it.scope))
        .collect();
    assert_eq!(
        addresses,
        [
            ("203.0.113.1".to_owned(), Scope::Public),
            ("192.168.133.7".to_owned(), Scope::Private),
            ("c001:d00d::1337".to_owned(), Scope::Public),
        ]
    );
    assert_eq!(
        (it.region.as_str(), it.plan.unwrap().as_str()),
        ("us-east", "g6-standard-1")
    );
    assert_eq!(it.image.unwrap().as_str(), "linode/debian10");
    assert_eq!(it.created.unwrap().to_string(), "2018-01-01T00:01:01Z");
    assert_eq!((it.status.state, it.status.busy), (State::Running, false));
}

#[test]
fn each_status_has_its_state() {
    for (word, state, busy) in [
        ("running", State::Running, false),
        ("offline", State::Stopped, false),
        ("booting", State::Starting, true),
        ("busy", State::Unknown, true),
        ("rebooting", State::Rebooting, true),
        ("shutting_down", State::Stopping, true),
        ("provisioning", State::Provisioning, true),
        ("deleting", State::Deleting, true),
        ("migrating", State::Migrating, true),
        ("rebuilding", State::Rebuilding, true),
        ("cloning", State::Provisioning, true),
        ("restoring", State::Rebuilding, true),
        ("resizing", State::Resizing, true),
        ("stopped", State::Stopped, true),
        ("billing_suspension", State::Suspended, false),
    ] {
        let it = status(word.into());
        assert_eq!((it.state, it.busy, &*it.raw), (state, busy, word));
    }
}

#[test]
fn a_stopped_linode_costs_its_full_price_and_an_unknown_word_is_kept_as_busy() {
    assert_eq!(status("offline".into()).billed, Billed::Full);
    let odd = status("hibernating".into());
    assert_eq!(
        (odd.state, &*odd.raw, odd.busy, odd.billed),
        (State::Unknown, "hibernating", true, Billed::Unknown)
    );
}

#[test]
fn a_linode_of_which_only_the_id_is_known_is_still_one() {
    let it = instance(read(r#"{"id":7}"#));
    assert_eq!((it.id.as_str(), it.status.state), ("7", State::Unknown));
}

fn regions() -> Vec<wire::Region> {
    read(
        r#"[{"id":"us-east","label":"Newark, NJ, USA","country":"us","status":"ok",
            "capabilities":["Linodes","Backups","Metadata","GPU Linodes","Vlans","VPCs"]},
           {"id":"br-gru","label":"Sao Paulo, BR","country":"br","status":"ok",
            "capabilities":["Linodes","Premium Plans"]},
           {"id":"gb-lon","label":"London 2, UK","country":"gb","status":"outage",
            "capabilities":["Linodes"]},
           {"id":"us-den","label":"Denver, CO","country":"us","status":"ok",
            "capabilities":["Linodes"],"site_type":"distributed"},
           {"id":"us-obj","label":"Storage only","country":"us","status":"ok",
            "capabilities":["Object Storage"],"site_type":"core"}]"#,
    )
}

fn plan_of(it: serde_json::Value, availability: &str) -> Plan {
    let types = vec![serde_json::from_value(it).unwrap()];
    plans(types, &regions(), read(availability), Timestamp::UNIX_EPOCH)
        .pop()
        .unwrap()
}

/// After the example of the vendor's OpenAPI document, `GET /linode/types`.
fn nanode() -> serde_json::Value {
    json!({
        "id": "g6-nanode-1", "label": "Nanode 1GB", "class": "nanode", "vcpus": 1,
        "memory": 1024, "disk": 25600, "gpus": 0, "transfer": 1000, "network_out": 1000,
        "price": { "hourly": 0.007499999832361937, "monthly": 5 },
        "region_prices": [
            { "id": "br-gru", "hourly": 0.0105, "monthly": 7.0 },
            { "id": "gb-lon", "hourly": null, "monthly": null },
        ],
        "addons": { "backups": { "price": { "hourly": 0.003, "monthly": 2 } } },
        "successor": null
    })
}

#[test]
fn prices_are_exact_and_by_region_and_transfer_is_in_gigabytes() {
    let it = plan_of(nanode(), "[]");
    assert_eq!(
        (it.transfer, it.disk, it.memory, it.network_out),
        (
            Some(GbPerMonth(1000)),
            Some(MiB(25_600)),
            MiB(1024),
            Some(Mbps(1000))
        )
    );
    let price = |region: &str| it.offering_in(&region.into()).unwrap().price.clone();
    let usual = price("us-east").unwrap();
    assert_eq!(usual.hourly.unwrap().amount.to_string(), "0.0075");
    assert_eq!(usual.monthly.unwrap().amount.to_string(), "5");
    let other = price("br-gru").unwrap();
    assert_eq!(other.hourly.unwrap().amount.to_string(), "0.0105");
    assert_eq!(other.monthly.unwrap().amount.to_string(), "7");
    assert!(usual.monthly_is_cap && !it.dedicated_cpu);
    assert_eq!(price("gb-lon"), None);
}

#[test]
fn a_plan_is_sold_where_the_region_can_run_it() {
    let places = |it: &Plan| {
        let places = it.offerings.iter().map(|it| it.region.to_string());
        places.collect::<Vec<_>>().join(" ")
    };
    let mut it = nanode();
    assert_eq!(places(&plan_of(it.clone(), "[]")), "us-east br-gru gb-lon");
    it["class"] = json!("gpu");
    it["gpus"] = json!(2);
    let gpu = plan_of(it.clone(), "[]");
    assert_eq!(places(&gpu), "us-east");
    assert!(gpu.gpus == 2 && gpu.dedicated_cpu);
    it["class"] = json!("premium");
    assert_eq!(places(&plan_of(it.clone(), "[]")), "br-gru");
    it["class"] = json!("dedicated");
    it["id"] = json!("g6-dedicated-edge-2");
    assert_eq!(places(&plan_of(it, "[]")), "us-den");
}

#[test]
fn only_what_is_listed_as_sold_out_is_sold_out() {
    let stock = r#"[{"plan":"g6-nanode-1","region":"us-east","available":false},
        {"plan":"other","region":"br-gru","available":false}]"#;
    let it = plan_of(nanode(), stock);
    let availability = |region: &str| it.offering_in(&region.into()).unwrap().availability;
    assert_eq!(availability("us-east"), Availability::SoldOut);
    assert_eq!(availability("br-gru"), Availability::Available);
    assert_eq!(availability("gb-lon"), Availability::Unknown);
}

#[test]
fn an_unknown_price_is_none_and_never_zero() {
    let mut it = nanode();
    it["region_prices"] = json!([]);
    it["price"] = json!({ "hourly": 0.0, "monthly": null });
    it["transfer"] = json!(0);
    let it = plan_of(it, "[]");
    assert_eq!((it.offerings[0].price.clone(), it.transfer), (None, None));
}

#[test]
fn images_tell_family_version_and_age() {
    let it = image(read(
        r#"{"id":"linode/ubuntu24.04","label":"Ubuntu 24.04 LTS","vendor":"Ubuntu","size":3500,
        "is_public":true,"deprecated":false,"status":"available","eol":"2029-05-01T04:00:00",
        "capabilities":["cloud-init"],"type":"manual","expiry":null}"#,
    ))
    .unwrap();
    assert_eq!(
        (&*it.family, it.version.as_deref()),
        ("ubuntu", Some("24.04"))
    );
    assert_eq!((it.min_disk, it.cloud_init), (Some(MiB(3500)), Some(true)));
    let end = it.end_of_life.unwrap().to_string();
    assert_eq!((it.public, &*end), (true, "2029-05-01T04:00:00Z"));
    let it = image(read(
        r#"{"id":"private/7","label":"mine 7","vendor":null,"is_public":false,
        "status":"available","capabilities":[],"eol":null,"size":2500}"#,
    ))
    .unwrap();
    assert_eq!(
        (&*it.family, it.version, it.cloud_init),
        ("unknown", None, Some(false))
    );
    assert_eq!(
        image(read(r#"{"id":"private/8","status":"creating"}"#)),
        None
    );
    assert_eq!(family("Rocky Linux"), "rocky");
    assert_eq!(family("openSUSE"), "opensuse");
}

#[test]
fn regions_are_placed_and_their_features_are_ours() {
    let all: Vec<_> = regions().into_iter().map(region).collect();
    let of = |id: &str| all.iter().find(|it| it.id.as_str() == id).unwrap();
    let newark = of("us-east");
    assert_eq!(
        (newark.country.as_deref(), newark.city.as_deref()),
        (Some("US"), Some("Newark"))
    );
    assert_eq!(
        newark.features,
        [
            Feature::Backups,
            Feature::Gpu,
            Feature::UserData,
            Feature::Vpc,
            Feature::BackupWindow,
            Feature::Ipv6,
            Feature::PrivateNetwork
        ]
    );
    assert!(newark.available && !of("gb-lon").available && !of("us-obj").available);
    assert_eq!(of("gb-lon").city.as_deref(), Some("London"));
    assert_eq!(of("us-obj").city, None);
    assert_eq!(country("uk").as_deref(), Some("GB"));
    assert_eq!(country("usa"), None);
}

#[test]
fn only_the_vendors_own_scripts_are_applications() {
    let of = |user: &str| {
        let json = format!(r#"{{"id":401697,"label":"WordPress One-Click","username":"{user}"}}"#);
        app(read(&json))
    };
    let it = of("linode-stackscripts").unwrap();
    assert_eq!(
        (&*it.id, &*it.label, it.image),
        ("401697", "WordPress", None)
    );
    assert!(of("linode").is_some());
    assert_eq!(of("mallory"), None);
}

#[test]
fn an_account_is_known_by_its_uuid() {
    let it = account(
        read(r#"{"euuid":"E1AF","company":"Harbor","email":"a@b.c"}"#),
        Some("account:read_only linodes:read_write events:read_only images:read_only"),
    );
    assert_eq!(
        (&*it.fingerprint, it.label.as_deref()),
        ("E1AF", Some("Harbor"))
    );
    assert_eq!(it.missing_scopes, ["stackscripts:read_only".into()]);
    let it = account(
        read(r#"{"euuid":"E1AF","company":"","email":"a@b.c"}"#),
        None,
    );
    assert_eq!(it.label.as_deref(), Some("a@b.c"));
}
