//! The optional abilities, observed like the rest.
//!
//! Each is handed out only where the wrapped provider has it, see
//! [`Provider::extensions`](roadstead_core::Provider::extensions).

use std::sync::Arc;

use async_trait::async_trait;
use roadstead_core::{
    AfterCreate, Choice, ChoiceList, Choices, CreateInstance, Error, KeptKey, KeyForm, Marketplace,
    MarketplaceApp, RemoteId, Result, SshKeys, StackScripts,
};
use serde_json::Value;

use super::{ObservedProvider, call, change};

macro_rules! ability {
    ($self:ident.$name:ident) => {
        $self.inner.extensions().$name.ok_or_else(|| {
            let kind = $self.inner.descriptor().kind.clone();
            Error::unsupported(kind, "use an ability", "the provider does not have it")
        })
    };
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl SshKeys for ObservedProvider {
    fn form(&self) -> KeyForm {
        let keys = self.inner.extensions().ssh_keys;
        keys.map_or(KeyForm::Full, SshKeys::form)
    }

    async fn ensure(&self, public_key: &str, name: &str) -> Result<KeptKey> {
        let answer = ability!(self.ssh_keys)?.ensure(public_key, name);
        self.observe(change("keys", "ensure_ssh_key"), answer).await
    }

    async fn find(&self, public_key: &str, name: &str) -> Result<Option<KeptKey>> {
        let answer = ability!(self.ssh_keys)?.find(public_key, name);
        self.observe(call("keys", "find_ssh_key"), answer).await
    }

    async fn delete(&self, id: &str) -> Result<()> {
        let answer = ability!(self.ssh_keys)?.delete(id);
        self.observe(change("keys", "delete_ssh_key"), answer).await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Marketplace for ObservedProvider {
    async fn apps(&self) -> Result<Arc<[MarketplaceApp]>> {
        let answer = ability!(self.marketplace)?.apps();
        self.observe(call("catalogue", "list_marketplace_apps"), answer)
            .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl StackScripts for ObservedProvider {
    async fn own(&self) -> Result<Arc<[MarketplaceApp]>> {
        let answer = ability!(self.stack_scripts)?.own();
        self.observe(call("catalogue", "list_stack_scripts"), answer)
            .await
    }

    async fn script(&self, id: &str) -> Result<MarketplaceApp> {
        let answer = ability!(self.stack_scripts)?.script(id);
        self.observe(call("catalogue", "get_stack_script"), answer)
            .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl Choices for ObservedProvider {
    async fn choices(&self, of: ChoiceList) -> Result<Arc<[Choice]>> {
        let answer = ability!(self.choices)?.choices(of);
        self.observe(call("catalogue", "list_choices"), answer)
            .await
    }
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl AfterCreate for ObservedProvider {
    fn plan(&self, request: &CreateInstance) -> Option<Value> {
        self.inner.extensions().after_create?.plan(request)
    }

    async fn finish(&self, id: &RemoteId, plan: &Value) -> Result<()> {
        let answer = ability!(self.after_create)?.finish(id, plan);
        self.observe(change("action", "finish_create"), answer)
            .await
    }
}
