//! Logins: who somebody is, and how they prove it.

use std::time::Duration;

use argon2::{Argon2, PasswordHash, PasswordHasher, PasswordVerifier};
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use roadstead_core::{Secret, SessionId};
use roadstead_repository::{AuditEntry, IdempotencyKey, NewSession, Role, Session, User};

use crate::error::{Error, Result};
use crate::grant::Caller;
use crate::platform::Platform;

/// The shortest password that is accepted.
const SHORTEST_PASSWORD: usize = 8;

/// The longest, so that hashing cannot be used to keep the server busy.
const LONGEST_PASSWORD: usize = 1024;

/// How long after its password a login may do what a stolen one must not.
const FRESH_FOR: Duration = Duration::from_mins(15);

/// How many logins may wait for their turn.
pub(crate) const WAITING_LOGINS: usize = 64;

/// Who is to be added.
#[derive(Debug)]
pub struct NewUser {
    /// Unique; case does not matter.
    pub email: String,
    /// At least eight characters.
    pub password: Secret<String>,
    /// Whether they run this installation.
    pub operator: bool,
    /// The organization to which they belong, as a role; made when it does not exist.
    pub organization: Option<(String, Role)>,
}

/// A fresh login.
#[derive(Debug)]
pub struct Login {
    /// The bearer token, shown once.
    pub token: Secret<String>,
    /// The session, with the user and where they belong.
    pub session: Session,
}

impl Platform {
    /// Adds somebody who can log in. For the command line: it asks for no grant, because
    /// whoever runs the command has the database.
    ///
    /// # Errors
    ///
    /// [`Error::Invalid`] for an address or a password that cannot be one;
    /// [`Error::Conflict`] when the address is taken.
    pub async fn add_user(&self, new: NewUser) -> Result<User> {
        let email = address(&new.email)?;
        if new.password.expose().chars().count() < SHORTEST_PASSWORD {
            let message = format!("a password has at least {SHORTEST_PASSWORD} characters");
            return Err(Error::invalid("password", message));
        }
        let hash = self.hash(new.password).await?;
        let audit = AuditEntry {
            organization: None,
            user: None,
            action: "user.create",
            subject: email.clone(),
            request_id: None,
            details: serde_json::json!({ "operator": new.operator }),
            key: None,
        };
        let user = self
            .repository
            .create_user(&email, Some(&hash), new.operator, audit)
            .await?;
        if let Some((name, role)) = new.organization {
            let organization = self.repository.ensure_organization(&name).await?;
            self.repository
                .add_member(organization.id, user.id, role)
                .await?;
        }
        Ok(user)
    }

    /// Sets somebody's password. For the command line, as [`Self::add_user`].
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] when nobody has this address.
    pub async fn reset_password(&self, email: &str, password: Secret<String>) -> Result<()> {
        let email = address(email)?;
        let user = self.repository.find_user_by_email(&email).await?;
        let user = user.ok_or(Error::NotFound("user"))?;
        let hash = self.hash(password).await?;
        Ok(self.repository.set_password(user.id, &hash).await?)
    }

    /// Makes a password that nobody can guess.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the system has no randomness.
    pub fn fresh_password() -> Result<Secret<String>> {
        let mut bytes = [0_u8; 15];
        rand::fill(&mut bytes).map_err(|it| Error::Internal(it.to_string().into()))?;
        Ok(Secret::new(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Returns whether anybody can log in at all.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn has_users(&self) -> Result<bool> {
        Ok(self.repository.has_users().await?)
    }

    /// Starts a session.
    ///
    /// # Errors
    ///
    /// [`Error::WrongPassword`] whether the address or the password is wrong: the two take
    /// equal work and look alike; [`Error::TooManyLogins`] under attack.
    pub async fn login(&self, email: &str, password: Secret<String>) -> Result<Login> {
        let user = match address(email) {
            Ok(email) => self.repository.find_user_by_email(&email).await?,
            Err(_) => None,
        };
        let hash = user.as_ref().and_then(|it| it.password_hash.clone());
        let fits = self.fits(password, hash).await?;
        let user = user.filter(|_| fits).ok_or(Error::WrongPassword)?;
        let token = fresh_token()?;
        let new = NewSession {
            id: SessionId::fresh(),
            user: user.id,
            token_hash: token_hash(token.expose()),
            created_at: self.clock.now(),
            expires_at: self.expires(),
        };
        self.repository.create_session(&new).await?;
        let memberships = self.repository.memberships(user.id).await?;
        let session = Session {
            id: new.id,
            user,
            created_at: new.created_at,
            expires_at: new.expires_at,
            memberships,
        };
        Ok(Login { token, session })
    }

    /// Returns who a bearer token belongs to.
    ///
    /// # Errors
    ///
    /// [`Error::Unauthenticated`] when it is unknown or its session has ended.
    pub async fn caller(&self, token: &str, request_id: String) -> Result<Caller> {
        let hash = token_hash(token);
        let session = self
            .repository
            .find_session(&hash, self.clock.now())
            .await?;
        Ok(Caller {
            session: session.ok_or(Error::Unauthenticated)?,
            request_id,
            key: None,
        })
    }

    /// Returns the key of a request from the client's text and the bytes that tell the request
    /// from another. Only their keyed hash is kept.
    #[must_use]
    pub fn request_key(&self, key: &str, bytes: &[u8]) -> IdempotencyKey {
        IdempotencyKey {
            key: key.to_owned(),
            hash: self.repository.request_hash(bytes),
        }
    }

    /// Returns whether the caller gave the password a short time ago: asked before something is
    /// done in a browser that cannot be undone, so that a machine left open does not do it.
    #[must_use]
    pub fn is_fresh(&self, caller: &Caller) -> bool {
        let age = self.clock.now().duration_since(caller.session.created_at);
        // A clock that was set back tells no age.
        Duration::try_from(age).is_ok_and(|it| it < FRESH_FOR)
    }

    /// Takes the caller's password once more: begins a new session and ends the old one.
    ///
    /// # Errors
    ///
    /// As [`Self::login`].
    pub async fn log_in_again(&self, caller: &Caller, password: Secret<String>) -> Result<Login> {
        let login = self.login(&caller.user().email, password).await?;
        self.logout(caller).await?;
        Ok(login)
    }

    /// Ends the caller's session.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] when the database is away.
    pub async fn logout(&self, caller: &Caller) -> Result<()> {
        self.repository.delete_session(caller.session.id).await?;
        self.feed.end_session(caller.session.id);
        Ok(())
    }

    async fn hash(&self, password: Secret<String>) -> Result<String> {
        let _turn = self.turn().await?;
        on_a_thread(move || {
            Argon2::default()
                .hash_password(password.expose().as_bytes())
                .map(|it| it.to_string())
                .map_err(|it| it.to_string())
        })
        .await?
        .map_err(|it| Error::Internal(it.into()))
    }

    /// Hashes even when there is nothing to compare, so that time tells nothing.
    async fn fits(&self, password: Secret<String>, hash: Option<String>) -> Result<bool> {
        if password.expose().len() > LONGEST_PASSWORD {
            return Ok(false);
        }
        let _turn = self.turn().await?;
        on_a_thread(move || {
            let bytes = password.expose().as_bytes();
            match hash.as_deref().map(PasswordHash::new) {
                Some(Ok(hash)) => Argon2::default().verify_password(bytes, &hash).is_ok(),
                Some(Err(_)) | None => {
                    // The result does not matter; the work does.
                    drop(Argon2::default().hash_password(bytes));
                    false
                }
            }
        })
        .await
    }

    /// Waits for a turn at hashing, unless too many wait already.
    async fn turn(&self) -> Result<[tokio::sync::SemaphorePermit<'_>; 2]> {
        let place = self
            .login_queue
            .try_acquire()
            .map_err(|_full| Error::TooManyLogins)?;
        let turn = self
            .hashing
            .acquire()
            .await
            .map_err(|it| Error::Internal(it.into()))?;
        Ok([place, turn])
    }
}

async fn on_a_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|it| Error::Internal(it.into()))
}

/// Returns the address in the form in which it is stored.
fn address(email: &str) -> Result<String> {
    let email = email.trim().to_lowercase();
    let plausible = email.len() <= 254
        && !email
            .chars()
            .any(|it| it.is_whitespace() || it.is_control())
        && email
            .split_once('@')
            .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty());
    if plausible {
        Ok(email)
    } else {
        Err(Error::invalid("email", "this is no e-mail address"))
    }
}

fn fresh_token() -> Result<Secret<String>> {
    let mut bytes = [0_u8; 32];
    rand::fill(&mut bytes).map_err(|it| Error::Internal(it.to_string().into()))?;
    Ok(Secret::new(format!("rs_{}", URL_SAFE_NO_PAD.encode(bytes))))
}

pub(crate) fn token_hash(token: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, token.as_bytes())
        .as_ref()
        .to_vec()
}
