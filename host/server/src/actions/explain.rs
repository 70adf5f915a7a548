//! Why an action has the mode it has, in a session at this moment.

use portcullis_core::definition::{DefinitionChange, DefinitionDigests, DefinitionStamp};
use portcullis_core::id::ActionKey;
use portcullis_core::modes::{
    Explanation, Guard, Mode, ModeDecision, ModeInputs, ModeSource, Step, StepVerdict, TextChanges,
    explain,
};
use portcullis_runtime::PluginAction;
use portcullis_storage::Session;

use super::catalog::obstacle;
use super::invoke::{find_action, find_plugin};
use crate::access::session_connections;
use crate::error::Error;
use crate::gateway::Gateway;
use crate::modes::StoredModes;

/// How the mode of an action came about.
#[derive(Debug)]
pub struct ExplainedAction {
    /// The action.
    pub key: ActionKey,
    /// The definition now.
    pub current: DefinitionStamp,
    /// The definition that the organization reviewed, if it has.
    pub reviewed: Option<DefinitionStamp>,
    /// What the organization makes of other words.
    pub text_changes: TextChanges,
    /// The steps of the cascade, in order.
    pub steps: Vec<ExplainedStep>,
    /// What the guard made of it.
    pub guard: ExplainedGuard,
    /// Why the action could not be executed all the same, as far as its connection
    /// goes.
    pub obstacle: Option<String>,
    /// What is enforced.
    pub outcome: ModeDecision,
    /// The same in a sentence.
    pub message: String,
}

/// A step of the cascade.
#[derive(Debug)]
pub struct ExplainedStep {
    /// Which.
    pub source: ModeSource,
    /// The value as it is stored, if there is one.
    pub stored: Option<String>,
    /// The definition it was set for, if somebody saw one.
    pub pin: Option<DefinitionDigests>,
    /// The mode it says, if it says anything.
    pub mode: Option<Mode>,
    /// Whether it decided.
    pub verdict: StepVerdict,
    /// The same in a sentence.
    pub message: String,
}

/// What the guard made of what the cascade said.
#[derive(Debug)]
pub struct ExplainedGuard {
    /// Its verdict.
    pub verdict: Guard,
    /// The same in a sentence.
    pub message: String,
}

/// Explains the mode of an action in a session.
///
/// # Errors
///
/// [`Error::UnknownSource`] and [`Error::UnknownAction`], as invoking it has them.
pub async fn explained(
    gateway: &Gateway,
    session: &Session,
    integration: &str,
    action: &str,
) -> Result<ExplainedAction, Error> {
    let plugin = find_plugin(gateway, integration)?;
    let action = find_action(&plugin, action)?;
    let mut work = gateway.storage.read().await?;
    let connections = session_connections(&mut work, session).await?;
    let organization = &session.organization_id;
    let modes = StoredModes::read(&mut work, organization, session.automation_id).await?;
    drop(work);
    let key = ActionKey {
        source: plugin.descriptor().id.clone(),
        action: action.definition.id.clone(),
    };
    let obstacle = obstacle(&plugin, &action.definition, &connections, session);
    let inputs = modes.of(&key);
    Ok(in_words(key, action, &inputs, obstacle))
}

fn in_words(
    key: ActionKey,
    action: &PluginAction,
    inputs: &ModeInputs,
    obstacle: Option<String>,
) -> ExplainedAction {
    let current = action.stamp();
    let Explanation {
        steps,
        guard,
        outcome,
    } = explain(inputs, current);
    ExplainedAction {
        message: outcome_in_words(&key, &outcome, obstacle.as_deref()),
        steps: steps
            .iter()
            .map(|step| explained_step(step, &outcome))
            .collect(),
        guard: ExplainedGuard {
            message: guard_in_words(&guard, &outcome),
            verdict: guard,
        },
        reviewed: inputs.reviewed,
        text_changes: inputs.text_changes,
        key,
        current,
        obstacle,
        outcome,
    }
}

fn explained_step(step: &Step<'_>, outcome: &ModeDecision) -> ExplainedStep {
    ExplainedStep {
        source: step.source,
        stored: step.stored.map(|stored| stored.mode.as_str().to_owned()),
        pin: step.stored.and_then(|stored| stored.pin),
        mode: step.mode,
        verdict: step.verdict,
        message: step_in_words(step, outcome),
    }
}

const fn whose(source: ModeSource) -> &'static str {
    match source {
        ModeSource::AutomationOverride => "the automation's mode",
        ModeSource::OrgDefault => "the organization's mode",
        ModeSource::ConnectorOverride => "the mode from the connector's review",
        ModeSource::InferredDefault => "the risk",
    }
}

fn step_in_words(step: &Step<'_>, outcome: &ModeDecision) -> String {
    let whose = whose(step.source);
    let Some(mode) = step.mode else {
        return format!("{whose} is not set");
    };
    let says = match step.stored {
        None => format!("{whose} `{}` infers {mode}", outcome.risk),
        Some(stored) if stored.mode.as_str() == mode.as_str() => format!("{whose} is {mode}"),
        Some(stored) => {
            let stored = stored.mode.as_str();
            format!("{whose} is stored as `{stored}`, which is no mode and means {mode}")
        }
    };
    match step.verdict {
        StepVerdict::ComesTooLate => format!("{says}, but an earlier step has decided"),
        StepVerdict::Decides | StepVerdict::SaysNothing => format!("{says}, which decides"),
    }
}

fn guard_in_words(guard: &Guard, outcome: &ModeDecision) -> String {
    let is_inferred = outcome.source == ModeSource::InferredDefault;
    let seen = if is_inferred {
        "was reviewed"
    } else {
        "the mode was set for"
    };
    let found = match guard.change {
        DefinitionChange::None => format!("the action is what {seen}"),
        DefinitionChange::Text => {
            format!("the action is called as what {seen}, and reads differently")
        }
        DefinitionChange::Interface => format!("the action is called differently than what {seen}"),
        DefinitionChange::Unseen if is_inferred => "nobody has reviewed this action".to_owned(),
        DefinitionChange::Unseen => "nobody saw the action when the mode was set".to_owned(),
    };
    let therefore = match (guard.drifted, guard.before == guard.after) {
        (true, false) => format!("; so {} becomes {}", guard.before, guard.after),
        (true, true) => format!("; {} is strict enough and stays", guard.after),
        (false, _) if guard.change == DefinitionChange::Text => {
            format!(
                "; the organization only wants to be told, so {} stays",
                guard.after
            )
        }
        (false, _) => format!("; {} stays", guard.after),
    };
    found + &therefore
}

fn outcome_in_words(key: &ActionKey, outcome: &ModeDecision, obstacle: Option<&str>) -> String {
    let does = match outcome.mode {
        Mode::Allow => "runs when it is invoked",
        Mode::RequireApproval => "waits for a person when it is invoked",
        Mode::Deny => "is refused when it is invoked",
    };
    let hint = match (outcome.drifted, outcome.mode) {
        (true, Mode::RequireApproval | Mode::Deny) => format!(
            "; an owner or admin can look at what has changed and confirm it: portcullis source \
             review {}",
            key.source
        ),
        _ => String::new(),
    };
    let but = match obstacle {
        Some(obstacle) if outcome.mode != Mode::Deny => format!("; but it would fail: {obstacle}"),
        _ => String::new(),
    };
    format!("{}.{} {does}{hint}{but}", key.source, key.action)
}
