//! Closed sets of names as the API's description shows them: read from the very
//! lists that answers are made from, so that the two cannot differ.

use std::borrow::Cow;

use portcullis_core::action::Risk;
use portcullis_core::definition;
use portcullis_core::invocation;
use portcullis_core::modes;
use portcullis_core::plugin;
use portcullis_core::review;
use portcullis_storage::{ConnectionStatus as StoredStatus, Role as StoredRole};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::error::ErrorCode;
use crate::events;

/// A component of the description: a type without values, since answers hold
/// the names as text.
macro_rules! names {
    ($($(#[doc = $doc:literal])+ $name:ident = $names:expr;)+) => {$(
        $(#[doc = $doc])+
        pub(super) enum $name {}

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                one_of($names, concat!($($doc,)+))
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed(stringify!($name))
            }
        }
    )+};
}

names! {
    /// How much harm an action can do: a hint, from which the mode of an action
    /// is inferred that nobody has decided about.
    RiskLevel = Risk::ALL.iter().map(|name| name.as_str());
    /// What happens when an action is invoked: it runs, it is refused, or a
    /// person decides.
    Mode = modes::Mode::ALL.iter().map(|name| name.as_str());
    /// Which step of the cascade decided the mode.
    ModeSource = modes::ModeSource::ALL.iter().map(|name| name.as_str());
    /// What has become of an action since it was reviewed: the same; it reads
    /// differently; it is called differently; nobody has reviewed it; the same, of one
    /// that is called as one that is gone; it is gone; or it was not listed, but neither
    /// was everything.
    ReviewStatus = review::ReviewStatus::NAMES;
    /// What has become of a part of a definition.
    EntryChange = definition::EntryChange::ALL.iter().map(|name| name.as_str());
    /// Whether a difference changes how an action is called, or only what is said about
    /// it.
    Affects = definition::Affects::ALL.iter().map(|name| name.as_str());
    /// How a definition differs from the one that somebody saw; `unseen`: nobody saw one.
    DefinitionChange = definition::DefinitionChange::ALL.iter().map(|name| name.as_str());
    /// What an organization makes of actions that are called as ever and read
    /// differently: it is told, or those that were allowed wait for a person.
    TextChanges = modes::TextChanges::ALL.iter().map(|name| name.as_str());
    /// Where an invocation stands.
    InvocationStatus = invocation::InvocationStatus::ALL.iter().map(|name| name.as_str());
    /// Why an invocation failed: the provider's codes, then the sandbox's, then
    /// the gateway's.
    FailureCode = invocation::FailureCode::ALL.iter().map(|name| name.as_str());
    /// How a connection is made.
    ConnectionType = plugin::ConnectionType::ALL.iter().map(|name| name.as_str());
    /// Where a version of a plugin stands: it waits for the operator; it serves; it does
    /// not, or not any more; or it could not, or was taken back.
    PluginState = plugin::PluginState::ALL.iter().map(|name| name.as_str());
    /// What part of a plugin differs.
    PluginPart = plugin::ManifestPart::ALL.iter().map(|name| name.as_str());
    /// What a difference means: it asks for more or changes what was reviewed; it asks
    /// for less; or it is neither.
    PluginEffect = plugin::Effect::ALL.iter().map(|name| name.as_str());
    /// Whether the service still takes the credential, as far as is known.
    ConnectionStatus = [StoredStatus::Active, StoredStatus::NeedsReauth].map(StoredStatus::as_str);
    /// Whether a source can be used, and if not, why.
    SourceStatus = ["ok", "unreachable", "needs_auth", "stale"];
    /// What an event means: an invocation waits for a person; it waits no more,
    /// being approved, denied, withdrawn or expired; it ended, well or not, or was
    /// denied by policy.
    EventType = events::EventKind::ALL.map(super::events::type_of);
    /// What a member may do: owners everything, admins all but appointing
    /// owners, members read what is not secret.
    Role = [StoredRole::Owner, StoredRole::Admin, StoredRole::Member].map(StoredRole::as_str);
    /// Every code of an error: first those with which the gateway refuses, then
    /// those with which an invocation failed.
    ErrorCodeName = error_codes();
}

fn error_codes() -> Vec<&'static str> {
    let mut codes = Vec::new();
    for code in ErrorCode::all().map(ErrorCode::as_str) {
        // Some words are codes of both.
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    codes
}

fn one_of(names: impl IntoIterator<Item = &'static str>, description: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .description(Some(description.trim()))
        .enum_values(Some(names))
        .into()
}

/// What identifies a definition.
pub(super) enum DefinitionDigest {}

impl PartialSchema for DefinitionDigest {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "SHA-256 of what agents and people are shown of an action: title, description, \
                 risk, credential, schemas and examples. Equal digests mean equal definitions.",
            ))
            .pattern(Some("^sha256:[0-9a-f]{64}$"))
            .into()
    }
}

impl ToSchema for DefinitionDigest {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("DefinitionDigest")
    }
}

/// What identifies a version of a plugin.
pub(super) enum PluginDigest {}

impl PartialSchema for PluginDigest {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("SHA-256 of the bytes of the component."))
            .pattern(Some("^sha256:[0-9a-f]{64}$"))
            .into()
    }
}

impl ToSchema for PluginDigest {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("PluginDigest")
    }
}

/// Why an invocation was denied. Not a closed set: a stored mode that is none of
/// the three is shown as it is.
pub(super) enum DeniedReason {}

impl PartialSchema for DeniedReason {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some(
                "`policy`: the mode is deny. `human`: a person said no. `cancelled`: the agent \
                 withdrew it. `expired`: nobody decided in time. `unknown_mode:<value>`: the stored mode is none of the three.",
            ))
            .pattern(Some("^(policy|human|cancelled|expired|unknown_mode:.*)$"))
            .into()
    }
}

impl ToSchema for DeniedReason {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("DeniedReason")
    }
}
