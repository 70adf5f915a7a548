//! Every action, by id.
//!
//! Some actions are attacks. Their examples say how they are made: the title of an
//! example names an attack, its params make it. Whoever wants all of them, as the
//! runtime's tests and the benchmark of neighbours do, reads them from the loaded
//! plugin; a sandbox with the usual limits stops each of them by itself.

use crate::{
    Behaviour, answers, crash, endless, handing, logging, memory, outbound, plain, scan, smuggle,
};

/// An action.
pub(crate) struct Entry {
    pub(crate) id: &'static str,
    pub(crate) behaviour: Behaviour,
    /// Names of attacks, and the params that make them.
    pub(crate) attacks: &'static [(&'static str, &'static str)],
}

/// What does no harm, or only with the params of a test.
const fn action(id: &'static str, behaviour: Behaviour) -> Entry {
    hostile(id, behaviour, &[])
}

const fn hostile(
    id: &'static str,
    behaviour: Behaviour,
    attacks: &'static [(&'static str, &'static str)],
) -> Entry {
    Entry {
        id,
        behaviour,
        attacks,
    }
}

/// What the probe has besides when it describes itself as a later version.
pub(crate) const LATER: &[Entry] = &[
    action("appeared", plain::echo),
    action("moment", plain::now),
];

pub(crate) const ACTIONS: &[Entry] = &[
    action("echo", plain::echo),
    action("key", plain::key),
    action("now", plain::now),
    action("wait", plain::wait),
    action("edition", plain::edition),
    action("remember", plain::remember),
    hostile(
        "text",
        answers::text,
        &[
            ("answer half an object", r#"{"text":"{\"a\":"}"#),
            ("answer two values", r#"{"text":"{} {}"}"#),
            ("answer half a surrogate pair", r#"{"text":"\"\\ud800\""}"#),
            ("answer a number beyond doubles", r#"{"text":"[1e400]"}"#),
            ("answer nothing", r#"{"text":""}"#),
        ],
    ),
    hostile(
        "huge_result",
        answers::huge_result,
        &[
            ("answer more than a result may have", r#"{"bytes":5242880}"#),
            ("answer more than the host takes", r#"{"bytes":7340032}"#),
        ],
    ),
    hostile(
        "deep_result",
        answers::deep_result,
        &[
            (
                "answer 100,000 levels of arrays",
                r#"{"levels":100000,"open":"[","close":"]"}"#,
            ),
            (
                "answer 100,000 levels of objects",
                r#"{"levels":100000,"open":"{\"a\":","close":"}"}"#,
            ),
            (
                "answer 1,000,000 levels that never close",
                r#"{"levels":1000000,"open":"[","close":""}"#,
            ),
        ],
    ),
    action("rows", answers::rows),
    hostile(
        "fail",
        answers::fail,
        &[(
            "steer the terminal with an error",
            r#"{"code":"upstream","message":"\u001b[2Jgone\u0007","retryable":false}"#,
        )],
    ),
    hostile(
        "huge_error",
        answers::huge_error,
        &[
            ("fail with a megabyte of words", r#"{"bytes":1048576}"#),
            ("fail with more than the host takes", r#"{"bytes":7340032}"#),
        ],
    ),
    action("fetch", outbound::fetch),
    action("fetch_as_user", outbound::fetch),
    action("fetch_preferring_user", outbound::fetch),
    action("fetch_many", outbound::fetch_many),
    action("forward", outbound::forward),
    hostile(
        "request_flood",
        outbound::request_flood,
        &[(
            "send 1,000 requests one after the other",
            r#"{"requests":1000}"#,
        )],
    ),
    hostile(
        "send_all_flood",
        outbound::send_all_flood,
        &[
            ("send 1,000 requests at once", r#"{"requests":1000}"#),
            ("send 100,000 requests at once", r#"{"requests":100000}"#),
        ],
    ),
    action("log_line", logging::log_line),
    hostile(
        "log_flood",
        logging::log_flood,
        &[(
            "log 5,000 lines",
            r#"{"line":"a line of a flood","times":5000}"#,
        )],
    ),
    hostile(
        "huge_log",
        logging::huge_log,
        &[("log a line of seven megabytes", r#"{"bytes":7340032}"#)],
    ),
    hostile(
        "huge_text",
        handing::huge_text,
        &[
            ("huge endpoint", r#"{"place":"endpoint","bytes":7340032}"#),
            ("huge path", r#"{"place":"path","bytes":7340032}"#),
            (
                "huge name in a query",
                r#"{"place":"query_name","bytes":7340032}"#,
            ),
            (
                "huge value in a query",
                r#"{"place":"query_value","bytes":7340032}"#,
            ),
            (
                "huge name of a header",
                r#"{"place":"header_name","bytes":7340032}"#,
            ),
            (
                "huge value of a header",
                r#"{"place":"header_value","bytes":7340032}"#,
            ),
            ("huge body", r#"{"place":"body","bytes":7340032}"#),
        ],
    ),
    hostile(
        "invalid_text",
        handing::invalid_text,
        &[
            (
                "no UTF-8 in an endpoint",
                r#"{"place":"endpoint","bytes":[97,255]}"#,
            ),
            (
                "half a character in a path",
                r#"{"place":"path","bytes":[195]}"#,
            ),
            (
                "a surrogate in a query's name",
                r#"{"place":"query_name","bytes":[237,160,128]}"#,
            ),
            (
                "an overlong slash in a query's value",
                r#"{"place":"query_value","bytes":[192,175]}"#,
            ),
            (
                "no UTF-8 in a header's name",
                r#"{"place":"header_name","bytes":[120,45,254]}"#,
            ),
            (
                "no UTF-8 in a header's value",
                r#"{"place":"header_value","bytes":[128]}"#,
            ),
            (
                "a character beyond Unicode in the log",
                r#"{"place":"log","bytes":[244,144,128,128]}"#,
            ),
            (
                "no UTF-8 in a result",
                r#"{"place":"result","bytes":[34,255,34]}"#,
            ),
            (
                "no UTF-8 in an error",
                r#"{"place":"error","bytes":[111,255]}"#,
            ),
        ],
    ),
    hostile("spin", endless::spin, &[("compute for ever", "{}")]),
    hostile(
        "spin_with_host_calls",
        endless::spin_with_host_calls,
        &[(
            "log and send for ever",
            r#"{"endpoint":"api","method":"GET","path":"/"}"#,
        )],
    ),
    hostile(
        "call_for_ever",
        endless::call_for_ever,
        &[
            ("read the clock for ever", r#"{"import":"now"}"#),
            ("log for ever", r#"{"import":"log"}"#),
            ("send for ever", r#"{"import":"send"}"#),
            ("send several at once for ever", r#"{"import":"send_all"}"#),
            (
                "ask for the longest wait for ever",
                r#"{"import":"wait","milliseconds":4294967295}"#,
            ),
            (
                "wait for ever, a moment at a time",
                r#"{"import":"wait","milliseconds":1}"#,
            ),
        ],
    ),
    hostile("trap", crash::trap, &[("trap", "{}")]),
    hostile("panic", crash::panic, &[("panic", "{}")]),
    hostile(
        "recurse",
        crash::recurse,
        &[("recurse for ever", r#"{"depth":null}"#)],
    ),
    hostile(
        "recurse_with_host_calls",
        crash::recurse_with_host_calls,
        &[("recurse for ever and call the host from each level", "{}")],
    ),
    hostile(
        "crash_midway",
        crash::crash_midway,
        &[
            (
                "panic between two requests",
                r#"{"after":"send","how":"panic"}"#,
            ),
            (
                "trap after several requests at once",
                r#"{"after":"send_all","how":"trap"}"#,
            ),
            (
                "run out of stack after a log line",
                r#"{"after":"log","how":"overflow"}"#,
            ),
            (
                "run out of memory after a request",
                r#"{"after":"send","how":"exhaustion"}"#,
            ),
        ],
    ),
    hostile(
        "allocate",
        memory::allocate,
        &[(
            "ask for more memory than there is",
            r#"{"bytes":1073741824}"#,
        )],
    ),
    hostile(
        "grow_memory",
        memory::grow_memory,
        &[(
            "grow memory to all that can be addressed",
            r#"{"to_bytes":4294967295}"#,
        )],
    ),
    hostile(
        "fill_memory",
        memory::fill_memory,
        &[(
            "take memory and write to it until there is none",
            r#"{"block_bytes":65536}"#,
        )],
    ),
    hostile(
        "churn_memory",
        memory::churn_memory,
        &[("copy memory for ever", r#"{"bytes":8388608}"#)],
    ),
    hostile(
        "smuggle",
        smuggle::smuggle,
        &[(
            "look for what an earlier call left",
            r#"{"words":"from an earlier call"}"#,
        )],
    ),
    hostile(
        "scan_memory",
        scan::scan_memory,
        &[(
            "search memory for tokens",
            r#"{"request":null,"mask":165,"needles":{"bearer":[231,192,196,215,192,215,133]}}"#,
        )],
    ),
];
