//! `provider.describe`: identity, connections, endpoints.

use std::collections::HashSet;
use std::hash::Hash;

use http::HeaderName;
use portcullis_core::id::{SourceId, is_provider_id};
use portcullis_core::plugin::{
    AskedLimits, ConnectionRequirement, ConnectionScope, ConnectionType, CredentialForm,
    CredentialRule, Endpoint, PluginDescriptor, Route,
};
use url::Url;

use super::rules::{at_most, at_most_items, invalid, plain_line, plain_text};
use crate::bindings::exports::provider as guest;
use crate::error::LoadError;
use crate::imports::http::method_from_guest;

const NAME_CHARS: usize = 64;
const DESCRIPTION_CHARS: usize = 500;
const ICON_BYTES: usize = 16 << 10;
const VERSION_BYTES: usize = 64;
const MAX_ENDPOINTS: usize = 16;
const MAX_ROUTES: usize = 64;
const MAX_SCOPES: usize = 64;
const SCOPE_BYTES: usize = 256;
const BASE_URL_BYTES: usize = 2 << 10;
const HEADER_BYTES: usize = 64;
const PATH_PREFIX_BYTES: usize = 256;
/// All that memories with addresses of 32 bits can have.
const MAX_MEMORY_MIB: u32 = 4096;

pub(super) fn descriptor(guest: guest::Descriptor) -> Result<PluginDescriptor, LoadError> {
    let identity = guest.identity;
    let id = source_id(&identity.id)?;
    plain_line("identity.name", &identity.name, NAME_CHARS)?;
    plain_text(
        "identity.description",
        &identity.description,
        DESCRIPTION_CHARS,
    )?;
    if let Some(icon) = &identity.icon {
        at_most("identity.icon", icon, ICON_BYTES)?;
    }
    at_most("identity.version", &identity.version, VERSION_BYTES)?;
    semver::Version::parse(&identity.version).map_err(|error| {
        invalid(
            "identity.version",
            format!("must be a semantic version such as 1.4.0: {error}"),
        )
    })?;
    let connections = connections(guest.connections)?;
    let endpoints = endpoints(guest.endpoints)?;
    check_coherence(&connections, &endpoints)?;
    Ok(PluginDescriptor {
        id,
        name: identity.name,
        description: identity.description,
        icon: identity.icon,
        version: identity.version,
        connections,
        endpoints,
        asks: asked_limits(guest.limits)?,
    })
}

fn asked_limits(guest: Option<guest::Limits>) -> Result<AskedLimits, LoadError> {
    let Some(guest::Limits { memory_mib }) = guest else {
        return Ok(AskedLimits::default());
    };
    if memory_mib.is_some_and(|mib| !(1..=MAX_MEMORY_MIB).contains(&mib)) {
        return Err(invalid(
            "limits.memory-mib",
            format!("must be 1 to {MAX_MEMORY_MIB}; leave it out for the gateway's default"),
        ));
    }
    Ok(AskedLimits { memory_mib })
}

fn source_id(id: &str) -> Result<SourceId, LoadError> {
    let rule = "must match [a-z][a-z0-9-]{0,31}";
    if !is_provider_id(id) {
        return Err(invalid("identity.id", rule));
    }
    id.parse().map_err(|_| invalid("identity.id", rule))
}

fn connections(
    guest: Vec<guest::ConnectionRequirement>,
) -> Result<Vec<ConnectionRequirement>, LoadError> {
    let requirements: Vec<_> = guest.into_iter().map(connection).collect();
    unique("connections", "scope", requirements.iter().map(|r| r.scope))?;
    for (index, requirement) in requirements.iter().enumerate() {
        let path = format!("connections[{index}]");
        if requirement.types.is_empty() {
            return Err(invalid(
                format!("{path}.types"),
                "must name at least one type",
            ));
        }
        if requirement.types.len() > 1 && requirement.types.contains(&ConnectionType::None) {
            return Err(invalid(format!("{path}.types"), "`none` must stand alone"));
        }
        unique(&format!("{path}.types"), "type", &requirement.types)?;
        check_scopes(&format!("{path}.scopes"), &requirement.scopes)?;
        if !requirement.preset.as_deref().is_none_or(is_provider_id) {
            return Err(invalid(
                format!("{path}.preset"),
                "must match [a-z][a-z0-9-]{0,31}",
            ));
        }
    }
    Ok(requirements)
}

/// A scope is what RFC 6749, section 3.3, calls one: scopes are sent separated
/// by spaces, so one with a space would be two.
fn check_scopes(path: &str, scopes: &[String]) -> Result<(), LoadError> {
    at_most_items(path, scopes, MAX_SCOPES)?;
    for (index, scope) in scopes.iter().enumerate() {
        let path = format!("{path}[{index}]");
        at_most(&path, scope, SCOPE_BYTES)?;
        let is_token = |b: u8| b.is_ascii_graphic() && !b"\"\\".contains(&b);
        if scope.is_empty() || !scope.bytes().all(is_token) {
            return Err(invalid(
                path,
                "must be printable ASCII without spaces, `\"` or `\\`",
            ));
        }
    }
    Ok(())
}

fn connection(guest: guest::ConnectionRequirement) -> ConnectionRequirement {
    ConnectionRequirement {
        scope: match guest.scope {
            guest::ConnectionScope::Org => ConnectionScope::Org,
            guest::ConnectionScope::User => ConnectionScope::User,
        },
        types: guest.types.into_iter().map(connection_type).collect(),
        scopes: guest.scopes,
        optional: guest.optional,
        preset: guest.preset,
    }
}

fn connection_type(guest: guest::ConnectionType) -> ConnectionType {
    match guest {
        guest::ConnectionType::Oauth2 => ConnectionType::OAuth2,
        guest::ConnectionType::AppInstallation => ConnectionType::AppInstallation,
        guest::ConnectionType::BotToken => ConnectionType::BotToken,
        guest::ConnectionType::ApiKey => ConnectionType::ApiKey,
        guest::ConnectionType::None => ConnectionType::None,
    }
}

fn endpoints(guest: Vec<guest::Endpoint>) -> Result<Vec<Endpoint>, LoadError> {
    at_most_items("endpoints", &guest, MAX_ENDPOINTS)?;
    let endpoints = guest
        .into_iter()
        .enumerate()
        .map(|(index, endpoint)| self::endpoint(&format!("endpoints[{index}]"), endpoint))
        .collect::<Result<Vec<_>, _>>()?;
    unique("endpoints", "name", endpoints.iter().map(|e| &e.name))?;
    Ok(endpoints)
}

fn endpoint(path: &str, guest: guest::Endpoint) -> Result<Endpoint, LoadError> {
    if !is_provider_id(&guest.name) {
        return Err(invalid(
            format!("{path}.name"),
            "must match [a-z][a-z0-9-]{0,31}",
        ));
    }
    at_most_items(&format!("{path}.routes"), &guest.routes, MAX_ROUTES)?;
    let base_url = base_url(&format!("{path}.base-url"), &guest.base_url)?;
    let routes = guest
        .routes
        .into_iter()
        .enumerate()
        .map(|(index, route)| self::route(&format!("{path}.routes[{index}]"), route))
        .collect::<Result<Vec<_>, _>>()?;
    let credentials = guest
        .credentials
        .into_iter()
        .enumerate()
        .map(|(index, rule)| credential_rule(&format!("{path}.credentials[{index}]"), rule))
        .collect::<Result<Vec<_>, _>>()?;
    unique(
        &format!("{path}.credentials"),
        "connection",
        credentials.iter().map(|rule| rule.connection),
    )?;
    Ok(Endpoint {
        name: guest.name,
        base_url,
        routes,
        credentials,
    })
}

fn base_url(path: &str, text: &str) -> Result<Url, LoadError> {
    at_most(path, text, BASE_URL_BYTES)?;
    let url = Url::parse(text).map_err(|error| invalid(path, format!("is not a URL: {error}")))?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    if url.scheme() != "https" || url.host_str().is_none() || !plain {
        return Err(invalid(
            path,
            "must be https://host[:port][/path] without user, query or fragment",
        ));
    }
    Ok(url)
}

fn route(path: &str, guest: guest::Route) -> Result<Route, LoadError> {
    let prefix = guest.path_prefix;
    let path = format!("{path}.path-prefix");
    at_most(&path, &prefix, PATH_PREFIX_BYTES)?;
    let plain = prefix == "/"
        || (prefix.starts_with('/')
            && prefix
                .strip_suffix('/')
                .unwrap_or(&prefix)
                .split('/')
                .skip(1)
                .all(is_plain_segment));
    if !plain {
        return Err(invalid(
            path,
            "must start with `/` and consist of plain segments: letters, digits, `-`, `_`, `.`, `~`",
        ));
    }
    Ok(Route {
        method: method_from_guest(guest.method),
        path_prefix: prefix,
    })
}

fn is_plain_segment(segment: &str) -> bool {
    !matches!(segment, "" | "." | "..")
        && segment
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_.~".contains(&b))
}

fn credential_rule(path: &str, guest: guest::CredentialRule) -> Result<CredentialRule, LoadError> {
    let form = match guest.form {
        guest::CredentialForm::Bearer => CredentialForm::Bearer,
        guest::CredentialForm::Raw => CredentialForm::Raw,
        guest::CredentialForm::Header(form) => header_form(path, form)?,
        guest::CredentialForm::Query(name) => {
            plain_line(&format!("{path}.form.query"), &name, NAME_CHARS)?;
            CredentialForm::Query(name)
        }
        guest::CredentialForm::None => CredentialForm::None,
    };
    Ok(CredentialRule {
        connection: connection_type(guest.connection),
        form,
    })
}

/// Header names that steer the connection or name the host; a credential in one
/// of them would be a way around the rules of egress.
const FORBIDDEN_HEADERS: &[&str] = &[
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "upgrade",
    "te",
    "trailer",
    "expect",
    "forwarded",
    "cookie",
];

fn header_form(path: &str, form: guest::HeaderForm) -> Result<CredentialForm, LoadError> {
    let path = format!("{path}.form.header");
    at_most(&format!("{path}.name"), &form.name, HEADER_BYTES)?;
    at_most(&format!("{path}.prefix"), &form.prefix, HEADER_BYTES)?;
    let name = HeaderName::try_from(form.name.to_ascii_lowercase())
        .map_err(|_| invalid(format!("{path}.name"), "must be a header name"))?;
    let forbidden = FORBIDDEN_HEADERS.contains(&name.as_str())
        || name.as_str().starts_with("proxy-")
        || name.as_str().starts_with("x-forwarded-");
    if forbidden {
        return Err(invalid(
            format!("{path}.name"),
            format!("`{name}` cannot carry a credential"),
        ));
    }
    if !form
        .prefix
        .bytes()
        .all(|b| b == b' ' || b.is_ascii_graphic())
    {
        return Err(invalid(format!("{path}.prefix"), "must be printable ASCII"));
    }
    Ok(CredentialForm::Header {
        name: name.as_str().to_owned(),
        prefix: form.prefix,
    })
}

/// A rule for a type of connection that nobody can make is a mistake.
fn check_coherence(
    connections: &[ConnectionRequirement],
    endpoints: &[Endpoint],
) -> Result<(), LoadError> {
    let offered: HashSet<_> = connections.iter().flat_map(|r| &r.types).collect();
    for (index, endpoint) in endpoints.iter().enumerate() {
        for rule in &endpoint.credentials {
            if !offered.contains(&rule.connection) {
                return Err(invalid(
                    format!("endpoints[{index}].credentials"),
                    format!(
                        "has a rule for `{}`, which no connection offers",
                        rule.connection
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn unique<T: Hash + Eq>(
    path: &str,
    what: &str,
    items: impl IntoIterator<Item = T>,
) -> Result<(), LoadError> {
    let mut seen = HashSet::new();
    for (index, item) in items.into_iter().enumerate() {
        if !seen.insert(item) {
            return Err(invalid(
                format!("{path}[{index}]"),
                format!("repeats the {what} of an earlier item"),
            ));
        }
    }
    Ok(())
}
