//! Actions of the probe.

use portcullis_core::invocation::FailureCode::{
    CpuExceeded, DeadlineExceeded, MemoryExceeded, ProviderInternal, TooLarge, Trapped, Upstream,
};

use super::{Behaviour, Ends, Made};
use Ends::{Completed, Failed, Stopped};

pub(super) fn rows() -> Vec<Behaviour> {
    let groups = [
        endless(),
        memory(),
        crashes(),
        answers(),
        imports(),
        state(),
    ];
    groups.into_iter().flatten().collect()
}

fn attack(
    name: &'static str,
    tries: &'static str,
    ends: Ends,
    tests: &'static [&'static str],
) -> Behaviour {
    Behaviour {
        name,
        tries,
        made: Made::Attack,
        ends,
        tests,
    }
}

const CPU: Ends = Stopped(CpuExceeded, "CPU time");

fn endless() -> Vec<Behaviour> {
    vec![
        attack(
            "compute for ever",
            "keeps a core",
            CPU,
            &[
                "cpu::a_guest_that_computes_for_ever_is_stopped_at_its_cpu_limit",
                "cpu::a_guest_that_computes_lets_others_run",
                "deadline::a_call_that_computes_too_long_is_stopped_though_it_has_cpu_time_left",
                "places::a_computing_call_that_is_given_up_leaves_its_place",
            ],
        ),
        attack(
            "copy memory for ever",
            "spends its time where no code of it runs that could be interrupted",
            CPU,
            &[],
        ),
        attack(
            "log and send for ever",
            "hopes that the host's work is not its own",
            CPU,
            &["cpu::host_calls_and_waiting_give_no_fresh_cpu_time"],
        ),
        attack(
            "read the clock for ever",
            "hopes that each host call begins a new slice of time",
            CPU,
            &[],
        ),
        attack(
            "log for ever",
            "fills the log, and hopes that lines which are dropped cost nothing",
            CPU,
            &["logging::lines_beyond_the_limit_are_dropped_and_counted"],
        ),
        attack(
            "send for ever",
            "hopes that requests which are refused cost nothing",
            CPU,
            &["outbound::requests_beyond_the_limit_of_a_call_are_not_sent"],
        ),
        attack(
            "send several at once for ever",
            "hopes that what runs side by side is counted once",
            CPU,
            &[],
        ),
        attack(
            "ask for the longest wait for ever",
            "hopes that time which cannot be added up is no time",
            CPU,
            &["waiting::a_wait_that_leaves_less_than_a_second_of_the_call_is_refused_at_once"],
        ),
        attack(
            "wait for ever, a moment at a time",
            "keeps a place without using CPU time",
            Stopped(DeadlineExceeded, "did not end within"),
            &[
                "waiting::waiting_costs_no_cpu_time",
                "waiting::a_waiting_call_that_is_given_up_leaves_its_place",
            ],
        ),
    ]
}

const MEMORY: Ends = Stopped(MemoryExceeded, "sandbox.memory_bytes");

fn memory() -> Vec<Behaviour> {
    vec![
        attack(
            "ask for more memory than there is",
            "has the host set memory aside",
            MEMORY,
            &["memory::a_guest_that_dies_for_lack_of_memory_has_exceeded_it"],
        ),
        attack(
            "grow memory to all that can be addressed",
            "has the host set memory aside, without an allocator of its own",
            MEMORY,
            &["memory::memory_grows_up_to_the_limit_and_not_by_a_page_more"],
        ),
        attack(
            "take memory and write to it until there is none",
            "takes the machine's memory, page by page",
            MEMORY,
            &[],
        ),
    ]
}

const STACK: Ends = Stopped(Trapped, "of stack");
const ABRUPT: Ends = Stopped(Trapped, "stopped abruptly");

fn crashes() -> Vec<Behaviour> {
    vec![
        attack(
            "trap",
            "takes the thread along that runs it",
            ABRUPT,
            &["crashes::a_trap_and_a_panic_are_told_as_such"],
        ),
        attack(
            "panic",
            "has its words in the gateway's answer or log",
            ABRUPT,
            &["crashes::a_trap_and_a_panic_are_told_as_such"],
        ),
        attack(
            "recurse for ever",
            "runs over the end of the thread's stack",
            STACK,
            &["crashes::a_guest_that_recurses_for_ever_runs_out_of_stack"],
        ),
        attack(
            "recurse for ever and call the host from each level",
            "leaves the host no stack to run on",
            STACK,
            &[],
        ),
        attack(
            "panic between two requests",
            "leaves something half done",
            ABRUPT,
            &["midway::a_crash_between_requests_counts_what_was_sent"],
        ),
        attack(
            "trap after several requests at once",
            "leaves requests behind that nobody waits for",
            ABRUPT,
            &["midway::a_crash_between_requests_counts_what_was_sent"],
        ),
        attack(
            "run out of stack after a log line",
            "crashes where the host has just been",
            STACK,
            &["midway::a_crash_between_requests_counts_what_was_sent"],
        ),
        attack(
            "run out of memory after a request",
            "crashes while a response lies in its memory",
            MEMORY,
            &["midway::a_crash_between_requests_counts_what_was_sent"],
        ),
    ]
}

const NO_JSON: Ends = Stopped(ProviderInternal, "not valid JSON");

fn answers() -> Vec<Behaviour> {
    const MALFORMED: &[&str] = &["answers::a_result_that_is_not_json_is_the_providers_fault"];
    const OPEN: &[&str] = &["answers::what_the_standard_leaves_open_has_one_outcome"];
    const DEEP: &[&str] = &["answers::a_result_may_be_nested_so_deep_and_no_deeper"];
    vec![
        attack(
            "answer half an object",
            "breaks whoever reads it",
            NO_JSON,
            MALFORMED,
        ),
        attack(
            "answer two values",
            "is read as one value here and as another there",
            NO_JSON,
            MALFORMED,
        ),
        attack(
            "answer nothing",
            "breaks whoever reads it",
            NO_JSON,
            MALFORMED,
        ),
        attack(
            "answer half a surrogate pair",
            "has text in the result that is no Unicode",
            NO_JSON,
            OPEN,
        ),
        attack(
            "answer a number beyond doubles",
            "is read as one number here and as another there",
            NO_JSON,
            OPEN,
        ),
        attack(
            "answer 100,000 levels of arrays",
            "ends the stack of a parser that recurses",
            NO_JSON,
            DEEP,
        ),
        attack(
            "answer 100,000 levels of objects",
            "ends the stack of a parser that recurses",
            NO_JSON,
            DEEP,
        ),
        attack(
            "answer 1,000,000 levels that never close",
            "ends the stack of a parser that recurses",
            NO_JSON,
            DEEP,
        ),
        attack(
            "answer more than a result may have",
            "fills the gateway's memory and its database",
            Stopped(TooLarge, "the limit is"),
            &["sizes::a_result_has_its_limit"],
        ),
        attack(
            "answer more than the host takes",
            "fills the gateway's memory before anything is checked",
            Stopped(TooLarge, "at once"),
            &["sizes::a_result_beyond_what_a_host_call_takes_is_too_large_as_well"],
        ),
        attack(
            "steer the terminal with an error",
            "has an operator's terminal obey",
            Failed(Upstream),
            &["answers::an_error_cannot_steer_a_terminal"],
        ),
        attack(
            "fail with a megabyte of words",
            "fills rows and logs with its error",
            Failed(ProviderInternal),
            &["answers::an_error_is_cut_at_4_kib_between_characters"],
        ),
        attack(
            "fail with more than the host takes",
            "fills the gateway's memory with its error",
            Stopped(TooLarge, "at once"),
            &["sizes::a_result_beyond_what_a_host_call_takes_is_too_large_as_well"],
        ),
    ]
}

fn imports() -> Vec<Behaviour> {
    let large = |name| {
        attack(
            name,
            "fills the gateway's memory before anything is checked",
            Stopped(TooLarge, "at once"),
            &["sizes::a_host_call_has_its_limit"],
        )
    };
    let invalid = |name| {
        attack(
            name,
            "has text in the host that is no text",
            Stopped(Trapped, "broke the rules"),
            &["odd_guests::a_text_that_is_not_utf_8_traps"],
        )
    };
    let mut rows = vec![
        attack(
            "send 1,000 requests one after the other",
            "makes the gateway a source of load",
            Completed,
            &["midway::a_flood_of_requests_ends_at_the_limit"],
        ),
        attack(
            "send 1,000 requests at once",
            "makes the gateway a source of load",
            Completed,
            &[
                "midway::a_flood_of_requests_ends_at_the_limit",
                "outbound::send_all_sends_eight_at_most_and_keeps_their_order",
            ],
        ),
        attack(
            "send 100,000 requests at once",
            "has the host make a list of any length",
            Stopped(TooLarge, "at once"),
            &[],
        ),
        attack(
            "log 5,000 lines",
            "fills the gateway's log",
            Completed,
            &["logging::lines_beyond_the_limit_are_dropped_and_counted"],
        ),
        large("log a line of seven megabytes"),
    ];
    rows.extend(
        [
            "huge endpoint",
            "huge path",
            "huge name in a query",
            "huge value in a query",
            "huge name of a header",
            "huge value of a header",
            "huge body",
        ]
        .map(large),
    );
    rows.extend(
        [
            "no UTF-8 in an endpoint",
            "half a character in a path",
            "a surrogate in a query's name",
            "an overlong slash in a query's value",
            "no UTF-8 in a header's name",
            "no UTF-8 in a header's value",
            "a character beyond Unicode in the log",
            "no UTF-8 in a result",
            "no UTF-8 in an error",
        ]
        .map(invalid),
    );
    rows
}

fn state() -> Vec<Behaviour> {
    vec![
        attack(
            "look for what an earlier call left",
            "carries what one tenant said to another",
            Completed,
            &[
                "crashes::nothing_survives_from_one_call_into_the_next",
                "smuggling::nothing_is_left_in_statics_on_the_heap_or_in_fresh_memory",
                "token::nothing_of_an_earlier_call_is_in_the_memory_of_the_next",
            ],
        ),
        attack(
            "search memory for tokens",
            "reads the credential that its requests carry",
            Completed,
            &["token::the_token_is_nowhere_in_the_memory_of_a_guest_that_uses_it"],
        ),
    ]
}
