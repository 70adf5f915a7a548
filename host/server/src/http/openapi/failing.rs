//! How operations fail, told by what their handlers take.
//!
//! An operation's annotation names the extractors of its handler and the codes
//! of its use case, as in `Fails<(OrgManager, JsonBody<CreateBody>,
//! code::AlreadyExists)>`; the table of codes does the rest.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use portcullis_core::invocation::FailureCode;
use utoipa::IntoResponses;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};

use super::super::callers::{
    InSession, InvocationDecider, Operator, OrgManager, OrgReader, OwnSandbox, PersonInSession,
};
use super::super::error::{CanFail, Code, ErrorCode};
use super::super::events::{Upgrade, Watcher};
use super::super::extract::{JsonBody, OptionalJsonBody, PathParams, QueryParams};
use super::super::plugins::Component;

macro_rules! can_fail {
    ($({$($generics:tt)*})? $extractor:ty: $($code:ident)+) => {
        impl$($($generics)*)? CanFail for $extractor {
            fn codes() -> Vec<ErrorCode> {
                vec![$(Code::$code.into(),)+]
            }
        }
    };
}

can_fail!(Operator: Unauthorized TokenExpired Forbidden Unavailable);
can_fail!(OrgReader: InvalidRequest Unauthorized TokenExpired Forbidden NotFound Unavailable);
can_fail!(OrgManager: InvalidRequest Unauthorized TokenExpired Forbidden NotFound Unavailable
    OutcomeUnknown);
can_fail!(InSession: InvalidRequest Unauthorized TokenExpired Forbidden NotFound Unavailable);
can_fail!(InvocationDecider: InvalidRequest Unauthorized TokenExpired Forbidden NotFound
    Unavailable OutcomeUnknown);
can_fail!(OwnSandbox: InvalidRequest Unauthorized TokenExpired Forbidden NotFound Unavailable);
can_fail!(PersonInSession: InvalidRequest Unauthorized TokenExpired Forbidden NotFound Unavailable
    OutcomeUnknown);
can_fail!(Watcher: InvalidRequest Unauthorized TokenExpired Forbidden NotFound Unavailable
    OutcomeUnknown);
can_fail!(Upgrade: UpgradeRequired);
can_fail!({<T>} PathParams<T>: InvalidRequest);
can_fail!({<T>} QueryParams<T>: InvalidRequest);
can_fail!({<T>} JsonBody<T>: InvalidRequest InvalidJson RequestTimeout PayloadTooLarge
    Unavailable OutcomeUnknown);

can_fail!({<T>} OptionalJsonBody<T>: InvalidRequest InvalidJson RequestTimeout PayloadTooLarge
    Unavailable OutcomeUnknown);
can_fail!(Component: InvalidRequest RequestTimeout PayloadTooLarge Unavailable OutcomeUnknown);

/// The plugin that the operation loads.
pub(in crate::http) struct Loading;

impl CanFail for Loading {
    fn codes() -> Vec<ErrorCode> {
        vec![FailureCode::Busy.into()]
    }
}

/// The invocation that the operation executes.
pub(in crate::http) struct Execution;

impl CanFail for Execution {
    fn codes() -> Vec<ErrorCode> {
        FailureCode::ALL.iter().map(|code| (*code).into()).collect()
    }
}

macro_rules! tuples_can_fail {
    ($($($part:ident)+;)+) => {$(
        impl<$($part: CanFail),+> CanFail for ($($part,)+) {
            fn codes() -> Vec<ErrorCode> {
                [$($part::codes()),+].concat()
            }
        }
    )+};
}

tuples_can_fail! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
}

/// The error answers of an operation: those of `T`, and `internal`.
pub(in crate::http) struct Fails<T>(PhantomData<T>);

impl<T: CanFail> IntoResponses for Fails<T> {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let mut codes: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for code in T::codes().into_iter().chain([Code::Internal.into()]) {
            let of_status = codes.entry(code.status().as_u16()).or_default();
            if !of_status.contains(&code) {
                of_status.push(code);
            }
        }
        codes
            .into_iter()
            .map(|(status, codes)| (status.to_string(), response(status, &codes).into()))
            .collect()
    }
}

/// The answer of a status: its codes in words, and an example of each.
fn response(status: u16, codes: &[ErrorCode]) -> Response {
    let words: Vec<String> = codes
        .iter()
        .map(|code| format!("- `{}`: {}", code.as_str(), code.meaning()))
        .collect();
    let examples = codes.iter().map(|code| {
        let example = format!("#/components/examples/{}", code.example_name());
        (code.as_str(), RefOr::Ref(Ref::new(example)))
    });
    let content = ContentBuilder::new()
        .schema(Some(Ref::from_schema_name("ErrorBody")))
        .examples_from_iter(examples)
        .build();
    let response = ResponseBuilder::new()
        .description(words.join("\n"))
        .content("application/json", content);
    with_headers(status, response).build()
}

fn with_headers(status: u16, response: ResponseBuilder) -> ResponseBuilder {
    let header = |kind, description: &str| {
        HeaderBuilder::new()
            .schema(Some(ObjectBuilder::new().schema_type(kind)))
            .description(Some(description))
            .build()
    };
    match status {
        401 => response.header(
            "WWW-Authenticate",
            header(Type::String, "`Bearer`: the scheme to use."),
        ),
        426 => response.header("Upgrade", header(Type::String, "`websocket`.")),
        429 | 503 => response.header(
            "Retry-After",
            header(Type::Integer, "Whole seconds to wait, at least 1."),
        ),
        _ => response,
    }
}
