//! The record of what happened: every change is in it, once and for good, and
//! whoever meddles with it is found.

mod changes;
mod invocations;
mod sequencing;
mod tampering;
mod together;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use portcullis::audit::chain::extend_all;
use portcullis::audit::export::{Ended, Exported, Selection, export};
use portcullis::audit::verify::{Anchor, Fault, Finding, Verification, verify};
use portcullis_tests::TestHost;
use serde_json::Value;
use sqlx::AssertSqlSafe;

/// Runs statements on the database behind the gateway's back.
pub(crate) async fn run(host: &TestHost, statements: &str) -> Result<(), sqlx::Error> {
    let statements = sqlx::raw_sql(AssertSqlSafe(statements.to_owned()));
    if host.is_on_postgres() {
        let mut connection = host.database().connect().await?;
        statements.execute(&mut connection).await.map(drop)
    } else {
        let mut connection = host.outsider().await;
        statements.execute(&mut connection).await.map(drop)
    }
}

/// Everything that was recorded, in order.
async fn exported(host: &TestHost) -> Vec<Exported> {
    let mut all = Vec::new();
    let everything = Selection::default();
    let ended = export(&*host.gateway.storage, &everything, |page| {
        all.extend(page);
        ControlFlow::Continue(())
    });
    assert_eq!(ended.await.unwrap(), Ended::All);
    all
}

/// What an event says.
#[derive(Debug, Clone, PartialEq)]
struct Told {
    chain: String,
    kind: String,
    actor: String,
    subject: String,
    details: Value,
    at: i64,
}

/// The details of all events of a kind, in the order of their times.
pub(super) async fn events(host: &TestHost, kind: &str) -> Vec<Value> {
    let events = exported(host).await.into_iter();
    let mut events: Vec<_> = events
        .map(|exported| exported.event.unwrap())
        .filter(|event| event.kind == kind)
        .collect();
    events.sort_by_key(|event| event.at);
    let details = events
        .iter()
        .map(|event| serde_json::from_str(&event.details));
    details.map(Result::unwrap).collect()
}

/// The kinds of all events whose kind begins like this.
pub(super) async fn kinds_like(host: &TestHost, beginning: &str) -> Vec<String> {
    let events = exported(host).await.into_iter();
    let kinds = events.map(|exported| exported.event.unwrap().kind);
    kinds.filter(|kind| kind.starts_with(beginning)).collect()
}

/// Which version of its plugin each invocation was asked of, by id.
pub(super) async fn plugin_digests(host: &TestHost) -> BTreeMap<String, String> {
    let events = exported(host).await.into_iter();
    let events = events.map(|exported| exported.event.unwrap());
    let requested = events.filter(|event| event.kind == "invocation.requested");
    let digest = requested.map(|event| {
        let details: Value = serde_json::from_str(&event.details).unwrap();
        let id = event.subject.trim_start_matches("invocation:").to_owned();
        (id, details["pluginDigest"].as_str().unwrap().to_owned())
    });
    digest.collect()
}

/// Looks at what is recorded from one moment to the next.
struct Watch<'a> {
    host: &'a TestHost,
    seen: BTreeSet<String>,
}

impl<'a> Watch<'a> {
    /// Everything so far has been seen.
    async fn from_now_on(host: &'a TestHost) -> Self {
        let mut watch = Self {
            host,
            seen: BTreeSet::new(),
        };
        watch.news().await;
        watch
    }

    /// What was recorded since the last look, by kind.
    async fn news(&mut self) -> Vec<Told> {
        let events = exported(self.host).await.into_iter();
        let mut news: Vec<_> = events
            .map(|exported| exported.event.unwrap())
            .filter(|event| self.seen.insert(event.id.clone()))
            .map(|event| Told {
                details: serde_json::from_str(&event.details).unwrap(),
                chain: event.chain,
                kind: event.kind,
                actor: event.actor,
                subject: event.subject,
                at: event.at,
            })
            .collect();
        news.sort_by(|one, other| one.kind.cmp(&other.kind));
        news
    }

    /// The only event since the last look.
    async fn only(&mut self) -> Told {
        let mut news = self.news().await;
        assert_eq!(news.len(), 1, "{news:?}");
        news.remove(0)
    }
}

async fn verified_with(host: &TestHost, anchors: &[Anchor]) -> Verification {
    verify(
        &*host.gateway.storage,
        &host.gateway.audit,
        anchors,
        |_places| {},
    )
    .await
    .unwrap()
}

/// Gives everything its place, and fails unless nothing is wrong.
async fn sound(host: &TestHost) -> Verification {
    extend_all(&host.gateway).await.unwrap();
    let verified = verified_with(host, &[]).await;
    assert!(verified.is_sound(), "{:?}", verified.findings);
    assert_eq!(verified.waiting, 0);
    verified
}

/// Where every chain ends.
fn heads(verified: &Verification) -> Vec<Anchor> {
    let heads = verified.chains.iter().map(|chain| chain.head.clone());
    heads.map(Option::unwrap).collect()
}

/// A finding without the event it names: chain, fault, and the places it is about.
type Found = (&'static str, Fault, Option<(i64, i64)>);

/// Fails unless exactly these were found.
#[track_caller]
fn assert_found(verified: &Verification, expected: &[Found]) {
    let mut found = verified.findings.kept.clone();
    for (chain, fault, places) in expected {
        let is_it = |finding: &Finding| {
            finding.chain == *chain && finding.fault == *fault && finding.places == *places
        };
        let at = found.iter().position(is_it);
        assert!(at.is_some(), "no {fault:?} at {places:?} in {found:#?}");
        found.remove(at.unwrap());
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// From now on the database refuses to add rows to a table.
pub(crate) async fn refuse_rows(host: &TestHost, table: &str) {
    let statements = if host.is_on_postgres() {
        format!(
            "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
                 $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
             CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table}
                 FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    } else {
        format!(
            "CREATE TRIGGER refuse_{table} BEFORE INSERT ON {table}
             BEGIN SELECT RAISE(ABORT, 'refused'); END"
        )
    };
    run(host, &statements).await.unwrap();
}
