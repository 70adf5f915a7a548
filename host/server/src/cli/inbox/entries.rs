//! What waits, under numbers that stay.
//!
//! A number is given once and never to another request: whoever types it while the
//! list changes gets what they read.

use std::collections::HashSet;

use portcullis_core::time::Timestamp;
use serde_json::Value;

use super::super::actions::settled::name;
use super::super::decide::standing;
use super::super::output::{Report, field};
use super::super::times::clock_face;
use super::news::{Known, News};
use super::wrap::clip;

/// Columns of a session's title in a list.
const TITLE_COLUMNS: usize = 40;

/// Columns of an action's name in a list.
const NAME_COLUMNS: usize = 60;

/// A request that waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) number: usize,
    pub(super) invocation: Value,
}

/// What waits, oldest first.
#[derive(Debug, Default)]
pub(super) struct Entries {
    waiting: Vec<Entry>,
    /// How many there have been.
    count: usize,
    /// The ids of those that do not wait any more: an answer that was under way
    /// meanwhile may still name them.
    ended: HashSet<String>,
}

/// What has changed.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) number: usize,
    /// In a sentence.
    pub(super) sentence: String,
    /// Whether it waits no more.
    pub(super) is_gone: bool,
}

impl Entries {
    pub(super) fn new(waiting: Vec<Value>) -> Self {
        let mut entries = Self::default();
        for invocation in waiting {
            entries.add(invocation);
        }
        entries
    }

    pub(super) fn find(&self, number: usize) -> Option<&Entry> {
        self.waiting.iter().find(|entry| entry.number == number)
    }

    /// The ids of what waits and of their sessions.
    pub(super) fn known(&self) -> Vec<Known> {
        let known = self.waiting.iter().map(|entry| Known {
            id: field(&entry.invocation, "id"),
            session: field(&entry.invocation, "sessionId"),
        });
        known.collect()
    }

    /// Takes what the gateway says now, and tells what is new about it.
    pub(super) fn apply(&mut self, news: News, now: Timestamp) -> Vec<Change> {
        let gone = news.gone.iter().filter_map(|gone| self.remove(gone));
        let mut changes: Vec<_> = gone.collect();
        for invocation in news.waiting {
            let id = field(&invocation, "id");
            let same = |entry: &&mut Entry| field(&entry.invocation, "id") == id;
            if let Some(entry) = self.waiting.iter_mut().find(same) {
                entry.invocation = invocation;
            } else if !self.ended.contains(&id) {
                changes.push(self.announce(invocation, now));
            }
        }
        changes
    }

    /// Takes out what waits no more, as it stands now.
    pub(super) fn remove(&mut self, invocation: &Value) -> Option<Change> {
        let id = field(invocation, "id");
        let same = |entry: &Entry| field(&entry.invocation, "id") == id;
        let at = self.waiting.iter().position(same)?;
        let number = self.waiting.remove(at).number;
        self.ended.insert(id);
        Some(Change {
            number,
            sentence: format!("{number}  {}: {}.", name(invocation), standing(invocation)),
            is_gone: true,
        })
    }

    fn announce(&mut self, invocation: Value, now: Timestamp) -> Change {
        let sentence = format!(
            "new: {} ({}), waits {}, for {}",
            called(&invocation),
            field(&invocation, "riskLevel"),
            left(&invocation, now),
            title(&invocation),
        );
        let number = self.add(invocation);
        Change {
            number,
            sentence: format!("{number}  {sentence}"),
            is_gone: false,
        }
    }

    fn add(&mut self, invocation: Value) -> usize {
        self.count += 1;
        self.waiting.push(Entry {
            number: self.count,
            invocation,
        });
        self.count
    }

    /// The list as it is now.
    pub(super) fn list(&self, now: Timestamp) -> Report {
        if self.waiting.is_empty() {
            return Report::default()
                .text("Nothing waits for a decision. What comes is announced; q quits.");
        }
        let rows = self
            .waiting
            .iter()
            .map(|entry| row(entry.number.to_string(), &entry.invocation, now));
        Report::default()
            .table(headers("#"), rows.collect())
            .text("\nA number shows all about a request, Enter the list again, q quits.")
    }
}

/// The headers of a list that begins with this column.
pub(super) fn headers(first: &'static str) -> Vec<&'static str> {
    vec![first, "ACTION", "RISK", "WAITS", "SESSION"]
}

/// A request in a list.
pub(super) fn row(first: String, invocation: &Value, now: Timestamp) -> Vec<String> {
    vec![
        first,
        called(invocation),
        field(invocation, "riskLevel"),
        left(invocation, now),
        title(invocation),
    ]
}

/// Source and action, and whether it is another one than somebody decided about.
fn called(invocation: &Value) -> String {
    let name = clip(&name(invocation), NAME_COLUMNS);
    if field(invocation, "drifted") == "true" {
        return format!("{name} (drifted)");
    }
    name
}

fn title(invocation: &Value) -> String {
    let title = invocation.get("sessionTitle").and_then(Value::as_str);
    title.map_or_else(
        || "a session without a title".to_owned(),
        |title| clip(title, TITLE_COLUMNS),
    )
}

/// How long it still waits.
pub(super) fn left(invocation: &Value, now: Timestamp) -> String {
    let until: Option<Timestamp> = field(invocation, "expiresAt").parse().ok();
    until.map_or_else(|| "-".to_owned(), |until| clock_face(until.since(now)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(0);

    fn asked(id: &str) -> Value {
        json!({
            "id": id, "sessionId": "s", "integration": "linear", "action": "create_issue",
            "riskLevel": "write", "status": "pending", "drifted": false,
            "expiresAt": "1970-01-01T00:05:00Z", "sessionTitle": "Fix\nthe build",
        })
    }

    fn news(waiting: &[&str], gone: &[&str]) -> News {
        let denied = |id: &&str| {
            let mut invocation = asked(id);
            invocation["status"] = json!("denied");
            invocation["deniedReason"] = json!("human");
            invocation
        };
        News {
            waiting: waiting.iter().map(|id| asked(id)).collect(),
            gone: gone.iter().map(denied).collect(),
        }
    }

    fn numbers(entries: &Entries) -> Vec<usize> {
        entries.waiting.iter().map(|entry| entry.number).collect()
    }

    #[test]
    fn a_number_is_never_given_to_another_request() {
        let mut entries = Entries::new(vec![asked("a"), asked("b")]);
        let changes = entries.apply(news(&["b", "c"], &["a"]), NOW);
        assert_eq!(numbers(&entries), [2, 3]);
        let told: Vec<_> = changes.iter().map(|it| it.sentence.as_str()).collect();
        assert_eq!(
            told,
            [
                "1  linear.create_issue: a person denied it.",
                "3  new: linear.create_issue (write), waits 5:00, for Fix\\nthe build",
            ]
        );
        assert!(changes[0].is_gone && !changes[1].is_gone);
        assert!(entries.find(1).is_none());
    }

    #[test]
    fn what_has_ended_does_not_come_back() {
        let mut entries = Entries::new(vec![asked("a")]);
        entries.remove(&asked("a")).unwrap();
        assert!(entries.apply(news(&["a"], &["a"]), NOW).is_empty());
        assert!(numbers(&entries).is_empty());
    }

    #[test]
    fn a_list_shows_what_is_needed_to_choose() {
        let mut drifted = asked("a");
        drifted["drifted"] = json!(true);
        drifted["sessionTitle"] = Value::Null;
        let entries = Entries::new(vec![asked("b"), drifted]);
        let text = entries.list(NOW).for_people(None);
        let lines: Vec<_> = text.lines().collect();
        let words = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words(lines[0]), "# ACTION RISK WAITS SESSION");
        assert_eq!(
            words(lines[1]),
            "1 linear.create_issue write 5:00 Fix\\nthe build"
        );
        assert!(lines[2].contains("linear.create_issue (drifted)"), "{text}");
    }
}
