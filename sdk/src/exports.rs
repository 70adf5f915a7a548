//! The exports of the world, for any provider: what the host calls.

use std::{marker::PhantomData, rc::Rc};

use crate::{
    action::{self, Action},
    bindings::{
        exports::portcullis::provider::{actions, provider},
        portcullis::provider::types,
    },
    context::Context,
    error::Error,
    host::Sandbox,
    provider::{Connection, CredentialForm, Endpoint, Provider},
};

/// What `provider!` implements for the exported type.
pub trait Plugin {
    /// The provider to export.
    fn provider() -> &'static Provider;
}

/// Implements the exports for a provider.
#[derive(Debug)]
pub struct Exports<P>(PhantomData<P>);

impl<P: Plugin> provider::Guest for Exports<P> {
    fn describe() -> provider::Descriptor {
        let provider = P::provider();
        provider::Descriptor {
            identity: provider::Identity {
                id: provider.id.to_owned(),
                name: provider.name.to_owned(),
                description: provider.description.to_owned(),
                icon: provider.icon.map(str::to_owned),
                version: provider.version.to_owned(),
            },
            connections: provider.connections.iter().map(connection).collect(),
            endpoints: provider.endpoints.iter().map(endpoint).collect(),
            limits: provider.memory_mib.map(|mib| provider::Limits {
                memory_mib: Some(mib),
            }),
        }
    }
}

impl<P: Plugin> actions::Guest for Exports<P> {
    fn list() -> Vec<actions::Action> {
        P::provider().actions.iter().map(describe).collect()
    }

    fn guide() -> String {
        P::provider().guide.to_owned()
    }

    fn execute(
        context: actions::Context,
        action: String,
        params: String,
    ) -> Result<String, types::Error> {
        let provider = P::provider();
        let ctx = Context::new(Rc::new(Sandbox), provider.name, context.idempotency_key);
        tell_the_log_about_panics();
        action::dispatch(provider, &ctx, &action, &params).map_err(|error| wire_error(&error))
    }
}

/// A panic is a trap, and a trap has no message: the log is where an operator can read it.
fn tell_the_log_about_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let ctx = Context::new(Rc::new(Sandbox), "", String::new());
        ctx.log().error(panic.to_string());
    }));
}

fn connection(connection: &Connection) -> provider::ConnectionRequirement {
    provider::ConnectionRequirement {
        scope: connection.scope,
        types: connection.types.to_vec(),
        scopes: connection
            .scopes
            .iter()
            .map(|&scope| scope.to_owned())
            .collect(),
        optional: connection.optional,
        preset: connection.preset.map(str::to_owned),
    }
}

fn endpoint(endpoint: &Endpoint) -> provider::Endpoint {
    provider::Endpoint {
        name: endpoint.name.to_owned(),
        base_url: endpoint.base_url.to_owned(),
        routes: endpoint
            .routes
            .iter()
            .map(|route| provider::Route {
                method: route.method,
                path_prefix: route.path_prefix.to_owned(),
            })
            .collect(),
        credentials: endpoint
            .credentials
            .iter()
            .map(|&(connection, form)| provider::CredentialRule {
                connection,
                form: credential_form(form),
            })
            .collect(),
    }
}

fn credential_form(form: CredentialForm) -> provider::CredentialForm {
    match form {
        CredentialForm::Bearer => provider::CredentialForm::Bearer,
        CredentialForm::Raw => provider::CredentialForm::Raw,
        CredentialForm::Header { name, prefix } => {
            provider::CredentialForm::Header(provider::HeaderForm {
                name: name.to_owned(),
                prefix: prefix.to_owned(),
            })
        }
        CredentialForm::Query(name) => provider::CredentialForm::Query(name.to_owned()),
        CredentialForm::None => provider::CredentialForm::None,
    }
}

fn describe(action: &Action) -> actions::Action {
    actions::Action {
        id: action.id.to_owned(),
        title: action.title.to_owned(),
        description: action.description.to_owned(),
        risk: action.risk,
        credential: action.credential,
        params_schema: action.params_schema().to_string(),
        result_schema: action.result_schema().map(|schema| schema.to_string()),
        examples: action
            .examples
            .iter()
            .map(|example| actions::Example {
                title: example.title.to_owned(),
                params: (example.params)().to_string(),
            })
            .collect(),
    }
}

fn wire_error(error: &Error) -> types::Error {
    types::Error {
        code: error.code(),
        message: error.message().to_owned(),
        retryable: error.is_retryable(),
        retry_after_ms: error
            .wait()
            .map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
    }
}
