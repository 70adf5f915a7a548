//! Ids of what a fresh fake Sentry holds.
//!
//! Issues are also found by their short ids: WEB-1 to WEB-5. Of these WEB-1, WEB-2 and WEB-4 are
//! unresolved, WEB-3 is resolved and WEB-5 is ignored.

/// The organization's slug.
pub const ORGANIZATION: &str = "acme";
/// The project's slug.
pub const PROJECT: &str = "web";
/// The project's id.
pub const PROJECT_ID: &str = "4501";

/// WEB-1, an error of the checkout with three events, assigned to Bruno.
pub const ISSUE_TYPE_ERROR: &str = "6301";
/// WEB-2, an error of the payments with two events, assigned to nobody.
pub const ISSUE_TIMEOUT: &str = "6302";
/// WEB-3, which is resolved.
pub const ISSUE_CHUNK_LOAD: &str = "6303";
/// WEB-4, a warning without an exception.
pub const ISSUE_COUPON: &str = "6304";
/// WEB-5, which is ignored.
pub const ISSUE_ABORT: &str = "6305";

/// Ada Okafor, whose token it is: the author of every comment.
pub const USER_ADA: &str = "71";
/// Bruno Lindqvist.
pub const USER_BRUNO: &str = "72";
/// The team `web-platform`.
pub const TEAM: &str = "81";

/// The id of an issue's event; the first is number 1.
pub fn event(issue: &str, number: usize) -> String {
    format!("e{issue:0>15}{number:016x}")
}
