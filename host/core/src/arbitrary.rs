//! Generated JSON for property tests.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// Any JSON: keys that mean something to us, escapes, wide and deep values, and
/// now and then a string much longer than the rest.
pub(crate) fn json_value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(5, 96, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Value::Array),
            prop::collection::vec((key(), inner), 0..12)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

/// A value that is no container.
pub(crate) fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        2 => Just(Value::Null),
        2 => any::<bool>().prop_map(Value::from),
        3 => any::<i64>().prop_map(Value::from),
        1 => any::<u64>().prop_map(Value::from),
        2 => any::<f64>().prop_map(Value::from),
        6 => text().prop_map(Value::from),
        1 => ("\\PC{1,4}", 1_usize..600).prop_map(|(part, times)| part.repeat(times).into()),
    ]
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-z ]{0,20}",
        "\\PC{0,12}",
        "[\"\\\\\n\t\u{0}-\u{1f}/é😀]{0,10}"
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "[a-z]{1,6}",
        2 => text(),
        1 => Just("_truncated".to_owned()),
        1 => Just("_omitted".to_owned()),
    ]
}

/// `[[[…]]]`, deeper than any parser would let pass.
pub(crate) fn nested_arrays(levels: usize) -> Value {
    let mut value = Value::Array(Vec::new());
    for _ in 1..levels {
        value = Value::Array(vec![value]);
    }
    value
}

/// `{"p":{"p":{…}}}`.
pub(crate) fn nested_objects(levels: usize) -> Value {
    let mut value = Value::Object(Map::new());
    for _ in 1..levels {
        value = Value::Object(Map::from_iter([("p".to_owned(), value)]));
    }
    value
}
