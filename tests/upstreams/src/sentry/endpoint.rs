//! The routes, who may use them, and what they are given.

use std::{
    future::ready,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Json, Router,
    extract::{OriginalUri, Path, Query, State},
    middleware::map_response,
    response::{IntoResponse, Response},
    routing::get,
};
use bytes::Bytes;
use http::{
    HeaderMap, StatusCode,
    header::{AUTHORIZATION, HOST},
};
use serde_json::{Map, Value};

use super::{
    error::SentryError,
    ids,
    page::PageRequest,
    quota, search, shapes,
    tracker::{Issue, Tracker},
};
use crate::{TimeSource, credential::Credential};

/// Scopes each of which is enough to read.
const READ: &[&str] = &["event:read", "event:write", "event:admin"];

/// Scopes each of which is enough to change something.
const WRITE: &[&str] = &["event:write", "event:admin"];

/// Parameters that make no difference to what the fake holds.
const IGNORED_PARAMETERS: [&str; 5] = [
    "statsPeriod",
    "expand",
    "collapse",
    "shortIdLookup",
    "sample",
];

struct Service {
    credential: Credential,
    tracker: Mutex<Tracker>,
    time: TimeSource,
}

type Shared = State<Arc<Service>>;
type Answer = Result<Response, SentryError>;
type Parameters = Query<Vec<(String, String)>>;

pub(super) fn router(credential: Credential, time: TimeSource, clock: TimeSource) -> Router {
    let service = Service {
        credential,
        tracker: Mutex::new(Tracker::new()),
        time,
    };
    let issues = "/api/0/organizations/{organization}/issues/";
    let issue = format!("{issues}{{issue}}/");
    Router::new()
        .route(issues, get(list_issues))
        .route(&issue, get(get_issue).put(update_issue))
        .route(&format!("{issue}events/"), get(list_events))
        .route(&format!("{issue}events/{{event}}/"), get(get_event))
        .route(&format!("{issue}notes/"), get(list_notes).post(add_note))
        .fallback(async || SentryError::not_found())
        .layer(map_response(move |answer| {
            ready(quota::tell(&clock, answer))
        }))
        .with_state(Arc::new(service))
}

async fn list_issues(
    State(service): Shared,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path(organization): Path<String>,
    Query(parameters): Parameters,
) -> Answer {
    service.authorize(&headers, &organization, READ)?;
    let mut found = Listing::new(url(&headers, uri.path()), parameters);
    let query = found.take("query");
    let terms = search::parse(query.as_deref().unwrap_or(search::DEFAULT))?;
    let sort = found.take("sort").unwrap_or_else(|| "date".to_owned());
    found.check_project()?;
    let page = found.page("limit")?;
    let mut issues = service.tracker().issues.clone();
    issues.retain(|issue| terms.iter().all(|term| term.matches(issue)));
    sort_issues(&mut issues, &sort)?;
    Ok(page.answer(issues.iter().map(shapes::issue).collect()))
}

async fn get_issue(
    State(service): Shared,
    headers: HeaderMap,
    Path((organization, issue)): Path<(String, String)>,
) -> Answer {
    service.authorize(&headers, &organization, READ)?;
    let tracker = service.tracker();
    Ok(Json(shapes::issue_in_full(tracker.issue(&issue)?)).into_response())
}

async fn update_issue(
    State(service): Shared,
    headers: HeaderMap,
    Path((organization, issue)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    service.authorize(&headers, &organization, WRITE)?;
    let fields = object(&body)?;
    let mut tracker = service.tracker();
    Ok(Json(shapes::issue_in_full(tracker.update(&issue, &fields)?)).into_response())
}

async fn list_events(
    State(service): Shared,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((organization, issue)): Path<(String, String)>,
    Query(parameters): Parameters,
) -> Answer {
    service.authorize(&headers, &organization, READ)?;
    let mut found = Listing::new(url(&headers, uri.path()), parameters);
    let in_full = found
        .take("full")
        .is_some_and(|full| ["1", "true"].contains(&full.as_str()));
    let page = found.page("per_page")?;
    let tracker = service.tracker();
    let issue = tracker.issue(&issue)?;
    let show = if in_full {
        shapes::event_in_full
    } else {
        shapes::event
    };
    Ok(page.answer(
        issue
            .events
            .iter()
            .map(|event| show(issue, event))
            .collect(),
    ))
}

async fn get_event(
    State(service): Shared,
    headers: HeaderMap,
    Path((organization, issue, event)): Path<(String, String, String)>,
) -> Answer {
    service.authorize(&headers, &organization, READ)?;
    let tracker = service.tracker();
    let issue = tracker.issue(&issue)?;
    Ok(Json(shapes::event_in_full(issue, issue.event(&event)?)).into_response())
}

async fn list_notes(
    State(service): Shared,
    headers: HeaderMap,
    OriginalUri(uri): OriginalUri,
    Path((organization, issue)): Path<(String, String)>,
    Query(parameters): Parameters,
) -> Answer {
    service.authorize(&headers, &organization, READ)?;
    let page = Listing::new(url(&headers, uri.path()), parameters).page("per_page")?;
    let tracker = service.tracker();
    let issue = tracker.issue(&issue)?;
    Ok(page.answer(
        issue
            .notes
            .iter()
            .map(|note| shapes::note(issue, note))
            .collect(),
    ))
}

async fn add_note(
    State(service): Shared,
    headers: HeaderMap,
    Path((organization, issue)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    service.authorize(&headers, &organization, WRITE)?;
    let fields = object(&body)?;
    let text = fields.get("text").and_then(Value::as_str);
    let text = text.ok_or_else(|| SentryError::invalid_field("text", "This field is required."))?;
    let mut tracker = service.tracker();
    let note = tracker.comment(&issue, text, &service.time)?;
    let shown = shapes::note(tracker.issue(&issue)?, &note);
    Ok((StatusCode::CREATED, Json(shown)).into_response())
}

impl Service {
    /// Whose token it is comes first, then where it may be used, then for what.
    fn authorize(
        &self,
        headers: &HeaderMap,
        organization: &str,
        any_of: &[&str],
    ) -> Result<(), SentryError> {
        if !headers.contains_key(AUTHORIZATION) {
            return Err(SentryError::unauthenticated());
        }
        let authorization = self.credential.judge(headers);
        if !authorization.authorized {
            return Err(SentryError::invalid_token());
        }
        if organization != ids::ORGANIZATION {
            return Err(SentryError::not_found());
        }
        if !authorization.allows(any_of) {
            return Err(SentryError::forbidden());
        }
        Ok(())
    }

    fn tracker(&self) -> MutexGuard<'_, Tracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request for a list: its parameters are taken out one after another.
struct Listing {
    url: String,
    parameters: Vec<(String, String)>,
}

impl Listing {
    fn new(url: String, mut parameters: Vec<(String, String)>) -> Self {
        parameters.retain(|(name, _)| !IGNORED_PARAMETERS.contains(&name.as_str()));
        Self { url, parameters }
    }

    fn take(&mut self, name: &str) -> Option<String> {
        let position = self
            .parameters
            .iter()
            .position(|(found, _)| found == name)?;
        Some(self.parameters.remove(position).1)
    }

    /// Projects are named by their ids here, and -1 means all of them.
    fn check_project(&mut self) -> Result<(), SentryError> {
        while let Some(id) = self.take("project") {
            if id.parse::<i64>().is_err() {
                let detail = "Invalid project parameter. Values must be numbers.";
                return Err(SentryError::bad_request(detail));
            }
            if ![ids::PROJECT_ID, "-1"].contains(&id.as_str()) {
                return Err(SentryError::forbidden());
            }
        }
        Ok(())
    }

    /// The page that is asked for; nothing else may be left.
    fn page(mut self, items: &str) -> Result<PageRequest, SentryError> {
        let (cursor, items) = (self.take("cursor"), self.take(items));
        if let Some((unknown, _)) = self.parameters.first() {
            let detail = format!("the parameter {unknown} is not known to the fake");
            return Err(SentryError::bad_request(&detail));
        }
        PageRequest::new(self.url, cursor.as_deref(), items.as_deref())
    }
}

fn sort_issues(issues: &mut [Issue], sort: &str) -> Result<(), SentryError> {
    match sort {
        "date" | "inbox" | "recommended" | "trends" => {
            issues.sort_by_key(|issue| std::cmp::Reverse(issue.last_seen()));
        }
        "new" => issues.sort_by_key(|issue| std::cmp::Reverse(issue.first_seen())),
        "freq" => issues.sort_by_key(|issue| std::cmp::Reverse(issue.count)),
        "user" => issues.sort_by_key(|issue| std::cmp::Reverse(issue.user_count)),
        _ => return Err(SentryError::bad_request("Invalid sort parameter.")),
    }
    Ok(())
}

fn object(body: &[u8]) -> Result<Map<String, Value>, SentryError> {
    serde_json::from_slice(body).map_err(|error| {
        let detail = format!("JSON parse error - {error}");
        SentryError::bad_request(&detail)
    })
}

/// The address that was asked, without its query.
fn url(headers: &HeaderMap, path: &str) -> String {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    format!("http://{}{path}", host.unwrap_or("localhost"))
}
