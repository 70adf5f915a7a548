//! Manners of the probe while it describes itself.

use super::{Behaviour, Ends, Made};
use Ends::{Completed, NotLoaded};

pub(super) fn rows() -> Vec<Behaviour> {
    let groups = [imports(), limits(), words(), schemas()];
    groups.into_iter().flatten().collect()
}

fn manner(
    phrase: &'static str,
    tries: &'static str,
    ends: Ends,
    tests: &'static [&'static str],
) -> Behaviour {
    Behaviour {
        name: phrase,
        tries,
        made: Made::Manner(phrase),
        ends,
        tests,
    }
}

fn imports() -> Vec<Behaviour> {
    const CLOCK: Ends = NotLoaded("the clock is refused while a plugin describes itself");
    vec![
        manner(
            "reads the clock",
            "describes itself differently at another time",
            CLOCK,
            &["describing::the_clock_is_closed"],
        ),
        manner(
            "waits",
            "makes loading take as long as it likes",
            CLOCK,
            &["describing::the_clock_is_closed"],
        ),
        manner(
            "logs",
            "writes to the log before anybody has agreed to it",
            Completed,
            &["describing::log_lines_are_dropped"],
        ),
        manner(
            "calls out",
            "sends something before anybody has agreed to it",
            Completed,
            &["describing::requests_are_denied"],
        ),
        manner(
            "logs for ever",
            "hopes that what is refused costs nothing",
            NotLoaded("`provider.describe` failed: the provider used up"),
            &[],
        ),
        manner(
            "sends for ever",
            "hopes that what is refused costs nothing",
            NotLoaded("`provider.describe` failed: the provider used up"),
            &[],
        ),
    ]
}

fn limits() -> Vec<Behaviour> {
    vec![
        manner(
            "spins in describe",
            "makes the gateway's start take for ever",
            NotLoaded("`provider.describe` failed: the provider used up"),
            &[],
        ),
        manner(
            "spins",
            "makes the gateway's start take for ever",
            NotLoaded("`actions.list` failed: the provider used up"),
            &["describing::the_cpu_limit_holds"],
        ),
        manner(
            "spins in guide",
            "makes the gateway's start take for ever",
            NotLoaded("`actions.guide` failed: the provider used up"),
            &[],
        ),
        manner(
            "takes all memory",
            "takes the machine's memory before anybody has agreed to it",
            NotLoaded("memory_bytes"),
            &["large::what_a_plugin_takes_to_describe_itself_has_to_be_granted"],
        ),
        manner(
            "wants all memory",
            "is given what it asks for",
            NotLoaded("memory_bytes"),
            &["large::what_a_plugin_asks_for_has_to_be_granted"],
        ),
        manner(
            "recurses",
            "runs over the end of the thread's stack",
            NotLoaded("of stack"),
            &[],
        ),
        manner(
            "traps",
            "ends the gateway's start",
            NotLoaded("`actions.guide` failed: the provider stopped abruptly"),
            &["describing::a_trap_names_the_function"],
        ),
    ]
}

fn words() -> Vec<Behaviour> {
    vec![
        manner(
            "repeats an action",
            "has one action reviewed and runs another",
            NotLoaded("is the id of an earlier action"),
            &[
                "describing::what_breaks_a_rule_is_refused_with_its_place",
                "describe::tests::actions_are_told_apart_and_bounded_in_number",
            ],
        ),
        manner(
            "lists 100,000 actions",
            "fills the gateway's memory",
            NotLoaded("handed over more than"),
            &["describe::tests::actions_are_told_apart_and_bounded_in_number"],
        ),
        manner(
            "talks too long",
            "fills every agent's context",
            NotLoaded("actions.guide(): has 16385 bytes"),
            &["describing::what_breaks_a_rule_is_refused_with_its_place"],
        ),
        manner(
            "talks without end",
            "fills the gateway's memory",
            NotLoaded("`actions.guide` failed: the provider handed over more than"),
            &[],
        ),
        manner(
            "guides the terminal",
            "has an operator's terminal obey",
            NotLoaded("actions.guide(): must not contain control characters"),
            &["describe::tests::descriptions_are_printable_and_bounded"],
        ),
        manner(
            "steers the terminal",
            "has an operator's terminal obey",
            NotLoaded("identity.name: must not contain control characters"),
            &["describe::tests::names_are_single_printable_lines"],
        ),
        manner(
            "speaks no UTF-8",
            "has text in the host that is no text",
            NotLoaded("`provider.describe` failed"),
            &[],
        ),
        manner(
            "goes unencrypted",
            "has the credential sent where anybody can read it",
            NotLoaded("endpoints[0].base-url"),
            &["describe::tests::a_base_is_https_and_nothing_else"],
        ),
        manner(
            "brings a password",
            "sends a credential of its own",
            NotLoaded("endpoints[0].base-url"),
            &["describe::tests::a_base_is_https_and_nothing_else"],
        ),
        manner(
            "climbs out of its route",
            "has a route reviewed and uses another",
            NotLoaded("endpoints[0].routes[0].path-prefix"),
            &["describe::tests::a_route_is_a_plain_path"],
        ),
    ]
}

fn schemas() -> Vec<Behaviour> {
    const INVALID: Ends = NotLoaded("actions[0].params-schema");
    const PATTERNS: &[&str] = &["core::schema::tests::invalid_schemas_are_refused_with_a_place"];
    vec![
        manner(
            "refers elsewhere",
            "has the gateway fetch something",
            INVALID,
            &[
                "schemas::a_reference_that_leaves_the_schema_is_refused_and_not_followed",
                "core::schema::check::tests::references_that_leave_the_document_are_refused",
            ],
        ),
        manner(
            "multiplies references",
            "has a small schema become a billion parts",
            INVALID,
            &["core::schema::check::tests::references_that_multiply_are_refused"],
        ),
        manner(
            "has a deep schema",
            "ends the stack of whoever reads it",
            INVALID,
            &["core::schema::check::tests::size_and_depth_are_bounded"],
        ),
        manner(
            "has a schema of 100 KB",
            "fills every agent's context",
            NotLoaded("bytes; the limit is 65536"),
            &["describe::tests::a_schema_is_json_schema_of_an_object"],
        ),
        manner(
            "has a schema of 10 MB",
            "fills the gateway's memory",
            NotLoaded("`actions.list` failed: the provider handed over more than"),
            &[],
        ),
        manner(
            "has a slow pattern",
            "has every check of params take for ever",
            Completed,
            &["schemas::a_pattern_takes_time_in_proportion_to_the_text"],
        ),
        manner(
            "refers back in a pattern",
            "has the pattern run where it can take for ever",
            INVALID,
            PATTERNS,
        ),
        manner(
            "looks ahead in a pattern",
            "has the pattern run where it can take for ever",
            INVALID,
            PATTERNS,
        ),
        manner(
            "has a huge pattern",
            "has a short pattern become a large program",
            INVALID,
            PATTERNS,
        ),
        manner(
            "has a deep pattern",
            "ends the stack of whoever reads it",
            INVALID,
            PATTERNS,
        ),
    ]
}
