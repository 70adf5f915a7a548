//! What a fresh fake Sentry holds: five issues of a shop's web client, with their events.
//!
//! Everything lies before the first time of the default [`TimeSource`](crate::TimeSource).

use jiff::{SignedDuration, Timestamp};

use super::{
    ids,
    tracker::{Actor, Event, Exception, Frame, Issue, Status},
};

/// The release in which every event happened.
pub(crate) const RELEASE: &str = "web@4.2.0";

/// 2026-11-02T09:00:00Z.
const START: Timestamp = Timestamp::constant(1_793_610_000, 0);

/// Minutes between two events of an issue.
const EVENT_SPACING_MINUTES: i64 = 90;

/// Whose token it is.
pub(crate) const ADA: Actor = Actor {
    kind: "user",
    id: ids::USER_ADA,
    name: "Ada Okafor",
    handle: "ada",
    email: Some("ada@acme.example"),
};

/// Everybody an issue can be assigned to.
pub(crate) static ACTORS: [Actor; 3] = [
    ADA,
    Actor {
        kind: "user",
        id: ids::USER_BRUNO,
        name: "Bruno Lindqvist",
        handle: "bruno",
        email: Some("bruno@acme.example"),
    },
    Actor {
        kind: "team",
        id: ids::TEAM,
        name: "web-platform",
        handle: "#web-platform",
        email: None,
    },
];

const LIBRARY: Frame = Frame {
    filename: "node_modules/react-dom/cjs/react-dom-client.production.js",
    function: "batchedUpdates",
    line: 12_411,
    in_app: false,
    code: "    return fn(a, b);",
};

const CHECKOUT_FRAMES: &[Frame] = &[
    LIBRARY,
    Frame {
        filename: "src/checkout/CheckoutPage.tsx",
        function: "onPay",
        line: 118,
        in_app: true,
        code: "    const quote = await quoteShipping(cart.items);",
    },
    Frame {
        filename: "src/checkout/shipping.ts",
        function: "quoteShipping",
        line: 42,
        in_app: true,
        code: "  const grams = items.reduce((sum, item) => sum + item.parcel.weight, 0);",
    },
];

const PAYMENT_FRAMES: &[Frame] = &[
    LIBRARY,
    Frame {
        filename: "src/payments/client.ts",
        function: "post",
        line: 77,
        in_app: true,
        code: "    throw new TimeoutError(`Timed out after ${limit} ms`);",
    },
];

const LOADER_FRAMES: &[Frame] = &[Frame {
    filename: "webpack/runtime/jsonp chunk loading",
    function: "loadScript",
    line: 27,
    in_app: false,
    code: "\terror.name = 'ChunkLoadError';",
}];

/// What differs between the issues. The rest follows from the position in [`ISSUES`].
struct SeedIssue {
    id: &'static str,
    /// Type and value, and where it was thrown.
    exception: Option<(&'static str, &'static str, &'static [Frame])>,
    /// What it is called without an exception.
    message: &'static str,
    culprit: &'static str,
    level: &'static str,
    status: Status,
    substatus: Option<&'static str>,
    priority: &'static str,
    assignee: Option<&'static Actor>,
    count: u64,
    user_count: u64,
    events: usize,
    request: Option<(&'static str, &'static str)>,
}

const ISSUES: [SeedIssue; 5] = [
    SeedIssue {
        id: ids::ISSUE_TYPE_ERROR,
        exception: Some((
            "TypeError",
            "Cannot read properties of undefined (reading 'weight')",
            CHECKOUT_FRAMES,
        )),
        message: "",
        culprit: "quoteShipping(src/checkout/shipping)",
        level: "error",
        status: Status::Unresolved,
        substatus: Some("escalating"),
        priority: "high",
        assignee: Some(&ACTORS[1]),
        count: 1_284,
        user_count: 903,
        events: 3,
        request: Some(("GET", "https://shop.acme.example/checkout")),
    },
    SeedIssue {
        id: ids::ISSUE_TIMEOUT,
        exception: Some(("TimeoutError", "Timed out after 10000 ms", PAYMENT_FRAMES)),
        message: "",
        culprit: "post(src/payments/client)",
        level: "error",
        status: Status::Unresolved,
        substatus: Some("ongoing"),
        priority: "high",
        assignee: None,
        count: 97,
        user_count: 88,
        events: 2,
        request: Some(("POST", "https://shop.acme.example/api/payments")),
    },
    SeedIssue {
        id: ids::ISSUE_CHUNK_LOAD,
        exception: Some(("ChunkLoadError", "Loading chunk 482 failed.", LOADER_FRAMES)),
        message: "",
        culprit: "loadScript(webpack/runtime/jsonp chunk loading)",
        level: "error",
        status: Status::Resolved,
        substatus: None,
        priority: "medium",
        assignee: None,
        count: 412,
        user_count: 377,
        events: 1,
        request: Some(("GET", "https://shop.acme.example/")),
    },
    SeedIssue {
        id: ids::ISSUE_COUPON,
        exception: None,
        message: "Coupon in a format that ends with the year",
        culprit: "applyCoupon(src/cart/coupons)",
        level: "warning",
        status: Status::Unresolved,
        substatus: Some("new"),
        priority: "low",
        assignee: None,
        count: 8,
        user_count: 8,
        events: 1,
        request: None,
    },
    SeedIssue {
        id: ids::ISSUE_ABORT,
        exception: Some(("AbortError", "The user aborted a request.", PAYMENT_FRAMES)),
        message: "",
        culprit: "post(src/payments/client)",
        level: "error",
        status: Status::Ignored,
        substatus: Some("archived_until_escalating"),
        priority: "low",
        assignee: None,
        count: 5_310,
        user_count: 4_002,
        events: 1,
        request: Some(("GET", "https://shop.acme.example/search")),
    },
];

/// WEB-1 to WEB-5. The first has the latest event.
pub(crate) fn issues() -> Vec<Issue> {
    (1..)
        .zip(&ISSUES)
        .map(|(number, seed)| issue(number, seed))
        .collect()
}

fn issue(number: u32, seed: &SeedIssue) -> Issue {
    let exception = seed.exception.map(|(kind, value, frames)| Exception {
        kind,
        value,
        frames,
    });
    let title = match &exception {
        Some(exception) => format!("{}: {}", exception.kind, exception.value),
        None => seed.message.to_owned(),
    };
    Issue {
        id: seed.id,
        number,
        title,
        culprit: seed.culprit,
        level: seed.level,
        status: seed.status,
        substatus: seed.substatus,
        in_next_release: false,
        priority: seed.priority.to_owned(),
        assignee: seed.assignee,
        count: seed.count,
        user_count: seed.user_count,
        exception,
        events: (1..=seed.events)
            .rev()
            .map(|event_number| event(number, seed, event_number))
            .collect(),
        notes: Vec::new(),
    }
}

fn event(issue_number: u32, seed: &SeedIssue, number: usize) -> Event {
    let minutes = i64::try_from(number).unwrap_or_default() * EVENT_SPACING_MINUTES;
    let days = i64::from(10 - issue_number);
    Event {
        id: ids::event(seed.id, number),
        number,
        at: START + SignedDuration::from_hours(24 * days) + SignedDuration::from_mins(minutes),
        request: seed.request,
    }
}
