//! A small provider, called as the gateway would call it.

use serde_json::json;

use crate::{prelude::*, testing::TestProvider};

#[params]
struct Greet {
    /// Whom to greet.
    name: String,
    /// How often.
    times: Option<u8>,
}

#[result]
struct Greeting {
    text: String,
}

/// Greets somebody.
///
/// As often as asked.
#[action(
    title = "Greet",
    risk = write,
    credential = org,
    example("Once", { "name": "Ada" }),
    example("Twice", { "name": "Ada", "times": 2 }),
)]
fn greet(ctx: &Context, params: Greet) -> Result<Greeting> {
    if params.name.is_empty() {
        return Err(Error::invalid_params("A name is needed."));
    }
    ctx.log().info("greeted");
    let times = usize::from(params.times.unwrap_or(1));
    Ok(Greeting {
        text: format!("Hello {}. ", params.name)
            .repeat(times)
            .trim_end()
            .to_owned(),
    })
}

/// Tells the time.
#[action(title = "Now", risk = read)]
fn now(ctx: &Context) -> Result<Value> {
    Ok(json!({ "seconds": ctx.now().as_secs(), "key": ctx.idempotency_key() }))
}

provider! {
    id: "greeter",
    name: "Greeter",
    description: "Greets.",
    guide: "# Greeter\n\n`greet` and `now`.\n",
    actions: [greet, now],
}

fn greeter() -> TestProvider {
    TestProvider::new(PROVIDER)
}

#[test]
fn an_action_is_what_its_function_says() {
    let action = &PROVIDER.actions[0];

    assert_eq!((action.id, action.title), ("greet", "Greet"));
    assert_eq!(action.description, "Greets somebody.\n\nAs often as asked.");
    assert_eq!(
        (action.risk, action.credential),
        (Risk::Write, Credential::Org)
    );
    assert_eq!(
        (action.examples[1].params)(),
        json!({ "name": "Ada", "times": 2 })
    );
    assert_eq!(action.result_schema().unwrap()["required"], json!(["text"]));
    assert_eq!(PROVIDER.version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn an_action_uses_the_users_connection_unless_it_says_otherwise() {
    assert_eq!(PROVIDER.actions[1].credential, Credential::PreferUser);
    assert_eq!(PROVIDER.actions[1].result_schema(), None);
}

#[test]
fn params_go_in_and_the_result_comes_out() {
    let provider = greeter();

    let result = provider
        .run("greet", json!({ "name": "Ada", "times": 2 }))
        .unwrap();

    assert_eq!(result, json!({ "text": "Hello Ada. Hello Ada." }));
    assert_eq!(provider.logs(), [(Level::Info, "greeted".to_owned())]);
}

#[test]
fn an_action_without_params_takes_an_empty_object() {
    let provider = greeter();
    provider.set_now(Timestamp::from_secs(60));
    provider.set_idempotency_key("8c5f3e52-0d4e-4c1e-9a52-6f0a1f2b3c4d");

    let result = provider.run("now", json!({})).unwrap();

    assert_eq!(
        result,
        json!({ "seconds": 60, "key": "8c5f3e52-0d4e-4c1e-9a52-6f0a1f2b3c4d" })
    );
    assert_eq!(
        provider.fails("now", json!({ "zone": "UTC" })).code(),
        ErrorCode::InvalidParams
    );
}

#[test]
fn params_that_do_not_fit_are_named() {
    let error = greeter().fails("greet", json!({ "name": "Ada", "times": "two" }));

    assert_eq!(error.code(), ErrorCode::InvalidParams);
    assert!(error.message().contains("`times`"), "{error}");
    assert!(
        greeter()
            .fails("greet", json!({ "name": "Ada", "tmies": 1 }))
            .message()
            .contains("tmies")
    );
    assert!(
        greeter()
            .fails("greet", json!({}))
            .message()
            .contains("name")
    );
    assert_eq!(
        greeter().fails("greet", json!([])).code(),
        ErrorCode::InvalidParams
    );
}

#[test]
fn the_functions_own_errors_come_through() {
    let error = greeter().fails("greet", json!({ "name": "" }));

    assert_eq!(error, Error::invalid_params("A name is needed."));
}

#[test]
fn an_action_that_is_not_listed_is_a_defect() {
    let error = greeter().fails("wave", json!({}));

    assert_eq!(error.code(), ErrorCode::Internal);
    assert_eq!(error.message(), "Greeter has no action `wave`.");
}

#[test]
fn the_declaration_keeps_the_contracts_rules() {
    crate::testing::check(PROVIDER);
}
