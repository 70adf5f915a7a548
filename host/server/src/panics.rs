//! What a panic of ours says.
//!
//! A panic is told on standard error by whoever panics, past the log and its rules,
//! and its message may hold anything that the code had at hand: `expect` shows the
//! error, an assertion both sides. So a message is told only where it stands in the
//! code as it is. The place always is, and leads to the rest.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::{self, PanicHookInfo};
use std::thread;

/// What is told instead of a message that was put together.
const WITHHELD: &str = "(the message is withheld, since it may hold what was worked on)";

/// Withholds messages that may hold data, from now on and in all of this process.
pub fn withhold_messages() {
    panic::set_hook(Box::new(|panic| {
        // Nobody is left to be told that nobody can be told.
        let _ = std::io::stderr().write_all(told(panic).as_bytes());
    }));
}

fn told(panic: &PanicHookInfo<'_>) -> String {
    let thread = thread::current();
    let name = thread.name().unwrap_or("<unnamed>");
    let place = panic
        .location()
        .map_or_else(String::new, ToString::to_string);
    let message = message(panic.payload());
    let trace = Backtrace::capture();
    let trace = match trace.status() {
        BacktraceStatus::Captured => format!("{trace}\n"),
        _ => String::new(),
    };
    format!("thread '{name}' panicked at {place}: {message}\n{trace}")
}

/// A literal message is a `&str`; one that was put together is a `String`.
fn message(payload: &(dyn Any + Send)) -> &'static str {
    payload.downcast_ref::<&str>().copied().unwrap_or(WITHHELD)
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;

    use super::*;

    fn check(panicking: impl FnOnce() + panic::UnwindSafe, expected: &str) {
        let payload = catch_unwind(panicking).unwrap_err();
        assert_eq!(message(&*payload), expected);
    }

    #[test]
    fn a_message_is_told_only_where_nothing_can_stand_in_it() {
        let secret = std::hint::black_box("lin_api_secret");
        check(
            || panic!("as it stands in the code"),
            "as it stands in the code",
        );
        check(move || panic!("the token is {secret}"), WITHHELD);
        check(move || assert_eq!(secret, "another"), WITHHELD);
        let number = move || secret.parse::<u8>().map_err(|_| secret).expect("a number");
        check(move || assert_ne!(number(), 0), WITHHELD);
        check(move || panic::panic_any(secret.len()), WITHHELD);
    }
}
