//! Cases for a provider that cannot do anything yet: it refuses and never pretends.

use roadstead_core::{
    Action, At, Code, CreateInstance, CreateKey, Error, ErrorKind, Feature, InstanceQuery, Outcome,
    Provider, RemoteId, RemoteOperationId, Result, RootPassword, Support,
};
use uuid::Uuid;

use crate::cases::check_descriptor;

/// The descriptor is sound and says no to everything, each time with a reason.
pub async fn the_descriptor_says_that_nothing_can_be_had(provider: &dyn Provider) {
    let descriptor = provider.descriptor();
    check_descriptor(descriptor);
    let why = reason(provider);
    for feature in Feature::ALL {
        assert!(!descriptor.supports(feature), "{feature:?}");
        assert_eq!(
            descriptor.refusal(feature).as_deref(),
            Some(&*why),
            "{feature:?}"
        );
    }
    assert!(matches!(descriptor.root_password, RootPassword::No { .. }));
    let extensions = provider.extensions();
    assert!(extensions.ssh_keys.is_none() && extensions.marketplace.is_none());
    assert!(extensions.stack_scripts.is_none() && extensions.choices.is_none());
    assert!(extensions.after_create.is_none());
}

/// Every call is `Unsupported` with the descriptor's reason, and nothing was executed.
pub async fn every_call_refuses_with_the_reason(provider: &dyn Provider) {
    let why = reason(provider);
    let key = CreateKey::new("suite", Uuid::now_v7(), "stub");
    let id = RemoteId::from("nothing");
    let request = CreateInstance {
        key: key.clone(),
        plan: "plan".into(),
        region: "region".into(),
        image: "image".into(),
        ssh_keys: Vec::new(),
        root_password: None,
        user_data: None,
        tags: Vec::new(),
        backups: false,
        ipv6: false,
        private_network: false,
        market: None,
        options: None,
    };
    let query = InstanceQuery::default();
    let mut errors = vec![
        refused(provider.validate_credentials().await),
        refused(provider.check_create(&request)),
        refused(provider.create_instance(&request).await),
        refused(provider.find_created(&key).await),
        refused(provider.mark_instance(&id, &key).await),
        refused(provider.unmark_instance(&id, &key).await),
        refused(provider.get_instance(&id).await),
        refused(provider.list_instances(&query, At::First).await),
        refused(
            provider
                .get_operation(&RemoteOperationId::from("nothing"))
                .await,
        ),
        refused(provider.get_plans().await),
        refused(provider.get_images().await),
        refused(provider.get_regions().await),
    ];
    let actions = [
        Action::Boot,
        Action::Shutdown,
        Action::PowerOff,
        Action::Reboot,
        Action::HardReset,
        Action::Delete,
        Action::Rename {
            name: "name".into(),
        },
        Action::Resize {
            plan: "plan".into(),
            grow_disk: false,
        },
        Action::Rebuild {
            image: "image".into(),
            root_password: None,
            ssh_keys: Vec::new(),
            user_data: None,
        },
        Action::Rescue,
        Action::ResetPassword {
            root_password: None,
        },
    ];
    for action in actions {
        errors.push(refused(provider.perform_action(&id, &action).await));
    }
    for error in errors {
        assert_eq!(error.kind, ErrorKind::Unsupported, "{error:?}");
        assert_eq!(error.code(), Code::InvalidAction);
        assert_eq!(error.outcome, Outcome::NotExecuted, "{error:?}");
        assert_eq!(error.message, why, "{error:?}");
        assert_eq!(error.provider, provider.descriptor().kind);
    }
}

fn reason(provider: &dyn Provider) -> String {
    match &provider.descriptor().available {
        Support::Yes => panic!("it says that servers can be had"),
        Support::No { why } => why.clone().into_owned(),
    }
}

fn refused<T>(answer: Result<T>) -> Error {
    match answer {
        Ok(_) => panic!("a stub that answers pretends"),
        Err(error) => error,
    }
}
