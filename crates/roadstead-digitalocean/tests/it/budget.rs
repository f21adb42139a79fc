//! The simulator's limits are DigitalOcean's, and are never met.

use std::time::Duration;

use roadstead_core::{ErrorKind, InstanceQuery, Lane, Outcome, Provider, RateBucket, Retry};
use roadstead_digitalocean::DigitalOcean;
use roadstead_http::Budgets;
use roadstead_sim::{Limit, SimulatorConfig, TOKEN_FULL};
use serde_json::json;

use crate::world::{World, provider_with, small};

fn limited() -> World {
    World::start_with(SimulatorConfig {
        time_scale: 1000.0,
        ..Default::default()
    })
}

fn bucket(provider: &dyn Provider, name: &str) -> RateBucket {
    let buckets = provider.budget();
    buckets.into_iter().find(|it| it.name == name).unwrap()
}

fn refusals(world: &World) -> usize {
    let journal = world.sim.handle().journal();
    journal.iter().filter(|it| it.status == Some(429)).count()
}

/// Reads until the budget says no, and returns how often it said yes.
async fn read_until_refused(provider: &dyn Provider) -> (usize, roadstead_core::Error) {
    for count in 0..5_000 {
        if let Err(error) = provider.get_regions().await {
            return (count, error);
        }
    }
    panic!("nothing stops it");
}

#[tokio::test]
async fn each_lane_stops_in_its_turn_and_the_vendor_never_has_to() {
    let world = limited();
    let background = world.provider.in_lane(Lane::Background);
    let (read, error) = read_until_refused(&*background).await;
    assert_eq!(read, 150);
    assert_eq!(
        (error.kind, error.outcome, error.attempts),
        (ErrorKind::Throttled, Outcome::NotExecuted, 0)
    );
    let Retry::At(then) = error.retry else {
        panic!("no time: {error:?}");
    };
    let wait = then.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((11..=61).contains(&wait), "{wait} s");

    let (read, _) = read_until_refused(&*world.provider).await;
    assert_eq!(read, 50);
    // Changes still can be made, and what they need can be read.
    let request = small("urgent");
    let created = world.provider.create_instance(&request).await.unwrap();
    world
        .provider
        .in_lane(Lane::Mutate)
        .get_instance(&created.instance.id)
        .await
        .unwrap();
    let request = small("as urgent");
    world.provider.create_instance(&request).await.unwrap();
    let minute = bucket(&*world.provider, "per_minute");
    assert_eq!((minute.limit, minute.left), (Some(250), Some(47)));
    assert_eq!(refusals(&world), 0);
    assert_eq!(world.sim.handle().journal().len(), 203);
}

#[tokio::test]
async fn the_hour_is_read_off_the_answers_and_others_use_shows() {
    let world = limited();
    world.provider.get_regions().await.unwrap();
    let hour = bucket(&*world.provider, "per_hour");
    assert_eq!((hour.limit, hour.left), (Some(5000), Some(4999)));
    assert!(hour.as_of.is_some() && hour.resets_at.is_some());
    // A program of somebody else's, with the same token.
    let other = provider_with(&world.sim, TOKEN_FULL, &Budgets::default());
    for _ in 0..40 {
        other.get_regions().await.unwrap();
    }
    world.provider.get_regions().await.unwrap();
    assert_eq!(bucket(&*world.provider, "per_hour").left, Some(4958));
    assert_eq!(bucket(&*world.provider, "per_minute").left, Some(208));
}

#[tokio::test]
async fn clients_that_share_budgets_count_together_and_so_does_one_made_anew() {
    let world = limited();
    let budgets = Budgets::default();
    let first = provider_with(&world.sim, TOKEN_FULL, &budgets);
    first.get_regions().await.unwrap();
    drop(first);
    let second = provider_with(&world.sim, TOKEN_FULL, &budgets);
    let third = provider_with(&world.sim, TOKEN_FULL, &budgets);
    second.get_regions().await.unwrap();
    assert_eq!(bucket(&third, "per_minute").left, Some(248));
}

#[tokio::test]
async fn two_programs_that_share_one_account_unknowingly_stay_below_its_limits() {
    let world = limited();
    let one = provider_with(&world.sim, TOKEN_FULL, &Budgets::default());
    let two = provider_with(&world.sim, TOKEN_FULL, &Budgets::default());
    let use_up = async |provider: &DigitalOcean| {
        let mut read = 0;
        // A read at a time, and then several at once.
        for width in [1, 2, 4, 8, 16, 16, 16, 16, 16, 16, 16, 16, 16, 16] {
            let reads = (0..width).map(|_| provider.get_regions());
            let done = futures::future::join_all(reads).await;
            read += done.iter().filter(|it| it.is_ok()).count();
        }
        read
    };
    let (first, second) = futures::join!(use_up(&one), use_up(&two));
    assert_eq!(refusals(&world), 0);
    assert!(first + second > 150, "{first} and {second}");
}

#[tokio::test]
async fn a_burst_refusal_holds_the_minute_and_says_nothing_of_the_hour() {
    let world = limited();
    world.fault(json!({ "effect": {
        "status": 429,
        "headers": { "retry-after": "30", "ratelimit-remaining": "0" },
        "body": { "id": "too_many_requests", "message": "API rate limit exceeded." }
    } }));
    let error = world.provider.get_regions().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Throttled);
    let minute = bucket(&*world.provider, "per_minute");
    assert!(minute.closed_until.is_some());
    let hour = bucket(&*world.provider, "per_hour");
    assert_eq!((hour.left, hour.closed_until), (Some(4999), None));
    let list = InstanceQuery::default();
    let again = world
        .provider
        .list_instances(&list, roadstead_core::At::First);
    assert_eq!(again.await.unwrap_err().attempts, 0, "it was sent");
}

#[tokio::test]
async fn a_used_up_hour_is_waited_for_until_its_oldest_call_is_forgotten() {
    let world = limited();
    let sim = world.sim.handle();
    sim.set_limit(
        "hour",
        Limit {
            calls: 30,
            seconds: 3600,
        },
    )
    .unwrap();
    let (read, error) = read_until_refused(&*world.provider.in_lane(Lane::Mutate)).await;
    assert_eq!(read, 29);
    let Retry::At(then) = error.retry else {
        panic!("no time: {error:?}");
    };
    let wait = then.duration_since(jiff::Timestamp::now()).as_secs();
    assert!((3500..=3601).contains(&wait), "{wait} s");
    assert_eq!(refusals(&world), 0);
}

#[tokio::test]
async fn headers_that_make_no_sense_stop_nothing() {
    for headers in [
        json!({ "ratelimit-limit": "0", "ratelimit-remaining": "0", "ratelimit-reset": "0" }),
        json!({ "ratelimit-limit": "many", "ratelimit-remaining": "-4", "ratelimit-reset": "soon" }),
        json!({ "ratelimit-limit": "9".repeat(40), "ratelimit-remaining": "", "ratelimit-reset": "9".repeat(30) }),
        json!({ "date": "yesterday", "ratelimit-reset": "99999999999" }),
    ] {
        let world = limited();
        let regions = json!({ "regions": [], "links": {}, "meta": { "total": 0 } });
        world.fault(json!({ "count": 50, "effect": { "headers": headers, "body": regions, "status": 200 } }));
        for _ in 0..60 {
            world.provider.get_regions().await.unwrap();
        }
        assert_eq!(refusals(&world), 0);
        assert!(
            bucket(&*world.provider, "per_minute").left.unwrap() >= 190,
            "{headers}"
        );
    }
}

#[tokio::test]
async fn who_gives_up_waiting_or_in_the_middle_leaves_nothing_under_way() {
    let world = limited();
    world.fault(json!({ "count": 20, "effect": { "delay_ms": 5000 } }));
    let reads = (0..20).map(|_| world.provider.get_regions());
    let all = futures::future::join_all(reads);
    tokio::time::timeout(Duration::from_millis(300), all)
        .await
        .unwrap_err();
    let minute = bucket(&*world.provider, "per_minute");
    assert_eq!((minute.in_flight, minute.waiting), (0, 0));
    assert_eq!(minute.left, Some(230), "the vendor may have counted them");
}
