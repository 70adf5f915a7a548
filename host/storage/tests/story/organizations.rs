//! Organizations and members.

use portcullis_core::modes::TextChanges;
use portcullis_storage::{ApprovalTimes, Constraint, Error, Member, Organization, Role};

use crate::{
    Story,
    fixture::{Shared, acme, add_organizations, assert_conflict, at, globex, name, organization},
};

pub(crate) async fn an_id_is_taken_once(storage: Shared) -> Story {
    let first = organization("acme");
    let second = Organization {
        name: "Somebody else".to_owned(),
        ..first.clone()
    };
    let mut work = storage.write().await?;
    assert!(work.organizations().add(&first).await?);
    assert!(!work.organizations().add(&second).await?);
    assert_eq!(work.organizations().find(&acme()).await?, Some(first));
    assert_eq!(work.organizations().find(&globex()).await?, None);
    Ok(())
}

pub(crate) async fn organizations_are_listed_by_id(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    assert_eq!(work.organizations().list().await?, []);
    for id in ["b", "c", "a"] {
        work.organizations().add(&organization(id)).await?;
    }
    assert_eq!(
        work.organizations().list().await?,
        ["a", "b", "c"].map(organization)
    );
    Ok(())
}

pub(crate) async fn a_member_has_one_role_which_can_change(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let (ann, bob) = (name("ann"), name("bob"));
    let mut work = storage.write().await?;
    let mut organizations = work.organizations();
    organizations
        .put_member(&acme(), &bob, Role::Member, at(1))
        .await?;
    organizations
        .put_member(&acme(), &ann, Role::Owner, at(2))
        .await?;
    organizations
        .put_member(&acme(), &bob, Role::Admin, at(3))
        .await?;
    let expected = [(ann, Role::Owner, 2), (bob, Role::Admin, 1)];
    assert_eq!(
        organizations.list_members(&acme()).await?,
        expected.map(|(user_id, role, seconds)| Member {
            user_id,
            role,
            created_at: at(seconds),
        })
    );
    Ok(())
}

pub(crate) async fn a_removed_member_has_no_role(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let ann = name("ann");
    let mut work = storage.write().await?;
    let mut organizations = work.organizations();
    organizations
        .put_member(&acme(), &ann, Role::Admin, at(1))
        .await?;
    assert_eq!(
        organizations.find_role(&acme(), &ann).await?,
        Some(Role::Admin)
    );
    assert_eq!(organizations.find_role(&globex(), &ann).await?, None);
    assert!(!organizations.remove_member(&globex(), &ann).await?);
    assert!(organizations.remove_member(&acme(), &ann).await?);
    assert!(!organizations.remove_member(&acme(), &ann).await?);
    assert_eq!(organizations.find_role(&acme(), &ann).await?, None);
    Ok(())
}

pub(crate) async fn a_member_needs_an_organization(storage: Shared) -> Story {
    let mut work = storage.write().await?;
    let refused = work
        .organizations()
        .put_member(&acme(), &name("ann"), Role::Member, at(1))
        .await;
    assert_conflict(&refused, Constraint::Reference);
    Ok(())
}

pub(crate) async fn only_one_at_a_time_holds_an_organization(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut first = storage.write().await?;
    assert!(first.organizations().lock(&acme()).await?);
    assert!(!first.organizations().lock(&name("nobody")).await?);
    let second = tokio::spawn(add_unless_ann_is_owner(storage.clone()));
    first
        .organizations()
        .put_member(&acme(), &name("ann"), Role::Owner, at(1))
        .await?;
    first.save().await?;
    assert!(!second.await??);
    Ok(())
}

pub(crate) async fn several_may_share_an_organization_and_nobody_then_holds_it(
    storage: Shared,
) -> Story {
    add_organizations(&*storage).await?;
    let mut first = storage.write().await?;
    assert!(first.organizations().share(&acme()).await?);
    assert!(!first.organizations().share(&name("nobody")).await?);
    // On SQLite there is one writer, who shares with nobody.
    if !storage.is_exclusive() {
        let mut second = storage.write().await?;
        assert!(second.organizations().share(&acme()).await?);
        second.save().await?;
    }
    let third = tokio::spawn(add_unless_ann_is_owner(storage.clone()));
    first
        .organizations()
        .put_member(&acme(), &name("ann"), Role::Owner, at(1))
        .await?;
    first.save().await?;
    assert!(!third.await??);
    Ok(())
}

pub(crate) async fn an_organization_may_say_how_long_its_requests_wait(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let times = ApprovalTimes {
        interactive_seconds: Some(60),
        automation_seconds: None,
    };
    let mut work = storage.write().await?;
    let mut organizations = work.organizations();
    assert!(organizations.set_approval_times(&acme(), times).await?);
    assert!(
        !organizations
            .set_approval_times(&name("nobody"), times)
            .await?
    );
    let found = organizations.find(&acme()).await?;
    assert_eq!(found.map(|found| found.approval_times), Some(times));
    let other = organizations.find(&globex()).await?;
    assert_eq!(
        other.map(|found| found.approval_times),
        Some(ApprovalTimes::default())
    );
    Ok(())
}

pub(crate) async fn an_organization_says_what_other_words_mean(storage: Shared) -> Story {
    add_organizations(&*storage).await?;
    let mut work = storage.write().await?;
    let mut organizations = work.organizations();
    for text_changes in [TextChanges::RequireApproval, TextChanges::Flag] {
        assert!(
            organizations
                .set_text_changes(&acme(), text_changes)
                .await?
        );
        let found = organizations.find(&acme()).await?;
        assert_eq!(found.map(|found| found.text_changes), Some(text_changes));
        let other = organizations.find(&globex()).await?;
        assert_eq!(
            other.map(|found| found.text_changes),
            Some(TextChanges::Flag)
        );
    }
    let strict = TextChanges::RequireApproval;
    assert!(
        !organizations
            .set_text_changes(&name("nobody"), strict)
            .await?
    );
    Ok(())
}

/// Makes ann a member, but for an owner.
async fn add_unless_ann_is_owner(storage: Shared) -> Result<bool, Error> {
    let mut work = storage.write().await?;
    let mut organizations = work.organizations();
    organizations.lock(&acme()).await?;
    let ann = name("ann");
    if organizations.find_role(&acme(), &ann).await? == Some(Role::Owner) {
        return Ok(false);
    }
    organizations
        .put_member(&acme(), &ann, Role::Member, at(2))
        .await?;
    drop(organizations);
    work.save().await?;
    Ok(true)
}
