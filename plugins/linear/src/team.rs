//! Teams are named by UUID or by key: agents see keys in every identifier, while mutations take
//! UUIDs only.

use portcullis_sdk::prelude::*;
use serde::Deserialize;

use crate::{api::LINEAR, documents};

/// Longest key that Linear gives a team.
const MAX_KEY: usize = 10;

/// True for what looks like a team's key, such as `ENG`.
pub(crate) fn is_key(team: &str) -> bool {
    let key_byte = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
    team.len() <= MAX_KEY
        && team
            .bytes()
            .next()
            .is_some_and(|first| first.is_ascii_uppercase())
        && team.bytes().all(key_byte)
}

/// The UUID of a team that is named by UUID or by key.
///
/// **Errors**: `not_found` when no team has the key, or none that the connection may see.
pub(crate) fn id(ctx: &Context, team: String) -> Result<String> {
    if !is_key(&team) {
        return Ok(team);
    }
    let found: Found = LINEAR.query(ctx, documents::FIND_TEAM, json!({ "key": team }))?;
    let id = found.teams.nodes.into_iter().next().map(|team| team.id);
    id.ok_or_else(|| {
        Error::not_found(format!(
            "No team has the key {team}, or this connection cannot see it."
        ))
    })
}

#[derive(Deserialize)]
struct Found {
    teams: Teams,
}

#[derive(Deserialize)]
struct Teams {
    nodes: Vec<TeamId>,
}

#[derive(Deserialize)]
struct TeamId {
    id: String,
}

#[cfg(test)]
mod tests {
    use super::is_key;

    #[test]
    fn keys_are_short_and_in_upper_case() {
        for key in ["ENG", "A", "OPS2"] {
            assert!(is_key(key), "{key}");
        }
        for id in [
            "",
            "eng",
            "2ND",
            "TEAM-1",
            "ABCDEFGHIJK",
            "9c1a6f0e-6a3b-4b43-9d0b-0c5a6d1f2e3a",
        ] {
            assert!(!is_key(id), "{id}");
        }
    }
}
