//! How Linear answers and fails.

use std::time::Duration;

use portcullis_sdk::{
    graphql::{self, Graphql, GraphqlError},
    http::{EpochUnit, Response},
    prelude::*,
};

/// The endpoint's name.
pub const ENDPOINT: &str = "api";

/// The only path there is.
pub const PATH: &str = "/graphql";

/// Linear's API.
pub const LINEAR: Graphql = Graphql::new(ENDPOINT, PATH)
    .classify(classify)
    .retry_after(retry_after);

/// Linear counts requests and complexity apart, for each caller; either limit can be the one that
/// was met.
const LIMITS: [(&str, &str); 2] = [
    (
        "x-ratelimit-requests-remaining",
        "x-ratelimit-requests-reset",
    ),
    (
        "x-ratelimit-complexity-remaining",
        "x-ratelimit-complexity-reset",
    ),
];

/// Things that do not exist have no code of their own: they are invalid input with this message.
const NOT_FOUND: &str = "Entity not found";

fn classify(error: &GraphqlError) -> Option<ErrorCode> {
    if error.message.starts_with(NOT_FOUND) {
        return Some(ErrorCode::NotFound);
    }
    match error.extension("type") {
        Some("feature not accessible" | "usage limit exceeded") => Some(ErrorCode::Forbidden),
        Some("lock timeout") => Some(ErrorCode::Conflict),
        _ => graphql::classify(error),
    }
}

/// `Retry-After` if there is one, else the time until the exhausted limits are all restored.
fn retry_after(response: &Response) -> Option<Duration> {
    let exhausted = LIMITS
        .iter()
        .filter(|(remaining, _)| response.header(remaining) == Some("0"));
    let resets =
        exhausted.filter_map(|(_, reset)| response.until_reset(reset, EpochUnit::Milliseconds));
    response.retry_after().or_else(|| resets.max())
}

/// What a mutation made, if Linear says that it succeeded. `issue` is where to look for it.
///
/// **Errors**: `upstream` when Linear says that it did not succeed, or that it did and does not show
/// what it made; the status and the errors were fine by then, so there is nothing more to tell.
pub(crate) fn succeeded<T>(success: bool, made: Option<T>, what: &str, issue: &str) -> Result<T> {
    if !success {
        return Err(Error::upstream(format!(
            "Linear did not {what}, and did not say why."
        )));
    }
    made.ok_or_else(|| {
        Error::upstream(format!(
            "Linear did {what}, but did not show the result: look before you ask for it again. The issue is {issue}."
        ))
    })
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::PROVIDER;

    fn failure(reply: Reply) -> Error {
        let linear = TestProvider::new(PROVIDER);
        linear.set_now(Timestamp::from_millis(1_795_219_200_000));
        linear.expect_always(reply);
        linear.fails("list_issues", json!({}))
    }

    fn refusal(status: u16, message: &str, extensions: &Value) -> Reply {
        Reply::json(
            status,
            json!({ "errors": [{ "message": message, "extensions": extensions }] }),
        )
    }

    fn rate_limited() -> Reply {
        refusal(
            400,
            "Rate limit exceeded",
            &json!({ "type": "ratelimited", "code": "RATELIMITED" }),
        )
    }

    #[test]
    fn rate_limits_arrive_with_status_400() {
        let error = failure(rate_limited());

        assert_eq!(error.code(), ErrorCode::RateLimited);
        assert!(error.is_retryable());
        assert_eq!(error.wait(), None);
    }

    #[test]
    fn rate_limits_arrive_with_status_429_as_well() {
        let error = failure(Reply::text(429, "slow down").header("retry-after", "20"));

        assert_eq!(error.code(), ErrorCode::RateLimited);
        assert_eq!(error.wait(), Some(Duration::from_secs(20)));
    }

    #[test]
    fn the_wait_ends_when_the_exhausted_limit_is_restored() {
        let reply = rate_limited()
            .header("x-ratelimit-requests-remaining", "400")
            .header("x-ratelimit-requests-reset", "1795222800000")
            .header("x-ratelimit-complexity-remaining", "0")
            .header("x-ratelimit-complexity-reset", "1795219230500");

        assert_eq!(failure(reply).wait(), Some(Duration::from_millis(30_500)));
    }

    #[test]
    fn retry_after_is_believed_first() {
        let reply = rate_limited()
            .header("retry-after", "2")
            .header("x-ratelimit-requests-remaining", "0")
            .header("x-ratelimit-requests-reset", "1795222800000");

        assert_eq!(failure(reply).wait(), Some(Duration::from_secs(2)));
    }

    #[test]
    fn refused_credentials_are_unauthorized_in_either_form() {
        let extensions = json!({ "type": "authentication error", "code": "AUTHENTICATION_ERROR" });

        assert_eq!(
            failure(refusal(400, "no", &extensions)).code(),
            ErrorCode::Unauthorized
        );
        assert_eq!(
            failure(refusal(401, "no", &extensions)).code(),
            ErrorCode::Unauthorized
        );
        assert_eq!(
            failure(Reply::text(401, "Unauthorized")).code(),
            ErrorCode::Unauthorized
        );
    }

    #[test]
    fn errors_arrive_with_status_200() {
        let forbidden = json!({ "type": "forbidden", "code": "FORBIDDEN" });
        let missing = json!({ "type": "invalid input", "code": "INPUT_ERROR" });
        let paid = json!({ "type": "feature not accessible", "code": "FEATURE_NOT_ACCESSIBLE" });

        assert_eq!(
            failure(refusal(200, "no", &forbidden)).code(),
            ErrorCode::Forbidden
        );
        assert_eq!(
            failure(refusal(200, "Entity not found: Team", &missing)).code(),
            ErrorCode::NotFound
        );
        assert_eq!(
            failure(refusal(200, "Bad", &missing)).code(),
            ErrorCode::InvalidParams
        );
        assert_eq!(
            failure(refusal(200, "no", &paid)).code(),
            ErrorCode::Forbidden
        );
    }

    #[test]
    fn what_linear_says_to_users_is_told() {
        let extensions = json!({ "code": "INPUT_ERROR", "userPresentableMessage": "The project does not exist." });

        assert_eq!(
            failure(refusal(200, "Argument Validation Error", &extensions)).message(),
            "Linear refused: The project does not exist.",
        );
    }

    #[test]
    fn garbage_is_the_upstreams_fault() {
        for body in [
            "<html>502</html>",
            "{}",
            r#"{"data":{"issues":{"nodes":7}}}"#,
            r#"{"data":{"issues":null}}"#,
        ] {
            assert_eq!(
                failure(Reply::text(200, body)).code(),
                ErrorCode::Upstream,
                "{body}"
            );
        }
    }
}
