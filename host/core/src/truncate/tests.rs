//! The promises of truncation, over arbitrary JSON and over the cases that
//! real systems got wrong.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::arbitrary::{json_value, nested_arrays, nested_objects};

/// Cuts, and checks what must hold of everything that is cut.
#[track_caller]
fn cut(value: &Value, max_bytes: usize) -> Value {
    let Truncated { value, truncated } = truncate(value.clone(), max_bytes);
    let text = value.to_string();
    assert!(truncated, "not cut: {text}");
    assert!(text.len() <= max_bytes, "{} bytes: {text}", text.len());
    assert_eq!(value["_truncated"], json!(true));
    assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    value
}

/// True when every value of `cut` is that of `whole`, a head of it, or marked.
fn is_pruned(cut: &Value, whole: &Value, root: bool) -> bool {
    match (cut, whole) {
        (Value::String(head), Value::String(text)) => text.starts_with(head),
        (Value::Array(head), Value::Array(items)) => {
            head.len() <= items.len() && head.iter().zip(items).all(|(c, w)| is_pruned(c, w, false))
        }
        (Value::Object(_), Value::Object(_)) if cut == whole => true,
        (Value::Object(kept), Value::Object(members)) => {
            let ours = |key: &str| key == TRUNCATED || (root && key == OMITTED);
            let mut order = members.keys();
            kept.get(TRUNCATED) == Some(&Value::Bool(true))
                && kept
                    .iter()
                    .filter(|(key, _)| !ours(key))
                    .all(|(key, value)| {
                        order.any(|other| other == key) && is_pruned(value, &members[key], false)
                    })
        }
        _ => cut == whole,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_within_the_limit_passes_unchanged(value in json_value()) {
        let size = value.to_string().len();
        let result = truncate(value.clone(), size);
        prop_assert!(!result.truncated);
        prop_assert_eq!(result.value.to_string(), value.to_string());
    }

    #[test]
    fn what_is_cut_is_marked_within_the_limit_and_a_part_of_the_whole(
        value in json_value(),
        limit in any::<prop::sample::Index>(),
    ) {
        let size = value.to_string().len();
        prop_assume!(size > 19);
        let cut = cut(&value, 19 + limit.index(size - 19));
        let part = match value {
            Value::Object(_) => is_pruned(&cut, &value, true),
            Value::Array(_) => cut.get("items").is_none_or(|c| is_pruned(c, &value, true)),
            _ => cut.get("value").is_none_or(|c| is_pruned(c, &value, true)),
        };
        prop_assert!(part, "{} of {}", cut, value);
    }

    #[test]
    fn cutting_again_changes_nothing(value in json_value(), max_bytes in 0_usize..2_000) {
        let once = truncate(value, max_bytes.max(19));
        let again = truncate(once.value.clone(), max_bytes.max(19));
        prop_assert!(!again.truncated);
        prop_assert_eq!(again.value.to_string(), once.value.to_string());
    }

    #[test]
    fn what_was_left_out_is_told(value in json_value(), max_bytes in 300_usize..3_000) {
        let value = json!([value, {"big": "x".repeat(3_000), "other": value}]);
        let cut = cut(&value, max_bytes);
        let omitted = cut["_omitted"].as_object().unwrap();
        prop_assert!(!omitted.is_empty());
        prop_assert!(omitted.keys().all(|pointer| value.pointer(pointer).is_some()));
    }

    #[test]
    fn small_siblings_survive_a_huge_one_anywhere(
        small in prop::collection::vec(("[a-z]{1,8}", "[a-z]{0,8}"), 0..12),
        position in any::<prop::sample::Index>(),
        path in prop::collection::vec(prop::option::of("n[a-z]{0,7}"), 0..40),
        huge in prop_oneof![
            Just(json!("x".repeat(60_000))),
            Just(json!(vec!["twelve bytes"; 5_000])),
            Just((0..5_000).map(|n| (n.to_string(), json!(n))).collect::<Value>()),
            Just(json!([{"a": {"b": "\u{1}".repeat(20_000)}}])),
        ],
        in_array: bool,
    ) {
        let position = position.index(small.len() + 1);
        let level = if in_array {
            let mut items: Vec<Value> = small.iter().map(|(_, v)| json!(v)).collect();
            items.insert(position, huge);
            Value::Array(items)
        } else {
            let mut members: Vec<_> = small.iter().map(|(k, v)| (format!("s{k}"), json!(v))).collect();
            members.insert(position, ("huge".to_owned(), huge));
            members.into_iter().collect()
        };
        // `None` nests in an array, a name in an object, each beside small values.
        let (mut value, mut pointer) = (level, String::new());
        for step in path {
            value = match &step {
                None => json!([1, value, 2]),
                Some(key) => json!({ "before": true, key: value, "zz": [null] }),
            };
            let token = step.unwrap_or_else(|| "1".to_owned());
            pointer = format!("/{token}{pointer}");
        }
        let cut = cut(&value, MAX_RESULT_BYTES);
        let prefix = if value.is_array() { "/items" } else { "" };
        let kept = cut.pointer(&format!("{prefix}{pointer}")).expect("the path is kept");
        let whole = value.pointer(&pointer).unwrap();
        match (kept, whole) {
            (Value::Array(kept), Value::Array(whole)) => {
                prop_assert_eq!(kept.len(), whole.len());
                for (index, item) in whole.iter().enumerate().filter(|(i, _)| *i != position) {
                    prop_assert_eq!(&kept[index], item);
                }
            }
            (Value::Object(kept), Value::Object(whole)) => {
                for (key, member) in whole.iter().filter(|(key, _)| *key != "huge") {
                    prop_assert_eq!(kept.get(key), Some(member));
                }
                prop_assert!(kept.contains_key("huge"));
            }
            _ => prop_assert!(false, "another kind"),
        }
    }
}

#[test]
fn one_huge_early_key_keeps_the_other_keys() {
    let value = json!({"log": "x".repeat(50_000), "id": 7, "tags": ["a", "b"], "next": null});
    let cut = cut(&value, MAX_RESULT_BYTES);
    assert_eq!(cut["id"], 7);
    assert_eq!(cut["tags"], json!(["a", "b"]));
    assert_eq!(cut["next"], json!(null));
    assert!(cut["log"].as_str().unwrap().len() > 8_000);
    let kept = cut["log"].as_str().unwrap().len();
    assert_eq!(
        cut["_omitted"],
        json!({"/log": format!("string of 50000 bytes, first {kept} kept")})
    );
}

#[test]
fn a_root_that_is_an_array_keeps_its_head_in_items() {
    let value: Value = (0..5_000).map(|n| json!({"n": n, "t": "title"})).collect();
    let cut = cut(&value, MAX_RESULT_BYTES);
    let items = cut["items"].as_array().unwrap();
    assert!(items.len() > 300, "{}", items.len());
    assert!(
        items
            .iter()
            .zip(value.as_array().unwrap())
            .all(|(c, w)| c == w)
    );
    let what = format!("{} of 5000 items kept", items.len());
    assert_eq!(cut["_omitted"], json!({ "": what }));
}

#[test]
fn a_root_that_is_text_keeps_its_head_in_value() {
    let cut = cut(&json!("é".repeat(20_000)), MAX_RESULT_BYTES);
    let head = cut["value"].as_str().unwrap();
    assert!(head.len() > 9_000 && head.chars().all(|c| c == 'é'));
}

#[test]
fn text_is_cut_between_characters_and_escapes() {
    for part in ["😀", "\u{1}", "\"", "a😀\u{1f}é\\"] {
        let value = json!({ "t": part.repeat(9_000) });
        for max_bytes in 200..260 {
            let cut = cut(&value, max_bytes);
            assert!(
                value["t"]
                    .as_str()
                    .unwrap()
                    .starts_with(cut["t"].as_str().unwrap())
            );
        }
    }
}

#[test]
fn text_is_not_cut_within_the_mark_of_a_secret() {
    let text = format!("{}[REDACTED] {}", "x".repeat(120), "y".repeat(500));
    let mut heads = std::collections::BTreeSet::new();
    for max_bytes in 100..400 {
        let cut = cut(&json!({ "t": text }), max_bytes);
        heads.insert(cut["t"].as_str().unwrap().to_owned());
    }
    assert!(heads.contains(&"x".repeat(120)), "{heads:?}");
    for head in heads {
        let rest = head.trim_start_matches('x');
        assert!(rest.is_empty() || rest.starts_with("[REDACTED]"), "{head}");
    }
    // What only begins like it is text as any other.
    let text = format!("{}[REDACT] {}", "x".repeat(120), "y".repeat(500));
    let within = (100..400).any(|max_bytes| {
        let cut = cut(&json!({ "t": text }), max_bytes);
        cut["t"].as_str().unwrap().ends_with("[RED")
    });
    assert!(within);
}

/// Rows of a listing.
fn rows(count: usize) -> Value {
    (0..count)
        .map(|n| json!({ "id": n, "title": "A title", "body": "z".repeat(40) }))
        .collect()
}

/// Values that grow with a number, each in another way.
const GROWING: [fn(usize) -> Value; 8] = [
    |n| json!("x\u{1}".repeat(n)),
    |n| (0..n).collect(),
    |n| (0..n).map(|n| (format!("key {n:09}"), json!(1))).collect(),
    |n| rows(n / 4),
    |n| json!({ "rows": rows(n / 4), "log": "x".repeat(n) }),
    |n| json!(vec![vec!["x".repeat(n / 5); 5]; 5]),
    nested_arrays,
    nested_objects,
];

#[test]
fn twice_the_value_is_twice_the_work() {
    // What the result holds takes the same work, however large the value is.
    const FOR_THE_RESULT: usize = 200_000;
    let work = |value| work::count(|| json::discard(truncate(value, MAX_RESULT_BYTES).value));
    for (shape, growing) in GROWING.into_iter().enumerate() {
        let once = work(growing(100_000));
        let twice = work(growing(200_000));
        assert!(once >= 100_000, "shape {shape}: {once} steps");
        assert!(
            twice <= 2 * once + FOR_THE_RESULT,
            "shape {shape}: {once} steps, and {twice} of twice as much"
        );
    }
}

#[test]
fn our_markers_win_over_those_of_the_payload() {
    let value = json!({
        "_truncated": false, "_omitted": "no", "big": "x".repeat(20_000),
        "inner": {"_truncated": false, "_omitted": "stays", "big": "x".repeat(20_000)},
        "whole": {"_truncated": false}
    });
    let cut = cut(&value, MAX_RESULT_BYTES);
    assert!(cut["_omitted"].is_object());
    assert_eq!(cut["inner"]["_truncated"], true);
    assert_eq!(cut["inner"]["_omitted"], "stays");
    assert_eq!(cut["whole"], json!({"_truncated": false}));
}

#[test]
fn objects_on_the_way_to_a_cut_are_marked_and_arrays_are_not() {
    let value = json!({"a": {"list": [{"big": "x".repeat(20_000)}, 1]}, "b": {"id": 1}});
    let cut = cut(&value, MAX_RESULT_BYTES);
    assert_eq!(cut["a"]["_truncated"], true);
    assert_eq!(cut["a"]["list"][0]["_truncated"], true);
    assert_eq!(cut["a"]["list"][1], 1);
    assert_eq!(cut["b"], json!({"id": 1}));
}

#[test]
fn a_listing_keeps_every_row_s_small_values() {
    let rows: Vec<Value> = (0..20)
        .map(|n| json!({"id": n, "title": "A title", "body": "x".repeat(4_000)}))
        .collect();
    let cut = cut(&json!({ "rows": rows, "total": 20 }), MAX_RESULT_BYTES);
    assert_eq!(cut["total"], 20);
    let rows = cut["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 20);
    for (n, row) in rows.iter().enumerate() {
        assert_eq!(row["id"], n);
        assert_eq!(row["title"], "A title");
        assert!(row["body"].as_str().unwrap().len() > 200);
    }
}

#[test]
fn the_limit_is_used() {
    let big = || "x".repeat(8_000);
    let value = json!({"a": big(), "b": [big(), {"c": big()}], "d": {"e": big()}});
    let bytes = cut(&value, MAX_RESULT_BYTES).to_string().len();
    assert!(bytes > MAX_RESULT_BYTES - 1_100, "{bytes}");
}

#[test]
fn of_very_many_members_some_stay_and_the_number_is_told() {
    let value: Value = (0..100_000)
        .map(|n| (format!("key{n}"), json!(n)))
        .collect();
    let cut = cut(&value, MAX_RESULT_BYTES);
    let members = cut.as_object().unwrap().len() - 2;
    assert!(members > 500, "{members}");
    let what = format!("{members} of 100000 keys kept");
    assert_eq!(cut["_omitted"], json!({ "": what }));
}

#[test]
fn a_huge_key_is_left_out() {
    let value = json!({"k".repeat(20_000): 1, "a": 1});
    let cut = cut(&value, MAX_RESULT_BYTES);
    assert_eq!(cut["a"], 1);
    assert_eq!(cut.as_object().unwrap().len(), 3);
}

#[test]
fn tiny_limits_leave_the_marker() {
    for value in [
        json!(vec![1; 100]),
        json!("x".repeat(100)),
        json!({"a": "x".repeat(100)}),
    ] {
        for max_bytes in 0..=19 {
            assert_eq!(
                truncate(value.clone(), max_bytes).value,
                json!({"_truncated": true})
            );
        }
    }
}

#[test]
fn deep_values_do_not_overflow_the_stack() {
    for deep in [nested_arrays(10_000), nested_objects(10_000)] {
        let result = truncate(deep, MAX_RESULT_BYTES);
        assert!(result.truncated);
        assert!(json::serialized_len(&result.value) <= MAX_RESULT_BYTES);
    }
    let whole = truncate(nested_arrays(2_000), MAX_RESULT_BYTES);
    assert!(!whole.truncated);
    json::discard(whole.value);
}
