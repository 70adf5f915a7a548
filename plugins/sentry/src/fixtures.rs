//! Issues and events as Sentry sends them, with the lengths that they have in real organizations,
//! and with members that no agent should see.

use portcullis_sdk::prelude::*;

/// The path of the issue that the tests use.
pub(crate) const ISSUE: &str = "/api/0/organizations/acme/issues/WEB-1A/";

/// The params that name it.
pub(crate) fn named(more: Value) -> Value {
    let mut params = json!({ "organization_slug": "acme", "issue_id": "WEB-1A" });
    merge(&mut params, more);
    params
}

/// Sets members of an object.
pub(crate) fn merge(object: &mut Value, more: Value) {
    let Value::Object(more) = more else {
        unreachable!("only objects are merged")
    };
    object.as_object_mut().unwrap().extend(more);
}

/// An issue as agents see it in a list.
pub(crate) fn listed(number: usize) -> Value {
    json!({
        "id": (4_509_123_456 + number).to_string(),
        "shortId": format!("WEB-1{number:X}"),
        "title": "TypeError: Cannot read properties of undefined (reading 'deliveryEstimate')",
        "culprit": "app/routes/checkout/payment.loader(app:routes/checkout)",
        "permalink": format!("https://acme.sentry.io/issues/{}/", 4_509_123_456 + number),
        "level": "error",
        "status": "unresolved",
        "substatus": "ongoing",
        "priority": "high",
        "count": "12843",
        "userCount": 1_204,
        "firstSeen": "2026-10-02T07:41:12.000000Z",
        "lastSeen": "2026-11-20T10:15:30.123000Z",
        "project": { "id": "4509100000000001", "slug": "web" },
        "assignedTo": { "type": "user", "id": "3141592", "name": "Ada Lovelace" },
    })
}

/// An issue as Sentry sends it.
pub(crate) fn issue(number: usize) -> Value {
    let mut issue = listed(number);
    merge(
        &mut issue,
        json!({
            "shareId": null,
            "logger": "javascript",
            "statusDetails": {},
            "isPublic": false,
            "platform": "javascript",
            "type": "error",
            "issueCategory": "error",
            "isUnhandled": true,
            "metadata": {
                "type": "TypeError",
                "value": "Cannot read properties of undefined (reading 'deliveryEstimate')",
                "filename": "app/routes/checkout/payment.ts",
                "function": "loader",
                "sdk": { "name": "sentry.javascript.remix" },
            },
            "numComments": 2,
            "firstRelease": { "version": "web@1.4.0", "dateCreated": "2026-10-01T12:00:00Z", "authors": [] },
            "lastRelease": { "version": "web@1.9.2", "dateCreated": "2026-11-19T12:00:00Z", "authors": [] },
            "annotations": [],
            "seenBy": [{ "email": "ada@acme.example" }],
            "activity": [{ "type": "first_seen" }],
            "stats": { "24h": [[1_795_219_200, 12]] },
        }),
    );
    issue["project"]["platform"] = json!("javascript-remix");
    issue["assignedTo"]["email"] = json!("ada@acme.example");
    issue
}

/// The same with texts that are longer than anything an agent sees.
pub(crate) fn longest(value: Value) -> Value {
    match value {
        Value::String(_) => json!("x".repeat(3_000)),
        Value::Array(items) => items.into_iter().map(longest).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, value)| (name, longest(value)))
            .collect(),
        other => other,
    }
}

/// An event as Sentry sends it in a list.
pub(crate) fn event(number: usize) -> Value {
    let id = format!("9fac2ceed9344f2bbfdd1fdacb{number:06x}");
    json!({
        "id": id,
        "eventID": id,
        "event.type": "error",
        "groupID": "4509123456",
        "projectID": "4509100000000001",
        "title": "TypeError: Cannot read properties of undefined (reading 'deliveryEstimate')",
        "message": "",
        "location": "app/routes/checkout/payment.ts",
        "culprit": "app/routes/checkout/payment.loader(app:routes/checkout)",
        "platform": "javascript",
        "dateCreated": "2026-11-20T10:15:30Z",
        "user": { "id": 77_201, "email": "grace@customer.example", "ip_address": "203.0.113.9" },
        "tags": tags(),
    })
}

fn tags() -> Value {
    let tags = [
        ("browser", "Firefox 140.0"),
        ("browser.name", "Firefox"),
        ("device.family", "Mac"),
        ("environment", "production"),
        ("handled", "no"),
        ("level", "error"),
        ("mechanism", "onunhandledrejection"),
        ("os.name", "macOS"),
        ("release", "web@1.9.2"),
        ("server_name", "web-7d9f8c6b5-x2v4q"),
        ("transaction", "routes/checkout/payment"),
        (
            "url",
            "https://shop.acme.example/checkout/payment?session=s3cr3t",
        ),
        ("referer", "/reset?token=s3cr3t"),
        ("origin", "HTTPS://grace:s3cr3t@shop.acme.example/checkout"),
        ("socket", "wss://shop.acme.example/live?token=s3cr3t"),
        ("user", "email:grace@customer.example"),
        ("user.email", "grace@customer.example"),
    ];
    let tags = tags.map(|(key, value)| json!({ "key": key, "value": value }));
    json!(tags)
}

/// A call as Sentry sends it.
pub(crate) fn frame(line: usize, in_app: bool) -> Value {
    json!({
        "filename": if in_app { "app/services/delivery/estimate.ts" } else { "node_modules/remix/dist/router.js" },
        "absPath": "webpack:///app/services/delivery/estimate.ts",
        "module": "services/delivery/estimate",
        "function": format!("estimateFor{line}"),
        "lineNo": line,
        "colNo": 17,
        "inApp": in_app,
        "context": [
            [line - 1, "  const order = await load(request);"],
            [line, "    return order.shipping.deliveryEstimate.from(order.items[0].warehouse);  "],
            [line + 1, "}"],
        ],
        "vars": { "password": "hunter2" },
    })
}

/// An event as Sentry sends it alone: two exceptions with twenty calls each, of which every second
/// one is in the application.
pub(crate) fn event_detail() -> Value {
    let frames: Vec<Value> = (1..=20).map(|line| frame(line, line % 2 == 0)).collect();
    let exception = |kind: &str| {
        json!({
            "type": kind,
            "value": "Cannot read properties of undefined (reading 'deliveryEstimate')",
            "module": null,
            "mechanism": { "type": "onunhandledrejection", "handled": false },
            "stacktrace": { "frames": frames, "hasSystemFrames": true },
            "rawStacktrace": { "frames": frames },
        })
    };
    let mut event = event(1);
    merge(
        &mut event,
        json!({
            "message": "Payment page failed",
            "release": { "version": "web@1.9.2", "authors": [{ "email": "ada@acme.example" }] },
            "previousEventID": "b1946ac92492d2347c6235b4d2611184",
            "nextEventID": null,
            "contexts": { "runtime": { "name": "node", "version": "24.1.0" } },
            "entries": [
                { "type": "exception", "data": { "values": [exception("TypeError"), exception("CheckoutError")] } },
                { "type": "breadcrumbs", "data": { "values": [{ "message": "signed in as grace" }] } },
                {
                    "type": "request",
                    "data": {
                        "method": "GET",
                        "url": "https://grace:s3cr3t@shop.acme.example/checkout/payment?session=s3cr3t#top",
                        "query": [["session", "s3cr3t"]],
                        "headers": [["Authorization", "Bearer s3cr3t"]],
                        "cookies": [["sid", "s3cr3t"]],
                        "data": { "card": "4242" },
                    },
                },
            ],
        }),
    );
    event
}
