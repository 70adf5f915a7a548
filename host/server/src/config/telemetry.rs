//! Section `[telemetry]`: where traces go.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;
use url::Url;

use super::{ConfigError, Secret, invalid};

/// The path of OTLP's traces below an endpoint.
const TRACES_PATH: &str = "v1/traces";

/// Headers that the client makes itself.
const OWN_HEADERS: [&str; 4] = [
    "host",
    "content-type",
    "content-length",
    "transfer-encoding",
];

/// Section `[telemetry]`.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TelemetryConfig {
    /// The collector; empty: no traces.
    pub otlp_endpoint: String,
    /// Sent with every request to it.
    pub otlp_headers: BTreeMap<String, Secret>,
    /// What the gateway calls itself.
    pub service_name: String,
    /// The part of all requests that is traced.
    pub sample_ratio: f64,
    /// Which spans are recorded.
    pub filter: String,
}

impl TelemetryConfig {
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        if !self.otlp_endpoint.is_empty() && self.endpoint().is_none() {
            return Err(invalid(
                "telemetry.otlp_endpoint",
                "must be http(s)://host[:port][/path] without credentials or a query; secrets go \
                 into telemetry.otlp_headers",
            ));
        }
        if !(0.0..=1.0).contains(&self.sample_ratio) {
            return Err(invalid("telemetry.sample_ratio", "must be between 0 and 1"));
        }
        if self.service_name.is_empty() || self.service_name.len() > 128 {
            return Err(invalid(
                "telemetry.service_name",
                "must have 1 to 128 characters",
            ));
        }
        if let Err(error) = EnvFilter::try_new(&self.filter) {
            return Err(invalid("telemetry.filter", error.to_string()));
        }
        self.headers().map(drop)
    }

    /// Where traces are sent; `None` when nowhere.
    pub fn endpoint(&self) -> Option<Url> {
        let mut url = Url::parse(&self.otlp_endpoint).ok()?;
        let is_plain = matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        if !is_plain {
            return None;
        }
        let base = url.path().trim_end_matches('/');
        let path = format!("{base}/{TRACES_PATH}");
        url.set_path(&path);
        Some(url)
    }

    /// The headers, their values marked as sensitive.
    pub fn headers(&self) -> Result<HeaderMap, ConfigError> {
        let mut headers = HeaderMap::new();
        for (name, value) in &self.otlp_headers {
            let refuse = |rule: &str| invalid("telemetry.otlp_headers", format!("`{name}` {rule}"));
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| refuse("is not a header's name"))?;
            if OWN_HEADERS.contains(&name.as_str()) {
                return Err(refuse("is set by the gateway itself"));
            }
            let mut value = HeaderValue::try_from(value.expose())
                .map_err(|_| refuse("has a value that no header can have"))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> TelemetryConfig {
        TelemetryConfig {
            otlp_endpoint: String::new(),
            otlp_headers: BTreeMap::new(),
            service_name: "portcullis".to_owned(),
            sample_ratio: 1.0,
            filter: "info".to_owned(),
        }
    }

    #[test]
    fn the_path_of_traces_is_below_the_endpoint() {
        for (given, used) in [
            ("", None),
            ("http://c:4318", Some("http://c:4318/v1/traces")),
            ("https://c/otlp/", Some("https://c/otlp/v1/traces")),
            ("c:4318", None),
            ("ftp://c/", None),
            ("http://user:secret@c/", None),
            ("http://c/?key=secret", None),
        ] {
            let config = TelemetryConfig {
                otlp_endpoint: given.to_owned(),
                ..config()
            };
            let url = config.endpoint();
            assert_eq!(url.as_ref().map(Url::as_str), used, "{given}");
            let is_fine = given.is_empty() || used.is_some();
            assert_eq!(config.validate().is_ok(), is_fine, "{given}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_shown() {
        let headers = |name: &str, value: &str| {
            BTreeMap::from([(name.to_owned(), Secret::new(value.to_owned()))])
        };
        let fine = TelemetryConfig {
            otlp_headers: headers("authorization", "Bearer canary"),
            ..config()
        };
        fine.validate().unwrap();
        assert!(!format!("{fine:?} {:?}", fine.headers().unwrap()).contains("canary"));
        for (broken, key) in [
            (
                TelemetryConfig {
                    sample_ratio: 1.5,
                    ..config()
                },
                "telemetry.sample_ratio",
            ),
            (
                TelemetryConfig {
                    sample_ratio: f64::NAN,
                    ..config()
                },
                "telemetry.sample_ratio",
            ),
            (
                TelemetryConfig {
                    filter: "portcullis=loud".to_owned(),
                    ..config()
                },
                "telemetry.filter",
            ),
            (
                TelemetryConfig {
                    service_name: String::new(),
                    ..config()
                },
                "telemetry.service_name",
            ),
            (
                TelemetryConfig {
                    otlp_headers: headers("host", "canary"),
                    ..config()
                },
                "telemetry.otlp_headers",
            ),
            (
                TelemetryConfig {
                    otlp_headers: headers("x-key", "canary\n"),
                    ..config()
                },
                "telemetry.otlp_headers",
            ),
        ] {
            let error = broken.validate().unwrap_err().to_string();
            assert!(error.starts_with(key), "{error}");
            assert!(!error.contains("canary"), "{error}");
        }
    }
}
