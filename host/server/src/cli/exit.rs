//! What a command ends with.

use std::process::ExitCode;

/// The exit codes. They are part of the interface: scripts and agents branch on
/// them, so a number never changes its meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It did what was asked; an action that ran has completed.
    Done,
    /// Anything else, such as a gateway that cannot be reached.
    Other,
    /// The command line itself is wrong; nothing was sent.
    Usage,
    /// Policy or a person denied the action.
    Denied,
    /// The action still waits for a person, or still runs.
    Pending,
    /// Nobody decided in time.
    Expired,
    /// The action ran and failed, or its outcome is unknown.
    Failed,
    /// The gateway refused the request as it stands.
    Refused,
    /// The key or token is missing, not accepted, or not enough.
    Unauthorized,
    /// Too much at once; the same request may work later.
    Later,
    /// Ctrl-C.
    Interrupted,
}

/// The codes as help shows them.
pub(super) const EXIT_CODES: &str = "\
Exit codes:
  0    done; the action completed
  1    other errors, such as a gateway that cannot be reached
  2    the command line is wrong; nothing was sent
  3    denied, by policy or by a person
  4    pending: still waits for a person or still runs (--no-wait, --timeout)
  5    expired: nobody decided in time
  6    failed: the action ran and failed, or its outcome is unknown
  7    refused: the gateway does not take the request as it stands
  8    unauthorized: the key or token is missing, not accepted or not enough
  9    later: too many requests, or the gateway is busy
  130  interrupted with Ctrl-C; what was asked for stays as it is";

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Other => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::Pending => 4,
            Self::Expired => 5,
            Self::Failed => 6,
            Self::Refused => 7,
            Self::Unauthorized => 8,
            Self::Later => 9,
            Self::Interrupted => 130,
        }
    }

    /// What an answer without an invocation means.
    pub(super) const fn of_status(status: u16) -> Self {
        match status {
            200..=299 => Self::Done,
            401 | 403 => Self::Unauthorized,
            429 | 503 => Self::Later,
            400..=499 => Self::Refused,
            _ => Self::Other,
        }
    }

    /// What an invocation's status means; `None` for one we do not know.
    pub(super) fn of_invocation(status: &str) -> Option<Self> {
        Some(match status {
            "completed" => Self::Done,
            "pending" | "executing" => Self::Pending,
            "denied" => Self::Denied,
            "expired" => Self::Expired,
            "failed" => Self::Failed,
            _ => return None,
        })
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use portcullis_core::invocation::InvocationStatus;

    use super::*;

    #[test]
    fn every_code_is_documented_under_its_number() {
        for (exit, word) in [
            (Exit::Done, "done"),
            (Exit::Other, "other"),
            (Exit::Usage, "the command line"),
            (Exit::Denied, "denied"),
            (Exit::Pending, "pending"),
            (Exit::Expired, "expired"),
            (Exit::Failed, "failed"),
            (Exit::Refused, "refused"),
            (Exit::Unauthorized, "unauthorized"),
            (Exit::Later, "later"),
            (Exit::Interrupted, "interrupted"),
        ] {
            let line = format!("\n  {:<5}{word}", exit.code());
            assert!(EXIT_CODES.contains(&line), "{line:?}");
        }
    }

    #[test]
    fn every_status_of_an_invocation_has_a_code() {
        for status in InvocationStatus::ALL {
            let exit = Exit::of_invocation(status.as_str()).unwrap();
            assert_eq!(exit == Exit::Pending, !status.is_final(), "{status}");
        }
        assert_eq!(Exit::of_invocation("paused"), None);
    }

    #[test]
    fn statuses_of_answers_are_told_apart() {
        for (status, exit) in [
            (200, Exit::Done),
            (204, Exit::Done),
            (302, Exit::Other),
            (400, Exit::Refused),
            (401, Exit::Unauthorized),
            (403, Exit::Unauthorized),
            (404, Exit::Refused),
            (409, Exit::Refused),
            (413, Exit::Refused),
            (422, Exit::Refused),
            (429, Exit::Later),
            (500, Exit::Other),
            (503, Exit::Later),
        ] {
            assert_eq!(Exit::of_status(status), exit, "{status}");
        }
    }
}
