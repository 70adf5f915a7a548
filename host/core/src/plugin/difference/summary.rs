//! A difference in one sentence.

use super::actions::Tally;
use super::{Effect, ManifestEntry, ManifestPart};
use crate::plugin::capabilities::phrase;

/// What may be asked for, as one and as many.
const ASKS: [(ManifestPart, &str, &str); 12] = [
    (ManifestPart::Endpoint, "new endpoint", "new endpoints"),
    (ManifestPart::BaseUrl, "other base URL", "other base URLs"),
    (ManifestPart::Route, "new route", "new routes"),
    (
        ManifestPart::Credential,
        "new place for a credential",
        "new places for credentials",
    ),
    (ManifestPart::Connection, "connection", "connections"),
    (
        ManifestPart::ConnectionType,
        "way to connect",
        "ways to connect",
    ),
    (ManifestPart::OAuthScope, "OAuth scope", "OAuth scopes"),
    (
        ManifestPart::Needed,
        "connection that was optional",
        "connections that were optional",
    ),
    (
        ManifestPart::Preset,
        "other OAuth client",
        "other OAuth clients",
    ),
    (ManifestPart::Import, "host interface", "host interfaces"),
    (ManifestPart::Wasi, "WASI interface", "WASI interfaces"),
    (
        ManifestPart::Memory,
        "other memory limit",
        "other memory limits",
    ),
];

/// What is told to people and agents.
const WORDS: [(ManifestPart, &str); 4] = [
    (ManifestPart::Id, "id"),
    (ManifestPart::Name, "name"),
    (ManifestPart::Description, "description"),
    (ManifestPart::Guide, "guide"),
];

pub(super) fn summary(
    entries: &[ManifestEntry],
    actions: &Tally,
    capabilities: &[String],
) -> String {
    let mut clauses: Vec<String> = Vec::new();
    clauses.extend(asks(entries));
    clauses.extend(about_actions(actions));
    clauses.extend(words(entries));
    if clauses.is_empty() {
        clauses.push("asks for nothing new and changes nothing that was reviewed".to_owned());
    }
    let narrowing = entries.iter().filter(|it| it.effect == Effect::Narrowing);
    clauses.extend(match narrowing.count() {
        0 => None,
        less => Some(format!("gives up {}", counted(less, "thing", "things"))),
    });
    format!(
        "{}; it can only: {}",
        clauses.join(", "),
        phrase(capabilities)
    )
}

fn count(entries: &[ManifestEntry], part: ManifestPart) -> usize {
    let new = entries.iter().filter(|it| it.effect == Effect::New);
    new.filter(|it| it.part == part).count()
}

fn asks(entries: &[ManifestEntry]) -> Option<String> {
    let asked: Vec<_> = ASKS
        .iter()
        .filter_map(|(part, one, many)| match count(entries, *part) {
            0 => None,
            count => Some(counted(count, one, many)),
        })
        .collect();
    (!asked.is_empty()).then(|| format!("asks for {}", listed(&asked)))
}

fn about_actions(tally: &Tally) -> Vec<String> {
    let with_note = |clause: String, note: usize, what: &str| match note {
        0 => clause,
        _ => format!("{clause} ({note} {what})"),
    };
    let clauses = [
        ("adds", tally.added, tally.renamed, "renamed"),
        ("changes", tally.changed, tally.riskier, "riskier"),
        ("removes", tally.removed, 0, ""),
    ];
    clauses
        .into_iter()
        .filter(|(_, count, ..)| *count > 0)
        .map(|(verb, count, note, what)| {
            let clause = format!("{verb} {}", counted(count, "action", "actions"));
            with_note(clause, note, what)
        })
        .collect()
}

fn words(entries: &[ManifestEntry]) -> Option<String> {
    let changed: Vec<_> = WORDS
        .iter()
        .filter(|(part, _)| count(entries, *part) > 0)
        .map(|(_, name)| (*name).to_owned())
        .collect();
    (!changed.is_empty()).then(|| format!("changes its {}", listed(&changed)))
}

fn counted(count: usize, one: &str, many: &str) -> String {
    let noun = if count == 1 { one } else { many };
    format!("{count} {noun}")
}

/// `a, b and c`
fn listed(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
