//! What a plugin says about itself, after validation.
//!
//! Of a version that is [`PluginManifest`]; what becomes of it when another version
//! comes is [`ManifestDifference`], and whether a version is ill is [`TrapWatch`].

mod capabilities;
mod difference;
mod health;
mod manifest;

use std::{fmt, str::FromStr};

use sha2::{Digest as _, Sha256};
use url::Url;

use crate::action::{CredentialChoice, names};
use crate::id::{InvalidId, SourceId};

pub use capabilities::{capabilities, phrase, sentence};
pub use difference::{
    Effect, MAX_MANIFEST_ENTRIES, ManifestDifference, ManifestEntry, ManifestPart,
};
pub use health::{Judgement, TrapRule, TrapWatch};
pub use manifest::{InvalidManifest, MAX_MANIFEST_BYTES, PluginManifest};

/// The SHA-256 of a plugin's bytes, shown as `sha256:` and 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PluginDigest([u8; 32]);

impl PluginDigest {
    /// Hashes a component's bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl fmt::Display for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", hex::encode(self.0))
    }
}

impl FromStr for PluginDigest {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let invalid = InvalidId {
            kind: "plugin digest",
            rule: "`sha256:` and 64 hex digits",
        };
        let digits = text.strip_prefix("sha256:").ok_or(invalid.clone())?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| invalid)?;
        Ok(Self(bytes))
    }
}

impl fmt::Debug for PluginDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A provider as its plugin describes it (WIT `provider.descriptor`).
#[derive(Debug, Clone, PartialEq)]
pub struct PluginDescriptor {
    /// Also the id of the action source.
    pub id: SourceId,
    /// The name people know the service by.
    pub name: String,
    /// A sentence or two.
    pub description: String,
    /// SVG document or `data:` URL.
    pub icon: Option<String>,
    /// Semantic version, as text.
    pub version: String,
    /// At most one for each scope; empty when no connection is needed.
    pub connections: Vec<ConnectionRequirement>,
    /// Where it may call.
    pub endpoints: Vec<Endpoint>,
    /// What its calls need beyond the gateway's defaults.
    pub asks: AskedLimits,
}

/// The limits a plugin asks for (WIT `provider.limits`); `None` is the gateway's
/// default. What is asked is nothing until an operator grants it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct AskedLimits {
    /// Linear memory of one call, in MiB; 1 to 4096.
    pub memory_mib: Option<u32>,
}

impl AskedLimits {
    /// What is asked for, in bytes.
    pub fn memory_bytes(self) -> Option<u64> {
        self.memory_mib.map(|mib| u64::from(mib) << 20)
    }
}

impl PluginDescriptor {
    /// The endpoint of this name.
    pub fn endpoint(&self, name: &str) -> Option<&Endpoint> {
        self.endpoints.iter().find(|endpoint| endpoint.name == name)
    }

    /// True when an action with this choice cannot work without a connection: one
    /// that acts as a user always, any other unless they are all optional.
    pub fn needs_connection(&self, choice: CredentialChoice) -> bool {
        let is_required = |requirement: &ConnectionRequirement| {
            !requirement.optional && requirement.types != [ConnectionType::None]
        };
        choice == CredentialChoice::User || self.connections.iter().any(is_required)
    }
}

names! {
    /// What a version of a plugin is at a moment.
    PluginState {
        /// It waits for the operator, who sees what it wants that the active one does
        /// not.
        Staged = "staged",
        /// It serves.
        Active = "active",
        /// It was replaced, rejected, rolled back or removed.
        Retired = "retired",
        /// It served, and was taken back since too many of its calls trapped.
        Failed = "failed",
    }
}

names! {
    /// How a connection is made.
    ConnectionType {
        /// OAuth 2.0 with refresh.
        OAuth2 = "oauth2",
        /// An installed app, as on GitHub.
        AppInstallation = "app-installation",
        /// A bot's token, as on Slack.
        BotToken = "bot-token",
        /// A key a person made.
        ApiKey = "api-key",
        /// Nothing is needed.
        None = "none",
    }
}

names! {
    /// Whose connection it is.
    ConnectionScope {
        /// Shared by the organization.
        Org = "org",
        /// One user's own.
        User = "user",
    }
}

/// A connection that makes a provider work.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionRequirement {
    /// Whose.
    pub scope: ConnectionScope,
    /// The ways that work, the preferred one first; never empty.
    pub types: Vec<ConnectionType>,
    /// OAuth scopes to ask for.
    pub scopes: Vec<String>,
    /// True when the provider is of use without it.
    pub optional: bool,
    /// The host's OAuth preset.
    pub preset: Option<String>,
}

/// Where the host puts a credential.
#[derive(Debug, Clone, PartialEq)]
pub enum CredentialForm {
    /// `Authorization: Bearer <credential>`
    Bearer,
    /// `Authorization: <credential>`
    Raw,
    /// Another header: its name in lower case, and what precedes the credential.
    Header {
        /// Lower case.
        name: String,
        /// May be empty.
        prefix: String,
    },
    /// A query parameter of this name.
    Query(String),
    /// Nowhere.
    None,
}

impl fmt::Display for CredentialForm {
    /// Where the credential goes, with `…` in its place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bearer => f.write_str("Authorization: Bearer …"),
            Self::Raw => f.write_str("Authorization: …"),
            Self::Header { name, prefix } => write!(f, "{name}: {prefix}…"),
            Self::Query(name) => write!(f, "?{name}=…"),
            Self::None => f.write_str("nowhere"),
        }
    }
}

/// The form for one type of connection.
#[derive(Debug, Clone, PartialEq)]
pub struct CredentialRule {
    /// The type it is for.
    pub connection: ConnectionType,
    /// Where the credential goes.
    pub form: CredentialForm,
}

names! {
    /// The methods a provider may use.
    Method {
        /// Safe.
        Get = "GET",
        /// Safe.
        Head = "HEAD",
        /// Not idempotent.
        Post = "POST",
        /// Idempotent.
        Put = "PUT",
        /// Not idempotent.
        Patch = "PATCH",
        /// Idempotent.
        Delete = "DELETE",
    }
}

/// One method under one path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method.
    pub method: Method,
    /// Starts with `/`; matches itself and what lies below it.
    pub path_prefix: String,
}

impl Route {
    /// Compares by whole segments: `/graphql` covers `/graphql` and `/graphql/x`,
    /// not `/graphql2`.
    pub fn covers_path(&self, path: &str) -> bool {
        let prefix = self.path_prefix.trim_end_matches('/');
        path.strip_prefix(prefix)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// True when everything the other route allows is allowed by this one.
    pub fn covers(&self, other: &Self) -> bool {
        let path = other.path_prefix.trim_end_matches('/');
        self.method == other.method && self.covers_path(path)
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.path_prefix)
    }
}

/// A place a provider may call.
#[derive(Debug, Clone, PartialEq)]
pub struct Endpoint {
    /// What requests name.
    pub name: String,
    /// `https`, without userinfo, query or fragment.
    pub base_url: Url,
    /// Empty: nothing may be called.
    pub routes: Vec<Route>,
    /// At most one for each connection type.
    pub credentials: Vec<CredentialRule>,
}

impl Endpoint {
    /// Where a credential of this type goes; `None` when the endpoint takes no
    /// such credential.
    pub fn credential_form(&self, connection: ConnectionType) -> Option<&CredentialForm> {
        self.credentials
            .iter()
            .find(|rule| rule.connection == connection)
            .map(|rule| &rule.form)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn descriptor(types: &[&[ConnectionType]], optional: bool) -> PluginDescriptor {
        let connections = types.iter().map(|types| ConnectionRequirement {
            scope: ConnectionScope::Org,
            types: types.to_vec(),
            scopes: Vec::new(),
            optional,
            preset: None,
        });
        PluginDescriptor {
            id: "linear".parse().unwrap(),
            name: "Linear".to_owned(),
            description: String::new(),
            icon: None,
            version: "1.0.0".to_owned(),
            connections: connections.collect(),
            endpoints: vec![Endpoint {
                name: "api".to_owned(),
                base_url: "https://api.linear.app".parse().unwrap(),
                routes: Vec::new(),
                credentials: vec![CredentialRule {
                    connection: ConnectionType::ApiKey,
                    form: CredentialForm::Raw,
                }],
            }],
            asks: AskedLimits::default(),
        }
    }

    #[test]
    fn a_digest_names_the_bytes() {
        let expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(PluginDigest::of(b"abc").to_string(), expected);
        assert_eq!(format!("{:?}", PluginDigest::of(b"abc")), expected);
        assert_ne!(PluginDigest::of(b"abd"), PluginDigest::of(b"abc"));
    }

    #[test]
    fn a_connection_is_needed_unless_it_is_optional_or_none() {
        let key: &[ConnectionType] = &[ConnectionType::ApiKey];
        let none: &[ConnectionType] = &[ConnectionType::None];
        for choice in [CredentialChoice::Org, CredentialChoice::PreferUser] {
            assert!(descriptor(&[key], false).needs_connection(choice));
            assert!(descriptor(&[none, key], false).needs_connection(choice));
            assert!(!descriptor(&[key], true).needs_connection(choice));
            assert!(!descriptor(&[none], false).needs_connection(choice));
            assert!(!descriptor(&[], false).needs_connection(choice));
        }
    }

    #[test]
    fn what_acts_as_a_user_needs_a_connection_that_is_optional_otherwise() {
        let optional = descriptor(&[&[ConnectionType::ApiKey]], true);
        assert!(optional.needs_connection(CredentialChoice::User));
    }

    #[test]
    fn the_most_that_can_be_asked_for_has_its_bytes() {
        let asking = |memory_mib| AskedLimits { memory_mib }.memory_bytes();
        assert_eq!(asking(None), None);
        assert_eq!(asking(Some(1)), Some(1 << 20));
        assert_eq!(asking(Some(4096)), Some(1 << 32));
    }

    #[test]
    fn a_credential_goes_only_where_its_type_is_declared() {
        let descriptor = descriptor(&[], false);
        let endpoint = descriptor.endpoint("api").unwrap();
        let form = endpoint.credential_form(ConnectionType::ApiKey);
        assert_eq!(form, Some(&CredentialForm::Raw));
        assert_eq!(endpoint.credential_form(ConnectionType::OAuth2), None);
        assert_eq!(descriptor.endpoint("other"), None);
    }
}
