//! What agents are told before they call anything.

use serde_json::Value;

use super::case::Case;
use super::site::Site;

on_each! { [linear, sentry, slack], {
    every_action_is_described_in_full,
    every_example_satisfies_its_schema,
    the_guide_names_every_action,
    violations_of_params_are_all_listed,
} }

async fn every_action_is_described_in_full(case: Case) {
    let site = Site::start(case).await;
    let catalog = site.catalog().await;
    let ids: Vec<_> = catalog
        .iter()
        .map(|action| action["actionId"].as_str().unwrap())
        .collect();
    assert_eq!(ids, site.case.actions);
    for action in &catalog {
        for text in ["title", "description"] {
            assert!(!action[text].as_str().unwrap().is_empty(), "{action}");
        }
        let mode = match action["riskLevel"].as_str().unwrap() {
            "read" => "allow",
            "write" => "require_approval",
            other => panic!("{other}: {action}"),
        };
        assert_eq!(action["mode"], mode, "{action}");
        assert_eq!(action["modeSource"], "inferred_default");
        assert_eq!(action["drifted"], false);
        assert_closed(&action["params"]);
        jsonschema::meta::validate(&action["params"]).unwrap();
        jsonschema::meta::validate(&action["result"]).unwrap();
        assert!(action["result"].is_object(), "{action}");
    }
}

/// Fails when an object of the schema takes what nobody has described.
fn assert_closed(schema: &Value) {
    match schema {
        Value::Object(members) => {
            if members.get("properties").is_some_and(Value::is_object) {
                assert_eq!(schema["additionalProperties"], false, "{schema}");
            }
            members.values().for_each(assert_closed);
        }
        Value::Array(items) => items.iter().for_each(assert_closed),
        _ => {}
    }
}

async fn every_example_satisfies_its_schema(case: Case) {
    let site = Site::start(case).await;
    for action in site.catalog().await {
        let schema = jsonschema::validator_for(&action["params"]).unwrap();
        let examples = action["examples"].as_array().unwrap();
        assert!(!examples.is_empty(), "{action}");
        for example in examples {
            assert!(!example["title"].as_str().unwrap().is_empty());
            if let Err(error) = schema.validate(&example["params"]) {
                panic!("{}: {error} in {example}", action["actionId"]);
            }
        }
    }
}

async fn the_guide_names_every_action(case: Case) {
    let site = Site::start(case).await;
    let path = format!("/guide/{}", site.case.provider.id());
    let guide = site.host.agent("GET", &path, Value::Null).await;
    guide.assert_status(200);
    assert!(guide.header("content-type").starts_with("text/markdown"));
    for action in site.case.actions {
        assert!(guide.text.contains(action), "{action}");
    }
}

async fn violations_of_params_are_all_listed(case: Case) {
    let site = Site::allowing(case).await;
    let (params, expected) = &site.case.wrong;
    let action = site.case.write.action;
    let answer = site
        .host
        .invoke_at(site.case.provider, action, params.clone())
        .await;
    answer.assert_error(400, "invalid_params");
    let mut violations = answer.violations();
    violations.sort_unstable();
    assert_eq!(violations, *expected, "{}", answer.text);
    assert_eq!(site.received(), 0);
    assert_eq!(site.host.recorded_count().await, 0);
}
