//! `get_event`

use portcullis_sdk::prelude::*;

use super::model::{Event, RawEvent};
use crate::api;

/// The newest event.
const LATEST: &str = "latest";

/// Which event to read.
#[params(rename_all = "snake_case")]
pub struct GetEvent {
    /// The organization's slug, such as acme.
    #[schemars(length(min = 1))]
    organization_slug: String,
    /// The issue's id, such as 4509123456, or its short id, such as WEB-1A.
    #[schemars(length(min = 1))]
    issue_id: String,
    /// The event's id, or `latest` (the default), `oldest`, or `recommended` (the one that tells
    /// most).
    #[schemars(length(min = 1))]
    event_id: Option<String>,
}

/// Reads one event: the exceptions with the innermost frames of the application's own code, the
/// message, tags, release, environment and request.
///
/// Left out are headers, cookies, bodies, variables and breadcrumbs. Sentry has all of it.
#[action(
    title = "Get event",
    risk = read,
    example("The newest", { "organization_slug": "acme", "issue_id": "WEB-1A" }),
    example("The one that tells most", {
        "organization_slug": "acme",
        "issue_id": "WEB-1A",
        "event_id": "recommended",
    }),
)]
pub fn get_event(ctx: &Context, params: GetEvent) -> Result<Event> {
    let issue = api::issue(&params.organization_slug, &params.issue_id)?;
    let event = segment(params.event_id.as_deref().unwrap_or(LATEST))?;
    let path = format!("{issue}events/{event}/");
    let raw: RawEvent = api::request(ctx, Method::Get, path)
        .send()?
        .success()?
        .json()?;
    Ok(raw.into())
}

#[cfg(test)]
mod tests {
    use portcullis_sdk::testing::{Reply, TestProvider};

    use super::*;
    use crate::{PROVIDER, fixtures};

    fn get(event: Value) -> Value {
        let sentry = TestProvider::new(PROVIDER);
        let path = format!("{}events/latest/", fixtures::ISSUE);
        sentry.expect(Method::Get, &path, Reply::json(200, event));
        sentry.run("get_event", fixtures::named(json!({}))).unwrap()
    }

    fn exceptions(values: &Value) -> Value {
        let entries = json!([{ "type": "exception", "data": { "values": values } }]);
        get(json!({ "id": "1", "entries": entries }))["exceptions"].clone()
    }

    #[test]
    fn the_latest_event_is_read_unless_another_is_asked_for() {
        for event in [
            "latest",
            "oldest",
            "recommended",
            "9fac2ceed9344f2bbfdd1fdacb000001",
        ] {
            let sentry = TestProvider::new(PROVIDER);
            let path = format!("{}events/{event}/", fixtures::ISSUE);
            sentry.expect(Method::Get, &path, Reply::json(200, fixtures::event(1)));
            let params = fixtures::named(json!({ "event_id": event }));

            sentry.run("get_event", params).unwrap();
        }
        get(fixtures::event(1));
    }

    #[test]
    fn the_event_is_answered_with_what_helps_to_find_its_cause() {
        let event = get(fixtures::event_detail());

        assert_eq!(event["id"], "9fac2ceed9344f2bbfdd1fdacb000001");
        assert_eq!(event["message"], "Payment page failed");
        assert_eq!(event["platform"], "javascript");
        assert_eq!(event["release"], "web@1.9.2");
        assert_eq!(event["environment"], "production");
        assert_eq!(event["userId"], "77201");
        assert_eq!(event["previousEventId"], "b1946ac92492d2347c6235b4d2611184");
        assert_eq!(event["nextEventId"], json!(null));
        assert_eq!(
            event["request"],
            json!({ "method": "GET", "url": "https://shop.acme.example/checkout/payment" })
        );
        assert_eq!(event["tags"].as_array().unwrap().len(), 15);
        assert_eq!(
            event["tags"][0],
            json!({ "key": "browser", "value": "Firefox 140.0" })
        );
    }

    #[test]
    fn what_was_raised_last_comes_first_with_the_innermost_calls_of_the_application() {
        let exceptions = get(fixtures::event_detail())["exceptions"].clone();

        assert_eq!(exceptions[0]["type"], "CheckoutError");
        assert_eq!(exceptions[1]["type"], "TypeError");
        let lines: Vec<_> = exceptions[0]["frames"]
            .as_array()
            .unwrap()
            .iter()
            .map(|frame| frame["line"].clone())
            .collect();
        assert_eq!(lines, [20, 18, 16, 14, 12, 10, 8, 6]);
        assert_eq!(exceptions[0]["framesLeftOut"], 12);
        assert_eq!(
            exceptions[0]["frames"][0],
            json!({
                "file": "app/services/delivery/estimate.ts",
                "function": "estimateFor20",
                "line": 20,
                "code": "return order.shipping.deliveryEstimate.from(order.items[0].warehouse);",
            })
        );
    }

    #[test]
    fn calls_of_libraries_stand_in_where_the_application_has_none() {
        let frames = [fixtures::frame(3, false), fixtures::frame(4, false)];
        let exceptions = exceptions(&json!([{ "type": "E", "stacktrace": { "frames": frames } }]));

        assert_eq!(exceptions[0]["frames"][0]["line"], 4);
        assert_eq!(exceptions[0]["frames"][1]["line"], 3);
        assert_eq!(exceptions[0]["framesLeftOut"], 0);
    }

    #[test]
    fn nothing_private_is_passed_on() {
        let event = get(fixtures::event_detail()).to_string();

        assert!(event.contains("wss://shop.acme.example/live"), "{event}");
        for private in ["s3cr3t", "4242", "hunter2", "@", "203.0.113.9", "grace"] {
            let event = event.replace("web@1.9.2", "");
            assert!(!event.contains(private), "{private} in {event}");
        }
    }

    #[test]
    fn addresses_are_told_without_queries_names_and_passwords() {
        let cut = format!("https://alice:{}@shop.acme.example/", "s3cr3t".repeat(100));
        for (sent, told) in [
            ("https://shop.acme.example/a", "https://shop.acme.example/a"),
            (
                "https://alice:s3cr3t@shop.acme.example/a@b",
                "https://shop.acme.example/a@b",
            ),
            ("HTTPS://al@ice:s3cr3t@shop.example", "HTTPS://shop.example"),
            ("//alice:s3cr3t@shop.example/a", "//shop.example/a"),
            (
                "wss://shop.example/live?token=s3cr3t",
                "wss://shop.example/live",
            ),
            ("/reset?token=s3cr3t", "/reset"),
            ("/reset#s3cr3t", "/reset"),
            ("/login?next=https://alice:s3cr3t@shop.example", "/login"),
            (
                "from https://shop.example/ to https://alice:s3cr3t@shop.example/",
                "from https://shop.example/ to https://shop.example/",
            ),
            (cut.as_str(), "https://…"),
        ] {
            let event = get(json!({
                "id": "1",
                "tags": [{ "key": "referer", "value": sent }],
                "entries": [{ "type": "request", "data": { "url": sent } }],
            }));
            assert_eq!(event["tags"][0]["value"], told);
            assert_eq!(event["request"]["url"], told);
        }
    }

    #[test]
    fn a_tag_that_is_no_address_is_told_as_it_is() {
        let tag = json!({ "key": "question", "value": "why? ask a@b #7" });
        let event = get(json!({ "id": "1", "tags": [tag] }));

        assert_eq!(event["tags"], json!([tag]));
    }

    #[test]
    fn an_ordinary_event_reaches_the_agent_uncut() {
        let bytes = get(fixtures::event_detail()).to_string().len();

        assert!(bytes <= 10_240, "{bytes} bytes");
    }

    #[test]
    fn what_is_sent_is_bounded() {
        let long = "x".repeat(3_000);
        let mut frame = fixtures::frame(7, true);
        frame["function"] = json!(long);
        frame["context"] = json!([[7, long]]);
        let exception =
            json!({ "type": long, "value": long, "stacktrace": { "frames": vec![frame; 300] } });
        let mut event = fixtures::event_detail();
        event["entries"] =
            json!([{ "type": "exception", "data": { "values": vec![exception; 5] } }]);
        event["tags"] = json!(vec![json!({ "key": long, "value": long }); 200]);
        event["message"] = json!(long);

        let event = get(event);

        assert_eq!(event["exceptions"].as_array().unwrap().len(), 3);
        assert_eq!(
            event["exceptions"][0]["frames"].as_array().unwrap().len(),
            8
        );
        assert_eq!(event["exceptions"][0]["framesLeftOut"], 292);
        assert_eq!(event["tags"].as_array().unwrap().len(), 30);
        assert!(event.to_string().len() < 40_000);
    }

    #[test]
    fn odd_members_cost_an_event_nothing_else() {
        for odd in [
            json!(null),
            json!(7),
            json!("x"),
            json!([null, 7, {}, []]),
            json!({ "values": 7 }),
        ] {
            let mut event = fixtures::event_detail();
            for member in [
                "title",
                "tags",
                "user",
                "release",
                "message",
                "platform",
                "nextEventID",
            ] {
                event[member] = odd.clone();
            }
            event["entries"].as_array_mut().unwrap().extend([
                odd.clone(),
                json!({ "type": "exception", "data": odd }),
                json!({ "type": "exception", "data": { "values": odd } }),
                json!({ "type": "exception", "data": { "values": [{ "stacktrace": odd }] } }),
                json!({ "type": "exception", "data": { "values": [{ "stacktrace": { "frames": odd } }] } }),
                json!({ "type": "request", "data": odd }),
            ]);

            let event = get(event);

            assert_eq!(event["exceptions"][0]["type"], "CheckoutError");
            assert_eq!(event["request"]["method"], "GET");
        }
    }

    #[test]
    fn a_frame_says_what_is_known() {
        let frame = |frame: Value| {
            exceptions(&json!([{ "stacktrace": { "frames": [frame] } }]))[0]["frames"][0].clone()
        };
        let unknown = json!({ "file": null, "function": null, "line": null, "code": null });

        assert_eq!(frame(json!({})), unknown);
        assert_eq!(
            frame(json!({ "lineNo": -1, "context": [[1]], "inApp": "yes" })),
            unknown
        );
        assert_eq!(
            frame(json!({ "absPath": "/app/a.py" }))["file"],
            "/app/a.py"
        );
        assert_eq!(frame(json!({ "module": "app.a" }))["file"], "app.a");
    }

    #[test]
    fn older_versions_name_events_by_another_member() {
        let event = get(json!({ "id": "812", "eventID": "9fac2ceed9344f2bbfdd1fdacb000001" }));

        assert_eq!(event["id"], "9fac2ceed9344f2bbfdd1fdacb000001");
    }
}
