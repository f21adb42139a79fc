//! What a create costs on PostgreSQL, counted on the wire.

use roadstead_repository::{Options, Repository};
use roadstead_testkit::{Backend, Scratch, ScratchPostgres, Wiretap, block_on};

use crate::fixture::{Fleet, TEMPLATE, key, migrated, options};
use crate::plans::{on_sale, sell};

/// Returns the statements and the flights of all that was done.
fn cost(tap: &Wiretap) -> (usize, usize) {
    let done = tap.take();
    let statements = done.iter().map(|it| it.statements.len()).sum();
    (statements, done.iter().map(|it| it.flights).sum())
}

#[test]
fn a_create_takes_five_statements_in_five_flights() {
    if ScratchPostgres::is_left_out("flights::a_create_takes") {
        return;
    }
    block_on(async {
        let database = Scratch::create_prepared(Backend::Postgres, TEMPLATE, migrated).await;
        let mut fleet = Fleet::open(&database).await;
        let tap = Wiretap::start(database.url()).await;
        let one = Options {
            pool_size: 1,
            ..options()
        };
        fleet.repository = Repository::connect(tap.url(), fleet.keys.clone(), one)
            .await
            .unwrap();
        let plan = on_sale(&fleet).await;
        // The first of each prepare the statements.
        fleet
            .accept_with("web", None, key("k1", "1"))
            .await
            .unwrap();
        sell(&fleet, &plan).await.unwrap();
        tap.take();
        fleet
            .accept_with("web", Some("secret"), key("k2", "2"))
            .await
            .unwrap();
        // BEGIN, the key, the account with the clock, all that is written, COMMIT.
        assert_eq!(cost(&tap), (5, 5));
        // Without a key, and with a plan to hold beside the account.
        sell(&fleet, &plan).await.unwrap();
        assert_eq!(cost(&tap), (4, 4));
    });
}
