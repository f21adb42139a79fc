//! What was just done, told on the next page, once.

/// Something that was done. The cookie holds its word only, so that nobody can put words into
/// the panel's mouth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Done {
    /// The preferences were kept.
    PreferencesKept,
    /// Another organization is looked at.
    OrganizationChosen,
    /// The first vendor account was added, and its token works.
    AccountAdded,
    /// The first vendor account was added, and its vendor could not be asked.
    AccountUnverified,
}

impl Done {
    /// Everything that can be told.
    pub(crate) const ALL: [Self; 4] = [
        Self::PreferencesKept,
        Self::OrganizationChosen,
        Self::AccountAdded,
        Self::AccountUnverified,
    ];

    /// Returns the word in the cookie.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::PreferencesKept => "preferences_kept",
            Self::OrganizationChosen => "organization_chosen",
            Self::AccountAdded => "account_added",
            Self::AccountUnverified => "account_unverified",
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
