//! A server's life: made, used, deleted.

use std::sync::Arc;

use roadstead_core::{
    Action, Billed, ErrorKind, How, KeyForm, OperationStatus, Provider, RemoteOperation, Scope,
    Secret, State,
};
use roadstead_sim::{TOKEN_OTHER, TOKEN_READ_ONLY};
use serde_json::json;

use crate::world::{World, provider, small};

#[tokio::test]
async fn a_server_is_created_and_becomes_active() {
    let world = World::start();
    let request = small("web");
    let created = world.provider.create_instance(&request).await.unwrap();
    assert_eq!(
        (created.how, created.instance.status.state),
        (How::Created, State::Provisioning)
    );
    assert!(created.instance.addresses.is_empty());

    let job = created.operation.unwrap();
    assert_eq!(job.instance.as_ref(), Some(&created.instance.id));
    world.finish(job).await;
    let instance = world
        .provider
        .get_instance(&created.instance.id)
        .await
        .unwrap();
    assert_eq!(
        (instance.status.state, instance.status.billed),
        (State::Running, Billed::Full)
    );
    assert_eq!(
        (instance.region, instance.plan.unwrap()),
        (request.region, request.plan)
    );
    let scopes: Vec<_> = instance
        .addresses
        .iter()
        .map(|it| (it.scope, it.ip.is_ipv6()))
        .collect();
    assert_eq!(
        scopes,
        [
            (Scope::Private, false),
            (Scope::Public, false),
            (Scope::Public, true)
        ]
    );
    assert!(request.key.marks(&created.instance));
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
async fn every_supported_action_is_done() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    let steps = [
        (Action::Reboot, State::Running),
        (Action::HardReset, State::Running),
        (Action::Shutdown, State::Stopped),
        (Action::Boot, State::Running),
        (Action::PowerOff, State::Stopped),
        (
            Action::Resize {
                plan: "s-2vcpu-2gb".into(),
                grow_disk: false,
            },
            State::Stopped,
        ),
        (Action::Boot, State::Running),
        (
            Action::Rename {
                name: "other.example.com".into(),
            },
            State::Running,
        ),
        (
            Action::Rebuild {
                image: "debian-12-x64".into(),
                root_password: None,
                ssh_keys: Vec::new(),
                user_data: None,
            },
            State::Running,
        ),
        (
            Action::ResetPassword {
                root_password: None,
            },
            State::Running,
        ),
    ];
    for (action, state) in steps {
        let job = world.provider.perform_action(&id, &action).await.unwrap();
        assert_eq!(job.instance.as_ref(), Some(&id), "{action:?}");
        world.finish(job).await;
        let instance = world.provider.get_instance(&id).await.unwrap();
        assert_eq!(instance.status.state, state, "{action:?}");
    }
    let instance = world.provider.get_instance(&id).await.unwrap();
    assert_eq!(&*instance.name, "other.example.com");
    assert_eq!(instance.plan.unwrap().as_str(), "s-2vcpu-2gb");
}

#[tokio::test]
async fn what_is_unsupported_refuses_and_sends_nothing() {
    let world = World::start();
    let error = world
        .provider
        .perform_action(&"7".into(), &Action::Rescue)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unsupported);
    assert!(world.sim.handle().journal().is_empty());
}

#[tokio::test]
async fn deleting_twice_succeeds_and_the_deletion_can_be_followed() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    let job = world
        .provider
        .perform_action(&id, &Action::Delete)
        .await
        .unwrap();
    world.finish(job.clone()).await;
    assert!(world.droplets().is_empty());
    let gone = world.provider.get_instance(&id).await.unwrap_err();
    assert_eq!(gone.kind, ErrorKind::NoSuchInstance);

    let again = world
        .provider
        .perform_action(&id, &Action::Delete)
        .await
        .unwrap();
    assert_eq!(again.status, OperationStatus::Succeeded);
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
    world.fault(json!({ "method": "POST", "path": "/v2/droplets", "effect": { "fate": "fails" } }));
    let created = world.provider.create_instance(&small("web")).await.unwrap();
    let job = world.end(created.operation.unwrap()).await;
    assert!(
        matches!(job.status, OperationStatus::Failed { .. }),
        "{job:?}"
    );
}

#[tokio::test]
async fn a_second_action_finds_the_server_busy() {
    let world = World::start();
    let id = world.running(&small("web")).await.id;
    world.fault(json!({
        "path": "/v2/droplets/{id}/actions",
        "effect": { "status": 422, "body": {
            "id": "unprocessable_entity", "message": "Droplet already has a pending event."
        } }
    }));
    let error = world
        .provider
        .perform_action(&id, &Action::Reboot)
        .await
        .unwrap_err();
    assert_eq!(error.kind, ErrorKind::Busy);
}

#[tokio::test]
async fn a_root_password_is_sent_as_a_hash_beside_the_members_script() {
    let world = World::start();
    let mut request = small("web");
    request.root_password = Some(Secret::from("correct horse"));
    request.user_data = Some(Secret::from("#!/bin/sh\necho hello"));
    world.provider.create_instance(&request).await.unwrap();
    let droplet = world.droplets().pop().unwrap();
    let user_data = droplet["user_data"].as_str().unwrap();
    assert!(user_data.contains("echo hello") && user_data.contains("$6$rounds=5000$"));
    let journal = serde_json::to_string(&world.sim.handle().journal()).unwrap();
    assert!(!journal.contains("correct horse"));
}

#[tokio::test]
async fn a_public_key_is_registered_once() {
    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIK+1DocvNjYkHfGp2iv7dWCLbM8EPfT0hDpprC+zHSk2 me";
    let world = World::start();
    let keys = world.provider.extensions().ssh_keys.unwrap();
    assert_eq!(keys.form(), KeyForm::Placed);
    assert_eq!(keys.find(KEY, "laptop").await.unwrap(), None);
    let kept = keys.ensure(KEY, "laptop").await.unwrap();
    assert_eq!(&*kept.name, "laptop");
    // Another name is no other key: whoever came first named it.
    assert_eq!(keys.ensure(KEY, "desktop").await.unwrap(), kept);
    assert_eq!(keys.find(KEY, "desktop").await.unwrap().unwrap(), kept);
    assert_eq!(world.calls("POST", "/v2/account/keys"), 1);

    let mut request = small("web");
    request.ssh_keys = vec![KEY.into()];
    world.provider.create_instance(&request).await.unwrap();
    let droplet = world.droplets().pop().unwrap();
    assert_eq!(
        droplet["ssh_keys"].as_array().map(Vec::len),
        Some(1),
        "{droplet}"
    );

    keys.delete(&kept.id).await.unwrap();
    keys.delete(&kept.id).await.unwrap();
    assert_eq!(keys.find(KEY, "laptop").await.unwrap(), None);
    let error = keys.find("no key", "x").await.unwrap_err();
    assert_eq!(error.field.as_deref(), Some("public_key"));
    assert_eq!(
        keys.ensure("no key", "x").await.unwrap_err().kind,
        ErrorKind::Invalid
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
    let mut request = small("web");
    request.plan = "no-such-plan".into();
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(
        (error.kind, error.field.as_deref()),
        (ErrorKind::Invalid, Some("plan"))
    );
    request.plan = "gpu-h100x1-80gb".into();
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NoCapacity);
    let mut request = small("web");
    request.image = "no-such-image".into();
    let error = world.provider.create_instance(&request).await.unwrap_err();
    assert_eq!(
        (error.kind, error.field.as_deref()),
        (ErrorKind::Invalid, Some("image"))
    );
}

#[tokio::test]
async fn a_token_tells_its_account_and_two_accounts_are_apart() {
    let world = World::start();
    let main = world.provider.validate_credentials().await.unwrap();
    let other = provider(&world.sim, TOKEN_OTHER)
        .validate_credentials()
        .await
        .unwrap();
    assert_ne!(main.fingerprint, other.fingerprint);
    assert_eq!(main.instance_limit, Some(500));
    let reader = provider(&world.sim, TOKEN_READ_ONLY);
    assert_eq!(reader.validate_credentials().await.unwrap(), main);
    let error = reader.create_instance(&small("web")).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Forbidden);
    assert!(error.to_string().contains("droplet:create"), "{error}");
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
    }
}
