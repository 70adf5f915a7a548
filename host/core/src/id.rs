//! Identifiers, parsed once at the edge.
//!
//! An identifier that has been built is well formed, so code behind the edge
//! never checks again. Names ([`SourceId`], [`ActionId`], …) have a grammar;
//! references ([`SessionId`], …) are UUIDs, except [`OrganizationId`] and
//! [`UserId`], which the platform chooses.

use std::{fmt, str::FromStr};

use uuid::Uuid;

/// Text that is not an identifier of the kind that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} must be {rule}")]
pub struct InvalidId {
    /// What was being read, for example `session id`.
    pub kind: &'static str,
    /// The rule that was broken, fit to follow "must be".
    pub rule: &'static str,
}

macro_rules! uuid_id {
    ($(#[$meta:meta])* $name:ident, $kind:literal) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps a UUID.
            pub const fn new(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID itself.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Reads the hyphenated form only, so that an id has one spelling.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let invalid = InvalidId { kind: $kind, rule: "a hyphenated UUID" };
                if text.len() != 36 {
                    return Err(invalid);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| invalid)
            }
        }
    };
}

macro_rules! text_id {
    ($(#[$meta:meta])* $name:ident, $kind:literal, $rule:literal, $valid:path) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, InvalidId> {
                if $valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { kind: $kind, rule: $rule })
                }
            }
        }
    };
}

uuid_id!(
    /// One agent's working session.
    SessionId,
    "session id"
);
uuid_id!(
    /// The persisted record of one request. Always a version 4 UUID: providers
    /// hand it to upstreams that take client-supplied ids.
    InvocationId,
    "invocation id"
);
uuid_id!(
    /// A credential of an organization or a user for one provider.
    ConnectionId,
    "connection id"
);
uuid_id!(
    /// A named, repeated task that sessions run for.
    AutomationId,
    "automation id"
);
uuid_id!(
    /// A granted origin.
    EgressGrantId,
    "egress grant id"
);

text_id!(
    /// A tenant, named by the platform.
    OrganizationId,
    "organization id",
    "1 to 128 characters without control characters or `/`",
    is_platform_name
);
text_id!(
    /// A person, named by the platform.
    UserId,
    "user id",
    "1 to 128 characters without control characters or `/`",
    is_platform_name
);
text_id!(
    /// Anything that lists and executes actions: `linear`, `connector:<uuid>`,
    /// `db:<uuid>`.
    SourceId,
    "source id",
    "a provider id such as `linear`, or `connector:` or `db:` and a UUID",
    is_source_id
);
text_id!(
    /// An operation of a source.
    ActionId,
    "action id",
    "1 to 128 characters of letters, digits, `_`, `-`, `.` and `/`, starting with a letter or digit",
    is_action_id
);

impl SourceId {
    /// True for the sources that a plugin provides.
    pub fn is_provider(&self) -> bool {
        is_provider_id(&self.0)
    }
}

/// The key of a mode map and the name in logs: `<sourceId>:<actionId>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionKey {
    /// The source.
    pub source: SourceId,
    /// The action within it.
    pub action: ActionId,
}

impl fmt::Display for ActionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.source, self.action)
    }
}

impl FromStr for ActionKey {
    type Err = InvalidId;

    /// Splits at the last `:`, since a source id may hold one and an action id
    /// may not.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let (source, action) = text.rsplit_once(':').ok_or(InvalidId {
            kind: "action key",
            rule: "`<sourceId>:<actionId>`",
        })?;
        Ok(Self {
            source: source.parse()?,
            action: action.parse()?,
        })
    }
}

/// `[a-z][a-z0-9-]{0,31}`: the ids of providers and of their endpoints.
pub fn is_provider_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 32
        && bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

fn is_platform_name(text: &str) -> bool {
    let length = text.chars().count();
    (1..=128).contains(&length) && !text.chars().any(|c| c.is_control() || c == '/')
}

fn is_source_id(text: &str) -> bool {
    match text.split_once(':') {
        // In lower case only: the id is compared as text, as a key of mode maps.
        Some(("connector" | "db", id)) => {
            id.len() == 36
                && Uuid::try_parse(id).is_ok()
                && !id.bytes().any(|b| b.is_ascii_uppercase())
        }
        Some(_) => false,
        None => is_provider_id(text),
    }
}

fn is_action_id(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 128
        && bytes
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"_-./".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uuid_has_one_spelling() {
        let hyphenated = "6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11";
        assert_eq!(
            hyphenated.parse::<SessionId>().unwrap().to_string(),
            hyphenated
        );
        for other in [
            "6f2c1e9a3a1d4c579a530d3c0b8f7e11",
            "{6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11}",
            "urn:uuid:6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11",
            "",
            "session",
        ] {
            assert!(other.parse::<SessionId>().is_err(), "{other}");
        }
    }

    #[test]
    fn source_ids_are_providers_connectors_or_databases() {
        for good in [
            "linear",
            "a",
            "my-provider-2",
            "connector:6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11",
            "db:6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11",
        ] {
            assert!(good.parse::<SourceId>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "Linear",
            "2fast",
            "linear:x",
            "connector:",
            "db:1",
            "a b",
            "é",
            "connector:6F2C1E9A-3A1D-4C57-9A53-0D3C0B8F7E11",
        ] {
            assert!(bad.parse::<SourceId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_action_key_survives_a_round_trip() {
        for text in [
            "linear:create_issue",
            "connector:6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11:get-weather",
        ] {
            assert_eq!(text.parse::<ActionKey>().unwrap().to_string(), text);
        }
        assert!("linear.create_issue".parse::<ActionKey>().is_err());
    }

    #[test]
    fn platform_names_are_bounded() {
        assert!("x".repeat(128).parse::<UserId>().is_ok());
        assert!("x".repeat(129).parse::<UserId>().is_err());
        assert!("".parse::<OrganizationId>().is_err());
        assert!("a\nb".parse::<OrganizationId>().is_err());
        assert!("名前".parse::<UserId>().is_ok());
    }
}
