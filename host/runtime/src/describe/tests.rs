//! Descriptions that break one rule each. That the rules are asked at all is
//! tested with a real guest, in `tests/it/describing.rs`.

use portcullis_core::id::SourceId;
use portcullis_core::plugin::{AskedLimits, ConnectionType, CredentialForm};

use super::guest_actions as a;
use super::guest_provider as p;
use super::{actions, provider};
use crate::bindings::imports::http::Method;
use crate::error::LoadError;

fn descriptor() -> p::Descriptor {
    p::Descriptor {
        identity: p::Identity {
            id: "tracker".to_owned(),
            name: "Tracker".to_owned(),
            description: "Issues.\nAnd their comments.".to_owned(),
            icon: Some("<svg/>".to_owned()),
            version: "1.4.0-rc.1".to_owned(),
        },
        connections: vec![requirement()],
        endpoints: vec![endpoint("api")],
        limits: Some(p::Limits {
            memory_mib: Some(96),
        }),
    }
}

fn requirement() -> p::ConnectionRequirement {
    p::ConnectionRequirement {
        scope: p::ConnectionScope::Org,
        types: vec![p::ConnectionType::Oauth2, p::ConnectionType::ApiKey],
        scopes: vec!["https://tracker.example/auth/issues:read".to_owned()],
        optional: false,
        preset: Some("tracker".to_owned()),
    }
}

fn endpoint(name: &str) -> p::Endpoint {
    p::Endpoint {
        name: name.to_owned(),
        base_url: "https://api.tracker.example:8443/v1".to_owned(),
        routes: vec![route("/issues/"), route("/")],
        credentials: vec![
            rule(p::ConnectionType::Oauth2, p::CredentialForm::Bearer),
            rule(p::ConnectionType::ApiKey, header("X-Api-Key", "key=")),
        ],
    }
}

fn route(path_prefix: &str) -> p::Route {
    p::Route {
        method: Method::Get,
        path_prefix: path_prefix.to_owned(),
    }
}

fn rule(connection: p::ConnectionType, form: p::CredentialForm) -> p::CredentialRule {
    p::CredentialRule { connection, form }
}

fn header(name: &str, prefix: &str) -> p::CredentialForm {
    p::CredentialForm::Header(p::HeaderForm {
        name: name.to_owned(),
        prefix: prefix.to_owned(),
    })
}

fn action(id: &str) -> a::Action {
    a::Action {
        id: id.to_owned(),
        title: "List issues".to_owned(),
        description: "Newest first.\nAt most 50.".to_owned(),
        risk: a::Risk::Read,
        credential: a::Credential::Org,
        params_schema: r#"{"type":"object","required":["team"]}"#.to_owned(),
        result_schema: Some(r#"{"type":"array"}"#.to_owned()),
        examples: vec![a::Example {
            title: "Of a team".to_owned(),
            params: r#"{"team":"ENG"}"#.to_owned(),
        }],
    }
}

#[track_caller]
fn check_refused<T>(described: Result<T, LoadError>, expected_path: &str) {
    match described {
        Err(LoadError::Invalid { path, rule }) => {
            assert_eq!(path, expected_path, "{rule}");
            assert!(rule.len() < 300 && !rule.contains('\u{1b}'), "{rule}");
        }
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{expected_path} should be refused"),
    }
}

#[track_caller]
fn check_descriptor(break_rule: impl FnOnce(&mut p::Descriptor), expected_path: &str) {
    let mut descriptor = descriptor();
    break_rule(&mut descriptor);
    check_refused(provider::descriptor(descriptor), expected_path);
}

#[track_caller]
fn check_endpoint(break_rule: impl FnOnce(&mut p::Endpoint), expected_path: &str) {
    check_descriptor(|d| break_rule(&mut d.endpoints[0]), expected_path);
}

#[track_caller]
fn check_action(break_rule: impl FnOnce(&mut a::Action), expected_path: &str) {
    let described = provider::descriptor(descriptor()).unwrap();
    let mut action = action("list_issues");
    break_rule(&mut action);
    check_refused(actions::actions(vec![action], &described), expected_path);
}

#[test]
fn what_keeps_the_rules_is_taken_as_it_is() {
    let described = provider::descriptor(descriptor()).unwrap();
    let endpoint = described.endpoint("api").unwrap();
    assert_eq!(
        endpoint.base_url.as_str(),
        "https://api.tracker.example:8443/v1"
    );
    assert_eq!(
        endpoint.credential_form(ConnectionType::ApiKey),
        Some(&CredentialForm::Header {
            name: "x-api-key".to_owned(),
            prefix: "key=".to_owned(),
        })
    );
    assert_eq!(described.asks.memory_mib, Some(96));
    let list = vec![action("list_issues"), action("get_issue_2")];
    let actions = actions::actions(list, &described).unwrap();
    assert_eq!(actions.len(), 2);
}

#[test]
fn an_id_has_a_form() {
    for id in [
        "",
        "Tracker",
        "1tracker",
        "tr_acker",
        "tr.acker",
        "-t",
        &"t".repeat(33),
    ] {
        check_descriptor(|d| d.identity.id = id.to_owned(), "identity.id");
        check_endpoint(|e| e.name = id.to_owned(), "endpoints[0].name");
    }
    for id in [
        "",
        "List",
        "list-issues",
        "list.issues",
        "_list",
        "é",
        &"l".repeat(65),
    ] {
        check_action(|a| a.id = id.to_owned(), "actions[0].id");
    }
}

#[test]
fn an_id_is_of_no_other_kind_of_source() {
    for kind in ["connector", "db"] {
        let id = format!("{kind}:5f3b6c1e-8a37-4f0e-9d15-1c2b3a4d5e6f");
        assert!(!id.parse::<SourceId>().unwrap().is_provider());
        check_descriptor(|d| d.identity.id = id, "identity.id");
        check_descriptor(|d| d.identity.id = format!("{kind}:x"), "identity.id");
    }
}

#[test]
fn names_are_single_printable_lines() {
    for name in [
        "",
        " \n",
        "two\nlines",
        "\u{1b}[2J",
        "tab\t",
        &"n".repeat(81),
    ] {
        check_descriptor(|d| d.identity.name = name.to_owned(), "identity.name");
        check_action(|a| a.title = name.to_owned(), "actions[0].title");
        check_action(
            |a| a.examples[0].title = name.to_owned(),
            "actions[0].examples[0].title",
        );
    }
}

#[test]
fn descriptions_are_printable_and_bounded() {
    for text in ["", "\u{1b}[2J", "\u{9b}", &"d".repeat(2001)] {
        check_descriptor(
            |d| d.identity.description = text.to_owned(),
            "identity.description",
        );
        check_action(
            |a| a.description = text.to_owned(),
            "actions[0].description",
        );
    }
}

#[test]
fn a_version_is_semantic_and_an_icon_small() {
    for version in [
        "",
        "1",
        "1.0",
        "v1.0.0",
        "01.0.0",
        &format!("1.0.0-{}", "r".repeat(60)),
    ] {
        check_descriptor(
            |d| d.identity.version = version.to_owned(),
            "identity.version",
        );
    }
    check_descriptor(
        |d| d.identity.icon = Some("x".repeat((16 << 10) + 1)),
        "identity.icon",
    );
}

#[test]
fn a_connection_can_be_made_in_one_way_at_least() {
    check_descriptor(|d| d.connections[0].types.clear(), "connections[0].types");
    check_descriptor(
        |d| d.connections[0].types.push(p::ConnectionType::None),
        "connections[0].types",
    );
    check_descriptor(
        |d| d.connections[0].types.push(p::ConnectionType::ApiKey),
        "connections[0].types[2]",
    );
    check_descriptor(|d| d.connections.push(requirement()), "connections[1]");
}

#[test]
fn scopes_and_presets_have_a_form() {
    for scope in [
        "",
        "two scopes",
        "a\"b",
        "a\\b",
        "é",
        "a\n",
        &"s".repeat(257),
    ] {
        check_descriptor(
            |d| d.connections[0].scopes.push(scope.to_owned()),
            "connections[0].scopes[1]",
        );
    }
    check_descriptor(
        |d| d.connections[0].scopes = vec!["s".to_owned(); 65],
        "connections[0].scopes",
    );
    for preset in ["", "Tracker", "../tracker"] {
        check_descriptor(
            |d| d.connections[0].preset = Some(preset.to_owned()),
            "connections[0].preset",
        );
    }
}

#[test]
fn endpoints_are_told_apart_and_few() {
    check_descriptor(|d| d.endpoints.push(endpoint("api")), "endpoints[1]");
    check_descriptor(
        |d| d.endpoints = (0..17).map(|n| endpoint(&format!("e{n}"))).collect(),
        "endpoints",
    );
    check_endpoint(|e| e.routes = vec![route("/"); 65], "endpoints[0].routes");
}

#[test]
fn who_asks_for_no_limit_gets_the_gateways() {
    for limits in [None, Some(p::Limits { memory_mib: None })] {
        let silent = p::Descriptor {
            limits,
            ..descriptor()
        };
        let described = provider::descriptor(silent).unwrap();
        assert_eq!(described.asks, AskedLimits::default());
    }
}

#[test]
fn memory_is_asked_for_in_mib_that_exist() {
    let asking = |mib| {
        move |d: &mut p::Descriptor| {
            d.limits = Some(p::Limits {
                memory_mib: Some(mib),
            });
        }
    };
    for mib in [0, 4097, u32::MAX] {
        check_descriptor(asking(mib), "limits.memory-mib");
    }
    for mib in [1, 4096] {
        let mut descriptor = descriptor();
        asking(mib)(&mut descriptor);
        assert!(provider::descriptor(descriptor).is_ok(), "{mib}");
    }
}

#[test]
fn a_base_is_https_and_nothing_else() {
    for base in [
        "",
        "api.tracker.example",
        "http://api.tracker.example",
        "ftp://api.tracker.example",
        "https://",
        "https://user@api.tracker.example",
        "https://user:password@api.tracker.example",
        "https://api.tracker.example?x",
        "https://api.tracker.example#x",
        "https://api.tracker.example:99999",
        &format!("https://api.tracker.example/{}", "x".repeat(2048)),
    ] {
        check_endpoint(|e| e.base_url = base.to_owned(), "endpoints[0].base-url");
    }
}

#[test]
fn a_route_is_a_plain_path() {
    for prefix in [
        "",
        "issues",
        "//",
        "/a//b",
        "/a//",
        "/./a",
        "/a/..",
        "/a?b",
        "/a#b",
        "/a%2fb",
        "/a\\b",
        "/a b",
        "/é",
        "/*",
        &format!("/{}", "x".repeat(256)),
    ] {
        check_endpoint(
            |e| e.routes[1] = route(prefix),
            "endpoints[0].routes[1].path-prefix",
        );
    }
}

#[test]
fn a_credential_has_one_rule_for_each_type_that_a_connection_offers() {
    let bearer = |connection| rule(connection, p::CredentialForm::Bearer);
    check_endpoint(
        |e| e.credentials.push(bearer(p::ConnectionType::ApiKey)),
        "endpoints[0].credentials[2]",
    );
    check_endpoint(
        |e| e.credentials.push(bearer(p::ConnectionType::BotToken)),
        "endpoints[0].credentials",
    );
}

#[test]
fn a_credential_stands_only_where_it_steers_nothing() {
    for name in [
        "",
        "a b",
        "x:y",
        "Host",
        "Connection",
        "Content-Length",
        "Transfer-Encoding",
        "Cookie",
        "Proxy-Authorization",
        "X-Forwarded-For",
        "Forwarded",
        &"x".repeat(65),
    ] {
        check_endpoint(
            |e| e.credentials[1].form = header(name, ""),
            "endpoints[0].credentials[1].form.header.name",
        );
    }
    for prefix in ["\r\nHost: x", "é", &"p".repeat(65)] {
        check_endpoint(
            |e| e.credentials[1].form = header("x-key", prefix),
            "endpoints[0].credentials[1].form.header.prefix",
        );
    }
    check_endpoint(
        |e| e.credentials[1].form = p::CredentialForm::Query(String::new()),
        "endpoints[0].credentials[1].form.query",
    );
}

#[test]
fn a_schema_is_json_schema_of_an_object() {
    for schema in ["", "{", "[]", r#"{"type":"array"}"#, r#"{"type":"objekt"}"#] {
        check_action(
            |a| a.params_schema = schema.to_owned(),
            "actions[0].params-schema",
        );
    }
    let long = format!(r#"{{"type":"object","title":"{}"}}"#, "t".repeat(64 << 10));
    check_action(|a| a.params_schema = long, "actions[0].params-schema");
    check_action(
        |a| a.result_schema = Some("{".to_owned()),
        "actions[0].result-schema",
    );
}

#[test]
fn an_example_satisfies_the_schema() {
    for params in ["", "{}", "[]"] {
        check_action(
            |a| a.examples[0].params = params.to_owned(),
            "actions[0].examples[0].params",
        );
    }
    check_action(
        |a| a.examples = vec![a.examples[0].clone(); 17],
        "actions[0].examples",
    );
}

#[test]
fn an_action_needs_a_connection_that_can_exist() {
    check_action(
        |a| a.credential = a::Credential::User,
        "actions[0].credential",
    );
}

#[test]
fn actions_are_told_apart_and_bounded_in_number() {
    let described = provider::descriptor(descriptor()).unwrap();
    let twice = vec![action("x"), action("x")];
    check_refused(actions::actions(twice, &described), "actions[1].id");
    let many = (0..257).map(|n| action(&format!("x{n}"))).collect();
    check_refused(actions::actions(many, &described), "actions");
}
