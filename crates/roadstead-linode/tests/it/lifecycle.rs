//! A server's life: made, used, deleted.

use std::sync::Arc;

use roadstead_core::{
    Action, Billed, ErrorKind, How, KeyForm, OperationStatus, Outcome, Provider, RemoteOperation,
    Scope, Secret, State,
};
use roadstead_sim::{SimulatorConfig, TOKEN_OTHER, TOKEN_READ_ONLY};
use serde_json::json;

use crate::world::{World, provider, small};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+1DocvNjYkHfGp2iv7dWCLbM8EPfT0hDpprC+zHSk2 me";

#[tokio::test]
async fn a_server_is_created_and_becomes_running() {
    let world = World::start();
    let request = small("web");
    let created = world.provider.create_instance(&request).await.unwrap();
    assert_eq!(
        (created.how, created.instance.status.state),
        (How::Created, State::Provisioning)
    );
    assert!(request.key.marks(&created.instance));

    let job = created.operation.unwrap();
    assert_eq!(job.instance.as_ref(), Some(&created.instance.id));
    world.finish(job).await;
    let instance = world.until(&created.instance.id, State::Running).await;
    assert_eq!(instance.status.billed, Billed::Full);
    assert_eq!(
        (&instance.region, instance.plan.as_ref()),
        (&request.region, Some(&request.plan))
    );
    assert_eq!(instance.image, Some(request.image));
    let scopes: Vec<_> = instance
        .addresses
        .iter()
        .map(|it| (it.scope, it.ip.is_ipv6()))
        .collect();
    assert_eq!(
        scopes,
        [
            (Scope::Public, false),
            (Scope::Private, false),
            (Scope::Public, true)
        ]
    );
}

#[tokio::test]
async fn a_job_is_followed_from_its_serialized_form() {
    let world = World::start();
    let created = world.provider.create_instance(&small("web")).await.unwrap();
    let stored = serde_json::to_string(&created.operation.unwrap()).unwrap();
    let job: RemoteOperation = serde_json::from_str(&stored).unwrap();
    world.finish(job).await;
}

#[tokio::test]
async fn a_job_of_which_no_event_tells_yet_runs() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    let job = world
        .provider
        .perform_action(&id, &Action::Reboot)
        .await
        .unwrap();
    let empty = json!({ "data": [], "page": 1, "pages": 1, "results": 0 });
    world.fault(json!({
        "path": "/v4/account/events", "count": 1, "effect": { "status": 200, "body": empty }
    }));
    let early = world.provider.get_operation(&job.id).await.unwrap();
    assert_eq!(early.status, OperationStatus::Running { percent: None });
    world.finish(early).await;
}

#[tokio::test]
async fn every_supported_action_is_done() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    // The simulator keeps no disks.
    let disks = json!({ "data": [{ "id": 5 }, { "id": 6 }], "page": 1, "pages": 1, "results": 2 });
    world.fault(json!({
        "path": "/v4/linode/instances/{id}/disks", "effect": { "status": 200, "body": disks }
    }));
    let password = || Some(Secret::from("An0ther-harbor-Passw0rd"));
    let steps = [
        (Action::Reboot, State::Running),
        (Action::Shutdown, State::Stopped),
        (
            Action::ResetPassword {
                root_password: password(),
            },
            State::Stopped,
        ),
        (Action::Boot, State::Running),
        (
            Action::Resize {
                plan: "g6-standard-2".into(),
                grow_disk: false,
            },
            State::Running,
        ),
        (
            Action::Rename {
                name: "other-name".into(),
            },
            State::Running,
        ),
        (
            Action::Rebuild {
                image: "linode/debian12".into(),
                root_password: password(),
                ssh_keys: Vec::new(),
                user_data: None,
            },
            State::Running,
        ),
        (Action::Rescue, State::Running),
    ];
    for (action, state) in steps {
        let job = world.provider.perform_action(&id, &action).await.unwrap();
        assert_eq!(job.instance.as_ref(), Some(&id), "{action:?}");
        world.finish(job).await;
        world.until(&id, state).await;
    }
    let instance = world.provider.get_instance(&id).await.unwrap();
    assert_eq!(&*instance.name, "other-name");
    assert_eq!(instance.plan.unwrap().as_str(), "g6-standard-2");
    assert_eq!(instance.image.unwrap().as_str(), "linode/debian12");
    let linode = world.linodes().pop().unwrap();
    assert_eq!(linode["disk"], 25 * 1024);
}

#[tokio::test]
async fn what_is_unsupported_or_incomplete_refuses_and_sends_nothing() {
    let world = World::start();
    let act = async |action: Action| {
        let refused = world.provider.perform_action(&"7".into(), &action).await;
        refused.unwrap_err()
    };
    for action in [Action::PowerOff, Action::HardReset] {
        assert_eq!(act(action).await.kind, ErrorKind::Unsupported);
    }
    let nameless = Action::ResetPassword {
        root_password: None,
    };
    assert_eq!(act(nameless).await.field.as_deref(), Some("rootPassword"));
    assert!(world.sim.handle().journal().is_empty());
}

#[tokio::test]
async fn deleting_twice_succeeds_and_the_deletion_can_be_followed() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    let delete = async || {
        world
            .provider
            .perform_action(&id, &Action::Delete)
            .await
            .unwrap()
    };
    world.finish(delete().await).await;
    assert!(world.linodes().is_empty());
    let gone = world.provider.get_instance(&id).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::NoSuchInstance);

    assert_eq!(delete().await.status, OperationStatus::Succeeded);
    let error = world
        .provider
        .perform_action(&id, &Action::Reboot)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoSuchInstance);
}

#[tokio::test]
async fn a_server_that_comes_to_nothing_ends_its_job_as_failed() {
    let world = World::start();
    world.fault(json!({
        "method": "POST", "path": "/v4/linode/instances", "effect": { "fate": "fails" }
    }));
    let created = world.provider.create_instance(&small("web")).await.unwrap();
    let job = world.end(created.operation.unwrap()).await;
    assert!(
        matches!(job.status, OperationStatus::Failed { .. }),
        "{job:?}"
    );
}

#[tokio::test]
async fn a_second_action_finds_the_server_busy() {
    let world = World::start_with(SimulatorConfig {
        enforce_limits: false,
        ..Default::default()
    });
    let id = world
        .provider
        .create_instance(&small("web"))
        .await
        .unwrap()
        .instance
        .id;
    let error = world
        .provider
        .perform_action(&id, &Action::Shutdown)
        .await
        .unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Busy, Outcome::Rejected)
    );
}

#[tokio::test]
async fn an_action_in_the_wrong_state_says_so() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    let act = async |action: Action| world.provider.perform_action(&id, &action).await;
    let error = act(Action::Boot).await.unwrap_err();
    assert!(
        error.to_string().ends_with("the server is on already"),
        "{error}"
    );
    let reset = Action::ResetPassword {
        root_password: Some(Secret::from("An0ther-harbor-Passw0rd")),
    };
    let error = act(reset).await.unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("the server must be off for this"),
        "{error}"
    );
    let same = Action::Resize {
        plan: "g6-nanode-1".into(),
        grow_disk: true,
    };
    let error = act(same).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("type"));
    assert_eq!(error.kind, ErrorKind::Invalid);
}

#[tokio::test]
async fn user_data_and_options_reach_the_vendor() {
    let world = World::start();
    let mut request = small("web");
    request.user_data = Some(Secret::from("#cloud-config\n"));
    request.backups = true;
    request.options = Some(json!({
        "stackscript_id": 401_697, "stackscript_data": { "soa_email_address": "a@b.c" }
    }));
    world.provider.create_instance(&request).await.unwrap();
    let linode = world.linodes().pop().unwrap();
    assert_eq!(linode["user_data"], "#cloud-config\n");
    assert_eq!(linode["stackscript_id"], 401_697);
    assert_eq!(linode["backups_enabled"], true);
    assert_eq!(linode["had_root_pass"], true);
}

#[tokio::test]
async fn a_server_without_any_way_in_is_made_all_the_same() {
    let world = World::start();
    let mut request = small("web");
    request.root_password = None;
    world.provider.create_instance(&request).await.unwrap();
    assert_eq!(world.linodes().pop().unwrap()["had_root_pass"], true);
    let mut request = small("keys");
    request.root_password = None;
    request.ssh_keys = vec![KEY.into()];
    world.provider.create_instance(&request).await.unwrap();
    let linode = world.linodes().pop().unwrap();
    assert_eq!(linode["had_root_pass"], false);
    assert_eq!(linode["authorized_keys"], json!([KEY]));
}

#[tokio::test]
async fn a_public_key_is_registered_once_and_can_be_named_by_its_id() {
    let world = World::start();
    let keys = world.provider.extensions().ssh_keys.unwrap();
    assert_eq!(keys.form(), KeyForm::Full);
    assert_eq!(keys.find(KEY, "laptop").await.unwrap(), None);
    let kept = keys.ensure(KEY, "laptop").await.unwrap();
    assert_eq!(&*kept.name, "laptop");
    let (bare, _) = KEY.rsplit_once(' ').unwrap();
    assert_eq!(keys.ensure(bare, "other name").await.unwrap(), kept);
    assert_eq!(keys.find(bare, "other name").await.unwrap().unwrap(), kept);
    let id = kept.id;
    assert_eq!(world.calls("POST", "/v4/profile/sshkeys"), 1);

    let mut request = small("web");
    request.ssh_keys = vec![id.clone()];
    world.provider.create_instance(&request).await.unwrap();
    let linode = world.linodes().pop().unwrap();
    assert_eq!(linode["authorized_keys"], json!([KEY]));

    keys.delete(&id).await.unwrap();
    keys.delete(&id).await.unwrap();
    for (key, field) in [("no key", "public_key"), ("", "public_key")] {
        let error = keys.ensure(key, "x").await.unwrap_err();
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::Invalid, Some(field))
        );
    }
    request = small("late");
    request.ssh_keys = vec![id];
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(
        (error.field.as_deref(), error.outcome),
        (Some("ssh_keys"), Outcome::NotExecuted)
    );
}

#[tokio::test]
async fn a_wrong_request_is_refused_before_anything_is_sent() {
    let world = World::start();
    let mut request = small("web");
    request.options = Some(json!({ "color": "red" }));
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("options.color"));
    request.options = None;
    request.ssh_keys = vec!["nonsense".into()];
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("ssh_keys"));
    assert!(world.sim.handle().journal().is_empty());
}

#[tokio::test]
async fn the_vendors_refusals_name_the_field() {
    let world = World::start();
    let refused = async |change: fn(&mut roadstead_core::CreateInstance)| {
        let mut request = small("web");
        change(&mut request);
        world.provider.create_instance(&request).await.unwrap_err()
    };
    let error = refused(|it| it.plan = "no-such-plan".into()).await;
    assert_eq!(
        (error.kind, error.field.as_deref()),
        (ErrorKind::Invalid, Some("type"))
    );
    let error = refused(|it| it.region = "xx-none".into()).await;
    assert_eq!(error.field.as_deref(), Some("region"));
    let error = refused(|it| it.image = "linode/none".into()).await;
    assert_eq!(error.field.as_deref(), Some("image"));
    let error = refused(|it| it.root_password = Some(Secret::from("aaaaaaaa"))).await;
    assert_eq!(error.field.as_deref(), Some("rootPassword"));
    let error = refused(|it| it.plan = "g1-gpu-rtx6000-1".into()).await;
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::NoCapacity, Outcome::Rejected)
    );
    assert!(world.linodes().is_empty());
}

#[tokio::test]
async fn a_token_tells_its_account_and_what_it_lacks() {
    let world = World::start();
    let main = world.provider.validate_credentials().await.unwrap();
    let other = provider(&world.sim, TOKEN_OTHER)
        .validate_credentials()
        .await
        .unwrap();
    assert_ne!(main.fingerprint, other.fingerprint);
    assert_eq!(main.missing_scopes, []);
    let reader = provider(&world.sim, TOKEN_READ_ONLY);
    let account = reader.validate_credentials().await.unwrap();
    assert_eq!(account.fingerprint, main.fingerprint);
    assert_eq!(account.missing_scopes, ["linodes:read_write".into()]);
    let error = reader.create_instance(&small("web")).await.unwrap_err();
    assert_eq!(
        (error.kind, error.outcome),
        (ErrorKind::Forbidden, Outcome::NotExecuted)
    );
    assert!(error.to_string().contains("linodes:read_write"), "{error}");
}

#[tokio::test]
async fn an_id_of_another_vendor_is_refused() {
    let provider: Arc<dyn Provider> = World::start().provider;
    for id in ["", "i-0abc", "../account", "-1"] {
        let error = provider.get_instance(&id.into()).await.unwrap_err();
        assert_eq!(
            (error.kind, error.field.as_deref()),
            (ErrorKind::Invalid, Some("id")),
            "{id}"
        );
        let error = provider.get_operation(&id.into()).await.unwrap_err();
        assert_eq!(error.field.as_deref(), Some("id"), "{id}");
    }
}
