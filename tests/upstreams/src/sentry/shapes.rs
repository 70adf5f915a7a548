//! Issues, events and comments as Sentry writes them.

use serde_json::{Value, json};

use super::{
    ids,
    seed::{ADA, RELEASE},
    tracker::{Actor, Event, Exception, Frame, Issue, Note, Status},
};
use crate::json::with;

/// Where the organization's pages would be.
const WEB_URL: &str = "https://acme.sentry.io";

/// An issue in a list.
pub(crate) fn issue(issue: &Issue) -> Value {
    json!({
        "id": issue.id,
        "shortId": issue.short_id(),
        "title": issue.title,
        "culprit": issue.culprit,
        "permalink": format!("{WEB_URL}/issues/{}/", issue.id),
        "level": issue.level,
        "logger": null,
        "type": event_type(issue),
        "issueType": "error",
        "issueCategory": "error",
        "platform": "javascript",
        "priority": issue.priority,
        "status": issue.status.name(),
        "statusDetails": status_details(issue),
        "substatus": issue.substatus,
        "isPublic": false,
        "isBookmarked": false,
        "isSubscribed": true,
        "isUnhandled": issue.exception.is_some(),
        "hasSeen": true,
        "shareId": null,
        "annotations": [],
        "subscriptionDetails": { "reason": "mentioned" },
        "assignedTo": issue.assignee.map(actor),
        "project": {
            "id": ids::PROJECT_ID, "name": "Web", "slug": ids::PROJECT,
            "platform": "javascript-react",
        },
        "metadata": metadata(issue),
        "numComments": issue.notes.len(),
        "count": issue.count.to_string(),
        "userCount": issue.user_count,
        "firstSeen": issue.first_seen().to_string(),
        "lastSeen": issue.last_seen().to_string(),
        "stats": { "24h": stats() },
    })
}

/// An issue by itself.
pub(crate) fn issue_in_full(shown: &Issue) -> Value {
    let notes = shown.notes.iter().map(|it| note(shown, it));
    let release = json!({
        "version": RELEASE, "shortVersion": "4.2.0", "dateCreated": "2026-11-01T08:00:00Z",
        "projects": [{ "name": "Web", "slug": ids::PROJECT }],
    });
    let more = json!({
        "activity": notes.collect::<Vec<_>>(),
        "tags": [
            { "key": "browser", "name": "Browser", "totalValues": shown.count },
            { "key": "environment", "name": "Environment", "totalValues": shown.count },
            { "key": "release", "name": "Release", "totalValues": shown.count },
        ],
        "firstRelease": release,
        "lastRelease": release,
        "participants": [],
        "seenBy": [user(&ADA)],
        "userReportCount": 0,
        "pluginActions": [],
        "pluginIssues": [],
        "stats": { "24h": stats(), "30d": stats() },
    });
    with(issue(shown), more)
}

/// An event in a list.
pub(crate) fn event(issue: &Issue, event: &Event) -> Value {
    json!({
        "id": event.id,
        "eventID": event.id,
        "groupID": issue.id,
        "projectID": ids::PROJECT_ID,
        "event.type": event_type(issue),
        "title": issue.title,
        "message": issue.title,
        "location": location(issue),
        "culprit": issue.culprit,
        "platform": "javascript",
        "dateCreated": event.at.to_string(),
        "crashFile": null,
        "metadata": metadata(issue),
        "user": visitor(event),
        "tags": tags(issue, event),
    })
}

/// An event with all that was recorded of it.
pub(crate) fn event_in_full(issue: &Issue, shown: &Event) -> Value {
    let more = json!({
        "type": event_type(issue),
        "dateReceived": shown.at.to_string(),
        "size": 48_211,
        "dist": null,
        "errors": [],
        "fingerprints": ["3f1d5e0c9b7a4826"],
        "release": { "version": RELEASE, "shortVersion": "4.2.0" },
        "sdk": { "name": "sentry.javascript.react", "version": "10.25.0" },
        "packages": {},
        "contexts": contexts(shown),
        "context": { "cart": { "items": shown.number + 1, "currency": "EUR" } },
        "entries": entries(issue, shown),
        "nextEventID": neighbour(issue, shown.number + 1),
        "previousEventID": neighbour(issue, shown.number - 1),
    });
    with(event(issue, shown), more)
}

/// A comment, which Sentry keeps as an activity of the issue.
pub(crate) fn note(issue: &Issue, note: &Note) -> Value {
    json!({
        "id": note.id,
        "type": "note",
        "user": user(&ADA),
        "sentry_app": null,
        "data": { "text": note.text },
        "dateCreated": note.at.to_string(),
        "issue": { "id": issue.id },
    })
}

fn event_type(issue: &Issue) -> &'static str {
    match issue.exception {
        Some(_) => "error",
        None => "default",
    }
}

fn status_details(issue: &Issue) -> Value {
    match issue.status {
        Status::Resolved if issue.in_next_release => json!({ "inNextRelease": true }),
        Status::Ignored => json!({ "untilEscalating": true }),
        Status::Resolved | Status::Unresolved => json!({}),
    }
}

fn actor(actor: &Actor) -> Value {
    match actor.email {
        Some(email) => {
            json!({ "type": actor.kind, "id": actor.id, "name": actor.name, "email": email })
        }
        None => json!({ "type": actor.kind, "id": actor.id, "name": actor.name }),
    }
}

fn user(actor: &Actor) -> Value {
    json!({
        "id": actor.id, "name": actor.name, "username": actor.handle, "email": actor.email,
        "isActive": true,
    })
}

fn metadata(issue: &Issue) -> Value {
    match &issue.exception {
        Some(exception) => {
            let frame = exception.innermost();
            json!({
                "type": exception.kind,
                "value": exception.value,
                "filename": frame.map(|frame| frame.filename),
                "function": frame.map(|frame| frame.function),
            })
        }
        None => json!({ "title": issue.title }),
    }
}

fn location(issue: &Issue) -> Option<&'static str> {
    let frame = issue.exception.as_ref()?.innermost()?;
    Some(frame.filename)
}

fn visitor(event: &Event) -> Value {
    json!({
        "id": format!("u-{}", 4400 + event.number),
        "email": format!("visitor{}@mail.example", event.number),
        "username": null,
        "ip_address": format!("203.0.113.{}", event.number),
        "name": null,
        "data": {},
    })
}

fn tags(issue: &Issue, event: &Event) -> Value {
    let mut tags = vec![
        json!({ "key": "browser", "value": "Firefox 145.0" }),
        json!({ "key": "browser.name", "value": "Firefox" }),
        json!({ "key": "environment", "value": "production" }),
        json!({ "key": "level", "value": issue.level }),
        json!({ "key": "os", "value": "Windows 11" }),
        json!({ "key": "release", "value": RELEASE }),
        json!({ "key": "user", "value": format!("id:u-{}", 4400 + event.number) }),
    ];
    if let Some((_, url)) = event.request {
        tags.push(json!({ "key": "url", "value": url }));
    }
    tags.into()
}

fn contexts(event: &Event) -> Value {
    json!({
        "browser": { "type": "browser", "name": "Firefox", "version": "145.0" },
        "os": { "type": "os", "name": "Windows", "version": "11" },
        "trace": {
            "type": "trace", "op": "pageload", "status": "internal_error",
            "trace_id": format!("{:032x}", 0xace0 + event.number),
            "span_id": format!("{:016x}", 0xace0 + event.number),
        },
    })
}

fn entries(issue: &Issue, event: &Event) -> Value {
    let mut entries = Vec::new();
    match &issue.exception {
        Some(thrown) => entries.push(exception(thrown)),
        None => entries.push(json!({
            "type": "message",
            "data": { "formatted": issue.title, "message": null, "params": null },
        })),
    }
    entries.push(breadcrumbs(event));
    if let Some((method, url)) = event.request {
        entries.push(request(method, url));
    }
    entries.into()
}

fn exception(exception: &Exception) -> Value {
    let frames = exception.frames.iter().map(frame);
    json!({
        "type": "exception",
        "data": {
            "hasSystemFrames": exception.frames.iter().any(|frame| !frame.in_app),
            "excOmitted": null,
            "values": [{
                "type": exception.kind,
                "value": exception.value,
                "module": null,
                "threadId": null,
                "mechanism": { "type": "onunhandledrejection", "handled": false },
                "stacktrace": {
                    "frames": frames.collect::<Vec<_>>(),
                    "framesOmitted": null,
                    "hasSystemFrames": true,
                    "registers": null,
                },
                "rawStacktrace": null,
            }],
        },
    })
}

fn frame(frame: &Frame) -> Value {
    json!({
        "filename": frame.filename,
        "absPath": format!("webpack:///./{}", frame.filename),
        "module": frame.filename.trim_end_matches(".ts").trim_end_matches(".js"),
        "package": null,
        "platform": null,
        "function": frame.function,
        "rawFunction": null,
        "symbol": null,
        "lineNo": frame.line,
        "colNo": 17,
        "inApp": frame.in_app,
        "context": [
            [frame.line - 1, ""],
            [frame.line, frame.code],
            [frame.line + 1, "}"],
        ],
        "vars": null,
        "errors": null,
    })
}

fn breadcrumbs(event: &Event) -> Value {
    let crumb = |category: &str, message: &str| {
        json!({
            "type": "default", "category": category, "level": "info", "message": message,
            "timestamp": event.at.to_string(), "data": null, "event_id": null,
        })
    };
    json!({
        "type": "breadcrumbs",
        "data": { "values": [
            crumb("navigation", "/cart -> /checkout"),
            crumb("ui.click", "button.pay"),
            crumb("console", "quote requested"),
        ] },
    })
}

/// With what no agent should be shown: cookies and an authorization.
fn request(method: &str, url: &str) -> Value {
    json!({
        "type": "request",
        "data": {
            "method": method,
            "url": url,
            "query": [["step", "pay"]],
            "fragment": null,
            "data": { "cart": "c-1182" },
            "headers": [
                ["Authorization", "Bearer visitors-own-token"],
                ["Cookie", "session=visitors-own-session"],
                ["Referer", "https://shop.acme.example/cart"],
                ["User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/145.0"],
            ],
            "cookies": [["session", "visitors-own-session"]],
            "env": { "REMOTE_ADDR": "203.0.113.1" },
            "inferredContentType": "application/json",
        },
    })
}

fn neighbour(issue: &Issue, number: usize) -> Option<&str> {
    let found = issue.events.iter().find(|event| event.number == number);
    found.map(|event| event.id.as_str())
}

/// Pairs of seconds since 1970 and a number of events.
fn stats() -> Value {
    json!([[1_793_606_400, 3], [1_793_610_000, 12], [1_793_613_600, 0]])
}
