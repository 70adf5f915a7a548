//! Headers of guests: what is let out says nothing that is the host's to say.

use portcullis_core::plugin::{ConnectionType, CredentialForm, CredentialRule, Endpoint};
use portcullis_runtime::egress::fuzzing::headers_of;

use crate::json::Bytes;

/// Pieces of names: of those that are the host's, and what is put around them.
const NAMES: [&str; 32] = [
    "host",
    "Authorization",
    "cookie",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "expect",
    "Proxy-",
    "forwarded",
    "x-forwarded-for",
    "X-Forwarded_Host",
    "x-real-ip",
    "x-http-method-override",
    "x-original-url",
    "x-api-key",
    "X-API_Key",
    "x-",
    "X-",
    "-",
    "_",
    " ",
    "\t",
    "\r\n",
    ":",
    "\0",
    "é",
    "accept",
    "content-type",
    "a",
    "",
];

/// Pieces of values.
const VALUES: [&str; 8] = ["a", " ", "\r\n", "\n", "\r", "\0", "é", "Host: evil.test"];

/// How names begin that are the host's, whatever else they say.
const OF_THE_HOST: [&str; 18] = [
    "host",
    "authorization",
    "cookie",
    "content-length",
    "transfer-encoding",
    "connection",
    "te",
    "upgrade",
    "expect",
    "proxy-",
    "forwarded",
    "x-forwarded",
    "x-real-ip",
    "x-http-method",
    "x-original-",
    "x-api-key",
    "trailer",
    "keep-alive",
];

pub(super) fn check(bytes: &[u8]) {
    let endpoint = Endpoint {
        name: "api".to_owned(),
        base_url: "https://api.test".parse().unwrap(),
        routes: Vec::new(),
        credentials: vec![CredentialRule {
            connection: ConnectionType::ApiKey,
            form: CredentialForm::Header {
                name: "x-api-key".to_owned(),
                prefix: String::new(),
            },
        }],
    };
    let mut bytes = Bytes::new(bytes);
    let count = bytes.next() % 5;
    let headers: Vec<_> = (0..count).map(|_| header(&mut bytes)).collect();
    let Some(map) = headers_of(&endpoint, &headers) else {
        return;
    };
    assert_eq!(map.len(), headers.len());
    for (name, value) in &map {
        let name = name.as_str().replace('_', "-");
        assert!(!OF_THE_HOST.iter().any(|own| is_it(&name, own)), "{name}");
        let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n' | 0);
        assert!(!value.as_bytes().iter().any(breaks), "{value:?}");
    }
}

/// A name that ends with a dash stands for all that begin with it.
fn is_it(name: &str, own: &str) -> bool {
    let is_prefix = own.ends_with('-') || ["x-forwarded", "x-http-method"].contains(&own);
    name == own || (is_prefix && name.starts_with(own))
}

fn header(bytes: &mut Bytes<'_>) -> (String, String) {
    let mut name = String::new();
    for _ in 0..=bytes.next() % 3 {
        name.push_str(NAMES[usize::from(bytes.next() % 32)]);
    }
    let mut value = String::new();
    for _ in 0..bytes.next() % 4 {
        value.push_str(VALUES[usize::from(bytes.next() % 8)]);
    }
    (name, value)
}
