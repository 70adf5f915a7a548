//! Linear's errors: a message and `extensions` of `type`, `code`, `userError`,
//! `userPresentableMessage`.

use std::borrow::Cow;

use async_graphql::{Error, ErrorExtensionValues, ErrorExtensions};
use serde_json::{Value, json};

/// An error in Linear's shape. As a resolver's error it is answered with status 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LinearError {
    message: String,
    kind: &'static str,
    code: Cow<'static, str>,
    presentable: String,
}

impl LinearError {
    /// Something the request refers to does not exist.
    pub(crate) fn entity_not_found(entity: &str) -> Self {
        let presentable = format!("Could not find referenced {entity}.");
        Self::input(
            format!("Entity not found: {entity} - {presentable}"),
            presentable,
        )
    }

    /// The id a client chose is taken.
    pub(crate) fn duplicate_id(entity: &str) -> Self {
        let presentable = format!("{entity} with this id already exists.");
        Self::input(format!("Duplicate id - {presentable}"), presentable)
    }

    /// A value that cannot be accepted, though its type is right.
    pub(crate) fn invalid(presentable: impl Into<String>) -> Self {
        let presentable = presentable.into();
        Self::input(
            format!("Argument Validation Error - {presentable}"),
            presentable,
        )
    }

    pub(crate) fn unauthenticated() -> Self {
        Self {
            message: "Authentication required, not authenticated".to_owned(),
            kind: "authentication error",
            code: Cow::Borrowed("AUTHENTICATION_ERROR"),
            presentable: "You need to authenticate to access this operation.".to_owned(),
        }
    }

    pub(crate) fn rate_limited() -> Self {
        Self {
            message: "Rate limit exceeded".to_owned(),
            kind: "ratelimited",
            code: Cow::Borrowed("RATELIMITED"),
            presentable: "Rate limit exceeded. Please try again later.".to_owned(),
        }
    }

    /// A request that is not a GraphQL request, or not one this schema allows.
    pub(crate) fn bad_request(code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            presentable: message.clone(),
            message,
            kind: "graphql error",
            code: Cow::Borrowed(code),
        }
    }

    /// An error of any code.
    pub(crate) fn of_code(code: &str) -> Self {
        Self {
            message: format!("Refused - {code}"),
            kind: "other",
            code: Cow::Owned(code.to_owned()),
            presentable: "The request was refused.".to_owned(),
        }
    }

    fn input(message: String, presentable: String) -> Self {
        Self {
            message,
            kind: "invalid input",
            code: Cow::Borrowed("INPUT_ERROR"),
            presentable,
        }
    }

    /// The body of an answer that consists of this error alone.
    pub(crate) fn to_body(&self) -> Value {
        json!({
            "errors": [{
                "message": self.message,
                "extensions": {
                    "type": self.kind,
                    "code": self.code,
                    "userError": true,
                    "userPresentableMessage": self.presentable,
                },
            }],
        })
    }

    pub(crate) fn fill(&self, extensions: &mut ErrorExtensionValues) {
        extensions.set("type", self.kind);
        extensions.set("code", self.code.as_ref());
        extensions.set("userError", true);
        extensions.set("userPresentableMessage", self.presentable.as_str());
    }
}

impl From<LinearError> for Error {
    fn from(error: LinearError) -> Self {
        Self::new(&error.message).extend_with(|_, extensions| error.fill(extensions))
    }
}
