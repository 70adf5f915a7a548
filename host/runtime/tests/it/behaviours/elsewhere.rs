//! What only the tests that are named can make: values that no guest is needed for,
//! many components at once, or conditions of their own.

use super::{Behaviour, Ends, Made};
use Ends::{Completed, NotLoaded, NotSent, Stopped};
use portcullis_core::invocation::FailureCode;

pub(super) fn rows() -> Vec<Behaviour> {
    let groups = [descriptions(), requests(), wasi(), bytes()];
    groups.into_iter().flatten().collect()
}

fn elsewhere(
    name: &'static str,
    tries: &'static str,
    ends: Ends,
    tests: &'static [&'static str],
) -> Behaviour {
    Behaviour {
        name,
        tries,
        made: Made::InTests,
        ends,
        tests,
    }
}

fn descriptions() -> Vec<Behaviour> {
    vec![
        elsewhere(
            "ids that are no ids",
            "is taken for a path, another source or part of a command",
            NotLoaded("identity.id"),
            &["describe::tests::an_id_has_a_form"],
        ),
        elsewhere(
            "the ids of other kinds of sources",
            "is taken for somebody's database or connector",
            NotLoaded("identity.id"),
            &["describe::tests::an_id_is_of_no_other_kind_of_source"],
        ),
        elsewhere(
            "a credential where it steers a request",
            "has the host write headers that only it may write",
            NotLoaded("credentials"),
            &["describe::tests::a_credential_stands_only_where_it_steers_nothing"],
        ),
        elsewhere(
            "connections that repeat or contradict themselves",
            "has the host choose between two readings",
            NotLoaded("connections"),
            &[
                "describe::tests::a_connection_can_be_made_in_one_way_at_least",
                "describe::tests::a_credential_has_one_rule_for_each_type_that_a_connection_offers",
            ],
        ),
        elsewhere(
            "scopes and presets that are none",
            "has the host ask an authorization server for something else",
            NotLoaded("connections[0]"),
            &["describe::tests::scopes_and_presets_have_a_form"],
        ),
        elsewhere(
            "examples that break the schema",
            "has agents learn calls that are refused",
            NotLoaded("examples"),
            &["describe::tests::an_example_satisfies_the_schema"],
        ),
        elsewhere(
            "names that steer the terminal of who inspects",
            "has an operator's terminal obey",
            NotLoaded("is outside the contract"),
            &["inspect::tests::a_name_cannot_steer_a_terminal_or_fill_it"],
        ),
    ]
}

fn requests() -> Vec<Behaviour> {
    vec![
        elsewhere(
            "addresses that are not globally routable",
            "turns the gateway into a scanner of its own network",
            NotSent("Denied"),
            &["egress::tests::what_is_not_granted_is_refused_before_it_is_connected_to"],
        ),
        elsewhere(
            "names and values that end a parameter",
            "adds parameters that nobody has looked at",
            Completed,
            &["smuggled_queries::a_parameter_stays_one_whatever_it_holds"],
        ),
        elsewhere(
            "an upstream that never answers",
            "keeps a place without using CPU time",
            Stopped(FailureCode::DeadlineExceeded, "did not end within"),
            &["deadline::a_call_that_waits_too_long_is_stopped_with_its_request"],
        ),
        elsewhere(
            "more calls than there are places",
            "keeps others from being served",
            Stopped(FailureCode::Busy, "no free place"),
            &["places::a_call_that_finds_no_place_in_time_is_busy"],
        ),
        elsewhere(
            "a secret at the cut of an error or a log line",
            "has half a secret left where a text is cut",
            Completed,
            &[
                "answers::an_error_contains_no_secret",
                "logging::a_line_contains_no_secret",
            ],
        ),
        elsewhere(
            "lines that look like the gateway's",
            "forges what operators read",
            Completed,
            &["logging::a_line_is_one_line_and_cannot_steer_a_terminal"],
        ),
    ]
}

fn wasi() -> Vec<Behaviour> {
    vec![
        elsewhere(
            "looks for files, arguments and the environment",
            "reads what the gateway's process has",
            Completed,
            &[
                "wasi::there_is_no_environment_no_argument_and_no_directory",
                "wasi::there_is_no_working_directory_and_no_terminal",
            ],
        ),
        elsewhere(
            "opens sockets and resolves names",
            "calls out past the egress",
            Completed,
            &["wasi::no_socket_can_be_made", "wasi::no_name_is_resolved"],
        ),
        elsewhere(
            "makes pollables for ever",
            "fills the host's table of resources",
            Stopped(FailureCode::Trapped, ""),
            &["wasi::resources_are_bounded"],
        ),
        elsewhere(
            "takes randomness by the gigabyte",
            "has the host work for it",
            Stopped(FailureCode::Trapped, ""),
            &["wasi::randomness_comes_in_bounded_portions"],
        ),
        elsewhere(
            "prints a line without an end",
            "fills the host's memory with what is not logged yet",
            Completed,
            &["wasi::a_line_without_end_takes_no_memory_and_shows_no_half_secret"],
        ),
        elsewhere(
            "asks for ever whether something is ready",
            "hopes that waiting costs nothing",
            Stopped(FailureCode::CpuExceeded, "CPU time"),
            &["wasi::asking_whether_something_is_ready_costs_cpu_time"],
        ),
    ]
}

fn bytes() -> Vec<Behaviour> {
    vec![
        elsewhere(
            "a broken byte anywhere",
            "breaks whoever reads it",
            NotLoaded("not a WebAssembly component"),
            &["loading::a_component_with_a_broken_byte_anywhere_does_not_break_the_inspection"],
        ),
        elsewhere(
            "a file over the limit",
            "fills the gateway's memory",
            NotLoaded("sandbox.component_bytes"),
            &["loading::a_component_over_the_size_limit_is_refused"],
        ),
        elsewhere(
            "functions that take the compiler for ever",
            "takes the machine's memory and its cores while it is compiled",
            NotLoaded("compiling the component takes more than"),
            &[
                "inspect::tests::functions_are_bounded_one_by_one",
                "program::compiling::limits::memory_is_bounded",
                "program::compiling::limits::cpu_time_is_bounded",
                "program::compiling::limits::time_is_bounded",
            ],
        ),
        elsewhere(
            "sections that claim to be long",
            "has whoever reads it set memory aside",
            NotLoaded("and may have"),
            &["inspect::tests::the_sections_of_a_core_module_are_counted"],
        ),
    ]
}
