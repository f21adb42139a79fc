//! What is asked of the vendor about a server that there is, as it is kept until it is over.

use roadstead_core::{Action, ImageId, PlanId, Secret};
use roadstead_repository::{OperationKind, Request};
use serde::{Deserialize, Serialize};

use super::frozen::internal;
use crate::error::Result;

/// What is no secret about a change of plan.
#[derive(Debug, Serialize, Deserialize)]
struct Resize {
    plan: PlanId,
    grow_disk: bool,
}

/// What is no secret about a rebuild.
#[derive(Debug, Serialize, Deserialize)]
struct Rebuild {
    image: ImageId,
    /// Public keys in full, so that the request is whole whatever becomes of ours meanwhile.
    ssh_keys: Vec<Box<str>>,
}

/// What is; sealed as soon as it leaves here.
#[derive(Default, PartialEq, Serialize, Deserialize)]
struct Hidden {
    root_password: Option<String>,
    user_data: Option<String>,
}

/// Splits an action into what is no secret and what is.
pub(super) fn freeze(action: &Action) -> Result<Request> {
    let (plain, hidden) = match action {
        Action::Resize { plan, grow_disk } => {
            let plain = Resize {
                plan: plan.clone(),
                grow_disk: *grow_disk,
            };
            (serde_json::to_value(plain), Hidden::default())
        }
        Action::Rebuild {
            image,
            root_password,
            ssh_keys,
            user_data,
        } => {
            let plain = Rebuild {
                image: image.clone(),
                ssh_keys: ssh_keys.clone(),
            };
            let exposed = |it: &Option<Secret<String>>| it.as_ref().map(|it| it.expose().clone());
            let hidden = Hidden {
                root_password: exposed(root_password),
                user_data: exposed(user_data),
            };
            (serde_json::to_value(plain), hidden)
        }
        _ => (Ok(serde_json::json!({})), Hidden::default()),
    };
    let secret = if hidden == Hidden::default() {
        None
    } else {
        let text = serde_json::to_string(&hidden).map_err(internal)?;
        Some(Secret::new(text))
    };
    Ok(Request {
        plain: plain.map_err(internal)?,
        secret,
    })
}

/// Puts the two parts together again; `None` for what is no action on a server: it makes one, or
/// changes whose it is.
pub(crate) fn open(kind: OperationKind, request: &Request) -> Result<Option<Action>> {
    Ok(Some(match kind {
        OperationKind::Create | OperationKind::Import | OperationKind::Release => return Ok(None),
        OperationKind::Boot => Action::Boot,
        OperationKind::Shutdown => Action::Shutdown,
        OperationKind::PowerOff => Action::PowerOff,
        OperationKind::Reboot => Action::Reboot,
        OperationKind::Delete => Action::Delete,
        OperationKind::Resize => {
            let plain: Resize = serde_json::from_value(request.plain.clone()).map_err(internal)?;
            Action::Resize {
                plan: plain.plan,
                grow_disk: plain.grow_disk,
            }
        }
        OperationKind::Rebuild => {
            let plain: Rebuild = serde_json::from_value(request.plain.clone()).map_err(internal)?;
            let hidden: Hidden = match &request.secret {
                Some(secret) => serde_json::from_str(secret.expose()).map_err(internal)?,
                None => Hidden::default(),
            };
            Action::Rebuild {
                image: plain.image,
                root_password: hidden.root_password.map(Secret::new),
                ssh_keys: plain.ssh_keys,
                user_data: hidden.user_data.map(Secret::new),
            }
        }
    }))
}
