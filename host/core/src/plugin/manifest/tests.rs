//! Manifests of all kinds, and that their text says all of them.

use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use super::*;
use crate::action::{ActionExample, CredentialChoice, Risk};
use crate::arbitrary::{json_value, nested_arrays};
use crate::plugin::{
    AskedLimits, ConnectionRequirement, ConnectionScope, ConnectionType, CredentialForm,
    CredentialRule, Endpoint, Method, Route,
};

/// A manifest that asks for a little of everything.
pub(in crate::plugin) fn manifest() -> PluginManifest {
    PluginManifest {
        descriptor: PluginDescriptor {
            id: "linear".parse().unwrap(),
            name: "Linear".to_owned(),
            description: "Issues and projects.".to_owned(),
            icon: None,
            version: "1.0.0".to_owned(),
            connections: vec![ConnectionRequirement {
                scope: ConnectionScope::Org,
                types: vec![ConnectionType::OAuth2, ConnectionType::ApiKey],
                scopes: vec!["read".to_owned()],
                optional: true,
                preset: None,
            }],
            endpoints: vec![Endpoint {
                name: "api".to_owned(),
                base_url: "https://api.linear.app".parse().unwrap(),
                routes: vec![Route {
                    method: Method::Post,
                    path_prefix: "/graphql".to_owned(),
                }],
                credentials: vec![CredentialRule {
                    connection: ConnectionType::ApiKey,
                    form: CredentialForm::Raw,
                }],
            }],
            asks: AskedLimits::default(),
        },
        imports: ["http", "log"].map(str::to_owned).into(),
        wasi: BTreeSet::new(),
        actions: vec![action("create_issue", &json!({ "type": "object" }))],
        guide: "Ask for teams first.\n".to_owned(),
    }
}

pub(in crate::plugin) fn action(id: &str, params: &Value) -> ActionDefinition {
    ActionDefinition {
        id: id.parse().unwrap(),
        title: "Create issue".to_owned(),
        description: "Creates an issue.".to_owned(),
        risk: Risk::Write,
        credential: CredentialChoice::Org,
        params_schema: params.clone(),
        result_schema: Some(json!({ "type": "object" })),
        examples: vec![ActionExample {
            title: "A bug".to_owned(),
            params: json!({ "title": "x" }),
        }],
    }
}

/// Any manifest that a plugin may have: names from small sets, so that two of them
/// have much in common.
pub(in crate::plugin) fn manifests() -> impl Strategy<Value = PluginManifest> {
    let texts = (text(), text(), option::of(text()), text(), text());
    let connections = subsequence(ConnectionScope::ALL.to_vec(), 0..=2)
        .prop_flat_map(|scopes| scopes.into_iter().map(connection).collect::<Vec<_>>());
    let endpoints = subsequence(vec!["api", "files", "uploads"], 0..=3)
        .prop_flat_map(|names| names.into_iter().map(endpoint).collect::<Vec<_>>());
    let imports = subsequence(vec!["clock", "http", "log", "types"], 0..=4);
    let memory = option::of(1_u32..4);
    let wasi = btree_set("wasi:(cli/stdout|io/poll)@0\\.2\\.[0-9]", 0..3);
    let actions = subsequence(vec!["create_issue", "get_issue", "list_issues"], 0..=3)
        .prop_flat_map(|ids| ids.into_iter().map(actions).collect::<Vec<_>>());
    (
        texts,
        connections,
        endpoints,
        memory,
        imports,
        wasi,
        actions,
    )
        .prop_map(
            |(
                (name, description, icon, version, guide),
                connections,
                endpoints,
                memory_mib,
                imports,
                wasi,
                actions,
            )| {
                PluginManifest {
                    descriptor: PluginDescriptor {
                        id: "linear".parse().unwrap(),
                        name,
                        description,
                        icon,
                        version,
                        connections,
                        endpoints,
                        asks: AskedLimits { memory_mib },
                    },
                    imports: imports.into_iter().map(str::to_owned).collect(),
                    wasi,
                    actions,
                    guide,
                }
            },
        )
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![Just(String::new()), "[ab\n]{1,3}", "\\PC{0,12}"]
}

fn connection(scope: ConnectionScope) -> impl Strategy<Value = ConnectionRequirement> {
    let types = subsequence(ConnectionType::ALL.to_vec(), 1..=3).prop_shuffle();
    let preset = option::of(select(vec!["linear".to_owned(), "github".to_owned()]));
    (types, vec("[ab]", 0..3), any::<bool>(), preset).prop_map(
        move |(types, scopes, optional, preset)| ConnectionRequirement {
            scope,
            types,
            scopes,
            optional,
            preset,
        },
    )
}

fn endpoint(name: &'static str) -> impl Strategy<Value = Endpoint> {
    let base = select(vec!["https://a.example", "https://b.example/base"]);
    let route = (select(Method::ALL.to_vec()), "(/[ab]){1,2}/?|/");
    let route = route.prop_map(|(method, path_prefix)| Route {
        method,
        path_prefix,
    });
    let rules = subsequence(ConnectionType::ALL.to_vec(), 0..=2)
        .prop_flat_map(|types| types.into_iter().map(rule).collect::<Vec<_>>());
    (base, vec(route, 0..4), rules).prop_map(move |(base, routes, credentials)| Endpoint {
        name: name.to_owned(),
        base_url: base.parse().unwrap(),
        routes,
        credentials,
    })
}

fn rule(connection: ConnectionType) -> impl Strategy<Value = CredentialRule> {
    let form = prop_oneof![
        Just(CredentialForm::Bearer),
        Just(CredentialForm::Raw),
        Just(CredentialForm::None),
        "[a-z]{1,3}".prop_map(CredentialForm::Query),
        ("[a-z]{1,3}", "[A-Z ]{0,3}")
            .prop_map(|(name, prefix)| CredentialForm::Header { name, prefix }),
    ];
    form.prop_map(move |form| CredentialRule { connection, form })
}

fn actions(id: &'static str) -> impl Strategy<Value = ActionDefinition> {
    let params = vec(("[a-c]", select(vec!["string", "integer"])), 0..3);
    let words = (text(), text(), select(Risk::ALL.to_vec()));
    let credential = select(CredentialChoice::ALL.to_vec());
    let examples = vec((text(), any::<i64>().prop_map(Value::from)), 0..2);
    (
        params,
        words,
        credential,
        option::of(select(vec![json!({}), json!({ "type": "null" })])),
        examples,
    )
        .prop_map(
            move |(params, (title, description, risk), credential, result_schema, examples)| {
                let properties: serde_json::Map<_, _> = params
                    .into_iter()
                    .map(|(name, kind)| (name, json!({ "type": kind })))
                    .collect();
                let examples = examples.into_iter();
                ActionDefinition {
                    id: id.parse().unwrap(),
                    title,
                    description,
                    risk,
                    credential,
                    params_schema: json!({ "type": "object", "properties": properties }),
                    result_schema,
                    examples: examples
                        .map(|(title, params)| ActionExample { title, params })
                        .collect(),
                }
            },
        )
}

proptest! {
    #[test]
    fn a_manifest_reads_back_as_it_was_written(
        mut manifest in manifests(),
        params in json_value(),
    ) {
        manifest.actions.push(action("any", &params));
        let text = manifest.to_json().unwrap();
        let read = PluginManifest::from_json(&text).unwrap();
        prop_assert_eq!(&read, &manifest);
        prop_assert_eq!(read.to_json().unwrap(), text);
    }
}

#[test]
fn what_is_nested_as_deeply_as_may_be_reads_back() {
    let mut manifest = manifest();
    manifest.actions[0].examples[0].params = nested_arrays(127);
    let read = PluginManifest::from_json(&manifest.to_json().unwrap());
    assert_eq!(read, Ok(manifest));
}

#[track_caller]
fn check_unreadable(text: &str, reason: &str) {
    match PluginManifest::from_json(text) {
        Err(InvalidManifest::Unreadable(found)) => {
            assert!(found.contains(reason), "{found}");
        }
        other => panic!("{reason}: {other:?}"),
    }
}

#[test]
fn what_is_not_known_or_is_missing_is_refused() {
    let text = manifest().to_json().unwrap();
    for (from, to, reason) in [
        (
            r#""id":"linear","#,
            r#""id":"linear","more":1,"#,
            "unknown field `more`",
        ),
        (r#""icon":null,"#, "", "missing field `icon`"),
        (
            r#""preset":null"#,
            r#""preset":null,"scope":"org""#,
            "duplicate field `scope`",
        ),
        (r#""optional":true,"#, "", "missing field `optional`"),
        (
            r#""scope":"org""#,
            r#""scope":"world""#,
            "`world` is no scope",
        ),
        (
            r#""api-key","form":"raw""#,
            r#""key","form":"raw""#,
            "`key` is no connection type",
        ),
        (
            r#""form":"raw""#,
            r#""form":"everywhere""#,
            "unknown variant `everywhere`",
        ),
        (
            r#""method":"POST""#,
            r#""method":"TRACE""#,
            "`TRACE` is no method",
        ),
        (r#""risk":"write""#, r#""risk":"mild""#, "`mild` is no risk"),
        (
            r#""id":"linear""#,
            r#""id":"../linear""#,
            "source id must be",
        ),
        (r#""id":"create_issue""#, r#""id":"""#, "action id must be"),
        ("https://api.linear.app/", "nowhere", "relative URL"),
    ] {
        assert_eq!(text.matches(from).count(), 1, "{from} in {text}");
        check_unreadable(&text.replace(from, to), reason);
    }
    for no_manifest in ["", "[]", "{}", &text[1..], &format!("{text} x")] {
        check_unreadable(no_manifest, "");
    }
}

#[test]
fn another_format_is_named() {
    let text = manifest().to_json().unwrap();
    let newer = text.replace(r#""format":1"#, r#""format":2,"new":[]"#);
    let error = PluginManifest::from_json(&newer).unwrap_err();
    assert_eq!(error, InvalidManifest::Format { found: 2 });
}

#[test]
fn size_is_bounded_both_ways() {
    let mut manifest = manifest();
    let others = manifest.to_json().unwrap().len() - manifest.guide.len();
    manifest.guide = "x".repeat(MAX_MANIFEST_BYTES - others + "\\n".len() - 1);
    let text = manifest.to_json().unwrap();
    assert_eq!(PluginManifest::from_json(&text).as_ref(), Ok(&manifest));
    manifest.guide.push_str("xx");
    let bytes = text.len() + 2;
    assert_eq!(manifest.to_json(), Err(InvalidManifest::TooLarge { bytes }));
    let error = PluginManifest::from_json(&(text + "  ")).unwrap_err();
    assert_eq!(error, InvalidManifest::TooLarge { bytes });
}
