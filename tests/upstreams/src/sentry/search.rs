//! What a search for issues means: `is:`, `project:`, `level:`, `assigned:`, each perhaps with `!`
//! before it or a list after it, and free text. All terms must hold.

use super::{
    error::SentryError,
    ids,
    tracker::{Issue, Status},
};

/// What Sentry looks for when a request has no `query`; an empty one finds everything.
pub(crate) const DEFAULT: &str = "is:unresolved";

/// A condition on an issue.
#[derive(Debug)]
pub(crate) struct Term {
    negated: bool,
    condition: Condition,
}

#[derive(Debug)]
enum Condition {
    Status(Status),
    IsAssigned(bool),
    Project(Vec<String>),
    Level(Vec<String>),
    Assignee(Vec<String>),
    Text(String),
}

/// Reads a search; every term of it is understood or refused.
pub(crate) fn parse(query: &str) -> Result<Vec<Term>, SentryError> {
    words(query).iter().map(|word| parse_term(word)).collect()
}

impl Term {
    pub(crate) fn matches(&self, issue: &Issue) -> bool {
        self.condition.matches(issue) != self.negated
    }
}

impl Condition {
    fn matches(&self, issue: &Issue) -> bool {
        match self {
            Self::Status(status) => issue.status == *status,
            Self::IsAssigned(assigned) => issue.assignee.is_some() == *assigned,
            Self::Project(slugs) => slugs.iter().any(|slug| slug == ids::PROJECT),
            Self::Level(levels) => levels.iter().any(|level| level == issue.level),
            Self::Assignee(names) => names.iter().any(|name| is_assigned(issue, name)),
            Self::Text(text) => {
                let searched = format!("{} {}", issue.title, issue.culprit);
                searched.to_lowercase().contains(&text.to_lowercase())
            }
        }
    }
}

fn is_assigned(issue: &Issue, name: &str) -> bool {
    match (issue.assignee, name) {
        (assignee, "none") => assignee.is_none(),
        (Some(assignee), "me") => assignee.id == ids::USER_ADA,
        (Some(assignee), name) => assignee.is_called(name),
        (None, _) => false,
    }
}

fn parse_term(word: &str) -> Result<Term, SentryError> {
    let (negated, rest) = match word.strip_prefix('!') {
        Some(rest) => (true, rest),
        None => (false, word),
    };
    let condition = match rest.split_once(':') {
        Some((key, value)) if !key.starts_with('"') => parse_condition(key, value)?,
        _ => Condition::Text(unquoted(rest).to_owned()),
    };
    Ok(Term { negated, condition })
}

fn parse_condition(key: &str, value: &str) -> Result<Condition, SentryError> {
    Ok(match key {
        "is" => parse_is(unquoted(value))?,
        "project" | "project.name" => Condition::Project(known_projects(values(value))?),
        "level" => Condition::Level(values(value)),
        "assigned" | "assigned_to" => Condition::Assignee(values(value)),
        _ => {
            let detail = format!("Error parsing search query: {key} is not known to the fake");
            return Err(SentryError::bad_request(&detail));
        }
    })
}

fn parse_is(value: &str) -> Result<Condition, SentryError> {
    Ok(match value {
        "unresolved" => Condition::Status(Status::Unresolved),
        "resolved" => Condition::Status(Status::Resolved),
        "ignored" | "archived" | "muted" => Condition::Status(Status::Ignored),
        "assigned" => Condition::IsAssigned(true),
        "unassigned" => Condition::IsAssigned(false),
        _ => {
            let detail =
                format!("Error parsing search query: Invalid value for \"is\" search: {value}");
            return Err(SentryError::bad_request(&detail));
        }
    })
}

fn known_projects(slugs: Vec<String>) -> Result<Vec<String>, SentryError> {
    match slugs.iter().find(|slug| *slug != ids::PROJECT) {
        None => Ok(slugs),
        Some(unknown) => Err(SentryError::bad_request(&format!(
            "Invalid query. Project(s) {unknown} do not exist or are not actively selected."
        ))),
    }
}

/// `value`, `"a value"` or `[one, other]`.
fn values(value: &str) -> Vec<String> {
    let list = value
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    match list {
        Some(list) => list
            .split(',')
            .map(|value| unquoted(value.trim()).to_owned())
            .collect(),
        None => vec![unquoted(value).to_owned()],
    }
}

fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(text)
}

/// Splits at spaces, but for those within quotes and lists.
fn words(query: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let (mut quoted, mut listed) = (false, false);
    for character in query.chars() {
        match character {
            '"' => quoted = !quoted,
            '[' if !quoted => listed = true,
            ']' if !quoted => listed = false,
            _ => {}
        }
        if character.is_whitespace() && !quoted && !listed {
            words.push(std::mem::take(&mut word));
        } else {
            word.push(character);
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sentry::seed;

    fn found(query: &str) -> Vec<&'static str> {
        let terms = parse(query).unwrap();
        let issues = seed::issues();
        let matching = issues
            .iter()
            .filter(|issue| terms.iter().all(|term| term.matches(issue)));
        matching.map(|issue| issue.id).collect()
    }

    #[test]
    fn terms_choose_and_must_all_hold() {
        for (query, expected) in [
            ("", &["6301", "6302", "6303", "6304", "6305"][..]),
            ("is:unresolved", &["6301", "6302", "6304"]),
            ("!is:unresolved", &["6303", "6305"]),
            ("is:resolved", &["6303"]),
            ("is:ignored", &["6305"]),
            ("is:unresolved level:warning", &["6304"]),
            ("level:[warning, info] project:web", &["6304"]),
            ("project:\"web\" is:assigned", &["6301"]),
            ("assigned:bruno@acme.example", &["6301"]),
            ("assigned:me", &[]),
            ("is:unresolved assigned:none", &["6302", "6304"]),
            ("CANNOT read", &["6301"]),
            ("\"timed out\"", &["6302"]),
            ("src/payments", &["6302", "6305"]),
        ] {
            assert_eq!(found(query), expected, "{query}");
        }
    }

    #[test]
    fn what_the_fake_does_not_know_is_refused() {
        for query in [
            "release:1.0",
            "is:sleeping",
            "project:other",
            "project:[web,other]",
        ] {
            assert!(parse(query).is_err(), "{query}");
        }
    }
}
