//! What was just done, told on the next page, once.

/// Something that was done. The cookie holds its word only, so that nobody can put words into
/// the panel's mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The preferences were kept.
    PreferencesKept,
    /// Another organization is looked at.
    OrganizationChosen,
    /// A vendor account was added, and its token works.
    AccountAdded,
    /// A vendor account was added, and its vendor could not be asked.
    AccountUnverified,
    /// A label, tags or notes were changed.
    ServerChanged,
    /// Something is being done to a server.
    ActionAccepted,
    /// A server is being deleted.
    DeletionAccepted,
    /// An SSH key was added.
    KeyAdded,
    /// An SSH key was removed.
    KeyRemoved,
}

impl Done {
    /// Everything that can be told.
    pub(crate) const ALL: [Self; 9] = [
        Self::PreferencesKept,
        Self::OrganizationChosen,
        Self::AccountAdded,
        Self::AccountUnverified,
        Self::ServerChanged,
        Self::ActionAccepted,
        Self::DeletionAccepted,
        Self::KeyAdded,
        Self::KeyRemoved,
    ];

    /// Returns the word in the cookie.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PreferencesKept => "preferences_kept",
            Self::OrganizationChosen => "organization_chosen",
            Self::AccountAdded => "account_added",
            Self::AccountUnverified => "account_unverified",
            Self::ServerChanged => "server_changed",
            Self::ActionAccepted => "action_accepted",
            Self::DeletionAccepted => "deletion_accepted",
            Self::KeyAdded => "key_added",
            Self::KeyRemoved => "key_removed",
        }
    }

    /// Reads the word in the cookie.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Returns the sentence for people.
    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::PreferencesKept => "Your preferences are kept in this browser.",
            Self::OrganizationChosen => "You now look at this organization.",
            Self::AccountAdded => "The account was added: the provider knows its token.",
            Self::AccountUnverified => {
                "The account was added, but the provider did not answer. Its token is checked \
                 before anything is sent with it."
            }
            Self::ServerChanged => "The changes are saved.",
            Self::ActionAccepted => "It is on its way; you see below how far it is.",
            Self::DeletionAccepted => {
                "The server is being deleted. It costs nothing more once it is gone."
            }
            Self::KeyAdded => "The key was added. New servers can be made with it.",
            Self::KeyRemoved => "The key was removed. Servers that were made with it keep it.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_found_by_its_word() {
        for done in Done::ALL {
            assert_eq!(Done::from_word(done.as_str()), Some(done));
            assert!(done.sentence().ends_with('.'));
        }
        assert_eq!(Done::from_word("<script>"), None);
    }
}
