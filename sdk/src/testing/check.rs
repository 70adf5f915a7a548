//! What the compiler cannot check of a provider: its schemas and examples.

use serde_json::Value;

use crate::{action::Action, provider::Provider};

const MAX_SCHEMA_BYTES: usize = 64 * 1024;

/// Checks every action's schema and examples, and that the guide names it; one line in a provider's
/// tests.
///
/// The rest of what the contract asks for is checked while compiling.
///
/// # Panics
/// When the params are not a closed object, a schema is over 64 KiB or refers outside of itself, a
/// param has no documentation, an action would refuse one of its own examples, or the guide does not
/// name it in backticks.
#[track_caller]
pub fn check(provider: Provider) {
    for action in provider.actions {
        check_params(action);
        check_examples(action);
        if let Some(schema) = action.result_schema() {
            check_document(action.id, &schema);
        }
        let named = provider.guide.contains(&format!("`{}`", action.id));
        assert!(named, "{}: the guide does not name it", action.id);
    }
}

#[track_caller]
#[expect(
    clippy::indexing_slicing,
    reason = "what a schema does not have is null"
)]
fn check_params(action: &Action) {
    let (id, schema) = (action.id, action.params_schema());
    assert_eq!(
        schema["type"], "object",
        "{id}: the params must be an object; use `#[params]` on a struct"
    );
    assert_eq!(
        schema["additionalProperties"], false,
        "{id}: the params must be closed; use `#[params]`",
    );
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        assert!(
            property["description"].is_string(),
            "{id}: the param `{name}` has no documentation"
        );
    }
    check_document(id, &schema);
}

#[track_caller]
fn check_document(id: &str, schema: &Value) {
    let text = schema.to_string();
    assert!(
        text.len() <= MAX_SCHEMA_BYTES,
        "{id}: a schema is over 64 KiB"
    );
    assert!(
        refers_to_itself_only(&text),
        "{id}: a schema refers to another document"
    );
}

fn refers_to_itself_only(text: &str) -> bool {
    text.split("\"$ref\":\"")
        .skip(1)
        .all(|target| target.starts_with('#'))
}

#[track_caller]
fn check_examples(action: &Action) {
    for example in action.examples {
        if let Err(error) = action.accepts(&(example.params)().to_string()) {
            fail(action.id, example.title, error.message());
        }
    }
}

#[track_caller]
#[expect(clippy::panic, reason = "this is how a test is failed")]
fn fail(id: &str, example: &str, reason: &str) -> ! {
    panic!("{id}: the example {example:?} would be refused: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prelude::*;

    #[params]
    struct Params {
        /// A number.
        number: Option<u8>,
    }

    /// Adds one.
    #[action(title = "Add one", risk = read, example("Wrong", { "number": "one" }))]
    fn add_one(_: &Context, params: Params) -> Result<Value> {
        Ok(json!(params.number.unwrap_or_default() + 1))
    }

    /// Takes anything.
    #[action(title = "Anything", risk = read)]
    fn anything(_: &Context, params: Value) -> Result<Value> {
        Ok(params)
    }

    provider! {
        id: "numbers",
        name: "Numbers",
        description: "Numbers.",
        guide: "Numbers.",
        actions: [add_one, anything],
    }

    #[test]
    #[should_panic(expected = "add_one: the example \"Wrong\" would be refused")]
    fn examples_must_fit() {
        check(PROVIDER);
    }

    #[test]
    #[should_panic(expected = "anything: the params must be an object")]
    fn params_must_be_objects() {
        check_params(&PROVIDER.actions[1]);
    }

    #[test]
    #[should_panic(expected = "add_two: the guide does not name it")]
    fn guides_name_every_action() {
        /// Adds two.
        #[action(title = "Add two", risk = read)]
        fn add_two(_: &Context) -> Result<Value> {
            Ok(json!(2))
        }

        let actions = vec![Action::of::<add_two>()].leak();
        check(Provider {
            actions,
            ..PROVIDER
        });
    }

    #[test]
    fn remote_references_are_found() {
        assert!(refers_to_itself_only(r##"{"$ref":"#/$defs/Node"}"##));
        assert!(!refers_to_itself_only(
            r#"{"$ref":"https://example.com/schema"}"#
        ));
    }
}
