//! `oci://REGISTRY/REPOSITORY[:TAG][@sha256:…]`

use std::str::FromStr;

use super::super::super::failure::Failure;
use super::SCHEME;
use super::digest::Digest;

/// Characters of a repository's name, and of a tag, by the distribution
/// specification.
const MAX_REPOSITORY_CHARS: usize = 255;
const MAX_TAG_CHARS: usize = 128;

/// What is to be pulled: by tag, by digest, or by digest with a tag that only
/// people read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reference {
    /// Host, and port if it is not the usual one.
    pub(super) registry: String,
    /// Such as `acme/plugins/linear`.
    pub(super) repository: String,
    tag: Option<String>,
    pub(super) digest: Option<Digest>,
}

impl Reference {
    /// What the registry is asked for.
    pub(super) fn wanted(&self) -> String {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.clone().unwrap_or_default(),
        }
    }

    /// The same, by digest.
    pub(super) fn at(&self, digest: Digest) -> String {
        format!("{SCHEME}{}/{}@{digest}", self.registry, self.repository)
    }
}

impl FromStr for Reference {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Failure> {
        let wrong = |rule: &str| {
            Failure::usage(format!("{text:?}: {rule}"))
                .hint("for example oci://ghcr.io/acme/linear@sha256:…, or :TAG instead")
        };
        let rest = text
            .strip_prefix(SCHEME)
            .ok_or_else(|| wrong("a registry's reference begins with oci://"))?;
        let (rest, digest) = match rest.split_once('@') {
            None => (rest, None),
            Some((rest, digest)) => (
                rest,
                Some(digest.parse().map_err(|_| {
                    wrong("what follows `@` must be `sha256:` and 64 hex digits in lower case")
                })?),
            ),
        };
        let (registry, path) = rest
            .split_once('/')
            .filter(|(registry, _)| is_registry(registry))
            .ok_or_else(|| wrong("`oci://` must be followed by a registry's host and a slash"))?;
        let (repository, tag) = match path.split_once(':') {
            None => (path, None),
            Some((repository, tag)) => (repository, Some(tag.to_owned())),
        };
        if !is_repository(repository) {
            return Err(wrong(
                "a repository has parts of a-z, 0-9, `.`, `_` and `-`, with slashes in between",
            ));
        }
        if !tag.as_deref().is_none_or(is_tag) {
            return Err(wrong(
                "a tag has at most 128 letters, digits, `.`, `_` and `-`",
            ));
        }
        if tag.is_none() && digest.is_none() {
            return Err(wrong("say which one: @sha256:…, or :TAG"));
        }
        Ok(Self {
            registry: registry.to_owned(),
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }
}

/// Nothing that would mean something else in an address; whether there is such a
/// host shows when it is asked.
fn is_registry(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':' | '[' | ']');
    !text.is_empty() && text.chars().all(fits)
}

fn is_repository(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_part = |part: &str| {
        part.starts_with(fits)
            && part.ends_with(fits)
            && part
                .chars()
                .all(|c| fits(c) || matches!(c, '.' | '_' | '-'))
            && !part.contains("..")
    };
    text.len() <= MAX_REPOSITORY_CHARS && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.len() <= MAX_TAG_CHARS
        && text.starts_with(fits)
        && text.chars().all(|c| fits(c) || matches!(c, '.' | '-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn a_digest_wins_over_a_tag() {
        for (text, registry, wanted) in [
            (
                format!("oci://ghcr.io/a/b@sha256:{HEX}"),
                "ghcr.io",
                format!("sha256:{HEX}"),
            ),
            (
                "oci://localhost:5000/b:1.0".to_owned(),
                "localhost:5000",
                "1.0".to_owned(),
            ),
            (
                format!("oci://[::1]:5000/b:1.0@sha256:{HEX}"),
                "[::1]:5000",
                format!("sha256:{HEX}"),
            ),
        ] {
            let reference: Reference = text.parse().unwrap();
            assert_eq!(reference.registry, registry);
            assert_eq!(reference.wanted(), wanted);
        }
    }

    #[test]
    fn what_is_no_reference_is_refused_with_the_rule() {
        let long = format!("oci://r/{}:x", "a".repeat(300));
        for (text, rule) in [
            ("https://r/a:x", "oci://"),
            ("oci://", "host"),
            ("oci:///a:x", "host"),
            ("oci://user@r/a:x", "sha256"),
            ("oci://r?x/a:x", "host"),
            ("oci://r/a", "say which one"),
            ("oci://r/A:x", "repository"),
            ("oci://r/../a:x", "repository"),
            ("oci://r/a//b:x", "repository"),
            ("oci://r/a b:x", "repository"),
            (&long, "repository"),
            ("oci://r/a:", "tag"),
            ("oci://r/a:x/y", "tag"),
            ("oci://r/a:x@sha256:1234", "64 hex"),
            ("oci://r/a@md5:1234", "64 hex"),
            (
                &format!("oci://r/a@sha256:{}", HEX.to_uppercase()),
                "lower case",
            ),
        ] {
            let error = text.parse::<Reference>().unwrap_err().text();
            assert!(error.contains(rule), "{error}");
        }
    }
}
