//! The first start: a code that only this machine knows, and the operator who brings it.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use roadstead_core::Secret;
use roadstead_repository::{Role, User};

use crate::error::{Error, Result};
use crate::people::{NewUser, token_hash};
use crate::platform::Platform;

impl Platform {
    /// Opens the setup where nobody can log in yet, and returns the code that it asks for. Whoever
    /// starts the program shows the code to who may see its log, and to nobody else.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away; [`Error::Internal`] when the system has
    /// no randomness.
    pub async fn open_setup(&self) -> Result<Option<Secret<String>>> {
        if self.has_users().await? {
            return Ok(None);
        }
        let code = Self::fresh_password()?;
        *self.setup_code.lock().await = Some(token_hash(code.expose()));
        Ok(Some(code))
    }

    /// Returns whether the setup is open: nobody can log in yet, and a code was made.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn awaits_setup(&self) -> Result<bool> {
        let open = self.setup_code.lock().await.is_some();
        Ok(open && !self.has_users().await?)
    }

    /// Adds the first operator, as the owner of an organization. The code is then used up.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for a wrong code, address, password or name of the organization;
    /// [`Error::Conflict`] when somebody can log in already.
    pub async fn set_up(
        &self,
        code: &Secret<String>,
        email: String,
        password: Secret<String>,
        organization: &str,
    ) -> Result<User> {
        // Held until the end, so that of two with the code one is first.
        let mut expected = self.setup_code.lock().await;
        if self.has_users().await? {
            let message = "this installation is set up already; log in instead";
            return Err(Error::Conflict(message.to_owned()));
        }
        let given = token_hash(code.expose().trim());
        let fits = expected
            .as_deref()
            .is_some_and(|it| verify_slices_are_equal(it, &given).is_ok());
        if !fits {
            let message = "this is not the code that the server printed when it started";
            return Err(Error::invalid("code", message));
        }
        let organization = organization.trim();
        let length = organization.chars().count();
        if length == 0 || length > 100 || organization.chars().any(char::is_control) {
            let message = "a name has 1 to 100 visible characters";
            return Err(Error::invalid("organization", message));
        }
        let new = NewUser {
            email,
            password,
            operator: true,
            organization: Some((organization.to_owned(), Role::Owner)),
        };
        let user = self.add_user(new).await?;
        *expected = None;
        Ok(user)
    }
}
