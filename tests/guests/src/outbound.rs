//! Requests, and what came of them, as JSON.

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
enum Answer {
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
    to_json(&Answer::from(http::send(&request.into_wit()?)))
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
