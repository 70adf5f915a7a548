//! The contract's rules for what a provider declares, checked while it compiles.
//!
//! Constant functions over bytes, because `provider!` runs them in a constant: an action with a bad
//! id, two endpoints of one name or a guide that is too long do not compile. The messages are fixed
//! texts for the same reason. What cannot be checked in a constant (schemas and examples) is
//! checked by [`testing::check`](crate::testing::check).

use super::{Connection, ConnectionScope, ConnectionType, Endpoint, Provider};
use crate::action::Action;

const MAX_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 500;
const MAX_ACTION_TITLE: usize = 80;
const MAX_ACTION_DESCRIPTION: usize = 2_000;
const MAX_DOCUMENT_BYTES: usize = 16 * 1024;
const MAX_MEMORY_MIB: u32 = 4096;

impl Provider {
    /// Itself, if it keeps the contract's rules. In a constant a breach is a compile error.
    ///
    /// # Panics
    /// When it does not.
    #[doc(hidden)]
    #[must_use]
    #[expect(
        clippy::indexing_slicing,
        reason = "constant functions have no iterators; the loops are bounded by len"
    )]
    pub const fn checked(self) -> Self {
        assert!(
            is_identifier(self.id, 32, b'-'),
            "`id` must match [a-z][a-z0-9-]{{0,31}}"
        );
        assert!(
            has_characters(self.name, MAX_NAME),
            "`name` must have 1 to 64 characters"
        );
        assert!(
            has_characters(self.description, MAX_DESCRIPTION),
            "`description` must have 1 to 500 characters"
        );
        assert!(!self.guide.is_empty(), "`guide` must not be empty");
        assert!(
            self.guide.len() <= MAX_DOCUMENT_BYTES,
            "`guide` must have at most 16 KiB"
        );
        if let Some(icon) = self.icon {
            assert!(
                icon.len() <= MAX_DOCUMENT_BYTES,
                "`icon` must have at most 16 KiB"
            );
        }
        if let Some(mib) = self.memory_mib {
            assert!(
                mib >= 1 && mib <= MAX_MEMORY_MIB,
                "`memory_mib` must be 1 to 4096"
            );
        }
        check_connections(self.connections);
        let mut index = 0;
        while index < self.endpoints.len() {
            check_endpoint(&self.endpoints[index], self.endpoints, index);
            index += 1;
        }
        index = 0;
        assert!(
            !self.actions.is_empty(),
            "a provider needs at least one action"
        );
        while index < self.actions.len() {
            check_action(&self.actions[index], self.actions, index);
            index += 1;
        }
        self
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loops are bounded by len"
)]
const fn check_connections(connections: &[Connection]) {
    let (mut index, mut orgs, mut users) = (0, 0, 0);
    while index < connections.len() {
        let connection = &connections[index];
        match connection.scope {
            ConnectionScope::Org => orgs += 1,
            ConnectionScope::User => users += 1,
        }
        assert!(
            !connection.types.is_empty(),
            "a connection needs at least one type"
        );
        assert!(
            connection.types.len() == 1 || !has_type(connection.types, ConnectionType::None),
            "the connection type `None` must stand alone",
        );
        assert!(
            connection.scopes.is_empty() || has_type(connection.types, ConnectionType::Oauth2),
            "only OAuth connections have scopes",
        );
        index += 1;
    }
    assert!(
        orgs <= 1 && users <= 1,
        "there may be one connection of the organization and one of the user"
    );
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loops are bounded by len"
)]
const fn check_endpoint(endpoint: &Endpoint, all: &[Endpoint], before: usize) {
    assert!(
        is_identifier(endpoint.name, 32, b'-'),
        "an endpoint's name must match [a-z][a-z0-9-]{{0,31}}"
    );
    let mut index = 0;
    while index < before {
        assert!(
            !equal(endpoint.name, all[index].name),
            "two endpoints have the same name"
        );
        index += 1;
    }
    assert!(
        starts_with(endpoint.base_url, b"https://"),
        "an endpoint's base must start with https://"
    );
    assert!(
        !ends_with_slash(endpoint.base_url),
        "an endpoint's base must not end with a slash"
    );
    index = 0;
    while index < endpoint.routes.len() {
        assert!(
            starts_with(endpoint.routes[index].path_prefix, b"/"),
            "a route's path must start with a slash"
        );
        index += 1;
    }
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loops are bounded by len"
)]
const fn check_action(action: &Action, all: &[Action], before: usize) {
    assert!(
        is_identifier(action.id, 64, b'_'),
        "an action's function name must match [a-z][a-z0-9_]{{0,63}}"
    );
    assert!(
        has_characters(action.title, MAX_ACTION_TITLE),
        "an action's title must have 1 to 80 characters"
    );
    assert!(
        has_characters(action.description, MAX_ACTION_DESCRIPTION),
        "an action's documentation must have 1 to 2,000 characters",
    );
    let mut index = 0;
    while index < before {
        assert!(
            !equal(action.id, all[index].id),
            "two actions have the same name"
        );
        index += 1;
    }
}

/// `[a-z][a-z0-9<mark>]*` of at most `max` bytes.
#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loop is bounded by len"
)]
const fn is_identifier(text: &str, max: usize, mark: u8) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes.len() > max || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut index = 1;
    while index < bytes.len() {
        let byte = bytes[index];
        if !(byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == mark) {
            return false;
        }
        index += 1;
    }
    true
}

/// Between one and `max` characters.
#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loop is bounded by len"
)]
const fn has_characters(text: &str, max: usize) -> bool {
    let bytes = text.as_bytes();
    let (mut index, mut characters) = (0, 0);
    while index < bytes.len() {
        // Bytes that continue a character in UTF-8 look like 10xxxxxx.
        if bytes[index] & 0b1100_0000 != 0b1000_0000 {
            characters += 1;
        }
        index += 1;
    }
    characters >= 1 && characters <= max
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loop is bounded by len"
)]
const fn starts_with(text: &str, prefix: &[u8]) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < prefix.len() {
        return false;
    }
    let mut index = 0;
    while index < prefix.len() {
        if bytes[index] != prefix[index] {
            return false;
        }
        index += 1;
    }
    true
}

const fn equal(left: &str, right: &str) -> bool {
    left.len() == right.len() && starts_with(left, right.as_bytes())
}

const fn ends_with_slash(text: &str) -> bool {
    matches!(text.as_bytes(), [.., b'/'])
}

#[expect(
    clippy::indexing_slicing,
    reason = "constant functions have no iterators; the loop is bounded by len"
)]
const fn has_type(types: &[ConnectionType], wanted: ConnectionType) -> bool {
    let mut index = 0;
    while index < types.len() {
        // Discriminants, because `==` is not available in constant functions.
        if types[index] as u8 == wanted as u8 {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests;
