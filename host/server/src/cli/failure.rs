//! Why a command did not do what was asked, for people and for machines.

use serde_json::{Value, json};

use super::exit::Exit;
use super::output::printable;
use crate::config::ConfigError;

/// Why a command did not do what was asked.
#[derive(Debug)]
pub(super) struct Failure {
    /// What the process ends with.
    pub(super) exit: Exit,
    /// The gateway's code, or one of ours.
    code: String,
    message: String,
    /// Further lines, such as each violation.
    lines: Vec<String>,
    /// What to do next.
    hint: Option<String>,
    /// The gateway's error object as it came.
    answered: Option<Value>,
}

impl Failure {
    pub(super) fn new(exit: Exit, code: &str, message: impl Into<String>) -> Self {
        Self {
            exit,
            code: code.to_owned(),
            message: message.into(),
            lines: Vec::new(),
            hint: None,
            answered: None,
        }
    }

    /// The command line is wrong.
    pub(super) fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, "usage", message)
    }

    /// Something that has no code of its own.
    pub(super) fn other(message: impl Into<String>) -> Self {
        Self::new(Exit::Other, "failed", message)
    }

    /// The `error` object of an answer.
    pub(super) fn answered(exit: Exit, error: &Value) -> Self {
        let text = |field: &str| error.get(field).and_then(Value::as_str);
        let mut failure = Self::new(
            exit,
            text("code").unwrap_or("unknown"),
            text("message").unwrap_or("the gateway gave no reason"),
        );
        failure.lines = violations(error, &failure.message);
        failure.answered = Some(error.clone());
        if failure.code == "internal"
            && let Some(id) = text("requestId")
        {
            failure.lines.push(format!("request id {id}"));
        }
        failure
    }

    /// Lists what it is about, in a line each.
    pub(super) fn listing(mut self, lines: Vec<String>) -> Self {
        self.lines = lines;
        self
    }

    /// Says what to do next.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Whether asking again may help.
    pub(super) fn is_passing(&self) -> bool {
        matches!(self.exit, Exit::Later | Exit::Other)
    }

    /// The error's code.
    pub(super) fn code(&self) -> &str {
        &self.code
    }

    /// What is wrong, without what to do about it.
    pub(super) fn message(&self) -> &str {
        &self.message
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let mut lines = vec![format!("{}{}", self.prefix(), self.message)];
        lines.extend(self.lines.iter().map(|line| format!("  {line}")));
        lines.extend(self.hint.iter().map(|hint| format!("hint: {hint}")));
        printable(&(lines.join("\n") + "\n"))
    }

    /// That somebody has not decided yet, or pressed Ctrl-C, is no error.
    const fn prefix(&self) -> &'static str {
        match self.exit {
            Exit::Pending => "pending: ",
            Exit::Interrupted => "",
            _ => "error: ",
        }
    }

    /// For machines: the gateway's own object where there is one.
    pub(super) fn json(&self) -> Value {
        let own = || json!({ "code": self.code, "message": self.message });
        let mut error = self.answered.clone().unwrap_or_else(own);
        if let (Some(hint), Some(fields)) = (&self.hint, error.as_object_mut()) {
            fields.insert("hint".to_owned(), Value::from(hint.as_str()));
        }
        json!({ "error": error })
    }
}

/// `path: message` of every detail. The message of one that is alone may be that
/// of the error, and is told once.
fn violations(error: &Value, told: &str) -> Vec<String> {
    let details = error.get("details").and_then(Value::as_array);
    let text = |detail: &Value, field: &str| {
        let text = detail.get(field).and_then(Value::as_str);
        text.unwrap_or_default().to_owned()
    };
    details
        .into_iter()
        .flatten()
        .filter(|detail| text(detail, "message") != told)
        .map(|detail| format!("{}: {}", text(detail, "path"), text(detail, "message")))
        .collect()
}

impl From<anyhow::Error> for Failure {
    /// Causes in one line and no backtrace: this is for an operator. Some errors
    /// say themselves what caused them, and are not followed by it again.
    fn from(error: anyhow::Error) -> Self {
        let mut message = error.to_string();
        for cause in error.chain().skip(1).map(ToString::to_string) {
            if !message.ends_with(&cause) {
                message += ": ";
                message += &cause;
            }
        }
        Self::other(message)
    }
}

impl From<ConfigError> for Failure {
    /// Says what is wrong, and where keys are explained.
    fn from(error: ConfigError) -> Self {
        let failure = Self::other(error.to_string());
        match error {
            ConfigError::File { .. } => failure,
            _ => failure.hint("`portcullis config print --defaults` explains every key"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_told_with_its_details_and_cannot_steer_a_terminal() {
        let error = json!({
            "code": "invalid_params",
            "message": "bad \u{1b}[31mparams",
            "details": [{ "path": "/params/a", "rule": "required", "message": "`a` is required" }],
        });
        let failure = Failure::answered(Exit::Refused, &error).hint("read the guide");
        assert_eq!(
            failure.text(),
            "error: bad \\u{1b}[31mparams\n  /params/a: `a` is required\nhint: read the guide\n"
        );
        let json = failure.json();
        assert_eq!(json["error"]["details"], error["details"]);
        assert_eq!(json["error"]["hint"], "read the guide");
    }

    #[test]
    fn what_is_told_already_is_not_told_again() {
        let error = json!({
            "code": "invalid_request",
            "message": "no such connection",
            "details": [{ "path": "/connectionIds/0", "message": "no such connection" }],
        });
        let failure = Failure::answered(Exit::Refused, &error);
        assert_eq!(failure.text(), "error: no such connection\n");

        let cause = anyhow::anyhow!("disk full").context("cannot write: disk full");
        let failure = Failure::from(cause.context("cannot save"));
        assert_eq!(
            failure.text(),
            "error: cannot save: cannot write: disk full\n"
        );
    }

    #[test]
    fn what_is_no_error_is_not_called_one() {
        for (exit, text) in [
            (Exit::Pending, "pending: it waits\n"),
            (Exit::Interrupted, "it waits\n"),
            (Exit::Failed, "error: it waits\n"),
        ] {
            assert_eq!(Failure::new(exit, "x", "it waits").text(), text);
        }
    }

    #[test]
    fn an_answer_without_words_is_still_an_error() {
        let failure = Failure::answered(Exit::Other, &Value::Null);
        assert!(
            failure
                .text()
                .starts_with("error: the gateway gave no reason")
        );
        assert_eq!(failure.code(), "unknown");
    }
}
