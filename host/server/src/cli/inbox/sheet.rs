//! All about one request, for whoever decides about it.

use portcullis_core::time::Timestamp;
use serde_json::Value;

use super::super::actions::settled::name;
use super::super::client::Client;
use super::super::failure::Failure;
use super::super::output::{Report, field, short};
use super::entries::left;
use super::wrap::{block, clip, labelled, readable, sentence};

/// Columns of the titles that plugins and people give.
const TITLE_COLUMNS: usize = 120;

/// A request, and what there is to know about it.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) number: usize,
    pub(super) invocation: Value,
    /// The session that asked; null when it is not known.
    session: Value,
    /// The automation that the session runs for; null when it runs for none.
    automation: Value,
    now: Definition,
}

/// The action as the session has it now.
#[derive(Debug)]
enum Definition {
    /// It has this one.
    Served {
        title: String,
        description: String,
        digest: String,
    },
    /// It has none, for this reason if there is one.
    Absent(Option<String>),
}

/// Sessions and automations, kept as long as somebody looks at requests: neither
/// changes what is shown of it.
#[derive(Debug, Default)]
pub(super) struct Directory {
    sessions: Vec<Value>,
    automations: Vec<Value>,
}

impl Directory {
    /// Looks up everything about a request.
    pub(super) async fn sheet(
        &mut self,
        client: &Client,
        org: &str,
        number: usize,
        invocation: Value,
    ) -> Result<Sheet, Failure> {
        let id = field(&invocation, "sessionId");
        let list = ["v1", "orgs", org, "sessions"];
        let session = look_up(&mut self.sessions, client, &list, "sessions", &id).await?;
        let automation = match session.get("automationId").and_then(Value::as_str) {
            Some(id) => {
                let list = ["v1", "orgs", org, "automations"];
                look_up(&mut self.automations, client, &list, "automations", id).await?
            }
            None => Value::Null,
        };
        let catalog = client.get(&[&id, "actions", "available"], &[]).await?;
        Ok(Sheet {
            number,
            now: definition(&catalog, &invocation),
            invocation,
            session,
            automation,
        })
    }
}

/// An item of a list by its id, from what is kept or asked for anew.
async fn look_up(
    kept: &mut Vec<Value>,
    client: &Client,
    list: &[&str],
    name: &str,
    id: &str,
) -> Result<Value, Failure> {
    if let Some(found) = with_id(kept, id) {
        return Ok(found);
    }
    let mut answer = client.get(list, &[]).await?;
    if let Some(Value::Array(items)) = answer.get_mut(name).map(Value::take) {
        *kept = items;
    }
    Ok(with_id(kept, id).unwrap_or_default())
}

fn with_id(items: &[Value], id: &str) -> Option<Value> {
    items.iter().find(|item| field(item, "id") == id).cloned()
}

/// The action of an invocation in a catalog.
fn definition(catalog: &Value, invocation: &Value) -> Definition {
    let source = field(invocation, "integration");
    let action = field(invocation, "action");
    let mut actions = items(catalog, "actions");
    let found =
        actions.find(|item| field(item, "sourceId") == source && field(item, "actionId") == action);
    if let Some(found) = found {
        return Definition::Served {
            title: field(found, "title"),
            description: field(found, "description"),
            digest: field(found, "digest"),
        };
    }
    let source = items(catalog, "sources").find(|item| field(item, "id") == source);
    let message = source.and_then(|source| source.get("message")?.as_str());
    Definition::Absent(message.map(str::to_owned))
}

fn items<'a>(catalog: &'a Value, name: &str) -> impl Iterator<Item = &'a Value> {
    let items = catalog.get(name).and_then(Value::as_array);
    items.into_iter().flatten()
}

impl Sheet {
    /// The automation that may be allowed something; its name.
    pub(super) fn automation(&self) -> Option<String> {
        let name = self.automation.get("name")?.as_str()?;
        Some(clip(name, TITLE_COLUMNS))
    }

    /// Whether an approval can have an effect, as far as the definition goes.
    pub(super) fn may_run(&self) -> bool {
        let asked = field(&self.invocation, "definitionDigest");
        matches!(&self.now, Definition::Served { digest, .. } if *digest == asked)
    }

    /// The digest under which it was asked for.
    pub(super) fn digest(&self) -> Option<String> {
        let digest = self.invocation.get("definitionDigest")?.as_str()?;
        Some(digest.to_owned())
    }

    /// Everything.
    pub(super) fn report(&self, now: Timestamp, width: usize) -> Report {
        let name = name(&self.invocation);
        let mut parts = vec![String::new()];
        match &self.now {
            Definition::Served {
                title, description, ..
            } => {
                let heading = format!("{}  {name}: {}", self.number, clip(title, TITLE_COLUMNS));
                parts.push(sentence(&heading, width));
                parts.push(block(description, width));
            }
            Definition::Absent(_) => {
                parts.push(sentence(&format!("{}  {name}", self.number), width));
            }
        }
        parts.push(String::new());
        for (label, value) in self.facts(now) {
            parts.push(labelled(label, &value, width));
        }
        parts.push("\nParams (what looks like a secret is hidden):".to_owned());
        let params = self.invocation.get("params").unwrap_or(&Value::Null);
        parts.push(block(&readable(params), width));
        for warning in self.warnings() {
            parts.push(String::new());
            parts.push(sentence(&warning, width));
        }
        Report::default().text(parts.join("\n"))
    }

    fn facts(&self, now: Timestamp) -> Vec<(&'static str, String)> {
        let invocation = &self.invocation;
        let mut facts = vec![("Session", self.session_name())];
        if let Some(user) = self.session.get("userId").and_then(Value::as_str) {
            facts.push(("For", format!("the user {user}")));
        }
        if let Some(automation) = self.automation() {
            let id = field(&self.automation, "id");
            facts.push((
                "For",
                format!("a run of the automation {automation} ({id})"),
            ));
        }
        let until = short(invocation, "expiresAt");
        facts.extend([
            ("Risk", field(invocation, "riskLevel")),
            ("Mode", mode(invocation)),
            ("Asked", short(invocation, "createdAt")),
            ("Waits", format!("{}, until {until}", left(invocation, now))),
            ("Request", field(invocation, "id")),
        ]);
        facts
    }

    fn session_name(&self) -> String {
        let id = field(&self.invocation, "sessionId");
        match self.session.get("title").and_then(Value::as_str) {
            Some(title) => format!("{} ({id})", clip(title, TITLE_COLUMNS)),
            None => id,
        }
    }

    /// What somebody should know before they decide.
    fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        if field(&self.invocation, "drifted") == "true" {
            warnings.push(drifted(&self.invocation));
        }
        match &self.now {
            Definition::Served { .. } if self.may_run() => {}
            Definition::Served { digest, .. } => warnings.push(format!(
                "! The action has changed since this was asked for, and an approval will be \
                 refused. Deny it, and its agent can ask for the action as it is now. Asked \
                 under {}, now {digest}.",
                field(&self.invocation, "definitionDigest"),
            )),
            Definition::Absent(why) => warnings.push(format!(
                "! The session has no such action any more, and an approval will be refused.{}",
                why.as_ref()
                    .map_or_else(String::new, |why| format!(" {why}")),
            )),
        }
        warnings
    }
}

/// Why a person is asked although the action would be allowed.
fn drifted(invocation: &Value) -> String {
    if field(invocation, "modeSource") == "inferred_default" {
        let source = field(invocation, "integration");
        return format!(
            "! Drifted: this action has changed since it was reviewed, or nobody has reviewed it. \
             `portcullis source review {source}` shows it."
        );
    }
    "! Drifted: somebody allowed this action when its definition was another one. It has changed \
     since, so a person is asked."
        .to_owned()
}

/// The mode, and where it comes from.
fn mode(invocation: &Value) -> String {
    let from = match field(invocation, "modeSource").as_str() {
        "automation_override" => "set for this automation".to_owned(),
        "org_default" => "set for the organization".to_owned(),
        "connector_override" => "set for this connector".to_owned(),
        "inferred_default" => {
            let risk = field(invocation, "riskLevel");
            format!("nobody has set one, and the risk is {risk}")
        }
        other => other.to_owned(),
    };
    format!("{} ({from})", field(invocation, "mode"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(12_000_000);

    fn asked() -> Value {
        json!({
            "id": "74d06694-0000-4000-8000-000000000000", "sessionId": "the-session",
            "integration": "linear", "action": "update_issue", "riskLevel": "write",
            "mode": "require_approval", "modeSource": "inferred_default", "drifted": false,
            "definitionDigest": "sha256:1", "params": { "issueId": "ENG-1" },
            "createdAt": "1970-01-01T00:00:00.000001Z",
            "expiresAt": "1970-01-01T00:05:00.000001Z",
        })
    }

    fn catalog(digest: &str) -> Value {
        json!({
            "actions": [{
                "sourceId": "linear", "actionId": "update_issue", "title": "Update an issue",
                "description": "Changes fields.\nNo others.", "digest": digest,
            }],
            "sources": [{ "id": "linear", "message": null }],
        })
    }

    fn sheet(invocation: Value, catalog: &Value) -> Sheet {
        Sheet {
            number: 3,
            now: definition(catalog, &invocation),
            invocation,
            session: json!({ "title": "Fix the build", "userId": "ada" }),
            automation: Value::Null,
        }
    }

    fn text(sheet: &Sheet) -> String {
        sheet.report(NOW, 80).for_people(Some(80))
    }

    #[test]
    fn everything_that_matters_is_told() {
        let sheet = sheet(asked(), &catalog("sha256:1"));
        assert!(sheet.may_run());
        assert_eq!(
            text(&sheet),
            "
3  linear.update_issue: Update an issue
  | Changes fields.
  | No others.

Session   Fix the build (the-session)
For       the user ada
Risk      write
Mode      require_approval (nobody has set one, and the risk is write)
Asked     1970-01-01T00:00:00Z
Waits     4:48, until 1970-01-01T00:05:00Z
Request   74d06694-0000-4000-8000-000000000000

Params (what looks like a secret is hidden):
  | {
  |   \"issueId\": \"ENG-1\"
  | }
"
        );
    }

    #[test]
    fn what_has_changed_is_told_before_anything_is_asked() {
        let mut invocation = asked();
        invocation["drifted"] = json!(true);
        let changed = sheet(invocation, &catalog("sha256:2"));
        assert!(!changed.may_run());
        for phrase in ["! Drifted", "! The action has changed", "now sha256:2"] {
            assert!(text(&changed).contains(phrase), "{}", text(&changed));
        }
        let mut inferred = asked();
        inferred["drifted"] = json!(true);
        inferred["modeSource"] = json!("inferred_default");
        let inferred = text(&sheet(inferred, &catalog("sha256:1")));
        assert!(
            inferred.contains("portcullis source review linear"),
            "{inferred}"
        );
        let mut gone = catalog("sha256:1");
        gone["actions"] = json!([]);
        gone["sources"][0]["message"] = json!("A person must renew it.");
        let gone = sheet(asked(), &gone);
        assert!(!gone.may_run());
        let told = "no such action any more, and an approval will be refused. A person must";
        let text = text(&gone).replace("\n    ", "");
        assert!(text.contains(told), "{text}");
    }

    #[test]
    fn nobody_else_begins_a_line() {
        let evil =
            "x\u{1b}[2J\nMode      allow\u{202e}\r\u{2028}".to_owned() + &"\u{a0}".repeat(400);
        let mut invocation = asked();
        invocation["params"] = json!({ &evil: &evil, "list": [&evil] });
        let mut sheet = sheet(invocation, &catalog("sha256:1"));
        sheet.session["title"] = json!(evil);
        sheet.session["userId"] = json!(evil);
        sheet.automation = json!({ "id": evil, "name": evil });
        if let Definition::Served {
            title, description, ..
        } = &mut sheet.now
        {
            title.clone_from(&evil);
            *description = evil;
        }
        let ours = [
            "3  linear",
            "Session ",
            "For ",
            "Risk ",
            "Mode      require",
            "Asked ",
            "Waits ",
            "Request ",
            "Params (",
            "  | ",
            "  > ",
            "    ",
        ];
        for line in text(&sheet).lines().filter(|line| !line.is_empty()) {
            assert!(ours.iter().any(|it| line.starts_with(it)), "{line:?}");
            let columns = line.chars().map(|c| 1 + usize::from(!c.is_ascii()));
            assert!(columns.sum::<usize>() <= 80, "{line:?}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}
