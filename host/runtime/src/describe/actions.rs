//! `actions.list`: definitions, and what is made of each once.

use std::collections::HashSet;

use portcullis_core::action::{ActionDefinition, ActionExample, CredentialChoice, Risk};
use portcullis_core::definition::DefinitionDigests;
use portcullis_core::id::ActionId;
use portcullis_core::plugin::{ConnectionScope, PluginDescriptor};
use portcullis_core::schema::{ParamsValidator, check_schema};
use serde_json::Value;

use super::rules::{at_most, at_most_items, invalid, plain_line, plain_text};
use crate::bindings::exports::actions as guest;
use crate::error::LoadError;
use crate::loader::PluginAction;

const MAX_ACTIONS: usize = 256;
const MAX_EXAMPLES: usize = 16;
const ACTION_ID_BYTES: usize = 64;
const TITLE_CHARS: usize = 80;
const DESCRIPTION_CHARS: usize = 2_000;
const SCHEMA_BYTES: usize = 64 << 10;

pub(super) fn actions(
    guest: Vec<guest::Action>,
    descriptor: &PluginDescriptor,
) -> Result<Vec<PluginAction>, LoadError> {
    at_most_items("actions", &guest, MAX_ACTIONS)?;
    let mut actions = Vec::with_capacity(guest.len());
    let mut ids = HashSet::with_capacity(guest.len());
    for (index, action) in guest.into_iter().enumerate() {
        let path = format!("actions[{index}]");
        let action = self::action(&path, action, descriptor)?;
        let id = &action.definition.id;
        if !ids.insert(id.clone()) {
            return Err(invalid(
                format!("{path}.id"),
                format!("`{id}` is the id of an earlier action"),
            ));
        }
        actions.push(action);
    }
    Ok(actions)
}

fn action(
    path: &str,
    guest: guest::Action,
    descriptor: &PluginDescriptor,
) -> Result<PluginAction, LoadError> {
    let id = action_id(path, &guest.id)?;
    plain_line(&format!("{path}.title"), &guest.title, TITLE_CHARS)?;
    plain_text(
        &format!("{path}.description"),
        &guest.description,
        DESCRIPTION_CHARS,
    )?;
    let schema_path = format!("{path}.params-schema");
    let params_schema = json(&schema_path, &guest.params_schema)?;
    let validator = ParamsValidator::compile(&params_schema)
        .map_err(|error| invalid(schema_path, error.to_string()))?;
    let result_schema = guest
        .result_schema
        .map(|schema| result_schema(&format!("{path}.result-schema"), &schema))
        .transpose()?;
    let examples = examples(path, guest.examples, &validator)?;
    let credential = credential(guest.credential);
    check_credential(path, credential, descriptor)?;
    let definition = ActionDefinition {
        id,
        title: guest.title,
        description: guest.description,
        risk: risk(guest.risk),
        credential,
        params_schema,
        result_schema,
        examples,
    };
    Ok(PluginAction {
        digests: DefinitionDigests::of(&definition),
        definition,
        validator,
    })
}

fn result_schema(path: &str, text: &str) -> Result<Value, LoadError> {
    let schema = json(path, text)?;
    check_schema(&schema).map_err(|error| invalid(path, error.to_string()))?;
    Ok(schema)
}

fn action_id(path: &str, id: &str) -> Result<ActionId, LoadError> {
    let rule = || invalid(format!("{path}.id"), "must match [a-z][a-z0-9_]{0,63}");
    let well_formed = id.len() <= ACTION_ID_BYTES
        && id.starts_with(|c: char| c.is_ascii_lowercase())
        && id
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
    if !well_formed {
        return Err(rule());
    }
    id.parse().map_err(|_| rule())
}

fn json(path: &str, text: &str) -> Result<Value, LoadError> {
    at_most(path, text, SCHEMA_BYTES)?;
    serde_json::from_str(text).map_err(|error| invalid(path, format!("is not JSON: {error}")))
}

fn examples(
    path: &str,
    guest: Vec<guest::Example>,
    validator: &ParamsValidator,
) -> Result<Vec<ActionExample>, LoadError> {
    let path = format!("{path}.examples");
    at_most_items(&path, &guest, MAX_EXAMPLES)?;
    guest
        .into_iter()
        .enumerate()
        .map(|(index, example)| {
            let path = format!("{path}[{index}]");
            plain_line(&format!("{path}.title"), &example.title, TITLE_CHARS)?;
            let params = json(&format!("{path}.params"), &example.params)?;
            validator.validate(&params).map_err(|violations| {
                let first = violations.first().map_or("", |v| v.message.as_str());
                invalid(
                    format!("{path}.params"),
                    format!("must satisfy the action's schema: {first}"),
                )
            })?;
            Ok(ActionExample {
                title: example.title,
                params,
            })
        })
        .collect()
}

fn risk(guest: guest::Risk) -> Risk {
    match guest {
        guest::Risk::Read => Risk::Read,
        guest::Risk::Write => Risk::Write,
        guest::Risk::Danger => Risk::Danger,
    }
}

fn credential(guest: guest::Credential) -> CredentialChoice {
    match guest {
        guest::Credential::Org => CredentialChoice::Org,
        guest::Credential::User => CredentialChoice::User,
        guest::Credential::PreferUser => CredentialChoice::PreferUser,
    }
}

/// An action that needs a user's connection while no user can have one could
/// never succeed.
fn check_credential(
    path: &str,
    credential: CredentialChoice,
    descriptor: &PluginDescriptor,
) -> Result<(), LoadError> {
    let users_connect = descriptor
        .connections
        .iter()
        .any(|requirement| requirement.scope == ConnectionScope::User);
    if credential == CredentialChoice::User && !users_connect {
        return Err(invalid(
            format!("{path}.credential"),
            "is `user`, but the provider names no connection of scope `user`",
        ));
    }
    Ok(())
}
