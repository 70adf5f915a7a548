//! Parameters that more than one operation has.
//!
//! Extractors that read an id from the path describe it; the others are types
//! that exist for the description alone.

use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::{ObjectBuilder, Required, SchemaFormat, Type};

use super::super::callers::{
    InSession, InvocationDecider, OrgManager, OrgReader, OwnSandbox, PersonInSession,
};
use super::super::events::Watcher;
use super::super::invoke::MAX_IDEMPOTENCY_KEY;

const IDEMPOTENCY_KEY: &str = "Names this request, so that it can be sent again without happening twice: visible ASCII \
     characters, of the client's choice. Within 24 hours the session's next request with this \
     key and the same body is answered with the invocation of the first; one with another body \
     is refused with `idempotency_key_reused`.";

const TICKET_PROTOCOL: &str = "What a browser sends instead of `Authorization`: the subprotocol \
     `portcullis.ticket.<ticket>`, which the answer selects. Others may be offered beside it.";

const PLUGIN_SIGNATURE: &str = "A signature of the component, as `portcullis plugin sign` writes \
     it: `ed25519:`, a public key, `:` and the signature, both in base64. The header may be \
     repeated, and one may hold several, separated by commas; those within the component count \
     as well.";

macro_rules! describes {
    ($($type:ident: $parameter:expr;)+) => {$(
        impl IntoParams for $type {
            fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
                vec![$parameter.build()]
            }
        }
    )+};
}

/// The user in the path.
pub(in crate::http) enum UserPath {}

/// The source in the path.
pub(in crate::http) enum SourcePath {}

/// The action in the path.
pub(in crate::http) enum ActionPath {}

/// The header of the same name.
pub(in crate::http) enum IdempotencyKey {}

/// The header `Sec-WebSocket-Protocol`.
pub(in crate::http) enum TicketProtocol {}

/// The plugin in the path.
pub(in crate::http) enum PluginPath {}

/// The header `Portcullis-Signature`.
pub(in crate::http) enum PluginSignature {}

/// The header of the same name.
pub(super) enum IfNoneMatch {}

describes! {
    InSession: session();
    OwnSandbox: session();
    InvocationDecider: session();
    PersonInSession: session();
    Watcher: session();
    OrgReader: organization();
    OrgManager: organization();
    UserPath: in_path("user_id", "The user: 1 to 128 characters, chosen by the platform.", text(1, 128));
    SourcePath: in_path("source_id", "The source, for example `linear`.", text(1, 46));
    PluginPath: in_path("id", "The plugin, for example `linear`.", text(1, 32));
    PluginSignature: in_header("Portcullis-Signature", PLUGIN_SIGNATURE)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    ActionPath: in_path(
        "action_id",
        "The action within the source. A `/` in it is written as `%2F`.",
        text(1, 128),
    );
    IdempotencyKey: in_header("Idempotency-Key", IDEMPOTENCY_KEY)
        .schema(Some(text(1, MAX_IDEMPOTENCY_KEY).pattern(Some("^[ -~]+$"))));
    TicketProtocol: in_header("Sec-WebSocket-Protocol", TICKET_PROTOCOL)
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
    IfNoneMatch: in_header("If-None-Match", "The `ETag` of an earlier answer.")
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)));
}

fn session() -> ParameterBuilder {
    let uuid = ObjectBuilder::new()
        .schema_type(Type::String)
        .format(Some(SchemaFormat::Custom("uuid".to_owned())));
    in_path("session_id", "The session.", uuid)
}

fn organization() -> ParameterBuilder {
    in_path("org_id", "The organization.", text(1, 128))
}

fn in_path(name: &str, description: &str, schema: ObjectBuilder) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Path)
        .required(Required::True)
        .description(Some(description))
        .schema(Some(schema))
}

fn text(min: usize, max: usize) -> ObjectBuilder {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(min))
        .max_length(Some(max))
}

fn in_header(name: &str, description: &str) -> ParameterBuilder {
    ParameterBuilder::new()
        .name(name)
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(description))
}
