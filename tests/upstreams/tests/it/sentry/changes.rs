//! What is changed and kept, and what is refused.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use portcullis_upstreams::{FakeOptions, FakeSentry, TimeSource, sentry::ids};
use serde_json::{Value, json};

use super::{ISSUES, below, comment, read, send, update};
use crate::support::{TOKEN, pluck, sentry};

#[tokio::test]
async fn a_change_is_answered_and_kept() {
    let fake = sentry().await;
    let (status, changed) = update(&fake, json!({ "status": "resolved" })).await;
    assert_eq!((status, &changed["status"]), (200, &json!("resolved")));
    assert_eq!(read(&fake, &below("WEB-1", "")).await, changed);
    let unresolved = read(&fake, ISSUES).await;
    assert_eq!(pluck(&unresolved, "shortId"), ["WEB-2", "WEB-4"]);
}

#[tokio::test]
async fn statuses_are_sentrys() {
    let fake = sentry().await;
    for (sent, status, details) in [
        ("ignored", "ignored", json!({ "untilEscalating": true })),
        (
            "resolvedInNextRelease",
            "resolved",
            json!({ "inNextRelease": true }),
        ),
        ("unresolved", "unresolved", json!({})),
        ("muted", "ignored", json!({ "untilEscalating": true })),
    ] {
        let (_, changed) = update(&fake, json!({ "status": sent })).await;
        assert_eq!(
            (&changed["status"], &changed["statusDetails"]),
            (&json!(status), &details)
        );
    }
}

#[tokio::test]
async fn issues_are_assigned_to_users_and_teams_and_to_nobody() {
    let fake = sentry().await;
    for (sent, id) in [
        (
            json!(format!("user:{}", ids::USER_ADA)),
            json!(ids::USER_ADA),
        ),
        (json!(format!("team:{}", ids::TEAM)), json!(ids::TEAM)),
        (json!("bruno"), json!(ids::USER_BRUNO)),
        (json!("ada@acme.example"), json!(ids::USER_ADA)),
        (json!(""), Value::Null),
        (json!("#web-platform"), json!(ids::TEAM)),
        (Value::Null, Value::Null),
    ] {
        let (status, changed) = update(&fake, json!({ "assignedTo": sent })).await;
        assert_eq!((status, &changed["assignedTo"]["id"]), (200, &id), "{sent}");
    }
}

#[tokio::test]
async fn a_refused_change_changes_nothing() {
    let fake = sentry().await;
    let before = read(&fake, &below("WEB-1", "")).await;
    for (fields, named) in [
        (json!({ "status": "closed" }), "status"),
        (
            json!({ "status": "resolved", "assignedTo": "nobody" }),
            "assignedTo",
        ),
        (json!({ "priority": "urgent" }), "priority"),
        (json!({ "status": 1 }), "status"),
        (json!({ "title": "x" }), "detail"),
    ] {
        let (status, body) = update(&fake, fields).await;
        assert_eq!(status, 400);
        assert!(body.get(named).is_some(), "{named}: {body}");
    }
    assert_eq!(update(&fake, json!([])).await.0, 400);
    assert_eq!(read(&fake, &below("WEB-1", "")).await, before);
}

#[tokio::test]
async fn a_comment_is_answered_and_kept() {
    let fake = sentry().await;
    let (status, note) = comment(&fake, "A gift card has no parcel.").await;
    assert_eq!(status, 201);
    assert_eq!(note["data"]["text"], "A gift card has no parcel.");
    assert_eq!(
        (&note["type"], &note["user"]["name"]),
        (&json!("note"), &json!("Ada Okafor"))
    );
    assert_eq!(note["dateCreated"], "2026-11-20T12:00:00Z");
    assert_eq!(read(&fake, &below("WEB-1", "notes/")).await, json!([note]));
    assert_eq!(read(&fake, &below("WEB-1", "")).await["numComments"], 1);
}

#[tokio::test]
async fn the_same_comment_is_refused_for_an_hour() {
    let seconds = Arc::new(AtomicI64::new(1_795_176_000));
    let clock = Arc::clone(&seconds);
    let options = FakeOptions {
        time: TimeSource::from_fn(move || {
            jiff::Timestamp::from_second(clock.load(Ordering::Relaxed)).unwrap()
        }),
        ..FakeOptions::new(TOKEN)
    };
    let fake = FakeSentry::start(options).await.unwrap();
    assert_eq!(comment(&fake, "Again").await.0, 201);
    seconds.fetch_add(3_599, Ordering::Relaxed);
    let refused = json!({ "detail": "You have already posted that comment." });
    assert_eq!(comment(&fake, "Again").await, (400, refused));
    assert_eq!(comment(&fake, "Another").await.0, 201);
    let elsewhere = below("WEB-2", "notes/");
    let other = send(&fake, "POST", &elsewhere, json!({ "text": "Again" })).await;
    assert_eq!(other.0, 201);
    seconds.fetch_add(1, Ordering::Relaxed);
    assert_eq!(comment(&fake, "Again").await.0, 201);
}

#[tokio::test]
async fn an_empty_comment_is_refused() {
    let fake = sentry().await;
    let path = below("WEB-1", "notes/");
    for body in [json!({}), json!({ "text": " " }), json!({ "text": null })] {
        let (status, answer) = send(&fake, "POST", &path, body).await;
        assert_eq!(status, 400);
        assert!(answer["text"].is_array(), "{answer}");
    }
}
