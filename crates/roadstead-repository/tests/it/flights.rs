//! What a create costs on PostgreSQL, counted on the wire.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use roadstead_repository::Options;
use roadstead_repository::Repository;
use roadstead_testkit::{Backend, Scratch, ScratchPostgres, block_on};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::fixture::{Fleet, TEMPLATE, key, migrated, options};
use crate::plans::{on_sale, sell};

/// Statements, and turns of the client to speak.
#[derive(Debug, Default)]
struct Count {
    statements: AtomicUsize,
    flights: AtomicUsize,
}

impl Count {
    fn take(&self) -> (usize, usize) {
        let statements = self.statements.swap(0, Ordering::SeqCst);
        (statements, self.flights.swap(0, Ordering::SeqCst))
    }
}

#[test]
fn a_create_takes_five_statements_in_five_flights() {
    if ScratchPostgres::is_left_out("flights::a_create_takes") {
        return;
    }
    block_on(async {
        let database = Scratch::create_prepared(Backend::Postgres, TEMPLATE, migrated).await;
        let mut fleet = Fleet::open(&database).await;
        let count = Arc::new(Count::default());
        let url = behind_a_counter(database.url(), Arc::clone(&count)).await;
        let one = Options {
            pool_size: 1,
            ..options()
        };
        fleet.repository = Repository::connect(&url, fleet.keys.clone(), one)
            .await
            .unwrap();
        let plan = on_sale(&fleet).await;
        // The first of each prepare the statements.
        fleet
            .accept_with("web", None, key("k1", "1"))
            .await
            .unwrap();
        sell(&fleet, &plan).await.unwrap();
        count.take();
        fleet
            .accept_with("web", Some("secret"), key("k2", "2"))
            .await
            .unwrap();
        // BEGIN, the key, the account with the clock, all that is written, COMMIT.
        assert_eq!(count.take(), (5, 5));
        // Without a key, and with a plan to hold beside the account.
        sell(&fleet, &plan).await.unwrap();
        assert_eq!(count.take(), (4, 4));
    });
}

/// Returns a URL that leads to the same database past a counter.
async fn behind_a_counter(url: &str, count: Arc<Count>) -> String {
    let (before, rest) = url.split_once('@').unwrap();
    let (address, database) = rest.split_once('/').unwrap();
    let (database, _) = database.split_once('?').unwrap_or((database, ""));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let ours = listener.local_addr().unwrap();
    let theirs = address.to_owned();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let server = TcpStream::connect(&theirs).await.unwrap();
            tokio::spawn(carry(client, server, Arc::clone(&count)));
        }
    });
    format!("{before}@{ours}/{database}?sslmode=disable")
}

async fn carry(client: TcpStream, server: TcpStream, count: Arc<Count>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let answered = Arc::new(AtomicUsize::new(1));
    let answers = Arc::clone(&answered);
    tokio::spawn(async move {
        let mut buffer = vec![0; 65_536];
        while let Ok(read @ 1..) = from_server.read(&mut buffer).await {
            answers.store(1, Ordering::SeqCst);
            to_client.write_all(&buffer[..read]).await.unwrap();
        }
    });
    let (mut buffer, mut pending) = (vec![0; 65_536], Vec::new());
    let mut started = false;
    while let Ok(read @ 1..) = from_client.read(&mut buffer).await {
        if answered.swap(0, Ordering::SeqCst) == 1 {
            count.flights.fetch_add(1, Ordering::SeqCst);
        }
        pending.extend_from_slice(&buffer[..read]);
        // The very first message has no type.
        let head = usize::from(started);
        while pending.len() >= head + 4 {
            let head = usize::from(started);
            let length = u32::from_be_bytes(pending[head..head + 4].try_into().unwrap());
            let whole = head + usize::try_from(length).unwrap();
            if pending.len() < whole {
                break;
            }
            // A simple query, or the execution of a prepared one.
            if started && matches!(pending[0], b'Q' | b'E') {
                count.statements.fetch_add(1, Ordering::SeqCst);
            }
            started = true;
            pending.drain(..whole);
        }
        to_server.write_all(&buffer[..read]).await.unwrap();
    }
}
