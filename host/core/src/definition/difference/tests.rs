//! What a difference shows.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::definition::tests::{definition, schemas};

fn of(params: &Value) -> DefinitionDocument {
    DefinitionDocument::of(&definition(params.clone()))
}

/// Each entry as `affects change path before after`.
fn shown(difference: &Difference) -> Vec<String> {
    let shown = |value: &Option<Value>| value.as_ref().map_or("-".to_owned(), Value::to_string);
    let entries = difference.entries.iter();
    entries
        .map(|it| {
            let (before, after) = (shown(&it.before), shown(&it.after));
            format!("{} {} {} {before} {after}", it.affects, it.change, it.path)
        })
        .collect()
}

#[track_caller]
fn check(before: &Value, after: &Value, expected: &[&str]) {
    assert_eq!(shown(&difference(&of(before), &of(after))), expected);
}

#[test]
fn each_part_that_differs_is_named() {
    check(
        &json!({
            "type": "object",
            "properties": {
                "title": { "type": "string", "description": "One line." },
                "projectId": { "type": "string" },
            },
            "required": ["title"],
        }),
        &json!({
            "type": "object",
            "properties": {
                "title": { "type": "integer", "description": "A number." },
                "programId": { "type": "string" },
            },
            "required": ["title", "programId"],
        }),
        &[
            r#"interface added /params/properties/programId - {"type":"string"}"#,
            r#"interface removed /params/properties/projectId {"type":"string"} -"#,
            r#"interface changed /params/properties/title/type "string" "integer""#,
            r#"interface changed /params/required ["title"] ["programId","title"]"#,
            r#"text changed /params/properties/title/description "One line." "A number.""#,
        ],
    );
}

#[test]
fn properties_named_like_words_are_properties() {
    check(
        &json!({ "properties": { "enum": { "enum": ["a"] } } }),
        &json!({ "properties": { "enum": { "enum": ["a", "b"] }, "default": true } }),
        &[
            "interface added /params/properties/default - true",
            r#"text changed /params/properties/enum/enum ["a"] ["a","b"]"#,
        ],
    );
}

#[test]
fn words_of_a_schema_that_is_used_as_data_change_the_interface() {
    let schema = |kind: &str| {
        json!({
            "properties": { "q": { "$ref": "#/default" } },
            "default": { "type": kind },
        })
    };
    check(
        &schema("string"),
        &schema("null"),
        &[r#"interface changed /params/default/type "string" "null""#],
    );
}

#[test]
fn everything_that_people_are_shown_is_compared() {
    let usual = definition(json!({}));
    let mut other = usual.clone();
    other.id = "make_issue".parse().unwrap();
    other.title = "Make issue".to_owned();
    other.risk = crate::action::Risk::Read;
    other.result_schema = None;
    other.examples[0].title = "A defect".to_owned();
    let documents = [usual, other].map(|it| DefinitionDocument::of(&it));
    let expected = [
        r#"interface changed /id "create_issue" "make_issue""#,
        r#"text changed /examples/0/title "A bug" "A defect""#,
        r#"text changed /result {"type":"object"} null"#,
        r#"text changed /risk "write" "read""#,
        r#"text changed /title "Create issue" "Make issue""#,
    ];
    assert_eq!(shown(&difference(&documents[0], &documents[1])), expected);
}

#[test]
fn what_is_shown_is_bounded_and_says_so() {
    let many = |kind: &str| {
        let property = |at: usize| (format!("p{at:03}"), json!({ "type": kind, "title": kind }));
        let properties: Value = (0..100)
            .map(property)
            .collect::<serde_json::Map<_, _>>()
            .into();
        json!({ "properties": properties, "description": kind })
    };
    let found = difference(&of(&many("string")), &of(&many("null")));
    assert_eq!(found.entries.len(), MAX_ENTRIES);
    assert_eq!(found.omitted, 201 - MAX_ENTRIES);
    assert!(
        found
            .entries
            .iter()
            .all(|it| it.affects == Affects::Interface)
    );

    let long = "x".repeat(10_000);
    let huge = json!({ "properties": { long.as_str(): { "const": long } } });
    let found = difference(&of(&json!({})), &of(&huge));
    let entry = &found.entries[0];
    assert!(entry.after.as_ref().unwrap().to_string().len() <= MAX_VALUE_BYTES);
    let deeper = json!({ "properties": { long.as_str(): { "const": 1 } } });
    let found = difference(&of(&huge), &of(&deeper));
    assert!(found.entries[0].path.len() <= MAX_PATH_BYTES + '…'.len_utf8());
    assert!(found.entries[0].path.ends_with('…'));
}

#[test]
fn paths_are_pointers() {
    let [before, after] =
        ["string", "null"].map(|kind| of(&json!({ "properties": { "a/b~c": { "type": kind } } })));
    let found = difference(&before, &after);
    let path = &found.entries[0].path;
    assert_eq!(path, "/params/properties/a~1b~0c/type");
    assert_eq!(
        before.value().pointer(path),
        found.entries[0].before.as_ref()
    );
    assert_eq!(after.value().pointer(path), found.entries[0].after.as_ref());
}

proptest! {
    #[test]
    fn a_difference_says_what_the_digests_say((before, after) in schemas()) {
        let (before, after) = (of(&before), of(&after));
        let (old, new) = (before.digests(), after.digests());
        let found = difference(&before, &after);
        prop_assert_eq!(found.entries.is_empty(), old.contract == new.contract);
        let interface = found.entries.iter().any(|it| it.affects == Affects::Interface);
        prop_assert_eq!(interface, old.interface != new.interface);
    }

    #[test]
    fn backwards_it_is_the_other_way_around((before, after) in schemas()) {
        let (before, after) = (of(&before), of(&after));
        let (forth, back) = (difference(&before, &after), difference(&after, &before));
        let turned = |it: Entry| (it.path, it.after, it.before, it.affects);
        let there: Vec<_> = forth.entries.into_iter()
            .map(|it| (it.path, it.before, it.after, it.affects))
            .collect();
        prop_assert_eq!(there, back.entries.into_iter().map(turned).collect::<Vec<_>>());
    }
}

#[test]
fn of_long_values_what_differs_is_shown() {
    let text = "x".repeat(5_000);
    let names: Vec<String> = (0..500).map(|n| format!("name_{n}")).collect();
    let mut more = names.clone();
    more.push("zz".to_owned());
    let params = |end: &str, names: &[String]| json!({ "type": "object", "title": format!("{text}{end}"), "required": names });
    let (before, after) = (params(" small", &names), params(" large", &more));
    let found = difference(&of(&before), &of(&after));
    let [required, title] = &found.entries[..] else {
        panic!("{found:?}");
    };
    assert_eq!(required.before, Some(json!(["…"])));
    assert_eq!(required.after, Some(json!(["…", "zz"])));
    let context = "x".repeat(CONTEXT_CHARS - " ".len());
    assert_eq!(title.before, Some(json!(format!("…{context} small"))));
    assert_eq!(title.after, Some(json!(format!("…{context} large"))));
}
