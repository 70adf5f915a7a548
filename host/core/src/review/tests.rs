//! What is told of what was reviewed.

use proptest::collection::btree_map;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::action::{ActionDefinition, CredentialChoice, Risk};

/// An action with params and words of its own.
fn snapshot(id: &ActionId, params: u8, words: u8) -> Snapshot {
    let document = DefinitionDocument::of(&ActionDefinition {
        id: id.clone(),
        title: format!("Title {words}"),
        description: String::new(),
        risk: Risk::Read,
        credential: CredentialChoice::Org,
        params_schema: json!({ "type": "object", "maxProperties": params }),
        result_schema: None,
        examples: Vec::new(),
    });
    Snapshot {
        digests: document.digests(),
        document: Some(document),
    }
}

fn id(text: &str) -> ActionId {
    text.parse().unwrap()
}

fn of(actions: &[(&str, u8, u8)]) -> Snapshots {
    let snapshot =
        |(name, params, words): &(&str, u8, u8)| (id(name), snapshot(&id(name), *params, *words));
    actions.iter().map(snapshot).collect()
}

#[track_caller]
fn check(reviewed: &[(&str, u8, u8)], listed: &[(&str, u8, u8)], expected: &[&str]) {
    let statuses = compare(&of(reviewed), &of(listed), true);
    let shown = |(id, status): (&ActionId, &ReviewStatus)| match status {
        ReviewStatus::Renamed { from } => format!("{id} renamed from {from}"),
        status => format!("{id} {}", status.as_str()),
    };
    assert_eq!(statuses.iter().map(shown).collect::<Vec<_>>(), expected);
}

#[test]
fn each_action_has_a_status() {
    check(
        &[("a", 1, 1), ("b", 1, 1), ("c", 1, 1), ("d", 2, 1)],
        &[("a", 1, 1), ("b", 1, 2), ("c", 3, 1), ("e", 4, 1)],
        &[
            "a unchanged",
            "b text_changed",
            "c changed",
            "d removed",
            "e new",
        ],
    );
}

#[test]
fn a_new_action_that_is_called_as_one_that_is_gone_was_renamed() {
    check(
        &[("a", 1, 1), ("z", 9, 1)],
        &[("b", 1, 1), ("z", 9, 1)],
        &["a removed", "b renamed from a", "z unchanged"],
    );
    check(
        &[("a", 1, 1)],
        &[("b", 1, 2)],
        &["a removed", "b renamed from a"],
    );
    check(&[("a", 1, 1)], &[("b", 2, 1)], &["a removed", "b new"]);
    // One that is still there has no other name.
    check(
        &[("a", 1, 1)],
        &[("a", 1, 1), ("b", 1, 1)],
        &["a unchanged", "b new"],
    );
}

#[test]
fn one_that_is_gone_has_one_new_name_at_most_rather_with_the_same_words() {
    check(
        &[("a", 1, 1)],
        &[("b", 1, 2), ("c", 1, 1), ("d", 1, 1)],
        &["a removed", "b new", "c renamed from a", "d new"],
    );
    check(
        &[("a", 1, 1), ("b", 1, 2)],
        &[("c", 1, 2), ("d", 1, 3)],
        &[
            "a removed",
            "b removed",
            "c renamed from b",
            "d renamed from a",
        ],
    );
}

#[test]
fn without_what_was_kept_nothing_is_known_to_be_renamed() {
    let mut reviewed = of(&[("a", 1, 1)]);
    reviewed.get_mut(&id("a")).unwrap().document = None;
    let statuses = compare(&reviewed, &of(&[("b", 1, 1)]), true);
    assert_eq!(statuses[&id("b")], ReviewStatus::New);
}

fn snapshots() -> impl Strategy<Value = Snapshots> {
    btree_map("[a-e]", (0_u8..3, 0_u8..3), 0..5).prop_map(|actions| {
        let snapshot = |(name, (params, words)): (String, (u8, u8))| {
            (id(&name), snapshot(&id(&name), params, words))
        };
        actions.into_iter().map(snapshot).collect()
    })
}

proptest! {
    #[test]
    fn each_action_is_told_of_once(
        reviewed in snapshots(), listed in snapshots(), complete in any::<bool>(),
    ) {
        let statuses = compare(&reviewed, &listed, complete);
        let all: std::collections::BTreeSet<_> = reviewed.keys().chain(listed.keys()).collect();
        prop_assert_eq!(statuses.keys().collect::<std::collections::BTreeSet<_>>(), all);
        for (id, status) in &statuses {
            let known = (reviewed.get(id).map(|it| it.digests), listed.get(id).map(|it| it.digests));
            let right = match (known, status) {
                ((Some(old), Some(new)), ReviewStatus::Unchanged) => old == new,
                ((Some(old), Some(new)), ReviewStatus::TextChanged) =>
                    old.interface == new.interface && old.contract != new.contract,
                ((Some(old), Some(new)), ReviewStatus::Changed) => old.interface != new.interface,
                ((None, Some(_)), ReviewStatus::New) => true,
                ((None, Some(_)), ReviewStatus::Renamed { from }) =>
                    complete && statuses.get(from) == Some(&ReviewStatus::Removed),
                ((Some(_), None), ReviewStatus::Removed) => complete,
                ((Some(_), None), ReviewStatus::Unknown) => !complete,
                _ => false,
            };
            prop_assert!(right, "{} {:?}", id, status);
        }
    }

    #[test]
    fn no_two_actions_were_one(reviewed in snapshots(), listed in snapshots()) {
        let statuses = compare(&reviewed, &listed, true);
        let former: Vec<_> = statuses.values().filter_map(|status| match status {
            ReviewStatus::Renamed { from } => Some(from),
            _ => None,
        }).collect();
        let distinct: std::collections::BTreeSet<_> = former.iter().collect();
        prop_assert_eq!(distinct.len(), former.len());
    }

    #[test]
    fn what_is_compared_with_itself_is_unchanged(all in snapshots(), complete in any::<bool>()) {
        let statuses = compare(&all, &all, complete);
        prop_assert!(statuses.values().all(|status| *status == ReviewStatus::Unchanged));
    }
}
