//! What fuzz targets may ask of the rules, one at a time. Nothing else does.

use std::collections::HashSet;
use std::net::IpAddr;

use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderValue, header};
use portcullis_core::invocation::BaseUrls;
use portcullis_core::plugin::{Endpoint, Method};
use secrecy::SecretString;
use url::Url;

use super::address::check_addresses;
use super::body::decode;
use super::echo::Echoes;
use super::message::HttpErrorKind;
use super::target::{Base, encode_query};
use super::{EgressLimits, headers, path};

/// The URL of a request, where the rules let one out.
pub fn url_of(
    endpoint: &Endpoint,
    method: Method,
    path: &str,
    query: &[(String, String)],
) -> Option<Url> {
    let limits = EgressLimits::default();
    path::check_path(path, limits.max_path_bytes).ok()?;
    path::check_route(endpoint, method, path).ok()?;
    let (base_urls, granted) = (BaseUrls::new(), HashSet::new());
    let base = Base::of(endpoint, &base_urls, &granted).ok()?;
    let query = encode_query(query, &limits).ok()?;
    base.join(path, query.as_deref()).ok()
}

/// The headers of a request, where the rules let them out.
pub fn headers_of(endpoint: &Endpoint, headers: &[(String, String)]) -> Option<HeaderMap> {
    headers::guest_headers(headers, endpoint, &EgressLimits::default()).ok()
}

/// Whether an address may be connected to without a grant.
pub fn may_connect_to(address: IpAddr) -> bool {
    check_addresses(vec![address]).is_ok()
}

/// A body that came with this encoding, in these portions.
pub fn body_of(encoding: &str, chunks: &[&[u8]], limit: usize) -> Result<Vec<u8>, HttpErrorKind> {
    let value = HeaderValue::from_str(encoding).map_err(|_| HttpErrorKind::Protocol)?;
    let headers = HeaderMap::from_iter([(header::CONTENT_ENCODING, value)]);
    decode(&headers, chunks, limit).map_err(|error| error.kind)
}

/// What a guest gets of a body when this is the credential. `None` of one so large that
/// it has to wait for its turn.
pub fn without_echoes(secret: &str, body: Vec<u8>) -> Option<Vec<u8>> {
    let echoes = Echoes::of(&SecretString::from(secret));
    echoes.redact(body).now_or_never()
}
