//! The ways in which a fake can misbehave, and their JSON form.
//!
//! [`Fault`] is the closed list. `board` keeps the active one and counts it down; `answer` turns
//! one into a response. To add a fault: a variant here, its name in [`Fault::KINDS`], its effect in
//! `answer` or in `upstream::exchange`.

mod answer;
mod board;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub(crate) use answer::{cut_half_way, replacement, with_echoes};
pub(crate) use board::FaultBoard;

/// One way of misbehaving. In JSON an object with `kind` in `snake_case` and the other fields in
/// camelCase.
///
/// The request is received and recorded in every case. Whether it is carried out is said at each
/// variant: a client that gets no usable answer must not conclude that nothing was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "kind",
    rename_all = "snake_case",
    rename_all_fields = "camelCase"
)]
pub enum Fault {
    /// The request is carried out after a delay.
    Slow {
        /// Milliseconds to wait.
        delay_ms: u64,
    },
    /// Refused in the vendor's own way for too many requests; not carried out.
    RateLimit {
        /// What the vendor says to wait, in seconds.
        retry_after_seconds: u64,
    },
    /// Refused in the vendor's own way for another reason; not carried out. The fake Linear answers
    /// 200 with an error of this `extensions.code`, Sentry 400 with this `detail`, Slack 200 with
    /// `ok: false` and this `error`.
    Refusal {
        /// What the vendor calls it, such as Slack's `is_archived`.
        error: String,
    },
    /// Another status with a short text; not carried out.
    Status {
        /// 200 to 599.
        status: u16,
    },
    /// 200 with `content-type: application/json` and a body that is not JSON; not carried out.
    Garbage,
    /// 200 with a JSON string of that many bytes, streamed in chunks without a length; not carried
    /// out.
    Huge {
        /// Length of the body, at least 2 (the quotes).
        bytes: u64,
    },
    /// 302 to another place; not carried out.
    Redirect {
        /// Value of the `location` header.
        location: String,
    },
    /// Carried out; the answer announces its length and the connection ends after half of it.
    HalfBody,
    /// Carried out; the connection ends instead of an answer.
    Disconnect,
    /// The connection ends instead of an answer; not carried out.
    DisconnectBefore,
    /// Carried out, or refused by the vendor; to every text of the answer, and to one more header,
    /// the credential of the request is added.
    Echo,
    /// Nothing happens until the fault is reset or replaced; then the request is carried out.
    Hang,
}

/// A fault and for how many more requests it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ActiveFault {
    /// What happens.
    #[serde(flatten)]
    pub fault: Fault,
    /// How many more requests it applies to; `None` until it is reset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// Why the body of `POST /__fault` was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{reason}; known kinds: {}, {RESET}", Fault::KINDS.join(", "))]
pub(crate) struct InvalidFault {
    reason: String,
}

/// The kind that ends the active fault. It is an instruction and not a fault, so it has no variant.
const RESET: &str = "reset";

impl Fault {
    /// The values of `kind`, in the order of the variants.
    pub const KINDS: [&'static str; 12] = [
        "slow",
        "rate_limit",
        "refusal",
        "status",
        "garbage",
        "huge",
        "redirect",
        "half_body",
        "disconnect",
        "disconnect_before",
        "echo",
        "hang",
    ];

    fn check(&self) -> Result<(), InvalidFault> {
        match self {
            Self::Status { status } if !(200..600).contains(status) => {
                Err(InvalidFault::new("`status` must be from 200 to 599"))
            }
            Self::Huge { bytes } if *bytes < 2 => {
                Err(InvalidFault::new("`bytes` must be at least 2"))
            }
            Self::Redirect { location } if http::HeaderValue::from_str(location).is_err() => Err(
                InvalidFault::new("`location` must be the value of a header"),
            ),
            _ => Ok(()),
        }
    }
}

impl InvalidFault {
    fn new(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
        }
    }
}

/// Reads the body of `POST /__fault`: the fault to set, or `None` for `reset`.
pub(crate) fn parse(body: &[u8]) -> Result<Option<ActiveFault>, InvalidFault> {
    let mut members: Map<String, Value> = serde_json::from_slice(body)
        .map_err(|error| InvalidFault::new(format!("the body must be a JSON object: {error}")))?;
    if members.get("kind").and_then(Value::as_str) == Some(RESET) {
        members.remove("kind");
        return refuse_unknown(members.keys(), &Map::new()).map(|()| None);
    }
    let count = members
        .remove("count")
        .as_ref()
        .map(parse_count)
        .transpose()?;
    let fault = parse_fault(&members)?;
    Ok(Some(ActiveFault { fault, count }))
}

fn parse_count(value: &Value) -> Result<u64, InvalidFault> {
    let count = value.as_u64().filter(|count| *count > 0);
    count.ok_or_else(|| InvalidFault::new("`count` must be a positive integer"))
}

fn parse_fault(members: &Map<String, Value>) -> Result<Fault, InvalidFault> {
    let fault: Fault = serde_json::from_value(Value::Object(members.clone()))
        .map_err(|error| InvalidFault::new(error.to_string()))?;
    fault.check()?;
    // serde's `deny_unknown_fields` does not reach the variants without fields, so what was
    // understood is compared with what was sent.
    let understood = serde_json::to_value(&fault).expect("a fault is plain JSON");
    refuse_unknown(
        members.keys(),
        understood.as_object().unwrap_or(&Map::new()),
    )?;
    Ok(fault)
}

fn refuse_unknown<'a>(
    mut sent: impl Iterator<Item = &'a String>,
    known: &Map<String, Value>,
) -> Result<(), InvalidFault> {
    match sent.find(|name| !known.contains_key(*name)) {
        Some(name) => Err(InvalidFault::new(format!("unknown field `{name}`"))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse_json(body: &Value) -> Result<Option<ActiveFault>, InvalidFault> {
        parse(body.to_string().as_bytes())
    }

    fn examples() -> Vec<Value> {
        vec![
            json!({"kind": "slow", "delayMs": 5}),
            json!({"kind": "rate_limit", "retryAfterSeconds": 30}),
            json!({"kind": "refusal", "error": "is_archived"}),
            json!({"kind": "status", "status": 503}),
            json!({"kind": "garbage"}),
            json!({"kind": "huge", "bytes": 52_428_800}),
            json!({"kind": "redirect", "location": "http://169.254.169.254/"}),
            json!({"kind": "half_body"}),
            json!({"kind": "disconnect"}),
            json!({"kind": "disconnect_before"}),
            json!({"kind": "echo"}),
            json!({"kind": "hang"}),
        ]
    }

    #[test]
    fn every_kind_reads_and_writes_the_same_json() {
        for example in examples() {
            let active = parse_json(&example).unwrap().unwrap();
            assert_eq!(serde_json::to_value(active).unwrap(), example);
        }
    }

    #[test]
    fn the_list_of_kinds_is_complete() {
        let kinds: Vec<_> = examples()
            .iter()
            .map(|example| example["kind"].clone())
            .collect();
        assert_eq!(json!(kinds), json!(Fault::KINDS));
        let unknown = parse_json(&json!({"kind": "meteor"}))
            .unwrap_err()
            .to_string();
        for kind in Fault::KINDS {
            assert!(unknown.contains(kind), "{unknown}");
        }
    }

    #[test]
    fn count_is_optional_and_positive() {
        let active = parse_json(&json!({"kind": "garbage", "count": 2}))
            .unwrap()
            .unwrap();
        assert_eq!(active.count, Some(2));
        for count in [json!(0), json!(-1), json!("2"), json!(1.5)] {
            assert!(parse_json(&json!({"kind": "garbage", "count": count})).is_err());
        }
    }

    #[test]
    fn reset_is_understood_alone() {
        assert_eq!(parse_json(&json!({"kind": "reset"})), Ok(None));
        assert!(parse_json(&json!({"kind": "reset", "count": 1})).is_err());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for body in [
            json!({}),
            json!([]),
            json!({"kind": "garbage", "delayMs": 5}),
            json!({"kind": "slow"}),
            json!({"kind": "slow", "delayMs": -1}),
            json!({"kind": "status", "status": 199}),
            json!({"kind": "status", "status": 600}),
            json!({"kind": "huge", "bytes": 1}),
            json!({"kind": "redirect", "location": "a\nb"}),
        ] {
            assert!(parse_json(&body).is_err(), "{body}");
        }
    }
}
