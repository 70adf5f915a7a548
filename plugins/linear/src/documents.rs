//! The GraphQL operations, each with the fragments it uses.
//!
//! A test validates all of them against Linear's published schema where a copy of it is at hand.

/// A page of issues.
pub const LIST_ISSUES: &str = concat!(
    include_str!("../graphql/list_issues.graphql"),
    include_str!("../graphql/issue_summary.graphql"),
);

/// One issue with its description, labels, project and comments.
pub const GET_ISSUE: &str = concat!(
    include_str!("../graphql/get_issue.graphql"),
    include_str!("../graphql/issue_summary.graphql"),
    include_str!("../graphql/comment.graphql"),
);

/// Creates an issue.
pub const CREATE_ISSUE: &str = concat!(
    include_str!("../graphql/create_issue.graphql"),
    include_str!("../graphql/issue_summary.graphql"),
);

/// Changes an issue.
pub const UPDATE_ISSUE: &str = concat!(
    include_str!("../graphql/update_issue.graphql"),
    include_str!("../graphql/issue_summary.graphql"),
);

/// Adds a comment to an issue.
pub const ADD_COMMENT: &str = concat!(
    include_str!("../graphql/add_comment.graphql"),
    include_str!("../graphql/comment.graphql"),
);

/// The id of the team with a key.
pub const FIND_TEAM: &str = include_str!("../graphql/find_team.graphql");

#[cfg(test)]
mod tests {
    use std::{
        fs,
        path::{Path, PathBuf},
    };

    use apollo_compiler::{ExecutableDocument, Schema};

    use super::*;

    const ALL: [(&str, &str); 6] = [
        ("list_issues", LIST_ISSUES),
        ("get_issue", GET_ISSUE),
        ("create_issue", CREATE_ISSUE),
        ("update_issue", UPDATE_ISSUE),
        ("add_comment", ADD_COMMENT),
        ("find_team", FIND_TEAM),
    ];

    /// Linear's schema is too large to be kept here. `PORTCULLIS_LINEAR_SCHEMA` says where a copy
    /// is: who sets it wants the documents checked, so a copy that cannot be read is a failure.
    #[expect(
        clippy::disallowed_methods,
        reason = "a test has no configuration to read it from"
    )]
    fn published_schema() -> Option<String> {
        let named = std::env::var_os("PORTCULLIS_LINEAR_SCHEMA").map(PathBuf::from);
        read_schema(named.as_deref())
    }

    #[expect(clippy::disallowed_methods, reason = "a test runs in no sandbox")]
    fn read_schema(named: Option<&Path>) -> Option<String> {
        if let Some(path) = named {
            return Some(fs::read_to_string(path).expect("PORTCULLIS_LINEAR_SCHEMA names a file"));
        }
        let beside =
            PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/linear.graphql");
        fs::read_to_string(beside).ok()
    }

    #[test]
    #[should_panic(expected = "PORTCULLIS_LINEAR_SCHEMA names a file")]
    fn a_schema_that_is_named_and_cannot_be_read_is_a_failure() {
        read_schema(Some(Path::new("no/such.graphql")));
    }

    #[test]
    fn every_document_is_valid_against_the_published_schema() {
        let Some(source) = published_schema() else {
            println!(
                "skipped: there is no copy of Linear's schema; set PORTCULLIS_LINEAR_SCHEMA to its path"
            );
            return;
        };
        let schema =
            Schema::parse_and_validate(source, "linear.graphql").expect("the schema is valid");

        for (name, document) in ALL {
            if let Err(problems) = ExecutableDocument::parse_and_validate(&schema, document, name) {
                panic!("{name} is not valid:\n{}", problems.errors);
            }
        }
    }
}
