//! What answers hold, as agents see it.

use portcullis_sdk::prelude::*;
use serde::{Deserialize, Deserializer, de};

/// An issue, without its description.
#[result]
pub struct Issue {
    /// UUID.
    pub id: String,
    /// Such as ENG-123.
    pub identifier: String,
    /// One line.
    pub title: String,
    /// Where people see it.
    pub url: String,
    /// 0 none, 1 urgent, 2 high, 3 medium, 4 low.
    #[serde(deserialize_with = "priority")]
    pub priority: u8,
    /// Where it stands in its team's workflow.
    pub state: Named,
    /// Whose it is.
    pub team: Team,
    /// Who works on it.
    pub assignee: Option<Named>,
    /// RFC 3339.
    pub updated_at: String,
}

/// A thing with a name.
#[result]
pub struct Named {
    /// UUID.
    pub id: String,
    /// What people call it.
    pub name: String,
}

/// A team.
#[result]
pub struct Team {
    /// UUID.
    pub id: String,
    /// The part before the dash of an issue's identifier.
    pub key: String,
}

/// A comment.
#[result]
pub struct Comment {
    /// UUID.
    pub id: String,
    /// Markdown.
    pub body: String,
    /// Where people see it.
    pub url: String,
    /// RFC 3339.
    pub created_at: String,
    /// Who wrote it; null for a bot or an integration.
    pub user: Option<Named>,
}

/// What creating or changing an issue answers.
#[result]
pub struct IssueAnswer {
    /// The issue as it is now.
    pub issue: Issue,
}

/// Linear's schema has a float, of which only five values are in use.
fn priority<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let number = f64::deserialize(deserializer)?;
    (0..=4)
        .find(|&priority| (f64::from(priority) - number).abs() < 0.5)
        .ok_or_else(|| de::Error::custom(format!("{number} is not a priority")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn priority_of(number: Value) -> Option<u8> {
        let mut issue = fixtures::issue(1);
        issue["priority"] = number;
        serde_json::from_value::<Issue>(issue)
            .ok()
            .map(|issue| issue.priority)
    }

    #[test]
    fn priorities_are_whole_numbers_from_0_to_4() {
        assert_eq!(priority_of(json!(0)), Some(0));
        assert_eq!(priority_of(json!(2.0)), Some(2));
        assert_eq!(priority_of(json!(4)), Some(4));
        assert_eq!(priority_of(json!(5)), None);
        assert_eq!(priority_of(json!(-1)), None);
        assert_eq!(priority_of(json!("high")), None);
    }
}
