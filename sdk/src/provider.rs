//! What a provider says about itself: constants that `provider!` puts together and checks while
//! compiling.

mod check;

use crate::action::Action;
pub use crate::bindings::exports::portcullis::provider::{
    actions::{Credential, Risk},
    provider::{ConnectionScope, ConnectionType},
};
pub use crate::bindings::portcullis::provider::http::Method;

/// A whole provider. Made by [`provider!`](crate::provider!), which checks it while compiling.
#[derive(Clone, Copy, Debug)]
pub struct Provider {
    /// `[a-z][a-z0-9-]{0,31}`; the part before the dot in `linear.create_issue`.
    pub id: &'static str,
    /// The name people know the service by; at most 64 characters.
    pub name: &'static str,
    /// What one can do with it, in a sentence or two; at most 500 characters.
    pub description: &'static str,
    /// An SVG document or a `data:` URL of at most 16 KiB. `None`: the host shows the name's first
    /// letter.
    pub icon: Option<&'static str>,
    /// Semantic version of the provider.
    pub version: &'static str,
    /// Empty: it works without any connection.
    pub connections: &'static [Connection],
    /// The places it may call.
    pub endpoints: &'static [Endpoint],
    /// What agents can do with it.
    pub actions: &'static [Action],
    /// Markdown for agents: how to use the actions well; at most 16 KiB.
    pub guide: &'static str,
    /// Linear memory that a call needs, in MiB; 1 to 4096. `None`: what the gateway gives every
    /// provider, 64 unless its operator says otherwise. Who asks for more is not loaded until an
    /// operator grants it.
    pub memory_mib: Option<u32>,
}

impl Provider {
    /// What `provider!` fills in.
    #[doc(hidden)]
    pub const fn unnamed(version: &'static str) -> Self {
        Self {
            id: "",
            name: "",
            description: "",
            icon: None,
            version,
            connections: &[],
            endpoints: &[],
            actions: &[],
            guide: "",
            memory_mib: None,
        }
    }
}

/// A connection that makes a provider work; at most one for each scope.
#[derive(Clone, Copy, Debug)]
pub struct Connection {
    pub(crate) scope: ConnectionScope,
    pub(crate) types: &'static [ConnectionType],
    pub(crate) scopes: &'static [&'static str],
    pub(crate) optional: bool,
    pub(crate) preset: Option<&'static str>,
}

impl Connection {
    /// A connection of the organization: the ways that work, the preferred one first.
    pub const fn org(types: &'static [ConnectionType]) -> Self {
        Self {
            scope: ConnectionScope::Org,
            types,
            scopes: &[],
            optional: false,
            preset: None,
        }
    }

    /// A connection of a user: the ways that work, the preferred one first.
    pub const fn user(types: &'static [ConnectionType]) -> Self {
        Self {
            scope: ConnectionScope::User,
            types,
            scopes: &[],
            optional: false,
            preset: None,
        }
    }

    /// The provider is of use without it.
    #[must_use]
    pub const fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// The OAuth scopes to ask for.
    #[must_use]
    pub const fn scopes(mut self, scopes: &'static [&'static str]) -> Self {
        self.scopes = scopes;
        self
    }

    /// The name of the host's OAuth preset. Without one the operator configures the client by hand.
    #[must_use]
    pub const fn preset(mut self, preset: &'static str) -> Self {
        self.preset = Some(preset);
        self
    }
}

/// A place a provider may call.
#[derive(Clone, Copy, Debug)]
pub struct Endpoint {
    pub(crate) name: &'static str,
    pub(crate) base_url: &'static str,
    pub(crate) routes: &'static [Route],
    pub(crate) credentials: &'static [(ConnectionType, CredentialForm)],
}

impl Endpoint {
    /// A name for [`Context::http`](crate::Context::http) and a base, `https://host[:port][/path]`,
    /// which a connection may replace.
    pub const fn new(name: &'static str, base_url: &'static str) -> Self {
        Self {
            name,
            base_url,
            routes: &[],
            credentials: &[],
        }
    }

    /// The methods and paths it calls. Without any nothing may be called.
    #[must_use]
    pub const fn routes(mut self, routes: &'static [Route]) -> Self {
        self.routes = routes;
        self
    }

    /// Where the host puts the credential, for each type of connection. A connection of another
    /// type cannot be used here.
    #[must_use]
    pub const fn credentials(mut self, rules: &'static [(ConnectionType, CredentialForm)]) -> Self {
        self.credentials = rules;
        self
    }
}

/// One method under one path.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path_prefix: &'static str,
}

impl Route {
    /// A method under a path that matches itself and everything below it: `/graphql` matches
    /// `/graphql/x`, not `/graphql2`.
    pub const fn new(method: Method, path_prefix: &'static str) -> Self {
        Self {
            method,
            path_prefix,
        }
    }

    /// GET under a path.
    pub const fn get(path_prefix: &'static str) -> Self {
        Self::new(Method::Get, path_prefix)
    }

    /// POST under a path.
    pub const fn post(path_prefix: &'static str) -> Self {
        Self::new(Method::Post, path_prefix)
    }

    /// PUT under a path.
    pub const fn put(path_prefix: &'static str) -> Self {
        Self::new(Method::Put, path_prefix)
    }

    /// PATCH under a path.
    pub const fn patch(path_prefix: &'static str) -> Self {
        Self::new(Method::Patch, path_prefix)
    }

    /// DELETE under a path.
    pub const fn delete(path_prefix: &'static str) -> Self {
        Self::new(Method::Delete, path_prefix)
    }
}

/// Where the host puts the credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialForm {
    /// `Authorization: Bearer <credential>`
    Bearer,
    /// `Authorization: <credential>`
    Raw,
    /// Another header.
    Header {
        /// The header's name.
        name: &'static str,
        /// What stands before the credential in its value.
        prefix: &'static str,
    },
    /// A query parameter of this name.
    Query(&'static str),
    /// Nowhere.
    None,
}
