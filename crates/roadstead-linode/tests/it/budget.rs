//! The simulator's limits are Linode's, and are never met.

use std::time::{Duration, Instant};

use roadstead_core::{ErrorKind, Outcome, Provider, RateBucket, Retry};
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

#[tokio::test]
async fn a_class_that_is_used_up_stops_alone_and_the_vendor_never_has_to() {
    let world = limited();
    let mut refused = None;
    for count in 0..30 {
        if let Err(error) = world.provider.get_images().await {
            refused = Some((count, error));
            break;
        }
    }
    let (count, error) = refused.unwrap();
    assert_eq!(count, 19);
    assert_eq!(
        (error.kind, error.outcome, error.attempts),
        (ErrorKind::Throttled, Outcome::NotExecuted, 0)
    );
    assert!(matches!(error.retry, Retry::At(_)), "{error:?}");
    let images = bucket(&*world.provider, "images");
    assert_eq!((images.limit, images.left), (Some(20), Some(1)));
    world.provider.get_regions().await.unwrap();
    assert_eq!(refusals(&world), 0);
}

#[tokio::test]
async fn creates_beyond_a_window_are_told_the_next_one_and_succeed_then() {
    let world = limited();
    let sim = world.sim.handle();
    sim.set_limit(
        "create",
        Limit {
            calls: 5,
            seconds: 2,
        },
    )
    .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let creates = (0..10).map(|number| {
        let (provider, request) = (&world.provider, small(&format!("web-{number}")));
        async move {
            loop {
                let Err(error) = provider.create_instance(&request).await else {
                    return;
                };
                assert_eq!(
                    (error.kind, error.outcome),
                    (ErrorKind::Throttled, Outcome::NotExecuted)
                );
                let Retry::At(then) = error.retry else {
                    panic!("no time: {error:?}");
                };
                assert!(Instant::now() < deadline, "it never gets through");
                let wait = then.duration_since(jiff::Timestamp::now());
                tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
            }
        }
    });
    futures::future::join_all(creates).await;
    assert_eq!(refusals(&world), 0);
    assert_eq!(world.linodes().len(), 10);
}

#[tokio::test]
async fn a_vendor_whose_clock_is_hours_off_is_understood() {
    for hours in [1, 1000] {
        let world = limited();
        world.sim.handle().advance(Duration::from_hours(hours));
        let begun = jiff::Timestamp::now();
        world.provider.get_images().await.unwrap();
        let resets = bucket(&*world.provider, "images").resets_at.unwrap();
        let wait = resets.duration_since(begun).as_secs();
        assert!((59..=63).contains(&wait), "{wait} s");
    }
}

#[tokio::test]
async fn others_use_of_a_class_shows_in_its_answers() {
    let world = limited();
    let other = provider_with(&world.sim, TOKEN_FULL, &Budgets::default());
    for _ in 0..12 {
        other.get_images().await.unwrap();
    }
    world.provider.get_images().await.unwrap();
    assert_eq!(bucket(&*world.provider, "images").left, Some(7));
    let images = bucket(&*world.provider, "images");
    assert!(images.as_of.is_some());
    for _ in 0..30 {
        // Some are refused by their own budget, none by the vendor.
        let _ = other.get_images().await;
        let _ = world.provider.get_images().await;
    }
    assert_eq!(refusals(&world), 0);
}

#[tokio::test]
async fn a_refusal_closes_the_class_that_it_concerns() {
    for (named, least, most) in [("7", 5, 8), ("-3", 0, 1), ("99999999999", 3590, 3601)] {
        let world = limited();
        world.fault(json!({ "method": "POST", "effect": {
            "status": 429, "headers": { "retry-after": named },
            "body": { "errors": [{ "reason": "Too many requests" }] }
        } }));
        let request = small("web");
        let error = world.provider.create_instance(&request).await.unwrap_err();
        assert_eq!(
            (error.kind, error.outcome),
            (ErrorKind::Throttled, Outcome::NotExecuted)
        );
        let create = bucket(&*world.provider, "create");
        let now = jiff::Timestamp::now();
        let closed = create.closed_until.unwrap_or(now).duration_since(now);
        assert!(
            (least..=most).contains(&closed.as_secs()),
            "{named}: {closed}"
        );
        world.provider.get_regions().await.unwrap();
    }
}
