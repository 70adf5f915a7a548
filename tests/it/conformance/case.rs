//! The table of providers.

use portcullis_tests::Provider;
use portcullis_upstreams::AuthorizationForm;
use serde_json::{Value, json};

/// An action and params for it.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) action: &'static str,
    pub(crate) params: Value,
}

/// What the tests know of a provider.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) provider: Provider,
    /// The form in which its vendor wants the credential.
    pub(crate) form: AuthorizationForm,
    /// All of its actions.
    pub(crate) actions: &'static [&'static str],
    /// One request that changes nothing, if it has such an action.
    pub(crate) read: Option<Call>,
    /// One request that changes something.
    pub(crate) write: Call,
    /// What the vendor does not find.
    pub(crate) missing: Call,
    /// Params of `write` that break several rules, and where and which these are.
    pub(crate) wrong: (Value, &'static [(&'static str, &'static str)]),
}

fn call(action: &'static str, params: Value) -> Call {
    Call { action, params }
}

pub(crate) fn linear() -> Case {
    Case {
        provider: Provider::Linear,
        form: AuthorizationForm::Raw,
        actions: &[
            "list_issues",
            "get_issue",
            "create_issue",
            "update_issue",
            "add_comment",
        ],
        read: Some(call("list_issues", json!({ "first": 3 }))),
        write: call(
            "add_comment",
            json!({ "issueId": "ENG-1", "body": "Written once" }),
        ),
        missing: call(
            "add_comment",
            json!({ "issueId": "ENG-99", "body": "Nowhere" }),
        ),
        wrong: (
            json!({ "issueId": "", "bodi": "x" }),
            &[
                ("/params/bodi", "additionalProperties"),
                ("/params/body", "required"),
                ("/params/issueId", "minLength"),
            ],
        ),
    }
}

pub(crate) fn sentry() -> Case {
    let in_acme = |issue: &str, text: &str| json!({ "organization_slug": "acme", "issue_id": issue, "text": text });
    Case {
        provider: Provider::Sentry,
        form: AuthorizationForm::Bearer,
        actions: &[
            "list_issues",
            "get_issue",
            "list_issue_events",
            "get_event",
            "update_issue",
            "add_comment",
        ],
        read: Some(call("list_issues", json!({ "organization_slug": "acme" }))),
        write: call("add_comment", in_acme("WEB-1", "Written once")),
        missing: call("add_comment", in_acme("WEB-99", "Nowhere")),
        wrong: (
            json!({ "organization_slug": 1, "issue_id": "", "txt": "x" }),
            &[
                ("/params/issue_id", "minLength"),
                ("/params/organization_slug", "type"),
                ("/params/text", "required"),
                ("/params/txt", "additionalProperties"),
            ],
        ),
    }
}

pub(crate) fn slack() -> Case {
    let message = |channel: &str| json!({ "channel": channel, "text": "Written once" });
    Case {
        provider: Provider::Slack,
        form: AuthorizationForm::Bearer,
        actions: &["send_message"],
        read: None,
        write: call("send_message", message("C1")),
        missing: call("send_message", message("C99")),
        wrong: (
            json!({ "channel": "", "txt": "x", "thread_ts": "yesterday" }),
            &[
                ("/params/channel", "minLength"),
                ("/params/text", "required"),
                ("/params/thread_ts", "pattern"),
                ("/params/txt", "additionalProperties"),
            ],
        ),
    }
}
