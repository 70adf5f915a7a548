//! A component as the body of a request.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use bytes::Bytes;
use utoipa::openapi::{ObjectBuilder, RefOr, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use super::super::error::ApiError;
use super::super::extract::{Limits, read_within};
use crate::gateway::Gateway;

/// What a body says that is a component.
const MEDIA_TYPE: &str = "application/wasm";

/// A client that takes longer to send a component is not worth a connection: 64 MiB
/// in this time are 220 KB each second.
const UPLOAD_TIMEOUT: Duration = Duration::from_mins(5);

/// The bytes of a component.
pub(in crate::http) struct Component(pub(super) Bytes);

impl FromRequest<Arc<Gateway>> for Component {
    type Rejection = ApiError;

    async fn from_request(request: Request, gateway: &Arc<Gateway>) -> Result<Self, ApiError> {
        check_media_type(request.headers())?;
        let server = &gateway.config.server;
        let limits = Limits {
            bytes: server.max_plugin_bytes,
            drain: server.drain_body_bytes,
            time: UPLOAD_TIMEOUT,
        };
        let bytes = read_within(request.into_body(), limits).await?;
        Ok(Self(bytes))
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
