//! Waiting for a person to decide.

use std::time::Duration;

use portcullis_core::time::Timestamp;
use serde_json::{Map, Value};
use tokio::time::Instant;

use super::super::client::Client;
use super::super::console::Console;
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{field, printable};
use super::super::times::clock_face;
use super::settled::{name, status_of};

/// How many times in a row a gateway may give no answer before the waiting ends.
const MAX_TROUBLES: u32 = 5;

/// Ends the line a countdown is written on, and clears it.
const CLEAR_LINE: &str = "\r\u{1b}[2K";

/// An invocation that is waited for.
pub(super) struct Wait<'a> {
    client: &'a Client,
    session: &'a str,
    id: String,
    name: String,
    expires_at: Option<Timestamp>,
    /// When the caller's patience ends.
    deadline: Option<Instant>,
}

/// How the waiting ended.
pub(super) enum Ended {
    /// Nothing can change it any more.
    Settled(Value),
    /// The caller's patience ended first.
    Pending(Value),
}

impl<'a> Wait<'a> {
    /// Waits for the invocation of this document.
    pub(super) fn new(
        client: &'a Client,
        session: &'a str,
        document: &Value,
        timeout: Option<Duration>,
    ) -> Result<Self, Failure> {
        let invocation = document.get("invocation").unwrap_or(&Value::Null);
        let id = invocation.get("id").and_then(Value::as_str);
        let id = id.ok_or_else(|| Failure::other("the answer names no invocation"))?;
        Ok(Self {
            client,
            session,
            id: id.to_owned(),
            name: name(invocation),
            expires_at: field(invocation, "expiresAt").parse().ok(),
            deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
        })
    }

    /// Looks every now and then, and shows the time that is left.
    pub(super) async fn run(
        self,
        console: &mut Console,
        mut latest: Value,
    ) -> Result<Ended, Failure> {
        let mut looks = 0;
        let mut troubles = 0;
        let ended = loop {
            if let Err(end) = self.pause(console, &latest, ticks_before(looks)).await {
                break end.map(|()| Ended::Pending(latest));
            }
            looks += 1;
            match self.look().await {
                Ok(document) => {
                    troubles = 0;
                    latest = document;
                }
                // A gateway that restarts is back in a moment, and the request
                // is still there.
                Err(failure) if failure.is_passing() && troubles < MAX_TROUBLES => troubles += 1,
                Err(failure) => break Err(failure.hint(self.how_to_look())),
            }
            if status_of(&latest) != Some(Exit::Pending) {
                break Ok(Ended::Settled(latest));
            }
        };
        if console.stderr_is_terminal {
            console.notice(CLEAR_LINE);
        }
        ended
    }

    /// Lets some ticks pass. An error ends the waiting: well when the patience
    /// is over, badly when the person at the terminal wants an end.
    async fn pause(
        &self,
        console: &mut Console,
        latest: &Value,
        ticks: u32,
    ) -> Result<(), Result<(), Failure>> {
        for _ in 0..ticks {
            self.show(console, latest);
            let tick = Instant::now() + console.tick;
            let until = self.deadline.map_or(tick, |deadline| deadline.min(tick));
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                () = &mut console.interrupted => return Err(Err(self.interrupted())),
            }
            if self
                .deadline
                .is_some_and(|deadline| deadline <= Instant::now())
            {
                return Err(Ok(()));
            }
        }
        Ok(())
    }

    /// The invocation as it stands, in the shape in which it was first answered:
    /// its result, and where it is whole, beside it.
    async fn look(&self) -> Result<Value, Failure> {
        let path = [self.session, "actions", "invocations", &self.id];
        let mut invocation = match self.client.get(&path, &[]).await? {
            Value::Object(mut answer) => answer.remove("invocation").unwrap_or_default(),
            _ => Value::Null,
        };
        let mut beside = Map::new();
        for name in ["result", "fullResult"] {
            let fields = invocation.as_object_mut();
            let field = fields.and_then(|fields| fields.shift_remove(name));
            beside.extend(field.map(|field| (name.to_owned(), field)));
        }
        let mut document = Map::from_iter([("invocation".to_owned(), invocation)]);
        document.append(&mut beside);
        Ok(Value::Object(document))
    }

    /// One line that counts down, for somebody who watches.
    fn show(&self, console: &mut Console, latest: &Value) {
        if !console.stderr_is_terminal {
            return;
        }
        let invocation = latest.get("invocation").unwrap_or(&Value::Null);
        let line = match self.expires_at {
            Some(at) if field(invocation, "status") == "pending" => {
                let left = clock_face(at.since(console.clock.now()));
                format!(
                    "{} waits for a person: {left} left; Ctrl-C leaves it pending",
                    self.name
                )
            }
            _ => format!("{} is running; Ctrl-C leaves it running", self.name),
        };
        // A line that wraps could not be cleared.
        let width = usize::from(console.width.unwrap_or(80)).saturating_sub(1);
        let line: String = printable(&line).chars().take(width).collect();
        console.notice(&format!("{CLEAR_LINE}{line}"));
    }

    fn interrupted(&self) -> Failure {
        Failure::new(
            Exit::Interrupted,
            "interrupted",
            format!("interrupted; the request for {} stays as it is", self.name),
        )
        .hint(format!(
            "{}, `portcullis actions cancel {}` withdraws it while it waits",
            self.how_to_look(),
            self.id
        ))
    }

    fn how_to_look(&self) -> String {
        format!("`portcullis actions show {}` tells how it went", self.id)
    }
}

/// Ticks before the next look: quick at first, since whoever watches decides in
/// seconds, then less and less often.
const fn ticks_before(looks: u32) -> u32 {
    match looks {
        0..10 => 1,
        10..30 => 2,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_becomes_rarer_and_never_stops() {
        let ticks: Vec<_> = (0..100).map(ticks_before).collect();
        assert!(ticks.is_sorted());
        assert_eq!((ticks[0], ticks[99]), (1, 5));
    }
}
