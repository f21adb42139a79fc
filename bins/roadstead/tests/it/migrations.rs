//! `roadstead migrate` on either database.

use roadstead_testkit::{Backend, Scratch, on_both_databases};

use crate::api::serve;
use crate::program::{Place, run};

const KEY: &str = "v1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n";

on_both_databases! {
    async fn migrations_go_up_and_down_and_tell_where_they_are(database: &Scratch) {
        let place = Place::new();
        place.write("roadstead.key", KEY);
        let settings = place.settings_on(database.url());
        let migrate = |arguments: &[&str]| run(&[&["migrate"], arguments].concat(), &settings);
        let words = |out: &str| -> Vec<String> {
            out.lines().map(|it| it.split(' ').next().unwrap().to_owned()).collect()
        };

        if database.backend() == Backend::Sqlite {
            // A file that is there and has no tables yet.
            let (_, file) = database.url().split_once("://").unwrap();
            std::fs::write(file, "").unwrap();
        }
        let fresh = migrate(&["status"]).ok().out;
        assert!(!fresh.is_empty() && words(&fresh).iter().all(|it| it == "pending"), "{fresh}");
        let count = fresh.lines().count();
        let up = migrate(&["up"]).ok().out;
        assert_eq!(up.matches("applied ").count(), count + 1, "{up}");
        let status = migrate(&["status"]).ok().out;
        assert!(words(&status).iter().all(|it| it == "applied"), "{status}");
        let again = migrate(&["up"]).ok().out;
        assert!(again.starts_with("0 applied on "), "{again}");
        let down = migrate(&["down"]).ok().out;
        assert!(down.contains("1 undone on "), "{down}");
        let status = migrate(&["status"]).ok().out;
        assert_eq!(words(&status).iter().filter(|it| *it == "pending").count(), 1, "{status}");
        migrate(&["up"]).ok();
        migrate(&["down", "1000"]).ok();
        let status = migrate(&["status"]).ok().out;
        assert!(words(&status).iter().all(|it| it == "pending"), "{status}");
        migrate(&["down"]).ok();
    }

    async fn a_server_migrates_its_own_file_and_a_shared_database_only_when_told(database: &Scratch) {
        let place = Place::new();
        place.write("roadstead.key", KEY);
        let settings = place.settings_on(database.url());
        if database.backend() == Backend::Postgres {
            let ended = run(&["serve"], &settings).failed(1, &[]);
            let message = ended.message();
            assert!(message.ends_with("are pending: run `roadstead migrate up`"), "{message}");
            assert!(!message.contains("request id"), "{message}");
        }
        let arguments: &[&str] = match database.backend() {
            Backend::Sqlite => &["serve"],
            Backend::Postgres => &["serve", "--migrate"],
        };
        let (program, _) = serve(arguments, &settings);
        program.stop().ok();
        let (program, _) = serve(&["serve"], &settings);
        program.stop().ok();
    }
}

#[test]
fn a_file_that_does_not_exist_is_not_made_by_looking_at_it() {
    let place = Place::new();
    for action in [&["migrate", "status"][..], &["migrate", "down"]] {
        let ended = run(action, &place.settings()).failed(1, &[]);
        let message = ended.message();
        assert!(message.contains("there is no database"), "{message}");
        assert!(message.contains("ROADSTEAD_DATABASE_URL"), "{message}");
        assert!(place.is_empty());
    }
}
