//! Messages of panics: those that are caught are seen by no test.

use std::any::Any;
use std::sync::Once;

use crate::{Place, Search, canaries};

/// Searches the message of every panic of this process from now on.
pub fn watch_panics() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| watch(canaries()));
}

fn watch(search: &'static Search) {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic
            .location()
            .map_or_else(String::new, ToString::to_string);
        let said = message(panic.payload());
        search.look(Place::Panic, &place, said.as_bytes());
        usual(panic);
    }));
}

fn message(payload: &dyn Any) -> &str {
    let formatted = payload.downcast_ref::<String>().map(String::as_str);
    let literal = payload.downcast_ref::<&str>().copied();
    formatted.or(literal).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::panic::catch_unwind;
    use std::sync::LazyLock;

    use super::*;
    use crate::Ledger;

    /// What no other search looks for.
    const TEXT: &str = "decoy+90bd/2f";

    #[test]
    fn a_panic_that_is_caught_is_searched() {
        static SEARCH: LazyLock<Search> = LazyLock::new(|| Search::new(TEXT, Ledger::default()));
        watch(&SEARCH);
        let token = std::hint::black_box(TEXT);
        catch_unwind(|| panic!("nothing of interest")).unwrap_err();
        SEARCH.expect_nothing_found();
        catch_unwind(|| panic!("the token is {token}")).unwrap_err();
        let found = SEARCH.take_found().join("\n");
        assert!(
            found.contains("a credential, plain, is in tests/canary/src/panics.rs:"),
            "{found}"
        );
        assert!(
            found.ends_with("(panics), after \"the token is \""),
            "{found}"
        );
    }
}
