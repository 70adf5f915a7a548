//! Granted origins.

use portcullis_storage::{Constraint, EgressGrant};

use crate::{
    Story,
    fixture::{Shared, assert_conflict, at, id},
};

fn grant(number: u32, origin: &str) -> EgressGrant {
    EgressGrant {
        id: id(number),
        origin: origin.to_owned(),
        created_at: at(i64::from(number)),
        created_by: "operator".to_owned(),
    }
}

pub(crate) async fn an_origin_is_granted_once(storage: Shared) -> Story {
    let first = grant(1, "http://127.0.0.1:9101");
    let mut work = storage.write().await?;
    let mut grants = work.egress_grants();
    assert!(grants.add(&first).await?);
    assert!(!grants.add(&grant(2, &first.origin)).await?);
    assert_eq!(grants.list().await?, std::slice::from_ref(&first));
    assert_eq!(
        grants.find_by_origin(&first.origin).await?,
        Some(first.clone())
    );
    assert_eq!(grants.find_by_origin("http://127.0.0.1").await?, None);
    Ok(())
}

pub(crate) async fn an_id_is_taken_once(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    let mut grants = work.egress_grants();
    grants.add(&grant(1, "http://a.internal")).await?;
    let refused = grants.add(&grant(1, "http://b.internal")).await;
    assert_conflict(&refused, Constraint::Id);
    Ok(())
}

pub(crate) async fn a_grant_can_be_withdrawn(storage: Shared) -> Story {
    let (a, b) = (grant(2, "http://a.internal"), grant(1, "http://b.internal"));
    let mut work = storage.write().await?;
    let mut grants = work.egress_grants();
    grants.add(&b).await?;
    grants.add(&a).await?;
    assert_eq!(
        grants.origins().await?,
        ["http://a.internal", "http://b.internal"]
    );
    assert!(grants.remove(a.id).await?);
    assert!(!grants.remove(a.id).await?);
    assert_eq!(grants.list().await?, [b]);
    Ok(())
}
