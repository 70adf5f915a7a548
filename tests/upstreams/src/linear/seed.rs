//! What a fresh fake Linear holds: two teams with their states and a project each, three users,
//! four labels, eight issues, four comments.
//!
//! Times are minutes after [`START`]; everything lies before the first time of the default
//! [`TimeSource`](crate::TimeSource), so what a test creates comes first in every listing.

mod issues;

use async_graphql::ID;
use jiff::{SignedDuration, Timestamp};

use super::{
    ids,
    scalars::DateTime,
    schema::{IssueLabel, Project, Team, User, WorkflowState},
    workspace::Workspace,
};

/// 2026-11-02T09:00:00Z.
const START: Timestamp = Timestamp::constant(1_793_610_000, 0);

/// Name, type and colour of the states every team has, in the order of the board.
const STATES: [(&str, &str, &str); 5] = [
    ("Backlog", "backlog", "#bec2c8"),
    ("Todo", "unstarted", "#e2e2e2"),
    ("In Progress", "started", "#f2c94c"),
    ("Done", "completed", "#5e6ad2"),
    ("Canceled", "canceled", "#95a2b3"),
];

const ENG_STATES: [&str; 5] = [
    ids::STATE_ENG_BACKLOG,
    ids::STATE_ENG_TODO,
    ids::STATE_ENG_IN_PROGRESS,
    ids::STATE_ENG_DONE,
    ids::STATE_ENG_CANCELED,
];

const OPS_STATES: [&str; 5] = [
    ids::STATE_OPS_BACKLOG,
    ids::STATE_OPS_TODO,
    ids::STATE_OPS_IN_PROGRESS,
    ids::STATE_OPS_DONE,
    ids::STATE_OPS_CANCELED,
];

pub(crate) fn workspace() -> Workspace {
    let states = states(ids::TEAM_ENG, ENG_STATES).chain(states(ids::TEAM_OPS, OPS_STATES));
    Workspace {
        users: users(),
        teams: teams(),
        states: states.collect(),
        labels: labels(),
        projects: projects(),
        issues: issues::issues(),
        comments: issues::comments(),
        last_sync_id: 0,
    }
}

fn id(text: &str) -> ID {
    ID::from(text)
}

fn minute(minutes: u32) -> DateTime {
    DateTime(START + SignedDuration::from_mins(i64::from(minutes)))
}

fn users() -> Vec<User> {
    let user = |minutes, user_id, name: &str, display_name: &str, admin| User {
        id: id(user_id),
        name: name.to_owned(),
        display_name: display_name.to_owned(),
        email: format!("{display_name}@acme.example"),
        active: true,
        admin,
        created_at: minute(minutes),
        updated_at: minute(minutes),
    };
    vec![
        user(0, ids::USER_ADA, "Ada Okafor", "ada", true),
        user(1, ids::USER_BRUNO, "Bruno Lindqvist", "bruno", false),
        user(2, ids::USER_CHIYO, "Chiyo Tanaka", "chiyo", false),
    ]
}

fn teams() -> Vec<Team> {
    let team = |minutes, team_id, key: &str, name: &str, default_state_id| Team {
        id: id(team_id),
        key: key.to_owned(),
        name: name.to_owned(),
        display_name: name.to_owned(),
        description: None,
        timezone: "Europe/Stockholm".to_owned(),
        created_at: minute(minutes),
        updated_at: minute(minutes),
        default_state_id: id(default_state_id),
    };
    vec![
        team(
            3,
            ids::TEAM_ENG,
            "ENG",
            "Engineering",
            ids::STATE_ENG_BACKLOG,
        ),
        team(
            4,
            ids::TEAM_OPS,
            "OPS",
            "Operations",
            ids::STATE_OPS_BACKLOG,
        ),
    ]
}

fn states(
    team_id: &'static str,
    state_ids: [&'static str; 5],
) -> impl Iterator<Item = WorkflowState> {
    let state =
        move |(position, (state_id, (name, kind, color))): (u32, (&str, (&str, &str, &str)))| {
            WorkflowState {
                id: id(state_id),
                name: name.to_owned(),
                kind: kind.to_owned(),
                color: color.to_owned(),
                position: f64::from(position),
                created_at: minute(5 + position),
                updated_at: minute(5 + position),
                team_id: id(team_id),
            }
        };
    (0..).zip(state_ids.into_iter().zip(STATES)).map(state)
}

fn labels() -> Vec<IssueLabel> {
    let label = |minutes, label_id, name: &str, color: &str, team_id: Option<&str>| IssueLabel {
        id: id(label_id),
        name: name.to_owned(),
        color: color.to_owned(),
        created_at: minute(minutes),
        updated_at: minute(minutes),
        team_id: team_id.map(id),
    };
    vec![
        label(10, ids::LABEL_BUG, "Bug", "#eb5757", None),
        label(11, ids::LABEL_FEATURE, "Feature", "#bb87fc", None),
        label(12, ids::LABEL_IMPROVEMENT, "Improvement", "#4ea7fc", None),
        label(
            13,
            ids::LABEL_OPS_ON_CALL,
            "On-call",
            "#f2994a",
            Some(ids::TEAM_OPS),
        ),
    ]
}

fn projects() -> Vec<Project> {
    let project =
        |minutes, project_id, name: &str, description: &str, slug: &str, team_id| Project {
            id: id(project_id),
            name: name.to_owned(),
            description: description.to_owned(),
            color: "#5e6ad2".to_owned(),
            slug_id: slug.to_owned(),
            created_at: minute(minutes),
            updated_at: minute(minutes),
            team_id: id(team_id),
        };
    vec![
        project(
            14,
            ids::PROJECT_CHECKOUT,
            "Checkout rewrite",
            "One checkout for web and mobile.",
            "checkout-rewrite",
            ids::TEAM_ENG,
        ),
        project(
            15,
            ids::PROJECT_QUIETER_NIGHTS,
            "Quieter nights",
            "Half as many pages outside office hours by the end of the quarter.",
            "quieter-nights",
            ids::TEAM_OPS,
        ),
    ]
}
