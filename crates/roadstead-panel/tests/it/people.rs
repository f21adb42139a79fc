//! Who looks at the panel in the tests.

pub(crate) const PASSWORD: &str = "correct horse battery";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Person {
    /// Runs the installation, and owns Harbor.
    Operator,
    /// A member of Harbor.
    Member,
    /// May only look at Harbor.
    Viewer,
    /// Owns another organization, Strangers.
    Stranger,
    /// A member of Harbor, and a viewer at Strangers.
    Commuter,
    /// Belongs to nobody.
    Loner,
}

pub(crate) use Person::{Commuter, Loner, Member, Operator, Stranger, Viewer};

impl Person {
    pub(crate) const ALL: [Self; 6] = [Operator, Member, Viewer, Stranger, Commuter, Loner];

    pub(crate) fn email(self) -> String {
        format!("{self:?}@test.example").to_lowercase()
    }
}
