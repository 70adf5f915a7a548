//! What is sent again, when, and how often, through a scripted host.

use std::{rc::Rc, time::Duration};

use serde_json::json;

use super::*;
use crate::{
    clock::Timestamp,
    error::ErrorCode,
    http::{EpochUnit, HttpError, HttpErrorKind, Method, Request},
    provider::{Endpoint, Route},
    testing::{Reply, Script},
};

const ENDPOINTS: &[Endpoint] = &[Endpoint::new("api", "https://api.example.com").routes(&[
    Route::get("/things"),
    Route::new(Method::Head, "/things"),
    Route::post("/things"),
    Route::put("/things"),
    Route::new(Method::Patch, "/things"),
    Route::delete("/things"),
])];

const READS: [Method; 2] = [Method::Get, Method::Head];

const WRITES: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];

/// What became of a request.
struct Told {
    outcome: Result<Response, HttpError>,
    sent: usize,
    waits: Vec<Duration>,
}

impl Told {
    fn status(&self) -> u16 {
        self.outcome.as_ref().unwrap().status()
    }
}

/// Sends a request to a host that answers it with these replies, one after the other, and expects
/// all of them to be used.
fn send(
    method: Method,
    replies: impl IntoIterator<Item = Reply>,
    change: impl Fn(Request<'_>) -> Request<'_>,
) -> Told {
    send_within(Duration::from_secs(29), method, replies, change)
}

fn send_within(
    time_left: Duration,
    method: Method,
    replies: impl IntoIterator<Item = Reply>,
    change: impl Fn(Request<'_>) -> Request<'_>,
) -> Told {
    let script = Rc::new(Script::new(ENDPOINTS));
    script.set_time_left(time_left);
    for reply in replies {
        script.expect(method, "/things", reply);
    }
    let ctx = Context::new(Rc::<Script>::clone(&script), "Example", String::new());
    let outcome = change(ctx.http("api").request(method, "/things")).send();
    Told {
        outcome,
        sent: script.requests().len(),
        waits: script.waits(),
    }
}

fn as_it_is(request: Request<'_>) -> Request<'_> {
    request
}

fn once(request: Request<'_>) -> Request<'_> {
    request.no_retry()
}

fn marked_as_read(request: Request<'_>) -> Request<'_> {
    request.read_only()
}

fn busy(status: u16) -> Reply {
    Reply::text(status, "later")
}

fn fine() -> Reply {
    Reply::json(200, json!({}))
}

#[test]
fn a_read_survives_one_busy_answer() {
    for method in READS {
        for status in [429, 503] {
            let told = send(method, [busy(status), fine()], as_it_is);
            assert_eq!(told.status(), 200, "{method:?} {status}");
            assert_eq!(told.waits, [Duration::from_millis(250)]);
        }
    }
}

#[test]
fn a_post_that_only_reads_is_a_read() {
    let told = send(Method::Post, [busy(503), fine()], marked_as_read);
    assert_eq!(told.status(), 200);
}

#[test]
fn the_time_that_the_upstream_names_is_waited_and_never_less_than_our_own() {
    for (value, expected) in [
        ("0", PAUSES[0]),
        ("Thu, 01 Jan 2026 00:00:00 GMT", PAUSES[0]),
        ("7", Duration::from_secs(7)),
        ("soon", PAUSES[0]),
    ] {
        let told = send(
            Method::Get,
            [busy(429).header("retry-after", value), fine()],
            as_it_is,
        );
        assert_eq!(told.waits, [expected], "{value}");
        assert_eq!(told.status(), 200);
    }
}

#[test]
fn a_provider_may_read_the_time_from_a_header_of_its_own() {
    fn until_reset(response: &Response) -> Option<Duration> {
        response.until_reset("x-reset", EpochUnit::Milliseconds)
    }
    let now = Timestamp::from_secs(1_767_323_045);
    let reset = (now + Duration::from_millis(1_500)).as_millis().to_string();
    let told = send(
        Method::Get,
        [busy(429).header("x-reset", &reset), fine()],
        |request| request.retry_after(until_reset),
    );
    assert_eq!(told.waits, [Duration::from_millis(1_500)]);

    let far = (now + Duration::from_mins(5)).as_millis().to_string();
    let told = send(
        Method::Get,
        [busy(429).header("x-reset", &far)],
        |request| request.retry_after(until_reset),
    );
    let error = told.outcome.unwrap().error();
    assert_eq!(error.wait(), Some(Duration::from_mins(5)));
}

#[test]
fn pauses_grow_also_when_the_upstream_names_less() {
    let hurried = || busy(429).header("retry-after", "0");
    let told = send(Method::Get, [hurried(), hurried(), fine()], as_it_is);
    assert_eq!(told.waits, PAUSES);
}

#[test]
fn a_read_is_sent_three_times_at_most_and_the_last_answer_stands() {
    let replies = [busy(503), busy(429), Reply::text(503, "the third")];
    let told = send(Method::Get, replies, as_it_is);
    assert_eq!(told.sent, ATTEMPTS);
    assert_eq!(told.waits, PAUSES);
    assert_eq!(told.outcome.unwrap().body(), b"the third");
}

#[test]
fn a_wait_that_the_call_has_no_time_for_is_told_instead() {
    let limited = || busy(429).header("retry-after", "37");
    let told = send(Method::Get, [limited()], as_it_is);
    assert_eq!(told.waits, []);
    let error = told.outcome.unwrap().error();
    assert_eq!(error.code(), ErrorCode::RateLimited);
    assert_eq!(error.wait(), Some(Duration::from_secs(37)));

    let told = send_within(
        Duration::from_secs(1),
        Method::Get,
        [busy(503), busy(503)],
        as_it_is,
    );
    assert_eq!((told.status(), told.waits.len()), (503, 1));
}

#[test]
fn a_write_is_sent_once_whatever_is_answered() {
    for method in WRITES {
        for status in [429, 503] {
            let told = send(method, [busy(status).header("retry-after", "0")], as_it_is);
            assert_eq!((told.status(), told.sent), (status, 1), "{method:?}");
            assert_eq!(told.waits, []);
        }
    }
}

#[test]
fn other_answers_are_final() {
    for status in [200, 302, 400, 401, 404, 408, 409, 500, 502, 504] {
        let told = send(Method::Get, [busy(status)], as_it_is);
        assert_eq!((told.status(), told.sent), (status, 1));
    }
}

#[test]
fn a_request_without_a_response_is_not_sent_again() {
    for (kind, request_sent) in [
        (HttpErrorKind::Connect, false),
        (HttpErrorKind::Timeout, true),
        (HttpErrorKind::Protocol, true),
    ] {
        let told = send(Method::Get, [Reply::error(kind, request_sent)], as_it_is);
        assert_eq!(told.outcome.unwrap_err().kind(), kind);
        assert_eq!((told.sent, told.waits.len()), (1, 0));
    }
}

#[test]
fn a_second_attempt_without_a_response_is_what_is_told() {
    let broken = Reply::error(HttpErrorKind::Protocol, true);
    let told = send(Method::Get, [busy(503), broken], as_it_is);
    assert_eq!(told.outcome.unwrap_err().kind(), HttpErrorKind::Protocol);
}

#[test]
fn a_provider_may_want_no_retry() {
    let told = send(Method::Get, [busy(503)], once);
    assert_eq!((told.status(), told.sent), (503, 1));
}

#[test]
fn requests_sent_at_once_are_sent_once() {
    let script = Rc::new(Script::new(ENDPOINTS));
    script.expect(Method::Get, "/things", busy(429));
    let ctx = Context::new(Rc::<Script>::clone(&script), "Example", String::new());

    let answers = ctx.send_all(vec![ctx.http("api").get("/things")]);

    assert_eq!(answers[0].as_ref().unwrap().status(), 429);
    assert_eq!((script.requests().len(), script.waits()), (1, vec![]));
}
