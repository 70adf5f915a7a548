//! A component as the body of a request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderValue, header};
use bytes::Bytes;
use portcullis_core::signature::{Signature, parse_list};
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::super::error::{ApiError, Code};
use super::super::extract::{Limits, read_within};
use crate::gateway::Gateway;

/// What a body says that is a component.
const MEDIA_TYPE: &str = "application/wasm";

/// Signatures of the component, by whoever vouches for it.
const SIGNATURE: &str = "portcullis-signature";

/// A client that takes longer to send a component is not worth a connection: 64 MiB
/// in this time are 220 KB each second.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(5);

/// A component with the signatures that came beside it.
pub(in crate::http) struct Component {
    pub(super) bytes: Bytes,
    pub(super) signatures: Vec<Signature>,
}

impl FromRequest<Arc<Gateway>> for Component {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        check_media_type(request.headers())?;
        let signatures = signatures(request.headers())?;
        let server = &gateway.config.server;
        let limits = Limits {
            bytes: server.max_plugin_bytes,
            drain: server.drain_body_bytes,
            time: UPLOAD_TIMEOUT,
        };
        let bytes = read_within(request.into_body(), limits).await?;
        Ok(Self { bytes, signatures })
    }
}

/// A body of another type is a mistake, perhaps of a form in a browser.
fn check_media_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let mut values = headers.get_all(header::CONTENT_TYPE).iter();
    let is_component = match (values.next(), values.next()) {
        (Some(value), None) => value
            .to_str()
            .is_ok_and(|text| text.trim().eq_ignore_ascii_case(MEDIA_TYPE)),
        _ => false,
    };
    if is_component {
        return Ok(());
    }
    Err(ApiError::invalid_field(
        "Content-Type",
        "enum",
        "send the bytes of the component with `Content-Type: application/wasm`",
    ))
}

fn signatures(headers: &HeaderMap) -> Result<Vec<Signature>, ApiError> {
    let refuse = |reason: String| {
        let message = format!("the header Portcullis-Signature cannot be used: {reason}");
        ApiError::new(Code::InvalidSignature, message)
    };
    let values = headers.get_all(SIGNATURE).iter();
    let texts: Result<Vec<_>, _> = values.map(HeaderValue::to_str).collect();
    let texts = texts.map_err(|error| refuse(error.to_string()))?;
    parse_list(texts).map_err(|error| refuse(error.to_string()))
}

impl PartialSchema for Component {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .content_media_type(MEDIA_TYPE)
            .description(Some("A WebAssembly component."))
            .into()
    }
}

impl ToSchema for Component {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Component")
    }
}
