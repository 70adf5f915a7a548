//! Stories of the record.

use portcullis_core::audit::AuditKind;
use portcullis_storage::{AuditCheckpoint, AuditEntry, AuditLink};

use crate::Story;
use crate::fixture::{Shared, acme, at, event, sealed};

fn link(position: i64, number: u32) -> AuditLink {
    AuditLink {
        position,
        event_id: event(number).event.id.to_string(),
        mac: vec![9],
    }
}

fn checkpoint(position: i64) -> AuditCheckpoint {
    AuditCheckpoint {
        chain: "acme".to_owned(),
        position,
        mac: vec![1],
        at: 7,
        seal: vec![2],
    }
}

async fn add_events(storage: &Shared, numbers: &[u32]) -> Story {
    let mut work = storage.write().await?;
    for number in numbers {
        work.audit().add(&event(*number)).await?;
    }
    Ok(work.save().await?)
}

pub(crate) async fn an_event_waits_until_it_has_its_place(storage: Shared) -> Story {
    add_events(&storage, &[1, 2]).await?;
    let mut work = storage.write().await?;
    let mut audit = work.audit();
    assert_eq!(audit.chains_waiting(10).await?, ["acme"]);
    let waiting = audit.waiting("acme", 10).await?;
    let AuditEntry { event, mac, .. } = event(1);
    let [first, _second] = waiting.as_slice() else {
        return Err(format!("{waiting:?}").into());
    };
    assert_eq!(first.id, event.id.to_string());
    assert_eq!(first.kind, event.kind.as_str());
    assert_eq!(first.subject, event.subject.as_str());
    assert_eq!(first.time()?, at(7));
    assert_eq!(first.mac, mac);
    audit.link("acme", &[link(1, 1), link(2, 2)]).await?;
    assert_eq!(audit.waiting("acme", 10).await?, []);
    assert_eq!(audit.chains_waiting(10).await?, [""; 0]);
    assert_eq!(audit.strays("", 10).await?, []);
    Ok(())
}

pub(crate) async fn a_chain_reads_back_in_order_with_its_events(storage: Shared) -> Story {
    add_events(&storage, &[1, 2]).await?;
    let mut work = storage.write().await?;
    let links = [link(2, 1), link(1, 2), link(3, 7)];
    work.audit().link("acme", &links).await?;
    let linked = work.audit().linked("acme", 1, 10).await?;
    let [first, second] = linked.as_slice() else {
        return Err(format!("{linked:?}").into());
    };
    assert_eq!(first.link, link(2, 1));
    assert!(first.event.is_some());
    assert_eq!(second.link, link(3, 7));
    assert_eq!(second.event, None, "there is no such event");
    assert_eq!(work.audit().chains().await?, ["acme"]);
    Ok(())
}

pub(crate) async fn a_checkpoint_only_advances(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    assert_eq!(work.audit().lock_checkpoint("acme").await?, None);
    work.audit().begin_chain(&checkpoint(0)).await?;
    work.audit().begin_chain(&checkpoint(9)).await?;
    let held = work.audit().lock_checkpoint("acme").await?;
    assert_eq!(held, Some(checkpoint(0)));
    work.audit().advance(&checkpoint(3)).await?;
    assert_eq!(work.audit().checkpoints().await?, [checkpoint(3)]);
    work.save().await?;
    let mut work = storage.write().await?;
    assert!(work.audit().advance(&checkpoint(3)).await.is_err());
    Ok(())
}

pub(crate) async fn what_is_dismissed_is_a_stray(storage: Shared) -> Story {
    add_events(&storage, &[1, 2]).await?;
    let mut work = storage.write().await?;
    let id = event(1).event.id.to_string();
    work.audit().dismiss(&[id.as_str()]).await?;
    let strays = work.audit().strays("", 10).await?;
    let ids: Vec<_> = strays.iter().map(|stray| stray.id.as_str()).collect();
    assert_eq!(ids, [id.as_str()]);
    // A place before the first is none.
    work.audit().link("acme", &[link(0, 1)]).await?;
    assert_eq!(work.audit().strays("", 10).await?.len(), 1);
    assert_eq!(work.audit().strays(&id, 10).await?, []);
    Ok(())
}

pub(crate) async fn the_latest_of_a_kind_is_found(storage: Shared) -> Story {
    let mut later = event(2);
    later.event.at = at(8);
    let mut other = event(3);
    other.event.at = at(9);
    other.event.kind = AuditKind::InvocationEndedLate;
    let mut work = storage.write().await?;
    for entry in [&event(1), &later, &other] {
        work.audit().add(entry).await?;
    }
    let subject = later.event.subject.as_str();
    let found = work
        .audit()
        .latest(subject, later.event.kind.as_str())
        .await?;
    assert_eq!(
        found.map(|event| event.id),
        Some(later.event.id.to_string())
    );
    assert_eq!(work.audit().latest("session:1", "mode.set").await?, None);
    Ok(())
}

pub(crate) async fn there_is_one_key(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    let mut audit = work.audit();
    assert_eq!(audit.find_key("1").await?, None);
    assert!(audit.add_key("1", &acme(), &sealed(b"k"), at(0)).await?);
    assert!(
        !audit
            .add_key("1", &acme(), &sealed(b"other"), at(0))
            .await?
    );
    assert_eq!(audit.find_key("1").await?, Some(sealed(b"k")));
    Ok(())
}

pub(crate) async fn what_waits_is_read_in_pages(storage: Shared) -> Story {
    let mut later = event(1);
    later.event.at = at(8);
    let mut work = storage.write().await?;
    for entry in [&later, &event(2), &event(3)] {
        work.audit().add(entry).await?;
    }
    let (mut moment, mut id) = (i64::MIN, String::new());
    let mut ids = Vec::new();
    while let Some(next) = (work.audit())
        .waiting_after("acme", moment, &id, 1)
        .await?
        .pop()
    {
        (moment, id) = (next.at, next.id.clone());
        ids.push(next.id);
    }
    assert_eq!(
        ids,
        [2, 3, 1].map(|number| event(number).event.id.to_string())
    );
    assert_eq!(work.audit().waiting_after("", i64::MIN, "", 1).await?, []);
    Ok(())
}

pub(crate) async fn the_queue_tells_where_an_event_is_to_have_its_place(storage: Shared) -> Story {
    add_events(&storage, &[1, 2]).await?;
    let mut work = storage.write().await?;
    let queued = work.audit().queued("", 10).await?;
    let [first, second] = queued.as_slice() else {
        return Err(format!("{queued:?}").into());
    };
    assert_eq!(first.event_id, event(1).event.id.to_string());
    assert_eq!((first.chain.as_str(), first.position), ("acme", None));
    assert_eq!(first.event, work.audit().waiting("acme", 1).await?.pop());
    let rest = work.audit().queued(&first.event_id, 1).await?;
    assert_eq!(rest.as_slice(), std::slice::from_ref(second));
    Ok(())
}
