//! The rules, one breach each. At run time a breach is a panic, in a constant a compile error.

use std::panic::catch_unwind;

use crate::prelude::*;

/// Does nothing.
#[action(title = "Nothing", risk = read)]
fn nothing(_: &Context) -> Result<Value> {
    Ok(json!({}))
}

provider! {
    id: "good-provider2",
    name: "Gut für alle",
    description: "Keeps the rules.",
    guide: "Nothing to know.",
    connections: [
        Connection::org(&[ConnectionType::ApiKey, ConnectionType::Oauth2]).scopes(&["read"]),
        Connection::user(&[ConnectionType::None]).optional(),
    ],
    endpoints: [API, Endpoint::new("web", "https://example.com")],
    actions: [nothing],
}

const API: Endpoint =
    Endpoint::new("api", "https://api.example.com/v1").routes(&[Route::get("/things")]);
const ACTION: crate::action::Action = PROVIDER.actions[0];

/// A text of this many bytes.
fn long(bytes: usize) -> &'static str {
    "x".repeat(bytes).leak()
}

#[track_caller]
fn check(expected: &str, change: impl FnOnce(&mut Provider)) {
    let mut provider = PROVIDER;
    change(&mut provider);
    let panic = catch_unwind(|| provider.checked()).expect_err(expected);
    let message = panic
        .downcast_ref::<&str>()
        .expect("the messages are fixed texts");
    assert!(message.contains(expected), "{message}");
}

#[test]
fn texts_are_bounded() {
    for id in ["", "Linear", "2nd", "-a", "a_b", "a b", long(33)] {
        check("`id` must match [a-z][a-z0-9-]{0,31}", |provider| {
            provider.id = id;
        });
    }
    check("`name` must have 1 to 64", |provider| provider.name = "");
    check("`name` must have 1 to 64", |provider| {
        provider.name = long(65);
    });
    check("`description` must have", |provider| {
        provider.description = long(501);
    });
    check("`guide` must not be empty", |provider| provider.guide = "");
    check("`guide` must have at most 16 KiB", |provider| {
        provider.guide = long(16_385);
    });
    check("`icon` must have at most 16 KiB", |provider| {
        provider.icon = Some(long(16_385));
    });
}

#[test]
fn memory_is_asked_for_in_mib_that_exist() {
    for mib in [0, 4_097] {
        check("`memory_mib` must be 1 to 4096", |provider| {
            provider.memory_mib = Some(mib);
        });
    }
    let provider = Provider {
        memory_mib: Some(4_096),
        ..PROVIDER
    };
    assert_eq!(provider.checked().memory_mib, Some(4_096));
}

#[test]
fn characters_are_counted_and_not_bytes() {
    let provider = Provider {
        name: "é".repeat(64).leak(),
        ..PROVIDER
    };

    assert_eq!(provider.checked().name.len(), 128);
}

#[test]
fn connections_are_coherent() {
    const KEY: Connection = Connection::org(&[ConnectionType::ApiKey]);
    const UNTYPED: Connection = Connection::org(&[]);
    const MIXED: Connection = Connection::org(&[ConnectionType::ApiKey, ConnectionType::None]);
    const SCOPED: Connection = KEY.scopes(&["read"]);

    check("at least one type", |provider| {
        provider.connections = &[UNTYPED];
    });
    check("must stand alone", |provider| {
        provider.connections = &[MIXED];
    });
    check("only OAuth", |provider| provider.connections = &[SCOPED]);
    check("one connection of the organization", |provider| {
        provider.connections = &[KEY, KEY];
    });
}

#[test]
fn endpoints_are_named_once_and_encrypted() {
    const NAME: Endpoint = Endpoint::new("API", "https://example.com");
    const PLAIN: Endpoint = Endpoint::new("api", "http://example.com");
    const SLASH: Endpoint = Endpoint::new("api", "https://example.com/");
    const ROUTE: Endpoint =
        Endpoint::new("api", "https://example.com").routes(&[Route::get("things")]);

    check("same name", |provider| provider.endpoints = &[API, API]);
    check("name must match", |provider| provider.endpoints = &[NAME]);
    check("must start with https://", |provider| {
        provider.endpoints = &[PLAIN];
    });
    check("must not end with a slash", |provider| {
        provider.endpoints = &[SLASH];
    });
    check("path must start with a slash", |provider| {
        provider.endpoints = &[ROUTE];
    });
}

#[test]
fn actions_are_named_once_and_described() {
    fn with(change: impl FnOnce(&mut crate::action::Action)) -> &'static [crate::action::Action] {
        let mut action = ACTION;
        change(&mut action);
        vec![action].leak()
    }

    check("at least one action", |provider| provider.actions = &[]);
    check("two actions have the same name", |provider| {
        provider.actions = &[ACTION, ACTION];
    });
    check("function name must match", |provider| {
        provider.actions = with(|action| action.id = "_hidden");
    });
    check("title must have 1 to 80", |provider| {
        provider.actions = with(|action| action.title = long(81));
    });
    check("documentation must have 1 to 2,000", |provider| {
        provider.actions = with(|action| action.description = long(2_001));
    });
}
