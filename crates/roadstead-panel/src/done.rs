//! What was just done, told on the next page, once.

use crate::ui::Tone;

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
    /// A provider knows the token that was tested.
    TokenKnown,
    /// A provider could not be asked about a token.
    TokenUnanswered,
    /// A provider does not know a token any more.
    TokenRefused,
    /// An account has another token.
    TokenChanged,
    /// An account has another name.
    AccountRenamed,
    /// An account was switched on.
    AccountOn,
    /// An account was switched off.
    AccountOff,
    /// An account was deleted.
    AccountDeleted,
    /// The accounts are in another order.
    AccountsOrdered,
    /// Catalogues were read anew.
    CataloguesRead,
    /// Catalogues could not be read anew.
    CataloguesKept,
    /// A plan was changed.
    PlanChanged,
    /// A plan was put on sale.
    PlanOnSale,
    /// A plan was taken off sale.
    PlanOffSale,
    /// A plan was deleted.
    PlanDeleted,
    /// The provider is looked at again.
    LooksAgain,
    /// Somebody decided that it was done.
    TakenForSuccess,
    /// Somebody decided that it was not done.
    TakenForFailure,
    /// A quarantined server is being adopted.
    ServerAdopted,
    /// A quarantined server is left alone.
    ServerLeftAlone,
    /// A quarantined server is to be deleted.
    ServerCondemned,
    /// A missing server is gone.
    ServerGone,
    /// A server is being imported.
    ServerImported,
    /// A server is being let go.
    ReleaseAccepted,
}

impl Done {
    /// Everything that can be told.
    pub(crate) const ALL: [Self; 33] = [
        Self::PreferencesKept,
        Self::OrganizationChosen,
        Self::AccountAdded,
        Self::AccountUnverified,
        Self::ServerChanged,
        Self::ActionAccepted,
        Self::DeletionAccepted,
        Self::KeyAdded,
        Self::KeyRemoved,
        Self::TokenKnown,
        Self::TokenUnanswered,
        Self::TokenRefused,
        Self::TokenChanged,
        Self::AccountRenamed,
        Self::AccountOn,
        Self::AccountOff,
        Self::AccountDeleted,
        Self::AccountsOrdered,
        Self::CataloguesRead,
        Self::CataloguesKept,
        Self::PlanChanged,
        Self::PlanOnSale,
        Self::PlanOffSale,
        Self::PlanDeleted,
        Self::LooksAgain,
        Self::TakenForSuccess,
        Self::TakenForFailure,
        Self::ServerAdopted,
        Self::ServerLeftAlone,
        Self::ServerCondemned,
        Self::ServerGone,
        Self::ServerImported,
        Self::ReleaseAccepted,
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
            Self::TokenKnown => "token_known",
            Self::TokenUnanswered => "token_unanswered",
            Self::TokenRefused => "token_refused",
            Self::TokenChanged => "token_changed",
            Self::AccountRenamed => "account_renamed",
            Self::AccountOn => "account_on",
            Self::AccountOff => "account_off",
            Self::AccountDeleted => "account_deleted",
            Self::AccountsOrdered => "accounts_ordered",
            Self::CataloguesRead => "catalogues_read",
            Self::CataloguesKept => "catalogues_kept",
            Self::PlanChanged => "plan_changed",
            Self::PlanOnSale => "plan_on_sale",
            Self::PlanOffSale => "plan_off_sale",
            Self::PlanDeleted => "plan_deleted",
            Self::LooksAgain => "decided_retry",
            Self::TakenForSuccess => "decided_done",
            Self::TakenForFailure => "decided_failed",
            Self::ServerAdopted => "server_adopted",
            Self::ServerLeftAlone => "server_left_alone",
            Self::ServerCondemned => "server_condemned",
            Self::ServerGone => "server_gone",
            Self::ServerImported => "server_imported",
            Self::ReleaseAccepted => "release_accepted",
        }
    }

    /// Reads the word in the cookie.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == word)
    }

    /// Returns how it is told: what did not go as wished is told in another tone.
    pub(crate) const fn tone(self) -> Tone {
        match self {
            Self::AccountUnverified
            | Self::TokenUnanswered
            | Self::TokenRefused
            | Self::CataloguesKept => Tone::Warn,
            _ => Tone::Ok,
        }
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
            Self::TokenKnown => "The provider knows the token.",
            Self::TokenUnanswered => {
                "The provider did not answer. The token is checked before anything is sent with it."
            }
            Self::TokenRefused => {
                "The provider refuses the token. Nothing is sent with it until it is changed."
            }
            Self::TokenChanged => "The token was changed: the provider knows the new one.",
            Self::AccountRenamed => "The account was renamed.",
            Self::AccountOn => "The account is switched on.",
            Self::AccountOff => "The account is switched off. Its servers run on.",
            Self::AccountDeleted => "The account was deleted, and its token forgotten.",
            Self::AccountsOrdered => "The order was changed.",
            Self::CataloguesRead => "The provider was asked, and its catalogues are read anew.",
            Self::CataloguesKept => {
                "The provider did not give its catalogues. What was kept is kept on, with its age."
            }
            Self::PlanChanged => "The plan was changed.",
            Self::PlanOnSale => "The plan is on sale.",
            Self::PlanOffSale => "The plan is no longer on sale.",
            Self::PlanDeleted => "The plan was deleted.",
            Self::LooksAgain => "The provider is looked at again.",
            Self::TakenForSuccess => "It counts as done.",
            Self::TakenForFailure => "It counts as not done.",
            Self::ServerAdopted => "The server is being taken into our books.",
            Self::ServerLeftAlone => "The server is left alone.",
            Self::ServerCondemned => {
                "The next sweep deletes the server. It stays here until it is gone."
            }
            Self::ServerGone => "The provider has no such server. Its record has ended.",
            Self::ServerImported => "The server is being imported.",
            Self::ReleaseAccepted => "The server is being let go. It runs on at the provider.",
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
