//! `roadstead user create`.

use crate::api::{Api, PASSWORD, serve, word};
use crate::program::{Ended, Place, run, run_with_input};

fn create(place: &Place, email: &str, input: &str) -> Ended {
    let arguments = [
        "user",
        "create",
        "--email",
        email,
        "--organization",
        "Harbor",
    ];
    run_with_input(&arguments, &place.settings(), input)
}

#[tokio::test]
async fn a_piped_password_is_the_one_to_log_in_with() {
    let place = Place::new();
    let made = create(&place, "A@test.example", &format!("{PASSWORD}\r\n")).ok();
    assert_eq!(made.out, "added a@test.example\n");
    let (program, address) = serve(&["serve"], &place.settings());
    let api = Api::login(&address, "a@test.example", PASSWORD).await;
    let me = api.get("/api/auth/me").await;
    assert_eq!(word(&me, "/organizations/0/name"), "Harbor");
    assert_eq!(word(&me, "/organizations/0/role"), "owner");
    let stopped = program.stop().ok();
    roadstead_testkit::assert_absent(PASSWORD, stopped.err.as_bytes());
}

#[tokio::test]
async fn without_a_password_one_is_made_and_printed_once() {
    let place = Place::new();
    let made = create(&place, "a@test.example", "").ok();
    let password = made
        .out
        .lines()
        .find_map(|it| it.strip_prefix("password: "))
        .unwrap();
    assert!(password.len() >= 16, "{password}");
    let other = create(&place, "b@test.example", "\n").ok();
    assert!(!other.out.contains(password), "the same password twice");
    let (program, address) = serve(&["serve"], &place.settings());
    Api::login(&address, "a@test.example", password).await;
    program.stop().ok();
}

#[test]
fn an_address_that_is_taken_is_refused_whatever_its_case() {
    let place = Place::new();
    create(&place, "a@test.example", PASSWORD).ok();
    let twice = create(&place, "A@Test.Example", PASSWORD).failed(1, &[PASSWORD]);
    assert!(twice.message().contains("taken"), "{}", twice.err);
}

#[test]
fn what_cannot_be_an_address_or_a_password_is_refused() {
    let place = Place::new();
    let address = create(&place, "no address", PASSWORD).failed(1, &[PASSWORD]);
    assert!(address.message().contains("e-mail"), "{}", address.err);
    let short = create(&place, "a@test.example", "short").failed(1, &[]);
    assert!(
        short.message().contains("at least 8 characters"),
        "{}",
        short.err
    );
    let status = run(&["migrate", "status"], &place.settings()).ok();
    assert!(!status.out.contains("pending"), "{}", status.out);
}
