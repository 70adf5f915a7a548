//! Units of work.

use portcullis_storage::Error;

use crate::{
    Story,
    fixture::{Shared, acme, organization},
};

async fn acme_exists(storage: &Shared) -> Result<bool, Error> {
    let mut work = storage.read().await?;
    let found = work.organizations().find(&acme()).await?;
    work.save().await?;
    Ok(found.is_some())
}

pub(crate) async fn writes_are_seen_inside_before_they_are_saved(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    work.organizations().add(&organization("acme")).await?;
    assert!(work.organizations().find(&acme()).await?.is_some());
    assert!(!acme_exists(&storage).await?);
    work.save().await?;
    assert!(acme_exists(&storage).await?);
    Ok(())
}

pub(crate) async fn cancelling_rolls_back(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    work.organizations().add(&organization("acme")).await?;
    work.cancel().await?;
    assert!(!acme_exists(&storage).await?);
    Ok(())
}

pub(crate) async fn dropping_rolls_back(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    work.organizations().add(&organization("acme")).await?;
    drop(work);
    // The next writer begins after the rollback.
    let mut work = storage.write().await?;
    assert_eq!(work.organizations().list().await?, []);
    Ok(())
}

pub(crate) async fn a_reader_cannot_write(storage: Shared) -> Story {
    let mut work = storage.read().await?;
    let refused = work.organizations().add(&organization("acme")).await;
    assert!(matches!(refused, Err(Error::Database { .. })));
    work.cancel().await?;
    assert!(!acme_exists(&storage).await?);
    Ok(())
}

pub(crate) async fn a_reader_sees_one_state(storage: Shared) -> Story {
    let mut reader = storage.read().await?;
    assert_eq!(reader.organizations().list().await?, []);
    let mut writer = storage.write().await?;
    writer.organizations().add(&organization("acme")).await?;
    writer.save().await?;
    assert_eq!(reader.organizations().list().await?, []);
    reader.cancel().await?;
    assert!(acme_exists(&storage).await?);
    Ok(())
}

pub(crate) async fn a_storage_answers_until_it_is_closed(storage: Shared) -> Story {
    storage.ping().await?;
    storage.close().await;
    assert!(storage.ping().await.is_err());
    assert!(storage.read().await.is_err());
    assert!(storage.write().await.is_err());
    Ok(())
}
