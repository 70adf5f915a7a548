//! Guides of catalogs made for it.

use portcullis_core::action::{ActionDefinition, CredentialChoice, Risk};
use portcullis_core::definition::DefinitionDigests;
use portcullis_core::modes::ModeSource;
use proptest::prelude::*;
use serde_json::json;

use super::*;

fn action(id: &str, mode: Mode, change: impl FnOnce(&mut ActionDefinition)) -> CatalogAction {
    let mut definition = ActionDefinition {
        id: id.parse().unwrap(),
        title: "Title".to_owned(),
        description: "What it does.".to_owned(),
        risk: Risk::Write,
        credential: CredentialChoice::Org,
        params_schema: json!({ "type": "object" }),
        result_schema: None,
        examples: Vec::new(),
    };
    change(&mut definition);
    CatalogAction {
        source: "probe".parse().unwrap(),
        digest: DefinitionDigests::of(&definition).contract,
        definition,
        decision: ModeDecision {
            mode,
            source: ModeSource::OrgDefault,
            risk: Risk::Write,
            drifted: false,
            text_changed: false,
            unknown_value: None,
        },
    }
}

fn with_params(schema: Value) -> CatalogAction {
    action("a", Mode::Allow, |a| a.params_schema = schema)
}

fn guide_of(actions: Vec<CatalogAction>) -> String {
    let catalog = Catalog {
        actions,
        sources: Vec::new(),
    };
    let mut guide = Guide::begin("# Guide\n");
    guide.whole(&summary(&catalog));
    guide.actions(&catalog, &"probe".parse().unwrap());
    guide.end()
}

/// A guide in which everything that a plugin may choose is these words.
fn guide_in_words(words: &str) -> String {
    guide_of(vec![action("a", Mode::Allow, |action| {
        action.title = words.to_owned();
        action.description = format!("{words}\n{words}");
        action.params_schema = json!({
            "type": "object",
            "properties": {
                format!("p{words}"): {
                    "description": words,
                    "enum": [words],
                    "default": words,
                    "items": { "properties": { format!("q{words}"): {} } },
                },
            },
        });
        action.examples = vec![ActionExample {
            title: words.to_owned(),
            params: json!({ "a": words }),
        }];
    })])
}

/// What each line begins, as far as Markdown goes: quotations aside, which hold
/// as many lines as they like.
fn beginnings(guide: &str) -> Vec<&str> {
    let lines = guide.lines().filter(|line| !line.starts_with('>'));
    lines.map(|line| beginning(line.trim_start())).collect()
}

fn beginning(line: &str) -> &str {
    let mut signs = ["#", "- ", "```", "<", "{"].into_iter();
    let found = signs.find(|sign| line.starts_with(sign));
    found.unwrap_or(if line.is_empty() { "" } else { "text" })
}

/// Signs of Markdown and HTML, and what ends lines.
fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        "[ -~]{0,6}",
        "[`~]{1,5}",
        Just("\n".to_owned()),
        Just("\n\n# ".to_owned()),
        Just("\n- ".to_owned()),
        Just("\r\u{2028}\u{85}".to_owned()),
        Just("</li><script>".to_owned()),
        Just("![x](http://x)".to_owned()),
    ];
    prop::collection::vec(piece, 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn words_of_a_plugin_begin_no_part_of_a_guide(words in hostile()) {
        let innocent = guide_in_words("x");
        let guide = guide_in_words(&format!("x{words}"));
        prop_assert_eq!(beginnings(&guide), beginnings(&innocent), "{}", guide);
        let fence = guide.lines().rfind(|line| line.starts_with("```")).unwrap();
        prop_assert_eq!(guide.lines().filter(|line| *line == fence).count(), 1, "{}", guide);
    }
}

#[test]
fn a_title_cannot_begin_a_heading_or_html() {
    let guide = guide_in_words("# <script>");
    assert!(guide.contains("\nTitle: # \\<script>. Risk"), "{guide}");
    assert!(guide.contains("\n> # &lt;script>\n"), "{guide}");
}

#[test]
fn an_example_cannot_leave_its_fence() {
    let guide = guide_of(vec![action("a", Mode::Allow, |action| {
        action.examples = vec![ActionExample {
            title: "```".to_owned(),
            params: json!({ "a": "\n````\n# Mine" }),
        }];
    })]);
    let fence = guide.lines().find(|line| line.ends_with("json")).unwrap();
    assert_eq!(fence, "`````json", "{guide}");
    assert!(guide.ends_with("\n`````\n"), "{guide}");
}

#[test]
fn what_is_refused_is_named_without_its_params() {
    let schema = json!({ "type": "object", "properties": { "secretive": {} } });
    let allowed = guide_of(vec![with_params(schema.clone())]);
    let denied = guide_of(vec![action("a", Mode::Deny, |a| a.params_schema = schema)]);
    assert!(allowed.contains("- `secretive`"), "{allowed}");
    assert!(denied.contains("- Refused: `probe.a`"), "{denied}");
    assert!(!denied.contains("secretive"), "{denied}");
}

#[test]
fn an_action_without_params_says_whether_it_takes_any() {
    let closed = json!({ "type": "object", "additionalProperties": false });
    assert!(guide_of(vec![with_params(closed)]).contains("It takes no params."));
    let open = json!({ "type": "object" });
    assert!(guide_of(vec![with_params(open)]).contains("It names no params."));
}

#[test]
fn an_action_that_needs_too_much_room_is_told_without_its_params() {
    let guide = guide_of(vec![action("a", Mode::Allow, |action| {
        let params = json!({ "a": "x".repeat(MAX_ACTION_BYTES) });
        action.examples = vec![ActionExample {
            title: "Long".to_owned(),
            params,
        }];
    })]);
    assert!(guide.len() < 1_000, "{}", guide.len());
    assert!(
        guide.contains("Its params take too much room here"),
        "{guide}"
    );
}

#[test]
fn a_guide_is_bounded_and_names_what_it_leaves_out() {
    let actions = (0..256).map(|number| {
        action(&format!("action_{number}"), Mode::Allow, |action| {
            action.description = "y".repeat(2_000);
        })
    });
    let guide = guide_of(actions.collect());
    assert!(guide.len() < MAX_GUIDE_BYTES + (8 << 10), "{}", guide.len());
    let (told, left_out) = guide.split_once("\n## Left out\n").unwrap();
    assert!(told.contains("### `probe.action_0`"));
    assert!(!told.contains("### `probe.action_255`"));
    let named = left_out.matches("`probe.action_").count();
    assert_eq!(named, MAX_NAMED, "{left_out}");
    assert!(left_out.contains(" more. `GET "), "{left_out}");
}
