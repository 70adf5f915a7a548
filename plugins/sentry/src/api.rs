//! Sentry's addresses and rate limits.

use portcullis_sdk::{http::Request, prelude::*};

/// The endpoint's name.
pub const ENDPOINT: &str = "api";

/// Everything that the actions use is below it.
///
/// The version of the API stands here and not in the endpoint's base: so the base of a connection is
/// the address that people know their Sentry by.
pub const ORGANIZATIONS: &str = "/api/0/organizations";

/// The path of an organization's issues.
///
/// **Errors**: `invalid_params` for a slug that would lead to another path.
pub(crate) fn issues(organization: &str) -> Result<String> {
    Ok(format!(
        "{ORGANIZATIONS}/{}/issues/",
        segment(organization)?
    ))
}

/// The path of an issue.
///
/// **Errors**: as for [`issues`].
pub(crate) fn issue(organization: &str, issue: &str) -> Result<String> {
    Ok(format!("{}{}/", issues(organization)?, segment(issue)?))
}

/// A request, with what Sentry says about waiting.
pub(crate) fn request(ctx: &Context, method: Method, path: String) -> Request<'_> {
    ctx.http(ENDPOINT).request(method, path)
}
