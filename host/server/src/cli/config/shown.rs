//! `portcullis config print`, without a single secret.

use serde_json::Value;
use url::Url;

use super::super::failure::Failure;
use super::super::output::Report;
use super::super::settings::Settings;

/// What stands for a password in an address.
const SET: &str = "[set]";

/// The configuration in force as TOML. One that the gateway would refuse is
/// shown as well, since whoever looks may be looking for the reason.
pub(super) fn print(settings: &Settings) -> Result<Report, Failure> {
    let config = settings.read()?;
    let cannot_be_shown =
        |error: &dyn std::fmt::Display| Failure::other(format!("cannot be shown: {error}"));
    let mut document = serde_json::to_value(&config).map_err(|error| cannot_be_shown(&error))?;
    hide_passwords(&mut document);
    let text = toml::to_string(&document).map_err(|error| cannot_be_shown(&error))?;
    let report = Report::piped(text).with_json(document);
    Ok(match config.validate() {
        Ok(()) => report,
        Err(error) => report.warning(format!("the gateway would not start with this: {error}")),
    })
}

/// Every address may hold a password, whatever its key is called.
fn hide_passwords(value: &mut Value) {
    match value {
        Value::String(text) => *text = without_password(text),
        Value::Array(items) => items.iter_mut().for_each(hide_passwords),
        Value::Object(fields) => fields.values_mut().for_each(hide_passwords),
        _ => {}
    }
}

/// An address without its password. Text that is no address stays, unless it
/// looks like one with a password: what cannot be taken apart is not shown.
pub(super) fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let Ok(url) = Url::parse(text) else {
        return match rest.rsplit_once('@') {
            Some((_, place)) => format!("{scheme}://{SET}@{place}"),
            None => text.to_owned(),
        };
    };
    // A password with a slash in it makes its user look like a host.
    if url.path().contains('@') {
        return format!("{scheme}://{SET}");
    }
    let mut shown = text.to_owned();
    if let Some(password) = url.password() {
        shown = shown.replacen(&format!(":{password}@"), &format!(":{SET}@"), 1);
        if shown == text {
            return format!("{scheme}://{SET}");
        }
    }
    hide_query(&shown)
}

/// Postgres takes a password as a query parameter too.
fn hide_query(text: &str) -> String {
    let Some((address, query)) = text.split_once('?') else {
        return text.to_owned();
    };
    let pairs: Vec<_> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if name.to_ascii_lowercase().contains("password") => {
                format!("{name}={SET}")
            }
            _ => pair.to_owned(),
        })
        .collect();
    format!("{address}?{}", pairs.join("&"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_in_an_address_does_not_show() {
        for (text, shown) in [
            ("sqlite:portcullis.db", "sqlite:portcullis.db"),
            ("127.0.0.1:8480", "127.0.0.1:8480"),
            ("info,portcullis=debug", "info,portcullis=debug"),
            ("postgres://db/portcullis", "postgres://db/portcullis"),
            (
                "postgres://ada@db/portcullis",
                "postgres://ada@db/portcullis",
            ),
            (
                "postgres://ada:canary@db:5432/portcullis?sslmode=require",
                "postgres://ada:[set]@db:5432/portcullis?sslmode=require",
            ),
            (
                "postgres://ada:can%40ary@db/portcullis",
                "postgres://ada:[set]@db/portcullis",
            ),
            (
                "postgres://db/p?user=ada&password=canary&sslpassword=canary",
                "postgres://db/p?user=ada&password=[set]&sslpassword=[set]",
            ),
            ("postgres://ada:can#ary@db:x/p", "postgres://[set]@db:x/p"),
            ("postgres://ada:12/canary@db/p", "postgres://[set]"),
        ] {
            assert_eq!(without_password(text), shown);
        }
        for odd in [
            "postgres://ada:can ary@db/p",
            "postgres://a:canary@b:canary@db/p",
        ] {
            assert!(!without_password(odd).contains("ary@"), "{odd}");
        }
    }
}
