//! Users, organizations, memberships and sessions.

use diesel::upsert::excluded;
use diesel::{
    ExpressionMethods, JoinOnDsl, NullableExpressionMethods, OptionalExtension, QueryDsl,
    SelectableHelper,
};
use diesel_async::RunQueryDsl;
use jiff::Timestamp;
use roadstead_core::{OrgId, SessionId, UserId};

use crate::audit;
use crate::db::{Connection, Repository, detached, read, run, write};
use crate::error::{Error, Result};
use crate::record::{AuditEntry, Membership, NewSession, Organization, Role, Session, User};
use crate::row;
use crate::schema::{memberships, organizations, sessions, users};
use crate::types::{Id, Time};

impl Repository {
    /// Adds somebody who can log in. Case in the e-mail address does not matter.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if the e-mail address is taken.
    pub async fn create_user(
        &self,
        email: &str,
        password_hash: Option<&str>,
        operator: bool,
        audit: AuditEntry,
    ) -> Result<User> {
        let user = row::User {
            id: Id(UserId::fresh().0),
            email: folded(email),
            is_operator: operator,
            password_hash: password_hash.map(str::to_owned),
            created_at: Time::now(),
        };
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = add_user(&mut tx, &user, &audit).await;
            tx.finish(outcome).await?;
            Ok(user.into_record())
        })
        .await
    }

    /// Replaces a password.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] if there is no such user.
    pub async fn set_password(&self, user: UserId, hash: &str) -> Result<()> {
        let changed = write!(self.db, c => diesel::update(users::table.find(Id(user.0)))
            .set(users::password_hash.eq(Some(hash))).execute(c).await)?;
        if changed == 0 {
            Err(Error::NotFound { what: "user" })
        } else {
            Ok(())
        }
    }

    /// Returns whether there is any user at all.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn has_users(&self) -> Result<bool> {
        let any: Option<Id> = read!(self.db, c => users::table.select(users::id).limit(1)
            .first(c).await.optional())?;
        Ok(any.is_some())
    }

    /// Returns the user with this e-mail address.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_user_by_email(&self, email: &str) -> Result<Option<User>> {
        let email = folded(email);
        let user = read!(self.db, c => users::table.filter(users::email.eq(&email))
            .select(row::User::as_select()).first(c).await.optional())?;
        Ok(user.map(row::User::into_record))
    }

    /// Returns the organization with this name, which is added if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn ensure_organization(&self, name: &str) -> Result<Organization> {
        let new = row::Organization {
            id: Id(OrgId::fresh().0),
            name: name.to_owned(),
            created_at: Time::now(),
        };
        write!(self.db, c => diesel::insert_into(organizations::table).values(&new)
            .on_conflict(organizations::name).do_nothing().execute(c).await)?;
        let found = read!(self.db, c => organizations::table.filter(organizations::name.eq(name))
            .select(row::Organization::as_select()).first(c).await)?;
        Ok(found.into_record())
    }

    /// Returns every organization, by name.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn list_organizations(&self) -> Result<Vec<Organization>> {
        let found: Vec<row::Organization> = read!(self.db, c => organizations::table
            .order((organizations::name, organizations::id))
            .select(row::Organization::as_select()).load(c).await)?;
        let found = found.into_iter().map(row::Organization::into_record);
        Ok(found.collect())
    }

    /// Makes a user a member of an organization, or changes what the member may do.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if there is no such user or organization.
    pub async fn add_member(&self, org: OrgId, user: UserId, role: Role) -> Result<()> {
        let membership = row::Membership {
            organization_id: Id(org.0),
            user_id: Id(user.0),
            role: role.as_str().to_owned(),
            created_at: Time::now(),
        };
        write!(self.db, c => diesel::insert_into(memberships::table).values(&membership)
            .on_conflict((memberships::organization_id, memberships::user_id))
            .do_update().set(memberships::role.eq(excluded(memberships::role)))
            .execute(c).await)?;
        Ok(())
    }

    /// Returns where a user belongs, the oldest membership first.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn memberships(&self, user: UserId) -> Result<Vec<Membership>> {
        let found: Vec<(String, row::Organization)> = read!(self.db, c => memberships::table.inner_join(organizations::table)
                .filter(memberships::user_id.eq(Id(user.0)))
                .order((memberships::created_at, memberships::organization_id))
                .select((memberships::role, row::Organization::as_select()))
                .load(c).await)?;
        found
            .into_iter()
            .map(|(role, it)| it.with_role(&role))
            .collect()
    }

    /// Records a login, and forgets those of the same user that have expired.
    ///
    /// # Errors
    ///
    /// [`Error::Conflict`] if there is no such user.
    pub async fn create_session(&self, s: &NewSession) -> Result<()> {
        let session = row::Session {
            id: Id(s.id.0),
            user_id: Id(s.user.0),
            token_hash: s.token_hash.clone(),
            expires_at: Time::from(s.expires_at),
            created_at: Time::from(s.created_at),
        };
        let repository = self.clone();
        detached(async move {
            let mut tx = repository.db.begin().await?;
            let outcome = add_session(&mut tx, &session).await;
            tx.finish(outcome).await
        })
        .await
    }

    /// Returns a login that has not expired, with its user and where the user belongs, from one
    /// statement.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn find_session(&self, token_hash: &[u8], now: Timestamp) -> Result<Option<Session>> {
        type Line = (
            row::Session,
            row::User,
            Option<String>,
            Option<row::Organization>,
        );
        let lines: Vec<Line> = read!(self.db, c => sessions::table
            .inner_join(users::table)
            .left_join(memberships::table.inner_join(organizations::table)
                .on(memberships::user_id.eq(sessions::user_id)))
            .filter(sessions::token_hash.eq(token_hash))
            .filter(sessions::expires_at.gt(Time::from(now)))
            .order((memberships::created_at, memberships::organization_id))
            .select((
                row::Session::as_select(),
                row::User::as_select(),
                memberships::role.nullable(),
                Option::<row::Organization>::as_select(),
            ))
            .load(c).await)?;
        let mut session = None;
        let mut belongs = Vec::new();
        for (login, user, role, organization) in lines {
            session.get_or_insert((login, user));
            if let (Some(role), Some(organization)) = (role, organization) {
                belongs.push(organization.with_role(&role)?);
            }
        }
        Ok(session.map(|(login, user)| Session {
            id: SessionId(login.id.0),
            user: user.into_record(),
            created_at: login.created_at.0,
            expires_at: login.expires_at.0,
            memberships: belongs,
        }))
    }

    /// Returns which of these logins have not expired, each with the organizations that its user
    /// belongs to; once without any for a user who belongs to none.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn session_scopes(
        &self,
        ids: &[SessionId],
        now: Timestamp,
    ) -> Result<Vec<(SessionId, Option<OrgId>)>> {
        let mut scopes = Vec::new();
        for chunk in ids.chunks(500) {
            let ids: Vec<Id> = chunk.iter().map(|it| Id(it.0)).collect();
            let lines: Vec<(Id, Option<Id>)> = read!(self.db, c => sessions::table
                .left_join(memberships::table.on(memberships::user_id.eq(sessions::user_id)))
                .filter(sessions::id.eq_any(ids))
                .filter(sessions::expires_at.gt(Time::from(now)))
                .select((sessions::id, memberships::organization_id.nullable()))
                .load(c).await)?;
            let scope = |(id, org): (Id, Option<Id>)| (SessionId(id.0), org.map(|it| OrgId(it.0)));
            scopes.extend(lines.into_iter().map(scope));
        }
        Ok(scopes)
    }

    /// Ends a login. One that is gone already is ended.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`] if the database does not answer.
    pub async fn delete_session(&self, id: SessionId) -> Result<()> {
        write!(self.db, c => diesel::delete(sessions::table.find(Id(id.0))).execute(c).await)?;
        Ok(())
    }
}

async fn add_user(tx: &mut Connection, user: &row::User, audit: &AuditEntry) -> Result<()> {
    run!(tx, c => diesel::insert_into(users::table).values(user).execute(c).await)
        .map_err(Error::taken("the e-mail address is taken"))?;
    audit::append(tx, audit, user.created_at).await
}

async fn add_session(tx: &mut Connection, session: &row::Session) -> Result<()> {
    run!(tx, c => diesel::delete(sessions::table)
        .filter(sessions::user_id.eq(session.user_id))
        .filter(sessions::expires_at.le(session.created_at)).execute(c).await)?;
    run!(tx, c => diesel::insert_into(sessions::table).values(session).execute(c).await)?;
    Ok(())
}

fn folded(email: &str) -> String {
    email.trim().to_lowercase()
}
