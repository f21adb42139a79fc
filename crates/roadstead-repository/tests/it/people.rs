//! People, their sessions, and the log of what they did.

use std::time::Duration;

use jiff::Timestamp;
use roadstead_core::SessionId;
use roadstead_repository::{Error, NewSession, Role};
use roadstead_testkit::{Scratch, on_both_databases};

use crate::fixture::{Fleet, TEMPLATE, audit, execute, lines, migrated, nobody};

on_both_databases! {
    prepared(TEMPLATE, migrated);

    async fn an_email_address_is_taken_once_whatever_its_case(database: &Scratch) {
        let repository = Fleet::open(database).await.repository;
        let ada = repository.create_user("Ada@Example.org", None, true, audit()).await.unwrap();
        assert_eq!(ada.email, "ada@example.org");
        let again = repository.create_user("ada@example.ORG ", Some("h"), false, audit()).await;
        assert!(matches!(again, Err(Error::Conflict { .. })), "{again:?}");
        repository.set_password(ada.id, "$argon2id$x").await.unwrap();
        let found = repository.find_user_by_email("ADA@example.org").await.unwrap().unwrap();
        assert_eq!(found.password_hash.as_deref(), Some("$argon2id$x"));
        assert_eq!((found.id, found.operator, found.created_at), (ada.id, true, ada.created_at));
        assert_eq!(repository.find_user_by_email("bob@example.org").await.unwrap(), None);
        let (_, stranger) = nobody();
        let lost = repository.set_password(stranger, "h").await;
        assert!(matches!(lost, Err(Error::NotFound { what: "user" })), "{lost:?}");
    }

    async fn a_session_carries_the_user_and_every_membership(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let user = repository.create_user("ada@example.org", None, false, audit()).await.unwrap();
        let now = Timestamp::now();
        let session = NewSession {
            id: SessionId::fresh(),
            user: user.id,
            token_hash: vec![7; 32],
            created_at: now,
            expires_at: now + Duration::from_secs(3600),
        };
        repository.create_session(&session).await.unwrap();
        let alone = repository.find_session(&[7; 32], now).await.unwrap().unwrap();
        assert_eq!(alone.memberships, []);
        let strangers = fleet.stranger().await;
        repository.add_member(fleet.tenant.org, user.id, Role::Viewer).await.unwrap();
        repository.add_member(strangers.org, user.id, Role::Member).await.unwrap();
        repository.add_member(fleet.tenant.org, user.id, Role::Owner).await.unwrap();

        let found = repository.find_session(&[7; 32], now).await.unwrap().unwrap();
        assert_eq!((found.id, &found.user), (session.id, &user));
        let roles: Vec<_> =
            found.memberships.iter().map(|it| (it.organization.id, it.role)).collect();
        assert_eq!(roles, [(fleet.tenant.org, Role::Owner), (strangers.org, Role::Member)]);
        assert_eq!(repository.memberships(user.id).await.unwrap(), found.memberships);

        assert_eq!(repository.find_session(&[8; 32], now).await.unwrap(), None);
        assert_eq!(repository.find_session(&[7; 32], session.expires_at).await.unwrap(), None);
        repository.delete_session(session.id).await.unwrap();
        repository.delete_session(session.id).await.unwrap();
        assert_eq!(repository.find_session(&[7; 32], now).await.unwrap(), None);
    }

    async fn an_expired_session_is_forgotten_at_the_next_login(database: &Scratch) {
        let repository = Fleet::open(database).await.repository;
        let user = repository.create_user("ada@example.org", None, false, audit()).await.unwrap();
        for (byte, expires_at) in [(1, Timestamp::UNIX_EPOCH), (2, Timestamp::MAX)] {
            let (id, token_hash) = (SessionId::fresh(), vec![byte; 32]);
            let created_at = Timestamp::now();
            let session = NewSession { id, user: user.id, token_hash, created_at, expires_at };
            repository.create_session(&session).await.unwrap();
        }
        let count = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM sessions";
        assert_eq!(lines(database, count).await, ["1"]);
        assert!(repository.find_session(&[2; 32], Timestamp::now()).await.unwrap().is_some());
    }

    async fn nobody_becomes_a_member_of_nothing(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let (org, user) = nobody();
        let outcome = fleet.repository.add_member(org, user, Role::Owner).await;
        assert!(matches!(outcome, Err(Error::Conflict { .. })), "{outcome:?}");
        let same = fleet.repository.ensure_organization("Harbor").await.unwrap();
        assert_eq!(same.id, fleet.tenant.org);
    }

    async fn the_audit_log_is_read_by_whose_it_is_newest_first(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        let repository = &fleet.repository;
        let ada = repository.create_user("ada@example.org", None, true, audit()).await.unwrap();
        let mut subjects = Vec::new();
        for _ in 0..3 {
            let accepted = fleet.accept().await;
            subjects.push(accepted.instance.id.to_string());
        }
        let org = Some(fleet.tenant.org);
        let first = repository.list_audit(org, None, None, 2).await.unwrap();
        let named: Vec<_> = first.iter().map(|it| it.subject.as_str()).collect();
        assert_eq!(named.len(), 2);
        assert!(first[0].id > first[1].id);
        let rest = repository.list_audit(org, None, Some(first[1].id), 2).await.unwrap();
        assert_eq!(rest.len(), 1);
        assert!(rest[0].id < first[1].id);
        // Only what is about one thing.
        let one = repository.list_audit(org, Some(&first[0].subject), None, 9).await.unwrap();
        assert!(one.iter().all(|it| it.subject == first[0].subject), "{one:?}");
        // Nobody else's, and of the installation only its own.
        let stranger = fleet.stranger().await;
        assert_eq!(repository.list_audit(Some(stranger.org), None, None, 9).await.unwrap(), []);
        let entry = roadstead_repository::AuditEntry { user: Some(ada.id), ..audit() };
        repository.create_user("bob@example.org", None, false, entry).await.unwrap();
        let own = repository.list_audit(None, None, None, 9).await.unwrap();
        assert_eq!(own[0].who.as_deref(), Some("ada@example.org"));
        assert_eq!((own[0].action.as_str(), own[0].details["more"].as_i64()), ("test.do", Some(1)));
        assert_eq!(own[1].who, None);
        assert!(own.iter().all(|it| !subjects.contains(&it.subject)), "{own:?}");
    }

    async fn the_audit_log_only_grows(database: &Scratch) {
        let fleet = Fleet::open(database).await;
        fleet.accept().await;
        let count = "SELECT CAST(COUNT(*) AS TEXT) AS line FROM audit_log";
        assert_eq!(lines(database, count).await, ["2"]);
        for sql in ["UPDATE audit_log SET action = 'x'", "DELETE FROM audit_log"] {
            let error = execute(database, sql).await.unwrap_err();
            assert!(error.contains("the audit log only grows"), "{error}");
        }
    }
}
