//! Visits to the pages about SSH keys.

use super::{Visit, World};
use crate::people::{Member, Stranger, Viewer};

pub(super) fn visits(world: &World) -> Vec<Visit> {
    let delete = format!("/ssh-keys/{}/delete", world.key);
    vec![
        Visit::page("/ssh-keys", Member),
        Visit::page("/ssh-keys", Viewer),
        Visit::page("/ssh-keys", Stranger),
        Visit::mistaken(
            "/ssh-keys",
            Member,
            &[("name", ""), ("public_key", "no key")],
        ),
        Visit::page("/ssh-keys/{id}/delete", Member).at(&delete),
        Visit::page("/ssh-keys/{id}/delete", Stranger)
            .at(&delete)
            .answers(404),
        Visit::mistaken("/ssh-keys/{id}/delete", Stranger, &[])
            .at(&delete)
            .answers(404),
    ]
}
