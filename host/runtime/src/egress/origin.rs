//! Scheme, host and port: what an operator grants.

use std::fmt;
use std::str::FromStr;

use url::Url;

/// Bytes of an origin as text: the longest DNS name has 253.
const MAX_ORIGIN_BYTES: usize = 300;

/// `scheme://host[:port]` in normal form: lower case, the scheme's usual port
/// left out.
///
/// ```
/// use portcullis_runtime::egress::Origin;
///
/// let origin: Origin = "HTTP://Localhost:9101".parse()?;
/// assert_eq!(origin.to_string(), "http://localhost:9101");
/// # Ok::<(), portcullis_runtime::egress::OriginError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL; `None` for other schemes than http and https.
    pub fn of(url: &Url) -> Option<Self> {
        (matches!(url.scheme(), "http" | "https") && url.host_str().is_some())
            .then(|| Self(url.origin().ascii_serialization()))
    }

    /// The normal form.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is not an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OriginError {
    /// More bytes than any origin has.
    #[error("an origin has at most {MAX_ORIGIN_BYTES} bytes")]
    TooLong,
    /// A character that has no place in scheme, host or port. The URL parser
    /// would drop, decode or repair some of these, so that the origin that is
    /// granted would not be the one that was read.
    #[error(
        "an origin consists of printable ASCII without spaces, `\\`, `@`, `%`, `*`, `?` or `#`"
    )]
    Character,
    /// Not http or https.
    #[error("an origin starts with `https://` or `http://`")]
    Scheme,
    /// No host, or one that is not valid.
    #[error("an origin names a host, such as `https://sentry.example.com`")]
    Host,
    /// More than scheme, host and port.
    #[error("an origin is scheme, host and port only, without a path")]
    Path,
}

impl FromStr for Origin {
    type Err = OriginError;

    /// Takes one trailing slash, since that is how browsers show an origin.
    fn from_str(text: &str) -> Result<Self, OriginError> {
        if text.len() > MAX_ORIGIN_BYTES {
            return Err(OriginError::TooLong);
        }
        if !text
            .bytes()
            .all(|b| b.is_ascii_graphic() && !b"\\@%*?#".contains(&b))
        {
            return Err(OriginError::Character);
        }
        let (scheme, rest) = text.split_once("://").ok_or(OriginError::Scheme)?;
        if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
            return Err(OriginError::Scheme);
        }
        // The URL parser skips extra slashes before the host.
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.is_empty() || authority.starts_with('/') {
            return Err(OriginError::Host);
        }
        if authority.contains('/') {
            return Err(OriginError::Path);
        }
        let url = Url::parse(text).map_err(|_| OriginError::Host)?;
        if url.host_str().is_none_or(|host| host.ends_with('.')) {
            return Err(OriginError::Host);
        }
        Self::of(&url).ok_or(OriginError::Scheme)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&str, OriginError>) {
        let parsed = text.parse::<Origin>();
        assert_eq!(
            parsed.as_ref().map(Origin::as_str).map_err(|e| *e),
            expected,
            "{text}"
        );
    }

    #[test]
    fn origins_are_normalized() {
        check("https://sentry.io", Ok("https://sentry.io"));
        check("https://Sentry.IO:443/", Ok("https://sentry.io"));
        check("http://localhost:80", Ok("http://localhost"));
        check("HTTP://127.0.0.1:9101", Ok("http://127.0.0.1:9101"));
        check("http://2130706433:9101", Ok("http://127.0.0.1:9101"));
        check("https://[::1]:8443", Ok("https://[::1]:8443"));
        check("https://[0:0::1]:8443", Ok("https://[::1]:8443"));
    }

    #[test]
    fn what_is_more_or_less_than_an_origin_is_refused() {
        use OriginError::{Character, Host, Path, Scheme, TooLong};
        for (text, error) in [
            ("", Scheme),
            ("sentry.io", Scheme),
            ("ftp://sentry.io", Scheme),
            ("https:sentry.io", Scheme),
            ("https://", Host),
            ("https:///sentry.io", Host),
            ("https://sentry.io.", Host),
            ("https://sentry.io:99999", Host),
            ("https://[::1", Host),
            ("https://sentry.io/api", Path),
            ("https://sentry.io//", Path),
            ("https://user@sentry.io", Character),
            ("https://user:pass@sentry.io", Character),
            ("https://sentry.io?x", Character),
            ("https://sentry.io#x", Character),
            ("https://*.sentry.io", Character),
            ("https://sentry%2eio", Character),
            ("https:\\\\sentry.io", Character),
            ("https://sen\ttry.io", Character),
            (" https://sentry.io", Character),
            ("https://bücher.example", Character),
        ] {
            check(text, Err(error));
        }
        check(&format!("https://{}.io", "a".repeat(300)), Err(TooLong));
    }

    #[test]
    fn a_url_and_the_text_of_its_origin_agree() {
        let url = Url::parse("http://127.0.0.1:9101/graphql?x=1").unwrap();
        assert_eq!(Origin::of(&url), "http://127.0.0.1:9101".parse().ok());
        assert_eq!(Origin::of(&Url::parse("file:///etc/passwd").unwrap()), None);
    }
}
