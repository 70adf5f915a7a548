//! Requests, and what came of them, as JSON.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::http;
use crate::bindings::portcullis::provider::types::Error;
use crate::{internal, params};

/// One request, as params describe it.
#[derive(Deserialize)]
pub(crate) struct Request {
    endpoint: String,
    method: String,
    path: String,
    #[serde(default)]
    query: Vec<(String, String)>,
    #[serde(default)]
    headers: Vec<(String, String)>,
    body: Option<String>,
    timeout_ms: Option<u32>,
}

/// What came of it.
#[derive(Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Answer {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
        /// What is not UTF-8 is replaced.
        body: String,
    },
    Error {
        kind: String,
        message: String,
        request_sent: bool,
    },
}

/// Sends one request and answers what came of it.
pub(crate) fn fetch(_context: &Context, json: &str) -> Result<String, Error> {
    let request: Request = params(json)?;
    Answer::from(http::send(&request.into_wit()?)).to_json()
}

/// Sends several requests at once and answers what came of each.
pub(crate) fn fetch_many(_context: &Context, json: &str) -> Result<String, Error> {
    let requests: Vec<Request> = params::<Requests>(json)?.requests;
    let requests = requests
        .into_iter()
        .map(Request::into_wit)
        .collect::<Result<Vec<_>, _>>()?;
    let answers: Vec<_> = http::send_all(&requests)
        .into_iter()
        .map(Answer::from)
        .collect();
    to_json(&answers)
}

/// Sends its params as they are, and answers with the status alone.
pub(crate) fn forward(_context: &Context, json: &str) -> Result<String, Error> {
    let request = http::Request {
        endpoint: "api".to_owned(),
        method: http::Method::Post,
        path: "/forwarded".to_owned(),
        query: Vec::new(),
        headers: vec![("content-type".to_owned(), "application/json".to_owned())],
        body: Some(json.as_bytes().to_vec()),
        timeout_ms: None,
    };
    match http::send(&request) {
        Ok(response) => Ok(response.status.to_string()),
        Err(error) => Err(internal(&error.message)),
    }
}

#[derive(Deserialize)]
struct Requests {
    requests: Vec<Request>,
}

/// Sends so many requests one after the other, and counts what came of them.
pub(crate) fn request_flood(_context: &Context, json: &str) -> Result<String, Error> {
    let request = plain_request();
    let Flood { requests } = params(json)?;
    to_json(&counts((0..requests).map(|_| http::send(&request))))
}

/// Sends so many requests at once, and counts what came of them.
pub(crate) fn send_all_flood(_context: &Context, json: &str) -> Result<String, Error> {
    let Flood { requests } = params(json)?;
    to_json(&counts(http::send_all(&vec![plain_request(); requests])))
}

#[derive(Deserialize)]
struct Flood {
    requests: usize,
}

/// How many ended how: the kinds of errors, and `response`.
fn counts(
    answers: impl IntoIterator<Item = Result<http::Response, http::Error>>,
) -> BTreeMap<String, u32> {
    let mut counts = BTreeMap::new();
    for answer in answers {
        let end = match answer {
            Ok(_) => "response".to_owned(),
            Err(error) => format!("{:?}", error.kind),
        };
        *counts.entry(end).or_default() += 1;
    }
    counts
}

/// A request that nothing is wrong with.
pub(crate) fn plain_request() -> http::Request {
    http::Request {
        endpoint: "api".to_owned(),
        method: http::Method::Get,
        path: "/".to_owned(),
        query: Vec::new(),
        headers: Vec::new(),
        body: None,
        timeout_ms: None,
    }
}

impl Request {
    /// The request in the form that the host takes.
    pub(crate) fn into_wit(self) -> Result<http::Request, Error> {
        Ok(http::Request {
            endpoint: self.endpoint,
            method: method(&self.method)?,
            path: self.path,
            query: self.query,
            headers: self.headers,
            body: self.body.map(String::into_bytes),
            timeout_ms: self.timeout_ms,
        })
    }
}

impl Answer {
    pub(crate) fn to_json(&self) -> Result<String, Error> {
        to_json(self)
    }
}

impl From<Result<http::Response, http::Error>> for Answer {
    fn from(result: Result<http::Response, http::Error>) -> Self {
        match result {
            Ok(response) => Self::Response {
                status: response.status,
                headers: response.headers,
                body: String::from_utf8_lossy(&response.body).into_owned(),
            },
            Err(error) => Self::Error {
                kind: format!("{:?}", error.kind),
                message: error.message,
                request_sent: error.request_sent,
            },
        }
    }
}

fn method(name: &str) -> Result<http::Method, Error> {
    Ok(match name {
        "GET" => http::Method::Get,
        "HEAD" => http::Method::Head,
        "POST" => http::Method::Post,
        "PUT" => http::Method::Put,
        "PATCH" => http::Method::Patch,
        "DELETE" => http::Method::Delete,
        _ => return Err(internal("there is no such method")),
    })
}

fn to_json(value: &impl Serialize) -> Result<String, Error> {
    serde_json::to_string(value).map_err(|error| internal(&error.to_string()))
}
