//! What organizations have reviewed.

use portcullis_core::{
    action::Risk,
    definition::{DefinitionDocument, DefinitionStamp},
    id::{ActionId, ActionKey, OrganizationId, SourceId},
};
use portcullis_storage::{
    ActionReview, Constraint, Error, NewReview, Storage, UnitOfWork, Unreviewed,
};

use crate::{
    Story,
    fixture::{
        Shared, acme, add_connections, add_organizations, assert_conflict, at, connection,
        document, globex, name,
    },
};

fn linear() -> SourceId {
    name("linear")
}

fn create_issue() -> ActionId {
    name("create_issue")
}

/// Reviews `create_issue` of Linear.
async fn put(
    work: &mut dyn UnitOfWork,
    organization: &OrganizationId,
    document: &DefinitionDocument,
) -> Result<(), Error> {
    let review = NewReview {
        action: &create_issue(),
        risk: Risk::Write,
        document,
    };
    work.reviews()
        .put(organization, &linear(), &[review], "ann", at(1))
        .await
}

pub(crate) async fn a_review_reads_back_as_it_was_written(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let documents = ["create_issue", "update_issue"].map(|it| document(it, "é\u{0}"));
    let ids = ["create_issue", "update_issue"].map(name::<ActionId>);
    let mut work = storage.write().await?;
    let reviews: Vec<_> = ids
        .iter()
        .zip(&documents)
        .map(|(action, document)| NewReview {
            action,
            risk: Risk::Danger,
            document,
        })
        .collect();
    let mut repository = work.reviews();
    repository
        .put(&acme(), &linear(), &reviews, "ann", at(3))
        .await?;
    repository
        .put(&acme(), &linear(), &[], "ann", at(4))
        .await?;
    let expected: Vec<_> = ids
        .iter()
        .zip(&documents)
        .map(|(action, document)| ActionReview {
            action: action.clone(),
            stamp: DefinitionStamp {
                digests: document.digests(),
                risk: Risk::Danger,
            },
            document: Some(document.clone()),
            reviewed_by: "ann".to_owned(),
            reviewed_at: at(3),
        })
        .collect();
    assert_eq!(repository.list(&acme(), &linear()).await?, expected);
    let mut stamps = repository.stamps(&acme()).await?;
    stamps.sort_by_key(|(key, _)| key.to_string());
    let stamps: Vec<_> = stamps
        .into_iter()
        .map(|(key, stamp)| (key.to_string(), stamp))
        .collect();
    let expected: Vec<_> = ["linear:create_issue", "linear:update_issue"]
        .into_iter()
        .zip(&expected)
        .map(|(key, review)| (key.to_owned(), review.stamp))
        .collect();
    assert_eq!(stamps, expected);
    Ok(())
}

pub(crate) async fn what_was_reviewed_last_counts(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    // Also when it is what it was before.
    for title in ["First", "Second", "First"] {
        let document = document("create_issue", title);
        put(&mut *work, &acme(), &document).await?;
        let listed = work.reviews().list(&acme(), &linear()).await?;
        let [review] = listed.as_slice() else {
            return Err(format!("{listed:?}").into());
        };
        assert_eq!(review.document.as_ref(), Some(&document));
    }
    Ok(())
}

pub(crate) async fn a_source_is_reviewed_for_the_first_time_once(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    let mut reviews = work.reviews();
    assert!(!reviews.is_begun(&acme(), &linear()).await?);
    assert!(reviews.begin(&acme(), &linear(), "ann", at(1)).await?);
    assert!(!reviews.begin(&acme(), &linear(), "bob", at(2)).await?);
    assert!(reviews.is_begun(&acme(), &linear()).await?);
    assert!(!reviews.is_begun(&acme(), &name("sentry")).await?);
    assert!(!reviews.is_begun(&globex(), &linear()).await?);
    Ok(())
}

pub(crate) async fn reviews_of_organizations_and_sources_do_not_mix(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    put(&mut *work, &acme(), &document("create_issue", "A title")).await?;
    let mut reviews = work.reviews();
    assert_eq!(reviews.list(&globex(), &linear()).await?, []);
    assert_eq!(reviews.list(&acme(), &name("sentry")).await?, []);
    assert_eq!(reviews.stamps(&globex()).await?, []);
    let key = |source| ActionKey {
        source: name(source),
        action: create_issue(),
    };
    assert!(!reviews.remove(&globex(), &key("linear")).await?);
    assert!(!reviews.remove(&acme(), &key("sentry")).await?);
    assert_eq!(reviews.list(&acme(), &linear()).await?.len(), 1);
    Ok(())
}

pub(crate) async fn an_action_can_be_forgotten(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    put(&mut *work, &acme(), &document("create_issue", "A title")).await?;
    let key: ActionKey = name("linear:create_issue");
    let mut reviews = work.reviews();
    assert!(reviews.remove(&acme(), &key).await?);
    assert!(!reviews.remove(&acme(), &key).await?);
    assert_eq!(reviews.list(&acme(), &linear()).await?, []);
    Ok(())
}

async fn unreviewed(
    storage: &dyn Storage,
    by_everybody: bool,
    after: Option<&OrganizationId>,
    limit: u32,
) -> Result<Vec<OrganizationId>, Error> {
    let mut work = storage.read().await?;
    let query = Unreviewed {
        source: &linear(),
        by_everybody,
        after,
        limit,
    };
    work.reviews().unreviewed(query).await
}

pub(crate) async fn those_who_could_have_reviewed_a_source_come_in_pages(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let storage = &*storage;
    assert_eq!(unreviewed(storage, false, None, 9).await?, []);
    assert_eq!(
        unreviewed(storage, true, None, 9).await?,
        [acme(), globex()]
    );
    assert_eq!(unreviewed(storage, true, None, 1).await?, [acme()]);
    assert_eq!(
        unreviewed(storage, true, Some(&acme()), 9).await?,
        [globex()]
    );
    let mut other = connection(2);
    other.organization_id = globex();
    other.provider = name("sentry");
    add_connections(storage, &[connection(1), other]).await?;
    assert_eq!(unreviewed(storage, false, None, 9).await?, [acme()]);
    let mut work = storage.write().await?;
    work.reviews()
        .begin(&acme(), &linear(), "ann", at(1))
        .await?;
    work.save().await?;
    assert_eq!(unreviewed(storage, false, None, 9).await?, []);
    assert_eq!(unreviewed(storage, true, None, 9).await?, [globex()]);
    Ok(())
}

pub(crate) async fn a_review_needs_its_organization(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    let refused = put(&mut *work, &acme(), &document("create_issue", "A title")).await;
    assert_conflict(&refused, Constraint::Reference);
    work.cancel().await?;
    let mut work = storage.write().await?;
    let refused = work.reviews().begin(&acme(), &linear(), "ann", at(1)).await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}
