//! The API's description, OpenAPI 3.1, as it is served at `/openapi.json`.
//!
//! Every operation is described where its handler is; here is what they share:
//! the preface, who may call, and how things fail.

mod failing;
mod parameters;

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use sha2::{Digest as _, Sha256};
use utoipa::openapi::example::{Example, ExampleBuilder};
use utoipa::openapi::schema::AdditionalProperties;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    Components, ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, RefOr, Schema, Tag,
};

use super::error::{ApiError, Body, ErrorCode, code};
use super::router::described_routes;
pub(super) use failing::{Execution, Fails, Loading};
use parameters::IfNoneMatch;
pub(super) use parameters::{
    ActionPath, IdempotencyKey, PluginPath, PluginSignature, SourcePath, TicketProtocol, UserPath,
};

/// What a reader is told first.
const INTRODUCTION: &str = include_str!("openapi/introduction.md");

/// For whom operations are.
const TAGS: [(&str, &str); 5] = [
    (
        "agents",
        "What an agent does in its session; members of the organization may look on.",
    ),
    (
        "decisions",
        "What owners and admins say about what waits for a person.",
    ),
    (
        "organization",
        "What owners and admins set up for their organization, or the operator for them. \
         Members may read it.",
    ),
    ("operator", "What only whoever runs the gateway may do."),
    (
        "health",
        "For load balancers and tools; no credential needed.",
    ),
];

/// How callers prove who they are.
const SECURITY_SCHEMES: [(&str, &str); 3] = [
    (
        "operatorKey",
        "The key from the gateway's configuration, `auth.operator_key`.",
    ),
    (
        "userToken",
        "A JWT for a person of an organization, minted with `POST /v1/tokens`. Their role is \
         looked up at each request.",
    ),
    (
        "sandboxToken",
        "A JWT for the agent of one session, minted with `POST /v1/tokens`. It reaches nothing \
         but that session.",
    ),
];

/// The description before the operations join.
pub(super) fn preface() -> OpenApi {
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Portcullis")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(INTRODUCTION)),
        )
        .components(Some(shared_components()))
        .tags(Some(TAGS.map(tag)))
        .build()
}

fn tag((name, description): (&str, &str)) -> Tag {
    TagBuilder::new()
        .name(name)
        .description(Some(description))
        .build()
}

fn shared_components() -> Components {
    let mut components = ComponentsBuilder::new().schema_from::<Body>().build();
    for (name, description) in SECURITY_SCHEMES {
        let mut bearer = Http::new(HttpAuthScheme::Bearer);
        bearer.description = Some(description.to_owned());
        components.add_security_scheme(name, SecurityScheme::Http(bearer));
    }
    for code in ErrorCode::all() {
        let name = code.example_name();
        components.examples.insert(name, example(code).into());
    }
    components
}

/// An answer with this code. Where an invocation failed it would stand beside.
fn example(code: ErrorCode) -> Example {
    let (meaning, remedy) = (code.meaning(), code.remedy());
    let error = serde_json::json!({
        "code": code.as_str(),
        "message": format!("{meaning} {remedy}"),
        "requestId": "5f3c0b1e-8c1d-4a52-9a3e-0d8a4c1f7b26",
    });
    ExampleBuilder::new()
        .summary(meaning)
        .description(remedy)
        .value(Some(serde_json::json!({ "error": error })))
        .build()
}

/// The whole description.
fn describe() -> OpenApi {
    let mut api = described_routes().into_openapi();
    let components = api.components.iter_mut();
    components
        .flat_map(|components| components.schemas.values_mut())
        .for_each(close_variants);
    api
}

/// Says of the variants of a request what utoipa says of structs only: that they
/// take no other fields. Answers have no variants.
fn close_variants(schema: &mut RefOr<Schema>) {
    let RefOr::T(Schema::OneOf(one_of)) = schema else {
        return;
    };
    for variant in &mut one_of.items {
        if let RefOr::T(Schema::Object(object)) = variant {
            object.additional_properties = Some(Box::new(AdditionalProperties::FreeForm(false)));
        }
    }
}

/// The description as it is sent.
struct Document {
    text: String,
    /// Strong: the hash of the text.
    etag: String,
}

impl Document {
    fn of(api: &OpenApi) -> Result<Self, serde_json::Error> {
        let text = api.to_json()?;
        let hash = Sha256::digest(&text);
        let etag = format!("\"{}\"", hex::encode(hash));
        Ok(Self { text, etag })
    }
}

/// Made at the first request for it: it is the same for every gateway.
static DOCUMENT: LazyLock<Result<Document, serde_json::Error>> =
    LazyLock::new(|| Document::of(&describe()));

/// Describes this API.
///
/// The document changes with the gateway's version only; ask with `If-None-Match`
/// to find out whether it has.
#[utoipa::path(
    get,
    path = "/openapi.json",
    tag = "health",
    security(()),
    params(IfNoneMatch),
    responses(
        (
            status = 200,
            description = "This document.",
            body = Object,
            headers(("ETag" = String, description = "Changes with the document."))
        ),
        (status = 304, description = "It has not changed."),
        Fails<code::Internal>,
    )
)]
pub(super) async fn get_openapi(headers: HeaderMap) -> Response {
    let document = match &*DOCUMENT {
        Ok(document) => document,
        Err(error) => {
            tracing::error!(%error, "the API's description cannot be written");
            return ApiError::internal().into_response();
        }
    };
    let caching = [
        (header::ETAG, document.etag.as_str()),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    if is_known(&headers, &document.etag) {
        return (StatusCode::NOT_MODIFIED, caching).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (caching, kind, document.text.as_str()).into_response()
}

/// Whether the client has the version with this tag.
fn is_known(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(header::IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == etag || tag == "*")
}
