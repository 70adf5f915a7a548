//! What admission counts, and that counting under the session's lock is exact.

use portcullis_core::{
    action::Risk,
    definition::DefinitionStamp,
    id::{ActionId, ActionKey, AutomationId},
    invocation::InvocationStatus::{Denied, Executing, Pending},
    modes::{Mode, TextChanges},
};
use portcullis_storage::{
    AdmissionFacts, AdmissionQuery, Automation, ConnectionStamp, ConnectionStatus, EgressGrant,
    Error, ModeScope, NewInvocation, NewReview, Storage,
};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_connections, add_invocations, add_organizations, add_sessions, at,
        connection, connection_id, digests, document, globex, id, invocation, name, pinned,
        request, session, session_id, unpinned,
    },
};

/// What session 1 of acme asks, without an automation.
pub(crate) fn query() -> AdmissionQuery {
    AdmissionQuery {
        session_id: session_id(1),
        organization_id: acme(),
        automation_id: None,
        key: name("linear:create_issue"),
        rate_since: at(0),
        now: at(1),
    }
}

async fn weigh(storage: &dyn Storage, query: &AdmissionQuery) -> Result<AdmissionFacts, Error> {
    let mut work = storage.write().await?;
    let facts = work.admission().weigh(query).await?;
    work.cancel().await?;
    Ok(facts.expect("the session was added"))
}

fn created(number: u32, seconds: i64) -> NewInvocation {
    let mut new = invocation(number, Denied);
    new.invocation.created_at = at(seconds);
    new
}

pub(crate) async fn the_window_excludes_its_first_moment(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut foreign = created(14, 5);
    foreign.invocation.session_id = session_id(2);
    let all = [created(11, 1), created(12, 2), created(13, 3), foreign];
    add_invocations(&*storage, &all).await?;
    let mut work = storage.write().await?;
    for (since, count, oldest) in [
        (0, 3, Some(at(1))),
        (1, 2, Some(at(2))),
        (2, 1, Some(at(3))),
        (3, 0, None),
    ] {
        let query = AdmissionQuery {
            rate_since: at(since),
            ..query()
        };
        let facts = work.admission().weigh(&query).await?;
        assert_eq!(facts.ok_or("a session")?.recent, count, "since {since}");
        let first = work
            .invocations()
            .oldest_since(session_id(1), at(since))
            .await?;
        assert_eq!(first, oldest, "since {since}");
    }
    Ok(())
}

pub(crate) async fn pending_counts_exclude_the_expired_and_the_decided(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let mut short = invocation(11, Pending);
    short.invocation.expires_at = Some(at(10));
    let mut foreign = invocation(15, Pending);
    foreign.invocation.session_id = session_id(2);
    let all = [
        short,
        invocation(12, Pending),
        invocation(13, Executing),
        invocation(14, Denied),
        foreign,
    ];
    add_invocations(&*storage, &all).await?;
    for (now, count) in [(9, 2), (10, 1), (299, 1), (300, 0)] {
        let query = AdmissionQuery {
            now: at(now),
            ..query()
        };
        let counted = weigh(&*storage, &query).await?.pending;
        assert_eq!(counted, count, "at {now}");
    }
    Ok(())
}

pub(crate) async fn the_modes_are_those_of_the_action_and_its_scopes(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let automation = id::<AutomationId>(1);
    let mut work = storage.write().await?;
    let nightly = Automation {
        id: automation,
        organization_id: acme(),
        name: "Nightly".to_owned(),
        created_at: at(0),
    };
    work.automations().add(&nightly).await?;
    let asked = query().key;
    let other: ActionKey = name("linear:update_issue");
    let seen = Some(digests("seen"));
    for (scope, key, mode, pin) in [
        (ModeScope::Organization(acme()), &asked, Mode::Deny, None),
        (ModeScope::Organization(acme()), &other, Mode::Allow, seen),
        (ModeScope::Organization(globex()), &asked, Mode::Allow, seen),
        (ModeScope::Automation(automation), &asked, Mode::Allow, seen),
    ] {
        work.modes()
            .put(&scope, key, mode, pin, "ann", at(1))
            .await?;
    }
    work.save().await?;

    let facts = weigh(&*storage, &query()).await?;
    assert_eq!(facts.organization_mode, Some(unpinned(Mode::Deny)));
    assert_eq!(facts.automation_mode, None);
    let run = AdmissionQuery {
        automation_id: Some(automation),
        ..query()
    };
    let facts = weigh(&*storage, &run).await?;
    assert_eq!(facts.organization_mode, Some(unpinned(Mode::Deny)));
    assert_eq!(facts.automation_mode, Some(pinned(Mode::Allow, "seen")));
    Ok(())
}

pub(crate) async fn the_session_and_its_connections_are_as_they_are(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    add_connections(&*storage, &[connection(1), connection(2), connection(3)]).await?;
    let mut work = storage.write().await?;
    let mut asking = session(1);
    asking.connection_ids = [3, 1].map(connection_id).into();
    work.sessions().add(&asking).await?;
    let refused = ConnectionStatus::NeedsReauth;
    work.connections()
        .set_status(connection_id(3), &acme(), 1, refused, at(1))
        .await?;
    work.save().await?;
    let stamp = |number, status| ConnectionStamp {
        id: connection_id(number),
        version: 1,
        status,
    };
    let facts = weigh(&*storage, &query()).await?;
    assert!(!facts.is_closed);
    let mut found = facts.connections;
    found.sort_by_key(|stamp| stamp.id);
    let active = ConnectionStatus::Active;
    assert_eq!(found, [stamp(1, active), stamp(3, refused)]);

    let mut work = storage.write().await?;
    work.connections().remove(connection_id(3), &acme()).await?;
    work.sessions().close(asking.id, &acme(), at(2)).await?;
    work.save().await?;
    let facts = weigh(&*storage, &query()).await?;
    assert!(facts.is_closed);
    assert_eq!(facts.connections, [stamp(1, active)]);
    Ok(())
}

pub(crate) async fn what_does_not_exist_is_not_weighed(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    let unknown = AdmissionQuery {
        session_id: session_id(99),
        ..query()
    };
    let mut work = storage.write().await?;
    assert_eq!(work.admission().weigh(&unknown).await?, None);
    Ok(())
}

pub(crate) async fn every_granted_origin_is_known(storage: Shared) -> Story {
    add_sessions(&*storage).await?;
    assert!(weigh(&*storage, &query()).await?.granted_origins.is_empty());
    let origins = ["http://127.0.0.1:9101", "http://sentry.internal"];
    let mut work = storage.write().await?;
    for (number, origin) in (1..).zip(origins) {
        let grant = EgressGrant {
            id: id(number),
            origin: origin.to_owned(),
            created_at: at(1),
            created_by: "operator".to_owned(),
        };
        assert!(work.egress_grants().add(&grant).await?);
    }
    work.save().await?;
    let mut granted = weigh(&*storage, &query()).await?.granted_origins;
    granted.sort();
    assert_eq!(granted, origins);
    Ok(())
}

pub(crate) async fn concurrent_admissions_respect_a_cap(storage: Shared) -> Story {
    const REQUESTS: u32 = 64;
    const CAP: u64 = 10;
    add_sessions(&*storage).await?;
    let mut requests = tokio::task::JoinSet::new();
    for number in 0..REQUESTS {
        requests.spawn(admit(storage.clone(), 100 + number, CAP));
    }
    let mut admitted = 0;
    while let Some(request) = requests.join_next().await {
        admitted += u64::from(request??);
    }
    assert_eq!(admitted, CAP);
    assert_eq!(weigh(&*storage, &query()).await?.pending, CAP);
    Ok(())
}

/// Adds a pending invocation if the session has fewer than `cap`.
async fn admit(storage: Shared, number: u32, cap: u64) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    let facts = work.admission().weigh(&query()).await?;
    if facts.is_none_or(|facts| facts.pending >= cap) {
        work.cancel().await?;
        return Ok(false);
    }
    let new = invocation(number, Pending);
    work.invocations().add(&new, &request(&new)).await?;
    work.save().await?;
    Ok(true)
}

pub(crate) async fn what_was_reviewed_is_that_of_the_action_and_its_organization(
    storage: Shared,
) -> Story {
    add_sessions(&*storage).await?;
    let facts = weigh(&*storage, &query()).await?;
    assert_eq!(facts.reviewed, None);
    assert_eq!(facts.text_changes, TextChanges::Flag);

    let [asked, other] = ["create_issue", "update_issue"].map(|it| document(it, "A title"));
    let mut work = storage.write().await?;
    let ids = ["create_issue", "update_issue"].map(name::<ActionId>);
    for (organization, source, action, document, risk) in [
        (acme(), "linear", &ids[0], &asked, Risk::Write),
        (acme(), "linear", &ids[1], &other, Risk::Read),
        (acme(), "sentry", &ids[0], &other, Risk::Read),
        (globex(), "linear", &ids[0], &other, Risk::Read),
    ] {
        let review = NewReview {
            action,
            risk,
            document,
        };
        work.reviews()
            .put(&organization, &name(source), &[review], "ann", at(1))
            .await?;
    }
    let minds = TextChanges::RequireApproval;
    work.organizations()
        .set_text_changes(&acme(), minds)
        .await?;
    work.save().await?;
    let facts = weigh(&*storage, &query()).await?;
    let expected = DefinitionStamp {
        digests: asked.digests(),
        risk: Risk::Write,
    };
    assert_eq!(facts.reviewed, Some(expected));
    assert_eq!(facts.text_changes, minds);
    Ok(())
}
