//! Answers at the edge of what the contract allows, and beyond.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::bindings::exports::portcullis::provider::actions::Context;
use crate::bindings::portcullis::provider::types::{Error, ErrorCode};
use crate::{internal, params};

/// Answers any text, whether it is JSON or not.
pub(crate) fn text(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        text: String,
    }
    params(json).map(|Params { text }| text)
}

/// Answers JSON of exactly so many bytes.
pub(crate) fn huge_result(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        bytes: usize,
    }
    let Params { bytes } = params(json)?;
    let quotes = 2;
    Ok(format!("\"{}\"", "x".repeat(bytes.saturating_sub(quotes))))
}

/// Answers so many levels of JSON: each opens with one text and closes with another.
pub(crate) fn deep_result(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        levels: usize,
        open: String,
        close: String,
    }
    let Params {
        levels,
        open,
        close,
    } = params(json)?;
    Ok(format!("{}0{}", open.repeat(levels), close.repeat(levels)))
}

/// Fails with so many bytes of words.
pub(crate) fn huge_error(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        bytes: usize,
    }
    let Params { bytes } = params(json)?;
    Err(internal(&"x".repeat(bytes)))
}

/// Answers so many rows, each with a name of its own and these members.
pub(crate) fn rows(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        count: usize,
        row: Map<String, Value>,
    }
    let Params { count, row } = params(json)?;
    let named = |n| {
        let mut members =
            Map::from_iter([("key".to_owned(), format!("row {n} of {count}").into())]);
        members.extend(row.clone());
        Value::Object(members)
    };
    let rows: Vec<_> = (0..count).map(named).collect();
    Ok(json!({ "rows": rows, "total": count }).to_string())
}

/// Fails as it is told to.
pub(crate) fn fail(_context: &Context, json: &str) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Params {
        code: String,
        message: String,
        retryable: bool,
        retry_after_ms: Option<u64>,
    }
    let params: Params = params(json)?;
    Err(Error {
        code: code(&params.code)?,
        message: params.message,
        retryable: params.retryable,
        retry_after_ms: params.retry_after_ms,
    })
}

fn code(name: &str) -> Result<ErrorCode, Error> {
    Ok(match name {
        "invalid-params" => ErrorCode::InvalidParams,
        "unauthorized" => ErrorCode::Unauthorized,
        "forbidden" => ErrorCode::Forbidden,
        "not-found" => ErrorCode::NotFound,
        "conflict" => ErrorCode::Conflict,
        "rate-limited" => ErrorCode::RateLimited,
        "upstream" => ErrorCode::Upstream,
        "timeout" => ErrorCode::Timeout,
        "denied-egress" => ErrorCode::DeniedEgress,
        "connection-missing" => ErrorCode::ConnectionMissing,
        "internal" => ErrorCode::Internal,
        _ => return Err(internal("there is no such code")),
    })
}
