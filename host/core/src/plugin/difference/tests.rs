//! What a difference tells, and what it lets pass.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::action::{ActionDefinition, CredentialChoice, Risk};
use crate::definition::DefinitionDigests;
use crate::plugin::manifest::tests::{action, manifest, manifests};
use crate::plugin::{
    ConnectionRequirement, ConnectionScope, ConnectionType, CredentialForm, CredentialRule,
    Endpoint, Method, Route,
};

/// The difference that a change makes to the usual manifest.
fn changed(change: impl FnOnce(&mut PluginManifest)) -> ManifestDifference {
    let mut candidate = manifest();
    change(&mut candidate);
    ManifestDifference::between(&manifest(), &candidate)
}

/// Each entry but for the headings, as a terminal shows it.
fn shown(difference: &ManifestDifference) -> Vec<String> {
    let lines = difference.lines().into_iter();
    let lines = lines.filter(|line| line.starts_with(' '));
    lines.map(|line| line.trim_start().to_owned()).collect()
}

#[track_caller]
fn check(change: impl FnOnce(&mut PluginManifest), effect: Effect, expected: &[&str]) {
    let difference = changed(change);
    assert_eq!(shown(&difference), expected);
    assert!(difference.entries.iter().all(|it| it.effect == effect));
    assert_eq!(difference.requires_approval(), effect == Effect::New);
}

fn route(method: Method, path_prefix: &str) -> Route {
    Route {
        method,
        path_prefix: path_prefix.to_owned(),
    }
}

fn endpoint(manifest: &mut PluginManifest) -> &mut Endpoint {
    &mut manifest.descriptor.endpoints[0]
}

fn connection(manifest: &mut PluginManifest) -> &mut ConnectionRequirement {
    &mut manifest.descriptor.connections[0]
}

fn uploads() -> Endpoint {
    Endpoint {
        name: "uploads".to_owned(),
        base_url: "https://uploads.linear.app".parse().unwrap(),
        routes: vec![route(Method::Put, "/")],
        credentials: Vec::new(),
    }
}

fn users() -> ConnectionRequirement {
    ConnectionRequirement {
        scope: ConnectionScope::User,
        types: vec![ConnectionType::OAuth2],
        scopes: vec!["write".to_owned()],
        optional: false,
        preset: None,
    }
}

#[test]
fn another_place_to_call_is_new() {
    check(
        |it| it.descriptor.endpoints.push(uploads()),
        Effect::New,
        &[
            "+ endpoint uploads: https://uploads.linear.app/",
            "+ route uploads: PUT /",
        ],
    );
    check(
        |it| endpoint(it).base_url = "https://evil.example".parse().unwrap(),
        Effect::New,
        &["~ base url api: https://api.linear.app/ → https://evil.example/"],
    );
    check(
        |it| it.descriptor.endpoints.clear(),
        Effect::Narrowing,
        &[
            "- endpoint api: https://api.linear.app/",
            "- route api: POST /graphql",
            "- credential api: api-key as Authorization: …",
        ],
    );
}

#[test]
fn a_route_is_new_unless_a_broader_one_was_there() {
    for new in [
        route(Method::Get, "/graphql"),
        route(Method::Post, "/"),
        route(Method::Post, "/graphql2"),
    ] {
        let expected = format!("+ route api: {new}");
        let add = |it: &mut PluginManifest| endpoint(it).routes.push(new);
        check(add, Effect::New, &[&expected]);
    }
    for covered in ["/graphql/v2", "/graphql/"] {
        let expected = format!("+ route api: POST {covered}");
        let add = |it: &mut PluginManifest| endpoint(it).routes.push(route(Method::Post, covered));
        check(add, Effect::Neutral, &[&expected]);
    }
    let narrowed = changed(|it| endpoint(it).routes = vec![route(Method::Post, "/graphql/v2")]);
    assert!(!narrowed.requires_approval());
    assert_eq!(
        shown(&narrowed),
        [
            "- route api: POST /graphql",
            "+ route api: POST /graphql/v2"
        ]
    );
}

#[test]
fn a_credential_that_goes_elsewhere_is_new() {
    check(
        |it| endpoint(it).credentials[0].form = CredentialForm::Query("key".to_owned()),
        Effect::New,
        &["~ credential api: api-key as Authorization: … → api-key as ?key=…"],
    );
    check(
        |it| {
            endpoint(it).credentials.push(CredentialRule {
                connection: ConnectionType::OAuth2,
                form: CredentialForm::Bearer,
            });
        },
        Effect::New,
        &["+ credential api: oauth2 as Authorization: Bearer …"],
    );
    check(
        |it| endpoint(it).credentials.clear(),
        Effect::Narrowing,
        &["- credential api: api-key as Authorization: …"],
    );
}

#[test]
fn a_connection_that_may_do_more_is_new() {
    check(
        |it| it.descriptor.connections.push(users()),
        Effect::New,
        &[
            "+ connection user: required",
            "+ connection type user: oauth2",
            "+ oauth scope user: write",
        ],
    );
    check(
        |it| connection(it).scopes.push("admin".to_owned()),
        Effect::New,
        &["+ oauth scope org: admin"],
    );
    check(
        |it| connection(it).optional = false,
        Effect::New,
        &["~ needed org: optional → required"],
    );
    check(
        |it| connection(it).types.reverse(),
        Effect::New,
        &["~ connection type org: oauth2, api-key → api-key, oauth2"],
    );
    check(
        |it| connection(it).preset = Some("github".to_owned()),
        Effect::New,
        &["~ preset org: none → github"],
    );
    check(
        |it| {
            connection(it).scopes.clear();
            connection(it).types.truncate(1);
        },
        Effect::Narrowing,
        &["- connection type org: api-key", "- oauth scope org: read"],
    );
}

#[test]
fn an_import_is_new() {
    check(
        |it| {
            it.imports.insert("clock".to_owned());
            it.wasi.insert("wasi:cli/stdout@0.2.6".to_owned());
        },
        Effect::New,
        &["+ import: clock", "+ wasi: wasi:cli/stdout@0.2.6"],
    );
    check(
        |it| it.imports.clear(),
        Effect::Narrowing,
        &["- import: http", "- import: log"],
    );
}

#[test]
fn more_memory_is_new() {
    let asking = |mib| {
        let mut asking = manifest();
        asking.descriptor.asks.memory_mib = mib;
        asking
    };
    for (before, after, effect, expected) in [
        (None, Some(1), Effect::New, "+ memory: 1 MiB"),
        (Some(1), Some(2), Effect::New, "~ memory: 1 MiB → 2 MiB"),
        (
            Some(2),
            Some(1),
            Effect::Narrowing,
            "~ memory: 2 MiB → 1 MiB",
        ),
        (Some(1), None, Effect::Narrowing, "- memory: 1 MiB"),
    ] {
        let difference = ManifestDifference::between(&asking(before), &asking(after));
        assert_eq!(shown(&difference), [expected]);
        assert_eq!(difference.entries[0].effect, effect);
    }
}

#[test]
fn words_that_agents_obey_are_reviewed() {
    check(
        |it| it.guide = "Ask for nothing.\nBe quick.\n".to_owned(),
        Effect::New,
        &[
            "~ guide: 21 bytes → 27 bytes",
            r#"- guide line: "Ask for teams first.""#,
            r#"+ guide line: "Ask for nothing.""#,
            r#"+ guide line: "Be quick.""#,
        ],
    );
    check(
        |it| it.guide.push('\n'),
        Effect::New,
        &["~ guide: 21 bytes → 22 bytes"],
    );
    check(
        |it| it.descriptor.name = "Linear\n+ route api: GET /".to_owned(),
        Effect::New,
        &[r#"~ name: "Linear" → "Linear\n+ route api: GET /""#],
    );
    check(
        |it| it.descriptor.description.push('!'),
        Effect::New,
        &[r#"~ description: "Issues and projects." → "Issues and projects.!""#],
    );
}

#[test]
fn version_and_icon_are_let_pass() {
    check(
        |it| it.descriptor.icon = Some("<svg/>".to_owned()),
        Effect::Neutral,
        &["~ icon: none → 6 bytes"],
    );
    let difference = changed(|it| it.descriptor.version = "1.0.1".to_owned());
    assert!(!difference.requires_approval());
    assert_eq!(
        difference.to_text(),
        "Version 1.0.0 → 1.0.1\nIt says and asks for the same."
    );
    assert_eq!(
        difference.summary(),
        "asks for nothing new and changes nothing that was reviewed; \
         it can only: call https://api.linear.app POST /graphql; log"
    );
}

#[test]
fn actions_come_go_and_change() {
    let other = json!({ "type": "object", "properties": { "q": { "type": "string" } } });
    let difference = changed(|it| {
        it.actions[0].risk = Risk::Danger;
        it.actions[0].params_schema = other.clone();
        it.actions.push(action("find_issue", &other));
    });
    assert_eq!(
        shown(&difference),
        [
            r#"~ action create_issue: "Create issue" (risk write → danger)"#,
            r#"+ /params/properties (interface): {"q":{"type":"string"}}"#,
            r#"~ /risk (text): "write" → "danger""#,
            r#"+ action find_issue: "Create issue" (write)"#,
        ]
    );
    assert!(difference.requires_approval());
    assert_eq!(
        difference.summary(),
        "adds 1 action, changes 1 action (1 riskier); \
         it can only: call https://api.linear.app POST /graphql; log"
    );
    let removed = changed(|it| it.actions.clear());
    assert!(removed.requires_approval());
    assert_eq!(
        shown(&removed),
        [r#"- action create_issue: "Create issue" (write)"#]
    );
}

#[test]
fn a_new_name_is_told_as_such() {
    let difference = changed(|it| it.actions[0].id = "make_issue".parse().unwrap());
    assert!(difference.requires_approval());
    assert_eq!(
        shown(&difference),
        [
            r#"- action create_issue: "Create issue" (write)"#,
            r#"+ action make_issue: "Create issue" (write), which was create_issue"#,
        ]
    );
    let summary = difference.summary();
    assert!(summary.starts_with("adds 1 action (1 renamed), removes 1 action;"));
}

#[test]
fn a_summary_counts_what_is_asked() {
    let difference = changed(|it| {
        it.descriptor.endpoints.push(uploads());
        endpoint(it).routes.push(route(Method::Get, "/"));
        connection(it).scopes = vec!["admin".to_owned()];
        it.guide.clear();
        it.descriptor.name.clear();
    });
    assert_eq!(
        difference.summary(),
        "asks for 1 new endpoint, 2 new routes and 1 OAuth scope, changes its name and guide, \
         gives up 1 thing; it can only: call https://api.linear.app POST /graphql; \
         call https://api.linear.app GET /; call https://uploads.linear.app PUT /; log"
    );
}

#[test]
fn what_is_shown_is_bounded_and_says_so() {
    let params = |kind: &str| {
        let property = |at: usize| (format!("p{at}"), json!({ "type": kind }));
        let properties: serde_json::Map<_, _> = (0..80).map(property).collect();
        json!({ "type": "object", "properties": properties })
    };
    let with = |kind: &str| {
        let mut manifest = manifest();
        let id = |at: usize| format!("action_{at:03}");
        manifest.actions = (0..256).map(|at| action(&id(at), &params(kind))).collect();
        manifest
    };
    let difference = ManifestDifference::between(&with("string"), &with("integer"));
    assert_eq!(difference.entries.len(), MAX_MANIFEST_ENTRIES);
    assert_eq!(difference.omitted, 256 + 256 * 80 - MAX_MANIFEST_ENTRIES);
    let wholes = difference.entries.iter();
    let wholes = wholes.filter(|it| it.part == ManifestPart::Action);
    assert_eq!(wholes.count(), 256);
    let text = difference.to_text();
    assert!(text.ends_with(&format!("{} more are not shown.", difference.omitted)));

    let huge = changed(|it| it.descriptor.description = "é".repeat(100_000));
    let after = huge.entries[0].after.as_ref().unwrap();
    assert!(after.to_string().len() <= MAX_VALUE_BYTES);
}

/// Everything a version may do and everything that is said about it, each as a
/// text: an oracle that knows nothing of entries.
fn asks(manifest: &PluginManifest) -> BTreeSet<String> {
    let descriptor = &manifest.descriptor;
    let mut asks: BTreeSet<_> = [
        format!("id {}", descriptor.id),
        format!("name {}", descriptor.name),
        format!("description {}", descriptor.description),
        format!("guide {}", manifest.guide),
    ]
    .into();
    asks.extend(manifest.imports.iter().map(|it| format!("import {it}")));
    asks.extend(manifest.wasi.iter().map(|it| format!("import {it}")));
    asks.extend((1..=descriptor.asks.memory_mib.unwrap_or(0)).map(|mib| format!("{mib} MiB")));
    for endpoint in &descriptor.endpoints {
        let name = &endpoint.name;
        asks.insert(format!("{name} at {}", endpoint.base_url));
        let rules = endpoint.credentials.iter();
        asks.extend(rules.map(|it| format!("{name} {it:?}")));
    }
    for connection in &descriptor.connections {
        let scope = connection.scope;
        asks.insert(format!("{scope} {:?}", connection.preset));
        asks.extend(connection.types.iter().map(|it| format!("{scope} {it}")));
        asks.extend(
            connection
                .scopes
                .iter()
                .map(|it| format!("{scope} scope {it}")),
        );
        if !connection.optional {
            asks.insert(format!("{scope} required"));
        }
    }
    asks
}

fn routes(manifest: &PluginManifest) -> Vec<(&str, &Route)> {
    let endpoints = manifest.descriptor.endpoints.iter();
    endpoints
        .flat_map(|it| it.routes.iter().map(|route| (it.name.as_str(), route)))
        .collect()
}

fn digests(manifest: &PluginManifest) -> BTreeSet<String> {
    let digest = |it: &ActionDefinition| DefinitionDigests::of(it).contract.to_string();
    manifest.actions.iter().map(digest).collect()
}

fn each_endpoint(manifest: &mut PluginManifest, change: fn(&mut Endpoint)) {
    manifest.descriptor.endpoints.iter_mut().for_each(change);
}

fn each_connection(manifest: &mut PluginManifest, change: fn(&mut ConnectionRequirement)) {
    manifest.descriptor.connections.iter_mut().for_each(change);
}

fn each_action(manifest: &mut PluginManifest, change: fn(&mut ActionDefinition)) {
    manifest.actions.iter_mut().for_each(change);
}

fn required_more(action: &mut ActionDefinition) {
    action.params_schema = json!({ "type": "object", "required": ["more"] });
}

fn another_credential(action: &mut ActionDefinition) {
    action.credential = next(CredentialChoice::ALL, action.credential);
}

fn sent_elsewhere(rule: &mut CredentialRule) {
    rule.form = CredentialForm::Query("more".to_owned());
}

/// Ways to ask for more than any generated manifest does, or to say another thing.
const WIDENINGS: &[fn(&mut PluginManifest)] = &[
    |it| it.descriptor.name.push('+'),
    |it| it.descriptor.description.push('+'),
    |it| it.guide.push('+'),
    |it| it.descriptor.endpoints.push(uploads_elsewhere()),
    |it| each_connection(it, |it| it.scopes.push("more".to_owned())),
    |it| each_endpoint(it, |it| it.routes.push(route(Method::Get, "/zz"))),
    |it| each_endpoint(it, |it| it.base_url.set_path("/elsewhere")),
    |it| each_endpoint(it, |it| it.credentials.iter_mut().for_each(sent_elsewhere)),
    |it| it.imports.extend(["more".to_owned()]),
    |it| it.wasi.extend(["more".to_owned()]),
    |it| it.descriptor.asks.memory_mib = Some(4_096),
    |it| it.actions.push(action("more", &json!({}))),
    |it| it.actions.truncate(1),
    |it| each_action(it, |it| it.title.push('+')),
    |it| each_action(it, |it| it.description.push('+')),
    |it| each_action(it, |it| it.examples.clear()),
    |it| each_action(it, required_more),
    |it| each_action(it, |it| it.risk = next(Risk::ALL, it.risk)),
    |it| each_action(it, another_credential),
];

/// Ways to ask for less, or for nothing else.
const NARROWINGS: &[fn(&mut PluginManifest)] = &[
    |it| it.descriptor.version.push('+'),
    |it| it.descriptor.icon = None,
    |it| it.descriptor.endpoints.truncate(1),
    |it| it.descriptor.connections.truncate(1),
    |it| each_endpoint(it, |it| it.routes.truncate(1)),
    |it| each_endpoint(it, |it| it.credentials.truncate(1)),
    |it| each_endpoint(it, |it| it.routes.iter_mut().for_each(deeper)),
    |it| each_connection(it, |it| it.scopes.truncate(1)),
    |it| each_connection(it, |it| it.types.truncate(1)),
    |it| each_connection(it, |it| it.optional = true),
    |it| it.imports.clear(),
    |it| it.wasi.clear(),
    |it| it.descriptor.asks.memory_mib = None,
    |it| it.descriptor.asks.memory_mib = it.descriptor.asks.memory_mib.map(|_| 1),
];

fn deeper(route: &mut Route) {
    route.path_prefix = format!("{}/deeper", route.path_prefix.trim_end_matches('/'));
}

/// A manifest, and another that was made of it.
fn pairs() -> impl Strategy<Value = (PluginManifest, PluginManifest)> {
    let changes = [NARROWINGS, NARROWINGS, WIDENINGS].concat();
    let changes = prop::collection::vec(prop::sample::select(changes), 0..4);
    (manifests(), changes).prop_map(|(active, changes)| {
        let mut candidate = active.clone();
        for change in changes {
            change(&mut candidate);
        }
        (active, candidate)
    })
}

fn uploads_elsewhere() -> Endpoint {
    Endpoint {
        name: "elsewhere".to_owned(),
        ..uploads()
    }
}

fn next<T: Copy + PartialEq>(all: &[T], one: T) -> T {
    let place = all.iter().position(|it| *it == one).unwrap();
    all[(place + 1) % all.len()]
}

fn counts(difference: &ManifestDifference, change: EntryChange) -> Vec<ManifestPart> {
    let entries = difference.entries.iter().filter(|it| it.change == change);
    let mut parts: Vec<_> = entries.map(|it| it.part).collect();
    parts.sort();
    parts
}

proptest! {
    #[test]
    fn the_same_needs_no_approval(manifest in manifests()) {
        let mut same = manifest.clone();
        same.descriptor.endpoints.reverse();
        same.descriptor.connections.reverse();
        same.actions.reverse();
        let difference = ManifestDifference::between(&manifest, &same);
        prop_assert!(!difference.requires_approval());
        prop_assert_eq!(difference.entries, []);
        prop_assert_eq!(difference.omitted, 0);
    }

    #[test]
    fn whoever_asks_for_more_waits(manifest in manifests(), at in 0..WIDENINGS.len()) {
        let mut wider = manifest.clone();
        WIDENINGS[at](&mut wider);
        let is_wider = wider != manifest;
        let difference = ManifestDifference::between(&manifest, &wider);
        prop_assert_eq!(difference.requires_approval(), is_wider, "{}", at);
    }

    #[test]
    fn whoever_asks_for_less_need_not_wait(manifest in manifests(), at in 0..NARROWINGS.len()) {
        let mut narrower = manifest.clone();
        NARROWINGS[at](&mut narrower);
        let difference = ManifestDifference::between(&manifest, &narrower);
        prop_assert!(!difference.requires_approval(), "{}: {}", at, difference.to_text());
    }

    #[test]
    fn who_does_not_wait_asks_for_nothing_more((active, candidate) in pairs()) {
        let difference = ManifestDifference::between(&active, &candidate);
        let had = asks(&active);
        let more: Vec<_> = asks(&candidate).difference(&had).cloned().collect();
        let allowed = routes(&active);
        let is_allowed = |(name, route): &(&str, &Route)| {
            allowed.iter().any(|(at, broad)| at == name && broad.covers(route))
        };
        let asks_no_more = more.is_empty() && routes(&candidate).iter().all(is_allowed);
        let same_actions = digests(&active) == digests(&candidate);
        if !difference.requires_approval() {
            prop_assert!(asks_no_more && same_actions, "{:?}", more);
        }
        let is_new = |it: &ManifestEntry| it.effect == Effect::New;
        prop_assert_eq!(difference.entries.iter().any(is_new), difference.requires_approval());
    }

    #[test]
    fn backwards_what_was_added_is_removed((one, other) in (manifests(), manifests())) {
        let forth = ManifestDifference::between(&one, &other);
        let back = ManifestDifference::between(&other, &one);
        let (added, removed) = (EntryChange::Added, EntryChange::Removed);
        prop_assert_eq!(counts(&forth, added), counts(&back, removed));
        prop_assert_eq!(counts(&forth, removed), counts(&back, added));
        let changed = EntryChange::Changed;
        prop_assert_eq!(counts(&forth, changed), counts(&back, changed));
    }

    #[test]
    fn a_line_is_one_line((one, other) in (manifests(), manifests())) {
        let difference = ManifestDifference::between(&one, &other);
        for line in difference.lines() {
            prop_assert!(!line.contains(char::is_control), "{line:?}");
        }
        prop_assert!(!difference.summary().contains(char::is_control));
    }
}
