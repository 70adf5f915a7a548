//! Every code the gateway answers with, in one table: answers take their status
//! from it, and the API's description its words.

use axum::http::StatusCode;
use portcullis_core::invocation::FailureCode;

use super::failure;

macro_rules! codes {
    ($($name:ident = $text:literal, $status:ident, $meaning:literal, $remedy:literal;)+) => {
        /// Why the gateway itself refuses; `error.code` of an answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::http) enum Code { $(#[doc = $meaning] $name,)+ }

        impl Code {
            /// Every code, by status.
            pub(in crate::http) const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The code in JSON.
            pub(in crate::http) const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }

            /// The one status it is answered with.
            pub(in crate::http) const fn status(self) -> StatusCode {
                match self { $(Self::$name => StatusCode::$status,)+ }
            }

            /// What happened.
            pub(in crate::http) const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)+ }
            }

            /// What to do.
            pub(in crate::http) const fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)+ }
            }
        }

        $(
            #[doc = $meaning]
            #[allow(dead_code, reason = "some codes belong to no operation of their own")]
            pub(in crate::http) struct $name;

            impl CanFail for $name {
                fn codes() -> Vec<ErrorCode> {
                    vec![Code::$name.into()]
                }
            }
        )+
    };
}

codes! {
    InvalidRequest = "invalid_request", BAD_REQUEST,
        "A header, a parameter or a field of the body is not what the route takes.",
        "Read `details`: each entry names the place and the rule.";
    InvalidJson = "invalid_json", BAD_REQUEST,
        "The body is not valid JSON.",
        "Send one JSON object in UTF-8.";
    InvalidParams = "invalid_params", BAD_REQUEST,
        "The params break the action's schema.",
        "Correct every place that `details` names; the catalog has the schema.";
    InvalidPlugin = "invalid_plugin", BAD_REQUEST,
        "The bytes are no plugin that this gateway can host, or not the one that was meant.",
        "Read the reason; `portcullis plugin inspect FILE` tells the same without a gateway.";
    InvalidSignature = "invalid_signature", BAD_REQUEST,
        "A signature does not fit the plugin, or is none.",
        "Get plugin and signature again from whoever signed it, or sign it anew.";
    Unauthorized = "unauthorized", UNAUTHORIZED,
        "The bearer credential is missing, was sent twice, or is not valid.",
        "Send one `Authorization: Bearer` with a key or token of this gateway.";
    TokenExpired = "token_expired", UNAUTHORIZED,
        "The token was valid and its time is over.",
        "Ask for a new one where this one came from.";
    Forbidden = "forbidden", FORBIDDEN,
        "The caller is known and may not do this.",
        "Use the kind of credential, or have the role, that the message names.";
    SignatureRequired = "signature_required", FORBIDDEN,
        "No trusted key vouches for the plugin, and `plugins.require_signed` asks for one.",
        "Sign it with `portcullis plugin sign`, by a key that `plugins.trusted_keys` names.";
    Denied = "denied", FORBIDDEN,
        "The action's mode is deny, or a person said no.",
        "Do not repeat it; an admin can change the mode.";
    NotFound = "not_found", NOT_FOUND,
        "It does not exist, or the caller must not learn whether it does.",
        "Check the path, and whether the credential belongs to what it names.";
    UnknownSource = "unknown_source", NOT_FOUND,
        "No source has this id.",
        "Take an id from `sources` of the catalog.";
    NoResult = "no_result", NOT_FOUND,
        "The invocation has no result: it has not completed.",
        "Look at the status of the invocation that stands beside the error.";
    NothingThere = "nothing_there", NOT_FOUND,
        "Nothing stands in the result where the pointer leads.",
        "Read in the message how far it leads, and what is there.";
    MethodNotAllowed = "method_not_allowed", METHOD_NOT_ALLOWED,
        "The route takes other methods.",
        "Use one that the `Allow` header names.";
    RequestTimeout = "request_timeout", REQUEST_TIMEOUT,
        "The body did not arrive in time.",
        "Send it again without pauses.";
    AlreadyExists = "already_exists", CONFLICT,
        "Something has this id already.",
        "Choose another id, or use what is there.";
    Conflict = "conflict", CONFLICT,
        "The request refers to something that has gone meanwhile.",
        "Read anew what it refers to, and send it again.";
    SessionClosed = "session_closed", CONFLICT,
        "The session is closed for good.",
        "Open a new one.";
    IdempotencyKeyReused = "idempotency_key_reused", CONFLICT,
        "The Idempotency-Key stands for another body.",
        "Use a new key for a new request.";
    AlreadyDecided = "already_decided", CONFLICT,
        "Somebody has decided about the invocation, or its agent has withdrawn it.",
        "Look at the invocation that stands beside the error.";
    ConnectionChanged = "connection_changed", CONFLICT,
        "The connection was rotated, replaced or removed since the invocation was asked for.",
        "Deny it, and let the agent ask again.";
    DeniedMeanwhile = "denied_meanwhile", CONFLICT,
        "The action's mode has been set to deny since the invocation was asked for.",
        "Change the mode, or deny the invocation.";
    DefinitionChanged = "definition_changed", CONFLICT,
        "The action's definition is not the one that was asked for or seen.",
        "Read the definition and its digest anew, and decide about what it is now.";
    NotStaged = "not_staged", CONFLICT,
        "The version does not wait for the operator, or does so no longer.",
        "Look at the plugin's versions; install the file again if it is to serve.";
    ActiveChanged = "active_changed", CONFLICT,
        "Another version serves than the one that the difference was shown against.",
        "Look at the difference again, and approve with the digest it names as active.";
    NoEarlierVersion = "no_earlier_version", CONFLICT,
        "The plugin has no version to go back to, or not the one that was named.",
        "Take the digest of a version that has served, or install one.";
    PluginUnloadable = "plugin_unloadable", CONFLICT,
        "The version was installed once and cannot be loaded now.",
        "Do what the message says, or install the file again.";
    PluginInUse = "plugin_in_use", CONFLICT,
        "Invocations of the plugin wait for a person or run.",
        "Decide about them and wait, or add `?force=true`.";
    Expired = "expired", GONE,
        "The invocation waited for a person, and nobody decided in time.",
        "Invoke the action again with a new Idempotency-Key.";
    ResultExpired = "result_expired", GONE,
        "The result was truncated, and what it was before is not kept, or not any more.",
        "Use the truncated result, or invoke the action again and ask for less.";
    PayloadTooLarge = "payload_too_large", PAYLOAD_TOO_LARGE,
        "The body is larger than `server.max_body_bytes`.",
        "Send less.";
    UnknownAction = "unknown_action", UNPROCESSABLE_ENTITY,
        "The source has no action with this id.",
        "Take what the message suggests, or an id from the catalog.";
    UpgradeRequired = "upgrade_required", UPGRADE_REQUIRED,
        "The route is a WebSocket, and the request does not ask for one.",
        "Use a client for WebSockets, version 13, over HTTP/1.1.";
    RateLimited = "rate_limited", TOO_MANY_REQUESTS,
        "The session has used up its invocations of the last 60 seconds.",
        "Wait as long as `Retry-After` says.";
    TooManyPending = "too_many_pending", TOO_MANY_REQUESTS,
        "Too many invocations of the session wait for a person already.",
        "Wait until somebody has decided about one.";
    OutcomeUnknown = "outcome_unknown", INTERNAL_SERVER_ERROR,
        "The database did not confirm whether the request took effect.",
        "Look whether it did before you repeat it.";
    Internal = "internal", INTERNAL_SERVER_ERROR,
        "The gateway failed.",
        "Give the operator the `requestId`: the log tells why under it.";
    ShuttingDown = "shutting_down", SERVICE_UNAVAILABLE,
        "The gateway is about to stop, and nothing has been done.",
        "Send it again as soon as `Retry-After` says.";
    TooManyStreams = "too_many_streams", SERVICE_UNAVAILABLE,
        "The gateway or the session has as many streams of events as it may have.",
        "Close one, or try again when `Retry-After` says.";
    Unavailable = "unavailable", SERVICE_UNAVAILABLE,
        "The database cannot be used at the moment, and nothing has been done.",
        "Send it again as soon as `Retry-After` says.";
}

/// What stands in `error.code`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum ErrorCode {
    /// The gateway refuses.
    Gateway(Code),
    /// The invocation failed; the code is the one it was recorded with.
    Invocation(FailureCode),
}

impl From<Code> for ErrorCode {
    fn from(code: Code) -> Self {
        Self::Gateway(code)
    }
}

impl From<FailureCode> for ErrorCode {
    fn from(code: FailureCode) -> Self {
        Self::Invocation(code)
    }
}

impl ErrorCode {
    /// Every code there is.
    pub(in crate::http) fn all() -> impl Iterator<Item = Self> {
        let gateway = Code::ALL.iter().map(|code| Self::from(*code));
        gateway.chain(FailureCode::ALL.iter().map(|code| Self::from(*code)))
    }

    /// The code in JSON.
    pub(in crate::http) const fn as_str(self) -> &'static str {
        match self {
            Self::Gateway(code) => code.as_str(),
            Self::Invocation(code) => code.as_str(),
        }
    }

    /// The status it is answered with.
    pub(in crate::http) const fn status(self) -> StatusCode {
        match self {
            Self::Gateway(code) => code.status(),
            Self::Invocation(code) => failure::status(code),
        }
    }

    /// What happened.
    pub(in crate::http) const fn meaning(self) -> &'static str {
        match self {
            Self::Gateway(code) => code.meaning(),
            Self::Invocation(code) => failure::meaning(code),
        }
    }

    /// What to do.
    pub(in crate::http) const fn remedy(self) -> &'static str {
        match self {
            Self::Gateway(code) => code.remedy(),
            Self::Invocation(code) => failure::remedy(code),
        }
    }

    /// The name of its example in the document. Some words are codes of both.
    pub(in crate::http) fn example_name(self) -> String {
        match self {
            Self::Gateway(code) => code.as_str().to_owned(),
            Self::Invocation(code) => format!("invocation.{code}"),
        }
    }
}

/// Something that can make an operation fail.
pub(in crate::http) trait CanFail {
    /// The codes it can be answered with.
    fn codes() -> Vec<ErrorCode>;
}
