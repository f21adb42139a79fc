//! Every page in the states in which the tests look at it. A route without a visit fails a test.

mod account;
mod compare;
mod create;
mod operator;
mod servers;
mod ssh_keys;

use roadstead_core::{InstanceId, OperationId, ProviderId, SalePlanId, SshKeyId};
use roadstead_panel::Kind;
use roadstead_service::{AddSshKey, InstancePatch, ProviderChange};
use uuid::Uuid;

use crate::app::TestApp;
use crate::people::{Member, Operator, Person};
use crate::reply::Reply;
use crate::ssh_keys::public_key;
use crate::xss::CORPUS;
use crate::{doubt, plans};

/// What is there to look at.
pub(crate) struct World {
    pub(crate) app: TestApp,
    /// An account at each provider, whose catalogues are here.
    pub(crate) accounts: [ProviderId; 2],
    /// A server that was accepted a moment ago.
    pub(crate) server: InstanceId,
    /// An SSH key.
    pub(crate) key: SshKeyId,
    /// A plan on sale.
    pub(crate) plan: SalePlanId,
    /// A create that waits for a person.
    pub(crate) waiting: OperationId,
    /// A server that nobody vouches for.
    pub(crate) quarantined: Uuid,
    /// A server that its vendor has no more.
    pub(crate) missing: InstanceId,
}

impl World {
    /// Makes a world whose people have named things to do harm.
    pub(crate) async fn make() -> Self {
        let app = TestApp::start().await;
        let accounts = app.stock().await;
        app.warm(accounts).await;
        let [account, green] = accounts;
        let plan = plans::one_off_sale(&app, account).await;
        let waiting = doubt::about_a_create(&app, "lost-1").await;
        let name = "copy\"><xss-probe>";
        let quarantined = doubt::quarantine(&app, account, "815", name).await;
        let missing = doubt::miss(&app, account, "gone-1").await;
        let hostile = CORPUS.join("\n");
        let operator = app.caller(Operator).await.operator().unwrap();
        let change = ProviderChange {
            name: Some("Green \"><xss-probe>".to_owned()),
            ..ProviderChange::default()
        };
        let changed = app.platform.change_provider(&operator, green, change);
        changed.await.unwrap();
        let server = app
            .create_with("web-1", |it| it.tags = vec!["blue".to_owned()])
            .await;
        let grant = app.caller(Member).await.grant(None).unwrap();
        let patch = InstancePatch {
            notes: Some(hostile),
            ..InstancePatch::default()
        };
        app.platform
            .change_server(&grant, server, patch)
            .await
            .unwrap();
        let grant = app.caller(Member).await.grant(None).unwrap();
        let add = AddSshKey {
            name: "<img src=x onerror=xss()>".to_owned(),
            public_key: format!("{} \"><xss-probe>", public_key(1)),
        };
        let key = app.platform.add_ssh_key(&grant, add).await.unwrap().id;
        Self {
            app,
            accounts,
            server,
            key,
            plan,
            waiting,
            quarantined,
            missing,
        }
    }
}

/// A look at a page, or a form that is sent.
pub(crate) struct Visit {
    pub(crate) kind: Kind,
    /// The route's path.
    pub(crate) route: &'static str,
    /// The address.
    pub(crate) url: String,
    /// By whom.
    pub(crate) person: Option<Person>,
    /// The fields of the form.
    pub(crate) fields: Vec<(&'static str, String)>,
    /// What it is answered with.
    pub(crate) status: u16,
}

impl Visit {
    pub(crate) fn page(route: &'static str, person: impl Into<Option<Person>>) -> Self {
        Self {
            kind: Kind::Page,
            route,
            url: route.to_owned(),
            person: person.into(),
            fields: Vec::new(),
            status: 200,
        }
    }

    pub(crate) fn fragment(route: &'static str, person: impl Into<Option<Person>>) -> Self {
        Self {
            kind: Kind::Fragment,
            ..Self::page(route, person)
        }
    }

    pub(crate) fn file(route: &'static str, person: impl Into<Option<Person>>) -> Self {
        Self {
            kind: Kind::File,
            ..Self::page(route, person)
        }
    }

    /// A form that is sent with mistakes.
    pub(crate) fn mistaken(
        route: &'static str,
        person: impl Into<Option<Person>>,
        fields: &[(&'static str, &str)],
    ) -> Self {
        Self {
            kind: Kind::Action,
            fields: fields
                .iter()
                .map(|(name, value)| (*name, (*value).to_owned()))
                .collect(),
            status: 422,
            ..Self::page(route, person)
        }
    }

    /// At another address than the route's path.
    pub(crate) fn at(mut self, url: impl Into<String>) -> Self {
        self.url = url.into();
        self
    }

    pub(crate) fn answers(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    pub(crate) async fn make(&self, app: &TestApp) -> Reply {
        match self.kind {
            Kind::Action => {
                let fields = self.fields.iter();
                let fields: Vec<_> = fields
                    .map(|(name, value)| (*name, value.as_str()))
                    .collect();
                app.post(&self.url, &fields).by(self.person).await
            }
            Kind::Page | Kind::Fragment | Kind::File => app.get(&self.url).by(self.person).await,
        }
    }

    pub(crate) fn name(&self) -> String {
        format!("{:?} {} by {:?}", self.kind, self.url, self.person)
    }
}

/// Returns every visit. What changes something for good comes last.
pub(crate) fn all(world: &World) -> Vec<Visit> {
    [
        servers::visits(world),
        ssh_keys::visits(world),
        create::visits(world),
        compare::visits(world),
        account::visits(),
        operator::visits(world),
    ]
    .into_iter()
    .flatten()
    .collect()
}
