//! Actions as every source describes them.

use serde_json::Value;

use crate::id::ActionId;

/// A closed set of names, spelled the same in JSON, in rows and in logs.
macro_rules! names {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident = $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// Every value, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name in JSON, rows and logs.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// The value with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == name)
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use names;

names! {
    /// How much harm an action can do: a hint, ordered from least to most, used
    /// only to infer a default mode.
    Risk {
        /// Changes nothing.
        Read = "read",
        /// Changes something that can be changed back.
        Write = "write",
        /// Destroys, pays, or reaches many people.
        Danger = "danger",
    }
}

names! {
    /// Whose connection an action uses.
    CredentialChoice {
        /// The organization's.
        Org = "org",
        /// The user's; without one the call fails.
        User = "user",
        /// The user's if there is one, else the organization's.
        PreferUser = "prefer-user",
    }
}

/// A call an agent could make.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionExample {
    /// What the call is good for.
    pub title: String,
    /// Params that satisfy the action's schema.
    pub params: Value,
}

/// One operation of a source, as its source describes it now.
#[derive(Debug, Clone, PartialEq)]
pub struct ActionDefinition {
    /// Unique within the source.
    pub id: ActionId,
    /// A few words for a list.
    pub title: String,
    /// What an agent must know before it calls the action.
    pub description: String,
    /// The hint for the default mode.
    pub risk: Risk,
    /// Whose connection to use.
    pub credential: CredentialChoice,
    /// JSON Schema 2020-12 of the params, an object.
    pub params_schema: Value,
    /// JSON Schema of the result; `None` where the source tells nothing.
    pub result_schema: Option<Value>,
    /// Calls to learn from.
    pub examples: Vec<ActionExample>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_no_other() {
        for risk in Risk::ALL {
            assert_eq!(Risk::from_name(risk.as_str()), Some(*risk));
            assert_eq!(risk.to_string(), risk.as_str());
        }
        for other in ["", "Read", "read ", "reading"] {
            assert_eq!(Risk::from_name(other), None, "{other}");
        }
    }
}
