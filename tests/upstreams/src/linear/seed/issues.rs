//! The issues and comments of a fresh fake Linear.

use async_graphql::ID;

use super::{id, minute};
use crate::linear::{
    ids,
    schema::{Comment, Issue},
};

/// Minutes between two issues: a working day, so that they spread over two weeks.
const ISSUE_SPACING_MINUTES: u32 = 24 * 60;

/// What differs between the issues. The rest follows from the position in [`ISSUES`].
struct SeedIssue {
    team: (&'static str, &'static str),
    number: u32,
    title: &'static str,
    description: Option<&'static str>,
    priority: u8,
    state: &'static str,
    assignee: Option<&'static str>,
    project: Option<&'static str>,
    labels: &'static [&'static str],
}

struct SeedComment {
    /// Position of the issue in [`ISSUES`].
    issue: u32,
    user: &'static str,
    body: &'static str,
}

const ENG: (&str, &str) = (ids::TEAM_ENG, "ENG");
const OPS: (&str, &str) = (ids::TEAM_OPS, "OPS");

/// In the order of their creation.
const ISSUES: [SeedIssue; 8] = [
    SeedIssue {
        team: ENG,
        number: 1,
        title: "Checkout fails when the cart holds a gift card",
        description: Some(
            "Paying a cart that holds a gift card and a normal item ends in an error page.\n\n\
             1. Put any item and a 20 EUR gift card into the cart\n2. Pay by card\n\n\
             Expected: one charge for both. A gift card weighs nothing; the shipping quote may be \
             the place to look.",
        ),
        priority: 1,
        state: ids::STATE_ENG_IN_PROGRESS,
        assignee: Some(ids::USER_BRUNO),
        project: Some(ids::PROJECT_CHECKOUT),
        labels: &[ids::LABEL_BUG],
    },
    SeedIssue {
        team: OPS,
        number: 1,
        title: "Disk alert for db-2 fires every night during the backup",
        description: Some(
            "The backup writes its archive next to the data and deletes it after the upload. \
             Usage passes 90 % for about ten minutes, somebody is paged, nothing is wrong.",
        ),
        priority: 2,
        state: ids::STATE_OPS_TODO,
        assignee: Some(ids::USER_CHIYO),
        project: Some(ids::PROJECT_QUIETER_NIGHTS),
        labels: &[ids::LABEL_OPS_ON_CALL, ids::LABEL_IMPROVEMENT],
    },
    SeedIssue {
        team: ENG,
        number: 2,
        title: "Remember the last used shipping address",
        description: Some("Returning customers type the same address again. Offer the last one."),
        priority: 3,
        state: ids::STATE_ENG_TODO,
        assignee: None,
        project: Some(ids::PROJECT_CHECKOUT),
        labels: &[ids::LABEL_FEATURE],
    },
    SeedIssue {
        team: ENG,
        number: 3,
        title: "Search ignores accents in product names",
        description: Some("\"creme brulee\" finds nothing, \"crème brûlée\" finds four products."),
        priority: 3,
        state: ids::STATE_ENG_BACKLOG,
        assignee: None,
        project: None,
        labels: &[ids::LABEL_BUG],
    },
    SeedIssue {
        team: OPS,
        number: 2,
        title: "Rotate the certificates of the internal load balancers",
        description: Some("They expire on 2027-01-15. Last time it took two people an afternoon."),
        priority: 2,
        state: ids::STATE_OPS_IN_PROGRESS,
        assignee: Some(ids::USER_ADA),
        project: None,
        labels: &[],
    },
    SeedIssue {
        team: ENG,
        number: 4,
        title: "Move the price rounding into one function",
        description: None,
        priority: 4,
        state: ids::STATE_ENG_DONE,
        assignee: Some(ids::USER_ADA),
        project: None,
        labels: &[ids::LABEL_IMPROVEMENT],
    },
    SeedIssue {
        team: OPS,
        number: 3,
        title: "Replace the pager rota spreadsheet",
        description: Some("Nobody knows which copy is the right one."),
        priority: 0,
        state: ids::STATE_OPS_CANCELED,
        assignee: None,
        project: Some(ids::PROJECT_QUIETER_NIGHTS),
        labels: &[],
    },
    SeedIssue {
        team: ENG,
        number: 5,
        title: "Show the delivery estimate before the payment step",
        description: Some(
            "Support hears \"I would not have ordered had I known\" several times a week.",
        ),
        priority: 0,
        state: ids::STATE_ENG_BACKLOG,
        assignee: None,
        project: Some(ids::PROJECT_CHECKOUT),
        labels: &[ids::LABEL_FEATURE],
    },
];

/// In the order of their creation.
const COMMENTS: [SeedComment; 4] = [
    SeedComment {
        issue: 0,
        user: ids::USER_CHIYO,
        body: "Three customers wrote in about this since Friday.",
    },
    SeedComment {
        issue: 0,
        user: ids::USER_BRUNO,
        body: "Found it: `quote()` divides by the total weight. A fix is on the way.",
    },
    SeedComment {
        issue: 1,
        user: ids::USER_ADA,
        body: "Can the archive go to the scratch volume instead?",
    },
    SeedComment {
        issue: 4,
        user: ids::USER_CHIYO,
        body: "I can take the staging ones on Thursday.",
    },
];

pub(super) fn issues() -> Vec<Issue> {
    (0..)
        .zip(ISSUES)
        .map(|(position, seed)| issue(position, &seed))
        .collect()
}

pub(super) fn comments() -> Vec<Comment> {
    (0..)
        .zip(COMMENTS)
        .map(|(position, seed)| comment(position, &seed))
        .collect()
}

fn issue(position: u32, seed: &SeedIssue) -> Issue {
    let created_at = minute((position + 1) * ISSUE_SPACING_MINUTES);
    let (team_id, key) = seed.team;
    Issue {
        id: issue_id(position),
        identifier: format!("{key}-{}", seed.number),
        title: seed.title.to_owned(),
        description: seed.description.map(str::to_owned),
        due_date: None,
        label_ids: seed
            .labels
            .iter()
            .map(|label| (*label).to_owned())
            .collect(),
        created_at,
        updated_at: created_at,
        archived_at: None,
        number: seed.number,
        priority: seed.priority,
        estimate: None,
        team_id: id(team_id),
        state_id: id(seed.state),
        assignee_id: seed.assignee.map(id),
        project_id: seed.project.map(id),
        creator_id: id(ids::USER_CHIYO),
    }
}

fn comment(position: u32, seed: &SeedComment) -> Comment {
    // An hour or more after its issue.
    let created_at = minute((seed.issue + 1) * ISSUE_SPACING_MINUTES + (position + 1) * 60);
    Comment {
        id: numbered(ids::COMMENT, position),
        body: seed.body.to_owned(),
        created_at,
        updated_at: created_at,
        issue_id: issue_id(seed.issue),
        user_id: id(seed.user),
    }
}

fn issue_id(position: u32) -> ID {
    numbered(ids::ISSUE, position)
}

/// Positions count from 0, ids from 1.
fn numbered(kind: &str, position: u32) -> ID {
    id(&ids::numbered(kind, position as usize + 1))
}
