//! What the digests notice, and what they do not.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, json};

use super::*;
use crate::action::{ActionExample, CredentialChoice};

pub(super) fn definition(params_schema: Value) -> ActionDefinition {
    ActionDefinition {
        id: "create_issue".parse().unwrap(),
        title: "Create issue".to_owned(),
        description: "Creates an issue in a team.".to_owned(),
        risk: Risk::Write,
        credential: CredentialChoice::PreferUser,
        params_schema,
        result_schema: Some(json!({ "type": "object" })),
        examples: vec![ActionExample {
            title: "A bug".to_owned(),
            params: json!({ "title": "x" }),
        }],
    }
}

fn of(params_schema: &Value) -> DefinitionDigests {
    DefinitionDigests::of(&definition(params_schema.clone()))
}

/// Fails unless both are the same definition.
#[track_caller]
fn check_same(one: &Value, other: &Value) {
    assert_eq!(of(one), of(other), "{one}\n{other}");
}

/// Fails unless the two differ in words alone.
#[track_caller]
fn check_words(one: &Value, other: &Value) {
    assert_eq!(of(one).interface, of(other).interface, "{one}\n{other}");
    assert_ne!(of(one).contract, of(other).contract, "{one}\n{other}");
}

/// Fails unless the two are called differently.
#[track_caller]
fn check_changed(one: &Value, other: &Value) {
    assert_ne!(of(one).interface, of(other).interface, "{one}\n{other}");
    assert_ne!(of(one).contract, of(other).contract, "{one}\n{other}");
}

/// Names of properties that are keywords elsewhere, and two that are not.
const NAMES: [&str; 9] = [
    "description",
    "default",
    "enum",
    "required",
    "properties",
    "const",
    "items",
    "title",
    "teamId",
];

/// Every place where a schema may stand inside another.
fn places(part: &Value) -> Vec<Value> {
    let by_name = [
        "properties",
        "patternProperties",
        "$defs",
        "definitions",
        "dependentSchemas",
    ];
    let listed = ["allOf", "anyOf", "oneOf", "prefixItems"];
    let single = [
        "items",
        "contains",
        "unevaluatedItems",
        "additionalProperties",
        "propertyNames",
        "unevaluatedProperties",
        "not",
        "if",
        "then",
        "else",
        "contentSchema",
    ];
    let by_name = by_name.iter().flat_map(|keyword| {
        let names = NAMES.iter();
        names.map(|name| json!({ *keyword: { *name: part } }))
    });
    let listed = listed
        .iter()
        .map(|keyword| json!({ *keyword: [true, part] }));
    let single = single.iter().map(|keyword| json!({ *keyword: part }));
    let mut places: Vec<_> = by_name.chain(listed).chain(single).collect();
    let deeper = places.iter().map(|place| json!({ "items": place }));
    places.extend(deeper.collect::<Vec<_>>());
    places.push(part.clone());
    places
}

/// Fails unless this holds of both schemas wherever they stand.
#[track_caller]
fn everywhere(one: &Value, other: &Value, check: fn(&Value, &Value)) {
    for (one, other) in places(one).iter().zip(&places(other)) {
        check(one, other);
    }
}

#[test]
fn words_change_the_contract_alone_wherever_they_are_keywords() {
    for (one, other) in [
        (json!({}), json!({ "description": "A name." })),
        (
            json!({ "description": "A." }),
            json!({ "description": "B." }),
        ),
        (
            json!({ "default": 1 }),
            json!({ "default": { "enum": [2] } }),
        ),
        (json!({ "enum": ["a"] }), json!({ "enum": ["a", "b"] })),
        (
            json!({ "type": "string" }),
            json!({ "type": "string", "enum": ["a"] }),
        ),
    ] {
        everywhere(&one, &other, check_words);
    }
}

#[test]
fn everything_else_a_schema_says_changes_the_interface_wherever_it_stands() {
    for (one, other) in [
        (json!({ "type": "string" }), json!({ "type": "integer" })),
        (
            json!({ "type": "string" }),
            json!({ "type": ["string", "null"] }),
        ),
        (json!({ "format": "uuid" }), json!({ "format": "date" })),
        (json!({ "pattern": "^a$" }), json!({ "pattern": "^b$" })),
        (json!({ "const": "a" }), json!({ "const": "b" })),
        (json!({ "minimum": 1 }), json!({ "minimum": 2 })),
        (json!({ "maximum": 1 }), json!({})),
        (json!({ "minLength": 1 }), json!({ "maxLength": 1 })),
        (json!({ "maxItems": 1 }), json!({ "maxItems": 2 })),
        (
            json!({ "uniqueItems": true }),
            json!({ "uniqueItems": false }),
        ),
        (
            json!({ "additionalProperties": false }),
            json!({ "additionalProperties": true }),
        ),
        (json!({ "additionalProperties": false }), json!({})),
        (
            json!({ "required": ["a"] }),
            json!({ "required": ["a", "b"] }),
        ),
        (json!({ "required": ["a"] }), json!({})),
        (
            json!({ "dependentRequired": { "a": ["b"] } }),
            json!({ "dependentRequired": { "a": ["c"] } }),
        ),
        (
            json!({ "$ref": "#/$defs/a" }),
            json!({ "$ref": "#/$defs/b" }),
        ),
        (json!({ "examples": ["a"] }), json!({ "examples": ["b"] })),
        (json!({ "title": "A" }), json!({ "title": "B" })),
        (json!({ "x-unknown": 1 }), json!({ "x-unknown": 2 })),
    ] {
        everywhere(&one, &other, check_changed);
    }
}

#[test]
fn properties_named_like_keywords_are_properties() {
    for name in NAMES {
        let with = json!({ "properties": { name: { "type": "string" } } });
        let retyped = json!({ "properties": { name: { "type": "integer" } } });
        let renamed = json!({ "properties": { "other": { "type": "string" } } });
        everywhere(&json!({ "properties": {} }), &with, check_changed);
        everywhere(&with, &retyped, check_changed);
        everywhere(&with, &renamed, check_changed);
        let worded = json!({ "properties": { name: { "type": "string", "default": "x" } } });
        everywhere(&with, &worded, check_words);
    }
}

#[test]
fn inside_of_data_nothing_is_a_keyword() {
    for holder in ["const", "examples", "x-unknown"] {
        for word in WORDS {
            let schema = |value: u8| json!({ holder: [{ "items": { word: value } }] });
            everywhere(&schema(1), &schema(2), check_changed);
        }
    }
    let constant = |names: [&str; 2]| json!({ "const": { "required": names } });
    everywhere(&constant(["a", "b"]), &constant(["b", "a"]), check_changed);
}

#[test]
fn the_order_of_a_set_is_none() {
    for (one, other) in [
        (
            json!({ "required": ["a", "b"] }),
            json!({ "required": ["b", "a"] }),
        ),
        (
            json!({ "type": ["string", "null"] }),
            json!({ "type": ["null", "string"] }),
        ),
        (
            json!({ "dependentRequired": { "a": ["b", "c"], "d": ["e"] } }),
            json!({ "dependentRequired": { "d": ["e"], "a": ["c", "b"] } }),
        ),
    ] {
        everywhere(&one, &other, check_same);
    }
    let sequence = |types: [&str; 2]| json!({ "prefixItems": types.map(|t| json!({ "type": t })) });
    check_changed(&sequence(["string", "null"]), &sequence(["null", "string"]));
}

#[test]
fn what_a_reference_makes_a_schema_cannot_change_unseen() {
    for pointer in ["/default", "/default/a", "/enum/0", "/properties/p/default"] {
        let schema = |part: Value| {
            let mut schema = json!({
                "properties": { "p": { "default": {} }, "q": { "$ref": format!("#{pointer}") } },
                "default": { "a": {} },
                "enum": [{}],
            });
            *schema.pointer_mut(pointer).unwrap() = part;
            schema
        };
        check_changed(
            &schema(json!({ "type": "string" })),
            &schema(json!({ "type": "null" })),
        );
        check_changed(&schema(json!(true)), &schema(json!(false)));
    }
    // From a place that is no schema either.
    let hidden = |kind: &str| {
        json!({
            "properties": { "p": { "$ref": "#/x-parts/a" } },
            "x-parts": { "a": { "$ref": "#/default" } },
            "default": { "type": kind },
        })
    };
    check_changed(&hidden("string"), &hidden("null"));
    // One that points at a schema changes nothing about words.
    let usual = |words: &str| {
        json!({
            "properties": { "p": { "$ref": "#/$defs/a" }, "q": { "$ref": "#" } },
            "$defs": { "a": { "type": "string", "description": words } },
        })
    };
    check_words(&usual("A."), &usual("B."));
}

#[test]
fn the_id_is_part_of_both_and_what_people_see_of_the_contract() {
    let usual = definition(json!({ "type": "object" }));
    let check = |interface_changes: bool, change: fn(&mut ActionDefinition)| {
        let mut changed = usual.clone();
        change(&mut changed);
        let (before, after) = (
            DefinitionDigests::of(&usual),
            DefinitionDigests::of(&changed),
        );
        assert_eq!(before.interface != after.interface, interface_changes);
        assert_ne!(before.contract, after.contract, "{changed:?}");
    };
    check(true, |it| it.id = "update_issue".parse().unwrap());
    check(false, |it| it.title.push('s'));
    check(false, |it| it.description.clear());
    check(false, |it| it.risk = Risk::Read);
    check(false, |it| it.credential = CredentialChoice::Org);
    check(false, |it| it.result_schema = None);
    check(false, |it| {
        it.result_schema = Some(json!({ "type": "array" }));
    });
    check(false, |it| it.examples.clear());
    check(false, |it| it.examples[0].title.push('s'));
    check(false, |it| it.examples[0].params = json!({}));
}

#[test]
fn the_two_digests_of_a_definition_differ() {
    let digests = of(&json!({ "type": "object" }));
    assert_ne!(digests.interface, digests.contract);
}

/// Digests are compared with stored ones. Whoever changes how they are computed
/// raises the version, and every pinned definition counts as changed.
#[test]
fn digests_stay_what_they_are() {
    const INTERFACE: &str =
        "sha256:c5e547cc6129d3f7b8eb510bd63b814fcaa962267f8a7220bf92de2289e23adc";
    const CONTRACT: &str =
        "sha256:07466a6494f7677b1887a693ed5935f533de9dafc74b9c8b23f96cefa1db8b36";
    let digests = of(&json!({
        "type": "object",
        "properties": { "title": { "type": "string", "description": "One line." } },
        "required": ["title"],
        "additionalProperties": false,
    }));
    assert_eq!(digests.interface.to_string(), INTERFACE);
    assert_eq!(digests.contract.to_string(), CONTRACT);
}

/// What another program makes of the same definition: Python's `hashlib.sha256` over
/// `json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)`, of
/// the interface `{"version": 1, "digest": "interface", "id": …, "params": …}` with
/// stripped params, and of the contract with every part.
#[test]
fn another_implementation_computes_the_same() {
    const INTERFACE: &str =
        "sha256:ef683744d15caed50978af74896974df257bbead374a3ed6f7824bc65732bbd6";
    const CONTRACT: &str =
        "sha256:6a22382cf08eab397ea082ff525d217cb7649f8f4a7370aeef2965b458faf391";
    let digests = of(&json!({
        "properties": {
            "title": { "maxLength": 200, "description": "One line.", "type": "string" },
            "description": { "type": ["string", "null"] },
        },
        "required": ["title", "description"],
        "type": "object",
        "additionalProperties": false,
    }));
    assert_eq!(digests.interface.to_string(), INTERFACE);
    assert_eq!(digests.contract.to_string(), CONTRACT);
}

/// Two schemas that are grown together.
type Twins = (Value, Value);

/// Schemas that are the same but for the order of keys and sets, and for words.
/// With `words` the second has other words than the first, at least one of them.
fn twins(words: bool) -> impl Strategy<Value = Twins> {
    leaf(words).prop_recursive(4, 40, 4, move |inner| {
        prop_oneof![
            object(inner.clone(), words),
            (
                select(&["not", "items", "if", "additionalProperties"][..]),
                inner.clone()
            )
                .prop_map(|(keyword, (a, b))| (json!({ keyword: a }), json!({ keyword: b }))),
            (
                select(&["allOf", "anyOf", "prefixItems"][..]),
                vec(inner, 1..4)
            )
                .prop_map(|(keyword, twins)| {
                    let (a, b): (Vec<_>, Vec<_>) = twins.into_iter().unzip();
                    (json!({ keyword: a }), json!({ keyword: b }))
                }),
        ]
    })
}

fn leaf(words: bool) -> impl Strategy<Value = Twins> {
    let said = (select(&WORDS[..]), "[a-z]{1,4}");
    let kind = select(&["string", "integer", "boolean", "null"][..]);
    let bound = option::of(0_u8..9);
    (kind, bound, said).prop_map(move |(kind, bound, (word, text))| {
        let mut one = json!({ "type": [kind, "array"], "maximum": bound, word: [text] });
        let mut other = json!({ word: [text], "maximum": bound, "type": ["array", kind] });
        if words {
            other[word] = json!([text, "more"]);
        }
        if bound.is_none() {
            for schema in [&mut one, &mut other] {
                schema.as_object_mut().unwrap().remove("maximum");
            }
        }
        (one, other)
    })
}

fn object(inner: impl Strategy<Value = Twins>, words: bool) -> impl Strategy<Value = Twins> {
    let member = (select(&NAMES[..]), inner);
    (select(&["properties", "$defs"][..]), vec(member, 1..4)).prop_map(move |(keyword, members)| {
        let (mut one, mut other) = (Map::new(), Map::new());
        for (name, (a, b)) in members {
            one.insert(name.to_owned(), a);
            other.insert(name.to_owned(), b);
        }
        let required: Vec<_> = one.keys().cloned().collect();
        let turned: Vec<_> = required.iter().rev().cloned().collect();
        let other: Map<_, _> = other.into_iter().rev().collect();
        let described = if words { "Another." } else { "The same." };
        (
            json!({ keyword: one, "required": required, "description": "The same." }),
            json!({ "description": described, "required": turned, keyword: other }),
        )
    })
}

/// Two schemas: the same but for order, or but for words, or others, or one of them
/// with a part changed; now and then with words that a reference makes a schema.
pub(super) fn schemas() -> impl Strategy<Value = Twins> {
    let other = (twins(false), twins(false)).prop_map(|((one, _), (other, _))| (one, other));
    let changed = (twins(false), any::<usize>(), select(&KEYWORDS[..])).prop_map(
        |((one, other), at, (keyword, _, value))| {
            (one, with_keyword(&other, at, keyword, &json!(value)))
        },
    );
    let pair = prop_oneof![twins(false), twins(true), other, changed];
    (pair, any::<bool>()).prop_map(|((one, other), is_data)| {
        if !is_data {
            return (one, other);
        }
        let hidden = |part: Value| {
            json!({ "properties": { "q": { "$ref": "#/default/p" } }, "default": { "p": part } })
        };
        (hidden(one), hidden(other))
    })
}

/// Keywords that say how an action is called, with two values of each. They are in
/// no schema that is generated here, but for `type` and `additionalProperties`.
const KEYWORDS: [(&str, &str, &str); 12] = [
    ("type", "object", "number"),
    ("format", "uuid", "date"),
    ("pattern", "^a", "^b"),
    ("const", "a", "b"),
    ("minimum", "1", "2"),
    ("exclusiveMaximum", "1", "2"),
    ("multipleOf", "1", "2"),
    ("maxLength", "1", "2"),
    ("minItems", "1", "2"),
    ("maxProperties", "1", "2"),
    ("additionalProperties", "1", "2"),
    ("$ref", "#/$defs/a", "#/$defs/b"),
];

/// The schema with this keyword in one of its parts.
fn with_keyword(schema: &Value, at: usize, keyword: &str, value: &Value) -> Value {
    let mut schema = schema.clone();
    let mut objects = 0;
    subschemas::for_each(&mut schema, |part| objects += usize::from(part.is_object()));
    let mut left = at % objects.max(1);
    let mut is_done = false;
    subschemas::for_each(&mut schema, |part| {
        if let Value::Object(keywords) = part
            && !is_done
        {
            if left == 0 {
                keywords.insert(keyword.to_owned(), value.clone());
                is_done = true;
            }
            left = left.wrapping_sub(1);
        }
    });
    schema
}

proptest! {
    #[test]
    fn order_changes_nothing((one, other) in twins(false)) {
        prop_assert_eq!(of(&one), of(&other));
    }

    #[test]
    fn words_change_the_contract_and_not_the_interface((one, other) in twins(true)) {
        prop_assert_eq!(of(&one).interface, of(&other).interface);
        prop_assert_ne!(of(&one).contract, of(&other).contract);
    }

    #[test]
    fn a_property_more_or_renamed_or_retyped_changes_the_interface(
        (schema, _) in twins(false),
        name in select(&NAMES[..]),
        renamed in select(&NAMES[..]),
    ) {
        let with = |name: &str, part: Value| json!({
            "properties": { "kept": schema.clone(), name: part },
        });
        let usual = with(name, schema.clone());
        let changed = |other: &Value| of(other).interface != of(&usual).interface;
        let without = json!({ "properties": { "kept": schema.clone() } });
        let retyped = with(name, json!({ "not": schema.clone() }));
        prop_assert!(changed(&without));
        prop_assert!(name == renamed || changed(&with(renamed, schema.clone())));
        prop_assert!(changed(&retyped));
    }

    #[test]
    fn a_keyword_that_changes_changes_the_interface(
        (schema, _) in twins(false),
        at in any::<usize>(),
        (keyword, one, other) in select(&KEYWORDS[..]),
    ) {
        let [one, other] = [one, other].map(|it| with_keyword(&schema, at, keyword, &json!(it)));
        prop_assert_ne!(of(&one).interface, of(&other).interface);
        prop_assert_ne!(of(&one).contract, of(&other).contract);
    }

    #[test]
    fn a_word_that_changes_changes_the_contract_alone(
        (schema, _) in twins(false),
        at in any::<usize>(),
        word in select(&WORDS[..]),
    ) {
        let [one, other] = ["One.", "Other."].map(|it| with_keyword(&schema, at, word, &json!(it)));
        prop_assert_eq!(of(&one).interface, of(&other).interface);
        prop_assert_ne!(of(&one).contract, of(&other).contract);
    }

    #[test]
    fn a_parameter_more_changes_the_interface_whatever_it_is_named(
        (schema, _) in twins(false),
        at in any::<usize>(),
        name in select(&NAMES[..]),
    ) {
        let some = with_keyword(&schema, at, "properties", &json!({}));
        let more = with_keyword(&schema, at, "properties", &json!({ name: true }));
        prop_assert_ne!(of(&some).interface, of(&more).interface);
    }
}
