//! Markdown for agents: what their session can do, and how to do it well.
//!
//! The words of a source are a plugin's, so they stand in quotations, fences and
//! single lines (`markdown`); what an action takes is made from its schema
//! (`params`). A guide is bounded: what does not fit is named instead.

mod markdown;
mod params;

use portcullis_core::action::ActionExample;
use portcullis_core::id::SourceId;
use portcullis_core::modes::{Mode, ModeDecision};
use portcullis_storage::Session;
use serde_json::Value;

use self::markdown::{code, fenced, inline, quote};
use super::catalog::{Catalog, CatalogAction, CatalogSource, SourceStatus, catalog};
use crate::error::Error;
use crate::gateway::Gateway;

/// What every agent is told first, whatever its session can do.
pub const BOOTSTRAP: &str = include_str!("bootstrap.md");

/// Bytes of a guide. An agent pays for each of them, and few sessions come near.
const MAX_GUIDE_BYTES: usize = 256 << 10;

/// Bytes of one action in it: more than a page, less than what would push many
/// others out.
const MAX_ACTION_BYTES: usize = 32 << 10;

/// How many actions are named in one line.
const MAX_NAMED: usize = 100;

/// Bytes of a title, a name or an advice; they are bounded where they are made.
const MAX_LINE_BYTES: usize = 500;

/// The guide of everything that a session can do.
pub async fn session_guide(gateway: &Gateway, session: &Session) -> Result<String, Error> {
    let catalog = catalog(gateway, session).await?;
    let mut guide = Guide::begin(
        "# What this session can do\n\n\
         `GET /{sessionId}/actions/bootstrap` tells how to invoke an action and what the answers \
         mean, `GET /{sessionId}/actions/guide/{sourceId}` has a source's own advice. The name of \
         an action is its source and its id: `x.y` is `{\"integration\": \"x\", \"action\": \"y\"}`.\n",
    );
    guide.whole(&summary(&catalog));
    for source in &catalog.sources {
        let heading = format!("\n## {}: {}\n", source.id, line(&source.display_name));
        guide.whole(&(heading + &state(source)));
        guide.actions(&catalog, &source.id);
    }
    Ok(guide.end())
}

/// The guide of one source: its own words, then what the session can do with it.
pub async fn source_guide(
    gateway: &Gateway,
    session: &Session,
    source: &str,
) -> Result<String, Error> {
    let unknown = || Error::UnknownSource(source.chars().take(128).collect());
    let id: SourceId = source.parse().map_err(|_| unknown())?;
    let plugin = gateway.sources.plugin(&id).ok_or_else(unknown)?;
    let mut catalog = catalog(gateway, session).await?;
    catalog.sources.retain(|source| source.id == id);
    catalog.actions.retain(|action| action.source == id);

    let name = line(&plugin.descriptor().name);
    let mut guide = Guide::begin(&format!("# {id}: {name}\n\nIn its provider's words:\n\n"));
    guide.whole(&fenced("markdown", plugin.guide()));
    guide.whole("\n## In this session\n");
    guide.whole(&catalog.sources.iter().map(state).collect::<String>());
    guide.whole(&summary(&catalog));
    guide.actions(&catalog, &id);
    Ok(guide.end())
}

/// A text that takes whole parts as long as there is room.
struct Guide {
    text: String,
    left_out: Vec<String>,
}

impl Guide {
    fn begin(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            left_out: Vec::new(),
        }
    }

    /// Adds what has to be in every guide, and is small.
    fn whole(&mut self, part: &str) {
        self.text.push_str(part);
    }

    /// Adds the actions of a source, or their names where there is no room.
    fn actions(&mut self, catalog: &Catalog, source: &SourceId) {
        let actions = catalog.actions.iter();
        for action in actions.filter(|action| action.source == *source) {
            let described = describe(action);
            if self.text.len() + described.len() > MAX_GUIDE_BYTES {
                self.left_out.push(name(action));
            } else {
                self.text.push_str(&described);
            }
        }
    }

    fn end(mut self) -> String {
        if !self.left_out.is_empty() {
            let note = format!(
                "\n## Left out\n\nThis guide is long enough without {}. \
                 `GET /{{sessionId}}/actions/available` has them.\n",
                named(&self.left_out)
            );
            self.whole(&note);
        }
        self.text
    }
}

/// What happens with which action.
fn summary(catalog: &Catalog) -> String {
    let lines = [Mode::Allow, Mode::RequireApproval, Mode::Deny].map(|mode| {
        let actions = catalog.actions.iter();
        let names: Vec<String> = actions
            .filter(|action| action.decision.mode == mode)
            .map(name)
            .collect();
        match names.as_slice() {
            [] => String::new(),
            names => format!("- {}: {}\n", meaning(mode), named(names)),
        }
    });
    let lines = lines.concat();
    if lines.is_empty() {
        return "\nThere is no action that this session can use.\n".to_owned();
    }
    format!("\n{lines}")
}

/// Why a source, or a part of it, cannot be used. Empty where all of it can.
fn state(source: &CatalogSource) -> String {
    let Some(message) = &source.message else {
        return String::new();
    };
    let which = match source.status {
        SourceStatus::Ok => "Some of its actions cannot be used",
        SourceStatus::NeedsAuth => "It cannot be used",
    };
    let why = line(message);
    format!("\n{which}: {}.\n", why.trim_end_matches('.'))
}

fn describe(action: &CatalogAction) -> String {
    let definition = &action.definition;
    let title = line(&definition.title);
    let head = format!(
        "\n### {}\n\nTitle: {title}. Risk: {}. Mode: {}.\n\n{}",
        name(action),
        action.decision.risk,
        in_force(&action.decision),
        quote(&definition.description),
    );
    if action.decision.mode == Mode::Deny {
        return head;
    }
    let usage = params(&definition.params_schema) + &examples(&definition.examples);
    if head.len() + usage.len() > MAX_ACTION_BYTES {
        return head
            + "\nIts params take too much room here: `GET /{sessionId}/actions/available` has \
               their schema.\n";
    }
    head + &usage
}

fn params(schema: &Value) -> String {
    let list = params::list(schema);
    match (list.is_empty(), params::is_closed(schema)) {
        (true, true) => "\nIt takes no params.\n".to_owned(),
        (true, false) => "\nIt names no params.\n".to_owned(),
        (false, true) => format!("\nParams, and no others:\n\n{list}"),
        (false, false) => format!("\nParams:\n\n{list}"),
    }
}

fn examples(examples: &[ActionExample]) -> String {
    let examples = examples.iter().map(|example| {
        let params = fenced("json", &example.params.to_string());
        format!("\nExample: {}\n\n{params}", line(&example.title))
    });
    examples.collect()
}

fn in_force(decision: &ModeDecision) -> String {
    let drifted = if decision.drifted {
        "; the action is not the one that somebody decided about"
    } else {
        ""
    };
    format!(
        "{}, {}{drifted}",
        decision.mode,
        meaning(decision.mode).to_lowercase()
    )
}

const fn meaning(mode: Mode) -> &'static str {
    match mode {
        Mode::Allow => "Runs at once",
        Mode::RequireApproval => "A person approves first",
        Mode::Deny => "Refused",
    }
}

fn name(action: &CatalogAction) -> String {
    code(&format!("{}.{}", action.source, action.definition.id))
}

fn named(names: &[String]) -> String {
    let shown = names.get(..MAX_NAMED).unwrap_or(names).join(", ");
    match names.len().saturating_sub(MAX_NAMED) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

fn line(text: &str) -> String {
    inline(text, MAX_LINE_BYTES)
}

#[cfg(test)]
mod tests;
