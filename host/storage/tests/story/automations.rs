//! Automations.

use portcullis_storage::{Automation, Constraint};

use crate::{
    Story,
    fixture::{Shared, acme, add_organizations, assert_conflict, at, globex, id},
};

fn automation(number: u32, created_at: i64) -> Automation {
    Automation {
        id: id(number),
        organization_id: acme(),
        name: format!("Automation {number}"),
        created_at: at(created_at),
    }
}

pub(crate) async fn an_automation_is_found_only_in_its_organization(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let nightly = automation(1, 1);
    let mut work = storage.write().await?;
    let mut automations = work.automations();
    automations.add(&nightly).await?;
    assert_eq!(automations.find(id(1), &globex()).await?, None);
    assert_eq!(automations.find(id(2), &acme()).await?, None);
    assert_eq!(automations.find(id(1), &acme()).await?, Some(nightly));
    Ok(())
}

pub(crate) async fn automations_are_listed_oldest_first(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let (old, new) = (automation(2, 1), automation(1, 2));
    let mut work = storage.write().await?;
    let mut automations = work.automations();
    automations.add(&new).await?;
    automations.add(&old).await?;
    assert_eq!(automations.list(&acme()).await?, [old, new]);
    assert_eq!(automations.list(&globex()).await?, []);
    Ok(())
}

pub(crate) async fn an_id_is_taken_once(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    work.automations().add(&automation(1, 1)).await?;
    let refused = work.automations().add(&automation(1, 2)).await;
    assert_conflict(&refused, Constraint::Id);
    Ok(())
}
