//! SSH keys: kept here, brought to the vendor for a create, removed there when nobody needs them.

use futures::future::join_all;
use roadstead_core::SshKeyId;
use roadstead_service::{
    Accepted, AddSshKey, CreateServer, Engine, Error, Grant, ManageKeys, PageRequest, ReadKeys,
    SshKey,
};
use roadstead_sim::{Scopes, TOKEN_FULL};
use serde_json::{Value, json};

use crate::stage::{Stage, at_each_vendor};

/// Where the vendor that takes keys by ids keeps them.
const KEYS: &str = "/v2/account/keys";

/// Makes a test on each database at the vendor that takes keys by its ids.
macro_rules! where_keys_are_placed {
    (@tests) => {};
    (@tests
        async fn $name:ident($stage:ident: $kind:ty) $body:block
        $($rest:tt)*
    ) => {
        async fn $name($stage: $kind) $body

        mod $name {
            roadstead_testkit::on_both_databases! {
                prepared(crate::stage::TEMPLATE, crate::stage::migrated);

                async fn digitalocean(database: &roadstead_testkit::Scratch) {
                    let vendor = &crate::vendor::DIGITALOCEAN;
                    let scene = crate::stage::Scene::default();
                    let stage = crate::stage::Stage::open(database, vendor, scene).await;
                    super::$name(&stage).await;
                    stage.halt().await;
                }
            }
        }

        where_keys_are_placed! { @tests $($rest)* }
    };
    ($($tests:tt)+) => { where_keys_are_placed! { @tests $($tests)+ } };
}

at_each_vendor! {
    async fn a_key_of_ours_reaches_the_server(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        assert_eq!(key.kind, "ssh-ed25519");
        assert_eq!((key.comment.as_str(), &*key.public_key), ("me@example.org", &*bare(1)));
        assert_eq!(list(stage).await, std::slice::from_ref(&key));
        // No vendor hears of it before a server needs it.
        assert!(stage.changes(0).is_empty());
        for label in ["web", "mail"] {
            let accepted = with_keys(stage, label, &[key.id.to_string()]).await;
            stage.succeeds(accepted.operation.id).await;
        }
        for server in stage.living() {
            assert_eq!(keys_on(stage, &server), [public(1)], "{server}");
        }
        let (kept, calls) = match stage.vendor.kind {
            // Looked for and added for the first server; known for the second.
            "digitalocean" => (1, 2),
            _ => (0, 0),
        };
        assert_eq!(kept_keys(stage).len(), kept);
        assert_eq!(calls_about_keys(stage).len(), calls);
    }

    async fn a_key_in_full_reaches_the_server_and_leaves_nothing_at_the_account(stage: &Stage) {
        let accepted = with_keys(stage, "web", &[public(1)]).await;
        stage.until("the server has its key", async || {
            let [server] = stage.living().try_into().ok()?;
            (keys_on(stage, &server) == [public(1)]).then_some(())
        }).await;
        stage.succeeds(accepted.operation.id).await;
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
        stage.until("we forget it", async || {
            stage.repository.list_placements(stage.account).await.unwrap().is_empty().then_some(())
        }).await;
    }

    async fn one_key_named_in_two_ways_counts_once(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        let id = key.id.to_string();
        let named = [id.clone(), bare(1), id.to_uppercase(), public(2)];
        let accepted = with_keys(stage, "web", &named).await;
        stage.until("the server has two keys", async || {
            let [server] = stage.living().try_into().ok()?;
            (keys_on(stage, &server) == [public(1), public(2)]).then_some(())
        }).await;
        stage.succeeds(accepted.operation.id).await;
    }

    async fn what_is_no_key_of_ours_is_refused_with_all_else_that_is_wrong(stage: &Stage) {
        let stranger: Grant<ManageKeys> = stage.stranger().grant(None).unwrap();
        let theirs = stage.platform.add_ssh_key(&stranger, adding("laptop", 1)).await.unwrap();
        let unknown = SshKeyId::fresh();
        let private = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI";
        let mut request = stage.request("-two words!-");
        request.root_password = None;
        request.ssh_keys = vec![
            theirs.id.to_string(),
            public(2),
            unknown.to_string(),
            private.to_owned(),
            "ssh-ed25519 AAAA".to_owned(),
        ];
        let Err(Error::Invalid(errors)) = stage.platform.create_server(&stage.member(), request).await else {
            panic!("accepted");
        };
        let said: Vec<_> = errors.iter().map(|it| (&*it.field, &*it.error)).collect();
        assert_eq!(said[0], ("ssh_keys", &*format!("key 1: there is no SSH key `{}` in this organization", theirs.id)));
        assert_eq!(said[1], ("ssh_keys", &*format!("key 3: there is no SSH key `{unknown}` in this organization")));
        assert!(said[2].1.starts_with("key 4: this is a private key"), "{said:?}");
        assert!(said[3].1.starts_with("key 5: the key is cut off"), "{said:?}");
        assert_eq!((said.len(), said[4].0), (5, "label"), "{said:?}");
        assert!(stage.servers().await.is_empty() && stage.changes(0).is_empty());
        let everything = String::from_utf8_lossy(&stage.rows.everything().await).into_owned();
        assert!(!everything.contains("b3BlbnNzaC1rZXktdjEAAAAACmFlczI1Ni1jdHI"));
    }

    async fn an_accepted_create_has_its_key_whatever_becomes_of_ours(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        stage.halt().await;
        let accepted = with_keys(stage, "web", &[key.id.to_string()]).await;
        delete(stage, &key).await.unwrap();
        assert_eq!(list(stage).await, []);
        stage.start(1);
        stage.until("the server has its key", async || {
            let [server] = stage.living().try_into().ok()?;
            (keys_on(stage, &server) == [public(1)]).then_some(())
        }).await;
        stage.succeeds(accepted.operation.id).await;
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
    }

    async fn two_hundred_keys_are_enough_and_fifty_reach_a_server(stage: &Stage) {
        let mut keys = Vec::new();
        for number in 0..200 {
            keys.push(add(stage, &format!("key {number}"), number).await);
        }
        let full = stage.platform.add_ssh_key(&manage(stage), adding("one more", 200)).await;
        let Err(Error::QuotaExceeded(message)) = full else { panic!("{full:?}") };
        assert_eq!(message, "the organization has 200 SSH keys, and may have no more");
        let ids: Vec<String> = keys.iter().map(|it| it.id.to_string()).collect();
        let request = CreateServer { ssh_keys: ids[..51].to_vec(), ..stage.request("web") };
        let Err(Error::Invalid(errors)) = stage.platform.create_server(&stage.member(), request).await else {
            panic!("accepted");
        };
        assert_eq!((&*errors[0].field, &*errors[0].error), ("ssh_keys", "at most 50 keys"));
        let accepted = with_keys(stage, "web", &ids[150..]).await;
        stage.succeeds(accepted.operation.id).await;
        let [server] = stage.living().try_into().unwrap();
        let expected: Vec<String> = (150..200).map(public).collect();
        assert_eq!(keys_on(stage, &server), expected);
    }

    async fn keys_of_one_organization_are_no_business_of_another(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        let looking: Grant<ReadKeys> = stage.stranger().grant(None).unwrap();
        let page = PageRequest::default();
        assert_eq!(stage.platform.ssh_keys(&looking, &page).await.unwrap().items, []);
        let managing: Grant<ManageKeys> = stage.stranger().grant(None).unwrap();
        let deleted = stage.platform.delete_ssh_key(&managing, key.id).await;
        assert!(matches!(deleted, Err(Error::NotFound("SSH key"))), "{deleted:?}");
        assert_eq!(list(stage).await, [key]);
        for limit in [0, 201] {
            let page = PageRequest { cursor: None, limit };
            assert!(matches!(stage.platform.ssh_keys(&looking, &page).await, Err(Error::Invalid(_))));
        }
    }
}

where_keys_are_placed! {
    async fn two_processes_with_a_new_key_at_once_place_it_once(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        let twin = stage.twin().await;
        let engine = Engine::start(&twin, 2);
        let ids = [key.id.to_string()];
        let accepted = join_all((0..8).map(|number| {
            let label = format!("web-{number}");
            let ids = &ids;
            async move { with_keys(stage, &label, ids).await.operation.id }
        })).await;
        for id in accepted {
            stage.succeeds(id).await;
        }
        engine.stop().await;
        let [kept] = kept_keys(stage).try_into().unwrap();
        assert!(kept["name"].as_str().unwrap().starts_with("laptop-"), "{kept}");
        assert!(stage.living().iter().all(|it| keys_on(stage, it) == [public(1)]));
        assert_eq!(stage.living().len(), 8);
    }

    async fn killed_before_the_key_is_on_record_it_is_found_again(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        stage.fault(json!({ "method": "POST", "path": KEYS, "when": "after", "effect": { "delay_ms": 900 } }));
        let twin = stage.twin().await;
        stage.halt().await;
        let accepted = with_keys(stage, "web", &[key.id.to_string()]).await;
        let engine = Engine::start(&twin, 1);
        stage.until("the key has arrived", async || (kept_keys(stage).len() == 1).then_some(())).await;
        // As a crash: nothing is handed back.
        drop(engine);
        assert!(stage.creates().is_empty());
        stage.start(1);
        stage.succeeds(accepted.operation.id).await;
        assert_eq!(kept_keys(stage).len(), 1);
        assert_eq!(added(stage), 1);
        // It is known to be ours, and goes with ours.
        delete(stage, &key).await.unwrap();
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
    }

    async fn an_answer_that_is_lost_places_no_second_key(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        stage.fault(json!({ "method": "POST", "path": KEYS, "when": "after", "effect": { "drop": true } }));
        let accepted = with_keys(stage, "web", &[key.id.to_string()]).await;
        let operation = stage.succeeds(accepted.operation.id).await;
        assert_eq!((operation.attempts, added(stage), kept_keys(stage).len()), (1, 1, 1));
    }

    async fn a_vendor_that_is_slow_with_keys_gets_them_bit_by_bit(stage: &Stage) {
        stage.fault(json!({ "path": "/v2/account/keys*", "count": 100_000, "effect": { "delay_ms": 250 } }));
        let given: Vec<String> = (0..20).map(public).collect();
        let accepted = with_keys(stage, "web", &given).await;
        let operation = stage.succeeds(accepted.operation.id).await;
        assert_eq!(operation.attempts, 1);
        let [create] = stage.creates().try_into().unwrap();
        assert_eq!(create.body.unwrap()["ssh_keys"].as_array().unwrap().len(), 20);
    }

    async fn a_create_waits_for_a_vendor_that_takes_no_keys_now(stage: &Stage) {
        stage.fault(json!({ "path": "/v2/account/keys*", "count": 12, "effect": { "status": 503 } }));
        let accepted = with_keys(stage, "web", &[public(1)]).await;
        let waiting = stage.until("the reason is visible", async || {
            stage.operation(accepted.operation.id).await.error
        }).await;
        assert_eq!(waiting.code, "API_ERROR", "{waiting:?}");
        let operation = stage.succeeds(accepted.operation.id).await;
        assert_eq!((operation.attempts, stage.creates().len()), (1, 1));
    }

    async fn a_key_that_the_vendor_does_not_take_fails_the_create(stage: &Stage) {
        let body = json!({ "id": "unprocessable_entity", "message": "Key invalid, key should be of the format `type key [comment]`" });
        stage.fault(json!({ "method": "POST", "path": KEYS, "count": 9, "effect": { "status": 422, "body": body } }));
        let accepted = with_keys(stage, "web", &[public(1)]).await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!((code.as_str(), operation.attempts), ("VALIDATION_ERROR", 0));
        assert_eq!(operation.error.unwrap().field.as_deref(), Some("ssh_keys"));
        assert!(stage.creates().is_empty());
    }

    async fn a_key_that_somebody_removed_at_the_vendor_is_placed_anew(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        let ids = [key.id.to_string()];
        let accepted = with_keys(stage, "web", &ids).await;
        stage.succeeds(accepted.operation.id).await;
        let [kept] = kept_keys(stage).try_into().unwrap();
        let direct = stage.direct();
        direct.extensions().ssh_keys.unwrap().delete(&kept["id"].to_string()).await.unwrap();
        let accepted = with_keys(stage, "mail", &ids).await;
        let operation = stage.succeeds(accepted.operation.id).await;
        assert_eq!(operation.attempts, 2);
        let [again] = kept_keys(stage).try_into().unwrap();
        assert_ne!(kept["id"], again["id"]);
        assert_eq!(kept["name"], again["name"]);
        assert_eq!(stage.living().len(), 2);
        // And is known from then on.
        let accepted = with_keys(stage, "dns", &ids).await;
        assert_eq!(stage.succeeds(accepted.operation.id).await.attempts, 1);
    }

    async fn an_id_that_the_vendor_does_not_know_is_refused_once(stage: &Stage) {
        let key = add(stage, "laptop", 1).await;
        let named = [key.id.to_string(), "987654321".to_owned()];
        let accepted = with_keys(stage, "web", &named).await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!((code.as_str(), operation.attempts), ("VALIDATION_ERROR", 1));
        assert_eq!(operation.error.unwrap().field.as_deref(), Some("ssh_keys"));
        // Now ours is known, and may be what the vendor means: it is asked about once more.
        let accepted = with_keys(stage, "mail", &named).await;
        let (operation, code) = stage.fails(accepted.operation.id).await;
        assert_eq!((code.as_str(), operation.attempts), ("VALIDATION_ERROR", 2));
        assert_eq!(added(stage), 1);
        assert!(stage.living().is_empty());
    }

    async fn a_key_that_was_there_before_us_stays(stage: &Stage) {
        let direct = stage.direct();
        let before = direct.extensions().ssh_keys.unwrap().ensure(&public(1), "the operator's").await.unwrap();
        let key = add(stage, "laptop", 1).await;
        let accepted = with_keys(stage, "web", &[key.id.to_string()]).await;
        stage.succeeds(accepted.operation.id).await;
        delete(stage, &key).await.unwrap();
        stage.until("we forget it", async || {
            stage.repository.list_placements(stage.account).await.unwrap().is_empty().then_some(())
        }).await;
        let [kept] = kept_keys(stage).try_into().unwrap();
        assert_eq!((kept["id"].to_string(), kept["name"].as_str().unwrap()), (before.id.to_string(), "the operator's"));
        assert!(deletions(stage).is_empty());
    }

    async fn a_key_that_another_organization_has_too_stays_until_both_have_deleted_it(stage: &Stage) {
        let stranger: Grant<ManageKeys> = stage.stranger().grant(None).unwrap();
        let key = add(stage, "laptop", 1).await;
        let theirs = stage.platform.add_ssh_key(&stranger, adding("same laptop", 1)).await.unwrap();
        let accepted = with_keys(stage, "web", &[key.id.to_string()]).await;
        stage.succeeds(accepted.operation.id).await;
        delete(stage, &key).await.unwrap();
        let span = stage.clockwork.settle_window + stage.clockwork.poll_idle * 3;
        stage.stays("the key is there", span, async || kept_keys(stage).len() == 1).await;
        stage.platform.delete_ssh_key(&stranger, theirs.id).await.unwrap();
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
        assert_eq!(deletions(stage).len(), 1);
    }

    async fn a_removal_goes_on_until_the_vendor_says_gone(stage: &Stage) {
        let key = placed(stage).await;
        // Away when it is looked for, when it is to go, and when it has gone.
        stage.fault(json!({ "method": "GET", "path": "/v2/account/keys*", "count": 4, "effect": { "status": 503 } }));
        stage.fault(json!({ "method": "DELETE", "path": "/v2/account/keys*", "count": 2, "effect": { "status": 500 } }));
        stage.fault(json!({ "method": "DELETE", "path": "/v2/account/keys*", "when": "after", "effect": { "drop": true } }));
        delete(stage, &key).await.unwrap();
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
        stage.until("we forget it", async || {
            stage.repository.list_placements(stage.account).await.unwrap().is_empty().then_some(())
        }).await;
    }

    async fn a_removal_that_is_cut_off_is_taken_up_again(stage: &Stage) {
        let key = placed(stage).await;
        stage.fault(json!({ "method": "DELETE", "path": "/v2/account/keys*", "when": "after", "effect": { "delay_ms": 900 } }));
        let twin = stage.twin().await;
        stage.halt().await;
        delete(stage, &key).await.unwrap();
        let engine = Engine::start(&twin, 1);
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
        drop(engine);
        assert_eq!(stage.repository.list_placements(stage.account).await.unwrap().len(), 1);
        stage.start(1);
        stage.until("we forget it", async || {
            stage.repository.list_placements(stage.account).await.unwrap().is_empty().then_some(())
        }).await;
    }

    async fn with_a_token_that_may_not_delete_keys_nothing_else_stops(stage: &Stage) {
        let key = placed(stage).await;
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Read);
        delete(stage, &key).await.unwrap();
        stage.until("the removal was refused", async || (!deletions(stage).is_empty()).then_some(())).await;
        assert_eq!(kept_keys(stage).len(), 1);
        stage.sim().set_token(TOKEN_FULL, None, Scopes::Full);
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
    }

    async fn a_create_during_a_removal_gets_its_key(stage: &Stage) {
        let key = placed(stage).await;
        delete(stage, &key).await.unwrap();
        stage.fault(json!({ "method": "DELETE", "path": "/v2/account/keys*", "effect": { "delay_ms": 600 } }));
        stage.until("the removal is under way", async || (!deletions(stage).is_empty()).then_some(())).await;
        let accepted = with_keys(stage, "mail", &[public(1)]).await;
        stage.succeeds(accepted.operation.id).await;
        let create = stage.creates().pop().unwrap();
        assert_eq!(create.status, Some(202), "{create:?}");
        stage.agrees().await;
        stage.until("the account has no key", async || kept_keys(stage).is_empty().then_some(())).await;
    }
}

/// The calm before: one server with one key of ours, at the vendor and on record.
async fn placed(stage: &Stage) -> SshKey {
    let key = add(stage, "laptop", 1).await;
    let accepted = with_keys(stage, "web", &[key.id.to_string()]).await;
    stage.succeeds(accepted.operation.id).await;
    assert_eq!(kept_keys(stage).len(), 1);
    key
}

/// Returns a public key of which there is one for each number.
fn bare(number: usize) -> String {
    use base64::Engine as _;
    let mut bytes = b"\0\0\0\x0bssh-ed25519\0\0\0\x20".to_vec();
    let mut point = [7_u8; 32];
    point[..8].copy_from_slice(&u64::try_from(number).unwrap().to_be_bytes());
    bytes.extend(point);
    let body = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("ssh-ed25519 {body}")
}

fn public(number: usize) -> String {
    format!("{} me@example.org", bare(number))
}

fn adding(name: &str, number: usize) -> AddSshKey {
    AddSshKey {
        name: name.to_owned(),
        public_key: public(number),
    }
}

fn manage(stage: &Stage) -> Grant<ManageKeys> {
    stage.someone().grant(None).unwrap()
}

async fn add(stage: &Stage, name: &str, number: usize) -> SshKey {
    let add = adding(name, number);
    stage
        .platform
        .add_ssh_key(&manage(stage), add)
        .await
        .unwrap()
}

async fn delete(stage: &Stage, key: &SshKey) -> Result<(), Error> {
    stage.platform.delete_ssh_key(&manage(stage), key.id).await
}

async fn list(stage: &Stage) -> Vec<SshKey> {
    let grant: Grant<ReadKeys> = stage.someone().grant(None).unwrap();
    let page = PageRequest {
        cursor: None,
        limit: 200,
    };
    stage.platform.ssh_keys(&grant, &page).await.unwrap().items
}

async fn with_keys(stage: &Stage, label: &str, keys: &[String]) -> Accepted {
    let request = CreateServer {
        ssh_keys: keys.to_vec(),
        ..stage.request(label)
    };
    stage
        .platform
        .create_server(&stage.member(), request)
        .await
        .unwrap()
}

/// Returns the keys that the vendor keeps in our account.
fn kept_keys(stage: &Stage) -> Vec<Value> {
    let state = stage.sim().state();
    let accounts = state["accounts"].as_array().unwrap();
    let main = accounts.iter().find(|it| it["account"] == "main").unwrap();
    main["ssh_keys"].as_array().unwrap().clone()
}

/// Returns the public keys on a server, in the order in which the create named them.
fn keys_on(stage: &Stage, server: &Value) -> Vec<String> {
    let text = |it: &Value| it.as_str().unwrap().to_owned();
    if let Some(keys) = server["authorized_keys"].as_array() {
        return keys.iter().map(text).collect();
    }
    let ids = server["ssh_keys"].as_array().unwrap();
    let kept = kept_keys(stage);
    let find = |id: &Value| {
        kept.iter()
            .find(|it| it["id"] == *id)
            .map(|it| text(&it["public_key"]))
    };
    ids.iter().filter_map(find).collect()
}

fn calls_about_keys(stage: &Stage) -> Vec<roadstead_sim::JournalEntry> {
    let journal = stage.sim().journal();
    let about = ["/v2/account/keys", "/v4/profile/sshkeys"];
    journal
        .into_iter()
        .filter(|call| about.iter().any(|it| call.path.starts_with(it)))
        .collect()
}

/// Returns how many keys the vendor has taken.
fn added(stage: &Stage) -> usize {
    let calls = calls_about_keys(stage);
    calls
        .iter()
        .filter(|it| it.method == "POST" && it.committed)
        .count()
}

fn deletions(stage: &Stage) -> Vec<roadstead_sim::JournalEntry> {
    let calls = calls_about_keys(stage).into_iter();
    calls.filter(|it| it.method == "DELETE").collect()
}
