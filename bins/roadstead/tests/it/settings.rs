//! Settings that are wrong: all told at once, and never with what they hold.

use std::net::TcpListener;

use crate::api::serve;
use crate::program::{Place, run, with};

const WRONG: [(&str, &str); 8] = [
    ("ROADSTEAD_LISTEN", "8080"),
    (
        "ROADSTEAD_DATABASE_URL",
        "mysql://root:hunter2@db/roadstead",
    ),
    ("ROADSTEAD_MASTER_KEY_FILE", ""),
    ("ROADSTEAD_WORKERS", "many"),
    ("ROADSTEAD_LEASE", "999ms"),
    ("ROADSTEAD_DIGITALOCEAN_ENDPOINT", "ftp://hunter2.example"),
    ("ROADSTEAD_LOG", "=hunter2="),
    ("ROADSTEAD_COLOR", "hunter2"),
];

#[test]
fn every_wrong_setting_is_told_in_one_message() {
    let settings = WRONG.map(|(name, value)| (name.to_owned(), value.to_owned()));
    for command in [
        &["serve"][..],
        &["migrate", "up"],
        &["user", "create", "--email", "a@b", "--operator"],
    ] {
        let ended = run(command, &settings).failed(1, &["hunter2"]);
        let message = ended.message();
        for (name, _) in WRONG {
            assert!(message.contains(name), "{name} is not in {message}");
        }
        assert_eq!(ended.out, "");
    }
}

#[test]
fn a_file_of_settings_is_read_and_the_environment_wins_over_it() {
    let place = Place::new();
    let text: String = WRONG
        .map(|(name, value)| format!("{name} = \"{value}\"\n"))
        .concat();
    let file = place.write("wrong.toml", &text);
    let ended = run(&["serve", "--config", &file], &[]).failed(1, &["hunter2"]);
    for (name, _) in WRONG {
        assert!(
            ended.message().contains(name),
            "{name} is not in {}",
            ended.err
        );
    }

    let database = place.path("roadstead.db").display().to_string();
    let key = place.path("roadstead.key").display().to_string();
    let file = place.write(
        "good.toml",
        &format!(
            "ROADSTEAD_LISTEN = \"127.0.0.1:1\"\nROADSTEAD_WORKERS = 0\n\
             ROADSTEAD_DATABASE_URL = \"sqlite://{database}\"\n\
             ROADSTEAD_MASTER_KEY_FILE = \"{key}\"\n"
        ),
    );
    let listen = with(Vec::new(), "ROADSTEAD_LISTEN", "127.0.0.1:0");
    let (program, address) = serve(&["--config", &file, "serve"], &listen);
    assert!(!address.ends_with(":1"), "{address}");
    assert!(place.path("roadstead.db").exists() && place.path("roadstead.key").exists());
    program.stop().ok();
}

#[test]
fn a_file_of_settings_that_cannot_be_used_is_named() {
    let place = Place::new();
    let serve = |file: &str| run(&["serve", "--config", file], &[]).failed(1, &["hunter2"]);
    let absent = serve(&place.path("absent.toml").display().to_string());
    assert!(absent.message().contains("absent.toml"), "{}", absent.err);
    for (name, text) in [
        (
            "broken.toml",
            "ROADSTEAD_DATABASE_URL = \"postgres://u:hunter2@db/x",
        ),
        ("other.toml", "LISTEN = \"127.0.0.1:0\""),
        ("table.toml", "[ROADSTEAD_LISTEN]\nport = 1"),
        ("list.toml", "ROADSTEAD_LISTEN = [\"hunter2\"]"),
    ] {
        let ended = serve(&place.write(name, text));
        assert!(ended.message().contains(name), "{}", ended.err);
        let prefix = ended.message().contains("names begin with ROADSTEAD_");
        assert_eq!(prefix, name == "other.toml", "{}", ended.err);
    }
}

#[test]
fn a_port_in_use_is_told_with_what_to_do() {
    let place = Place::new();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let settings = with(place.settings(), "ROADSTEAD_LISTEN", &address);
    let ended = run(&["serve"], &settings).failed(1, &[]);
    let message = ended.message();
    assert!(
        message.contains(&address) && message.contains("in use"),
        "{message}"
    );
    assert!(message.ends_with("with ROADSTEAD_LISTEN"), "{message}");
    // The socket comes before the files.
    assert!(place.is_empty());
    let kept = place.path("kept").display().to_string();
    let others: [&[&str]; 3] = [
        &["demo", "--data", &kept, "--listen"],
        &["simulate", "--linode"],
        &["simulate", "--digitalocean"],
    ];
    for other in others {
        let option = other.last().unwrap();
        let ended = run(&[other, &[&*address]].concat(), &[]).failed(1, &[]);
        let message = ended.message();
        assert!(
            message.contains(&format!("{address} is in use")),
            "{message}"
        );
        assert!(message.ends_with(&format!("with {option}")), "{message}");
    }
    assert!(place.is_empty());
}

#[test]
fn an_endpoint_in_clear_text_beyond_loopback_never_gets_a_token() {
    let place = Place::new();
    let endpoint = "http://vendor.example";
    let settings = with(
        place.settings(),
        "ROADSTEAD_DIGITALOCEAN_ENDPOINT",
        endpoint,
    );
    // Whether at the start or at the first use: here, it has to be at the start.
    let ended = run(
        &["serve"],
        &with(settings, "ROADSTEAD_LISTEN", "127.0.0.1:0"),
    );
    let ended = ended.failed(1, &[]);
    assert!(
        ended.message().contains("DIGITALOCEAN_ENDPOINT"),
        "{}",
        ended.err
    );
}
