//! Databases and master keys that cannot be used: one message that says what to do.

use std::net::TcpListener;

use roadstead_testkit::{Scratch, on_both_databases};

use crate::api::{add_operator, serve};
use crate::program::{Ended, Place, run, with};

/// 32 bytes in base64.
const KEY: &str = "v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";
const OTHER_KEY: &str = "v1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n";

#[track_caller]
fn refused(place: &Place, url: &str) -> Ended {
    run(&["serve"], &place.settings_on(url)).failed(1, &["hunter2"])
}

#[test]
fn a_database_url_of_another_kind_is_refused() {
    let place = Place::new();
    for url in [
        "mysql://root:hunter2@db/x",
        "roadstead.db",
        "",
        "postgres://",
        "sqlite://",
    ] {
        let ended = refused(&place, url);
        assert!(
            ended.message().contains("ROADSTEAD_DATABASE_URL"),
            "{}",
            ended.err
        );
        for example in ["`sqlite://roadstead.db`", "`postgres://user@host/name`"] {
            assert!(ended.message().contains(example), "{}", ended.err);
        }
    }
    for url in ["sqlite://:memory:", "sqlite:///tmp/x.db?mode=ro"] {
        let ended = refused(&place, url);
        assert!(ended.message().contains("sqlite://"), "{}", ended.err);
    }
}

#[test]
fn a_postgresql_that_is_not_there_is_told_by_its_address() {
    let place = Place::new();
    place.write("roadstead.key", KEY);
    let free = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let ended = refused(&place, &format!("postgres://me:hunter2@{free}/roadstead"));
    let message = ended.message();
    assert!(message.contains(&free.to_string()), "{message}");
    // Our sentence ends with what to do; what the driver met is for the log.
    assert!(
        message.ends_with("correct the address in the database URL"),
        "{message}"
    );
    let settings = place.settings_on(&format!("postgres://me:hunter2@{free}/roadstead"));
    let settings = with(settings, "ROADSTEAD_LOG", "debug");
    let ended = run(&["serve"], &settings).failed(1, &["hunter2"]);
    assert!(ended.err.contains("(os error "), "{}", ended.err);
}

#[test]
fn a_folder_that_is_not_there_is_told_with_the_command_that_makes_it() {
    let place = Place::new();
    let file = place.path("absent/roadstead.db");
    let ended = refused(&place, &format!("sqlite://{}", file.display()));
    assert!(ended.message().contains("mkdir -p"), "{}", ended.err);
    assert!(!place.path("absent").exists());
}

#[test]
fn a_place_where_nothing_can_be_written_is_told() {
    let place = Place::new();
    // Not even root may write there.
    let ended = refused(&place, "sqlite:///proc/roadstead.db");
    assert!(ended.message().contains("/proc/roadstead"), "{}", ended.err);
    let folder = place.path("folder");
    std::fs::create_dir(&folder).unwrap();
    let ended = refused(&place, &format!("sqlite://{}", folder.display()));
    assert!(ended.message().contains("folder"), "{}", ended.err);
    let text = place.write(
        "text.db",
        "this is a text and no database, whatever its name says",
    );
    let ended = refused(&place, &format!("sqlite://{text}"));
    assert!(
        ended.message().ends_with("file is not a database"),
        "{}",
        ended.err
    );
}

#[test]
fn the_master_key_is_made_once_and_readable_by_nobody_else() {
    let place = Place::new();
    add_operator(&place.settings());
    let key = place.path("roadstead.key");
    let first = std::fs::read_to_string(&key).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        for file in ["roadstead.key", "roadstead.db"] {
            let mode = std::fs::metadata(place.path(file))
                .unwrap()
                .permissions()
                .mode();
            assert_eq!(mode & 0o777, 0o600, "{file}");
        }
    }
    run(&["migrate", "status"], &place.settings()).ok();
    assert_eq!(std::fs::read_to_string(&key).unwrap(), first);
}

#[test]
fn a_database_whose_master_key_is_missing_stays_closed() {
    let place = Place::new();
    add_operator(&place.settings());
    std::fs::rename(place.path("roadstead.key"), place.path("moved.key")).unwrap();
    let ended = run(&["serve"], &place.settings()).failed(1, &[]);
    let message = ended.message();
    assert!(
        message.contains("is missing") && message.contains("put the file back"),
        "{message}"
    );
    assert!(
        !place.path("roadstead.key").exists(),
        "another key was made"
    );
    let moved = place.path("moved.key").display().to_string();
    let settings = with(place.settings(), "ROADSTEAD_MASTER_KEY_FILE", &moved);
    let (program, _) = serve(&["serve"], &settings);
    program.stop().ok();
}

#[test]
fn a_key_file_that_holds_no_key_is_refused_without_showing_it() {
    let place = Place::new();
    for text in [
        "",
        "hunter2hunter2hunter2",
        "v1:hunter2hunter2",
        "v0:AAAA",
        "v1:\nv1:",
    ] {
        place.write("roadstead.key", text);
        let ended = run(&["serve"], &place.settings()).failed(1, &["hunter2"]);
        assert!(ended.message().contains("roadstead.key"), "{}", ended.err);
    }
    std::fs::remove_file(place.path("roadstead.key")).unwrap();
    std::fs::create_dir(place.path("roadstead.key")).unwrap();
    let ended = run(&["serve"], &place.settings()).failed(1, &[]);
    assert!(ended.message().contains("roadstead.key"), "{}", ended.err);
}

#[test]
fn a_second_server_on_the_same_file_is_refused_until_the_first_has_ended() {
    let place = Place::new();
    let (first, _) = serve(&["serve"], &place.settings());
    let second = run(&["serve"], &place.settings()).failed(1, &[]);
    assert!(
        second.message().contains("another `roadstead serve`"),
        "{}",
        second.err
    );
    // What is no server may look and write meanwhile.
    run(&["migrate", "status"], &place.settings()).ok();
    add_operator(&place.settings());
    first.kill();
    let (third, _) = serve(&["serve"], &place.settings());
    third.stop().ok();
}

on_both_databases! {
    async fn a_master_key_that_does_not_fit_is_refused(database: &Scratch) {
        let place = Place::new();
        let settings = place.settings_on(database.url());
        place.write("roadstead.key", KEY);
        run(&["migrate", "up"], &settings).ok();
        let (program, _) = serve(&["serve"], &settings);
        program.stop().ok();
        place.write("roadstead.key", OTHER_KEY);
        let create = ["user", "create", "--email", "op@test.example", "--operator"];
        for command in [&["serve"][..], &create] {
            let ended = run(command, &settings).failed(1, &[KEY.trim(), OTHER_KEY.trim()]);
            let message = ended.message();
            assert!(message.starts_with("the master key in `"), "{message}");
            assert!(message.contains("ROADSTEAD_MASTER_KEY_FILE"), "{message}");
            assert!(!message.contains("request id"), "{message}");
        }
        // Both at hand, the newest last, is how keys are changed.
        place.write("roadstead.key", &format!("{KEY}{}", OTHER_KEY.replace("v1", "v2")));
        let (program, _) = serve(&["serve"], &settings);
        program.stop().ok();
    }
}

#[test]
fn a_wrong_password_for_postgresql_is_told_and_not_shown() {
    const NAME: &str = concat!(
        module_path!(),
        "::a_wrong_password_for_postgresql_is_told_and_not_shown"
    );
    if roadstead_testkit::ScratchPostgres::is_left_out(NAME) {
        return;
    }
    roadstead_testkit::block_on(async {
        let scratch = roadstead_testkit::ScratchPostgres::create().await;
        let (scheme, rest) = scratch.url().split_once("://").unwrap();
        let (_, host) = rest.split_once('@').unwrap();
        let place = Place::new();
        place.write("roadstead.key", KEY);
        let ended = refused(&place, &format!("{scheme}://nobody:hunter2@{host}"));
        assert!(ended.message().contains("password"), "{}", ended.err);
        let absent = scratch.url().rsplit_once('/').unwrap().0;
        let ended = refused(&place, &format!("{absent}/no_such_database"));
        assert!(
            ended.message().contains("no_such_database"),
            "{}",
            ended.err
        );
        // PostgreSQL is shared, so its key is never made by chance.
        std::fs::remove_file(place.path("roadstead.key")).unwrap();
        let ended = refused(&place, scratch.url());
        assert!(ended.message().contains("/dev/urandom"), "{}", ended.err);
        assert!(!place.path("roadstead.key").exists());
    });
}
