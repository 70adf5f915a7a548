//! The plugin that is shipped, as the host sees it.

use crate::harness::{Guest, linear};

#[tokio::test]
async fn linear_can_do_what_its_readme_says_and_no_more() {
    let plugin = Guest::load(linear(), |_| {}).await.unwrap().plugin;
    assert_eq!(plugin.descriptor().id.as_str(), "linear");
    assert_eq!(
        plugin.capabilities(),
        [
            "call https://api.linear.app POST /graphql",
            "log",
            "read the clock",
        ]
    );
    let actions = plugin.actions().iter();
    let actions: Vec<_> = actions.map(|a| a.definition.id.as_str()).collect();
    assert_eq!(
        actions,
        [
            "list_issues",
            "get_issue",
            "create_issue",
            "update_issue",
            "add_comment",
        ]
    );
}
