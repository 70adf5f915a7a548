//! What the codes that GraphQL servers commonly use mean.

use super::GraphqlError;
use crate::error::ErrorCode;

/// The default classifier: looks at `extensions.code`, then at `extensions.type`, without regard to
/// case, spaces, dashes and underscores.
///
/// `None` when neither is known.
pub fn classify(error: &GraphqlError) -> Option<ErrorCode> {
    ["code", "type"]
        .into_iter()
        .filter_map(|name| error.extension(name))
        .find_map(meaning)
}

fn meaning(code: &str) -> Option<ErrorCode> {
    let letters: String = code
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|letter| letter.to_ascii_lowercase())
        .collect();
    match letters.as_str() {
        "unauthenticated" | "unauthorized" | "authenticationerror" => Some(ErrorCode::Unauthorized),
        "forbidden" | "permissiondenied" | "accessdenied" => Some(ErrorCode::Forbidden),
        "notfound" | "entitynotfound" => Some(ErrorCode::NotFound),
        "conflict" => Some(ErrorCode::Conflict),
        "ratelimited" | "ratelimit" | "toomanyrequests" | "throttled" => {
            Some(ErrorCode::RateLimited)
        }
        "baduserinput" | "invalidinput" | "inputerror" | "usererror" => {
            Some(ErrorCode::InvalidParams)
        }
        "timeout" => Some(ErrorCode::Timeout),
        // The document is the provider's own, so what is wrong with it is the provider's defect.
        "graphqlparsefailed" | "graphqlvalidationfailed" => Some(ErrorCode::Internal),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(extensions: &serde_json::Value, expected: Option<ErrorCode>) {
        let error =
            serde_json::from_value(json!({ "message": "no", "extensions": extensions })).unwrap();
        assert_eq!(classify(&error), expected);
    }

    #[test]
    fn common_codes_are_known_in_any_spelling() {
        check(
            &json!({ "code": "UNAUTHENTICATED" }),
            Some(ErrorCode::Unauthorized),
        );
        check(
            &json!({ "code": "RATE_LIMITED" }),
            Some(ErrorCode::RateLimited),
        );
        check(
            &json!({ "code": "RATELIMITED" }),
            Some(ErrorCode::RateLimited),
        );
        check(
            &json!({ "code": "BAD_USER_INPUT" }),
            Some(ErrorCode::InvalidParams),
        );
        check(
            &json!({ "type": "authentication error" }),
            Some(ErrorCode::Unauthorized),
        );
        check(
            &json!({ "code": "SOMETHING", "type": "not-found" }),
            Some(ErrorCode::NotFound),
        );
    }

    #[test]
    fn what_is_not_known_is_left_open() {
        check(&json!({ "code": "SOMETHING" }), None);
        check(&json!({ "code": 7 }), None);
        check(&json!(null), None);
    }
}
