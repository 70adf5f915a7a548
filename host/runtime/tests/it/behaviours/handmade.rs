//! Modules written by hand that break the rules between component and host.

#![expect(clippy::too_many_lines, reason = "tables, one row after the other")]

use portcullis_core::invocation::FailureCode::{CpuExceeded, MemoryExceeded, TooLarge, Trapped};

use super::{Behaviour, Ends, Made};
use crate::harness::{OddGuest, StringEncoding};
use Ends::{Completed, NotLoaded, Stopped};

pub(super) fn rows() -> Vec<Behaviour> {
    let groups = [results(), imports(), functions(), memory(), encodings()];
    groups.into_iter().flatten().collect()
}

fn handmade(
    name: &'static str,
    tries: &'static str,
    component: fn() -> Vec<u8>,
    ends: Ends,
    tests: &'static [&'static str],
) -> Behaviour {
    Behaviour {
        name,
        tries,
        made: Made::Component(component),
        ends,
        tests,
    }
}

/// Its `execute` has this body.
fn executing(execute: &str) -> Vec<u8> {
    OddGuest {
        execute,
        ..OddGuest::default()
    }
    .component()
}

/// Its `execute` has this body, and these fields stand beside it.
fn with_fields(fields: &str, execute: &str) -> Vec<u8> {
    OddGuest {
        fields,
        execute,
        ..OddGuest::default()
    }
    .component()
}

/// This runs as it is instantiated.
fn starting(start: &str) -> Vec<u8> {
    with_fields(
        &format!("(func $start {start}) (start $start)"),
        OddGuest::OK,
    )
}

/// `cabi_realloc` has this body.
fn allocating(realloc: &str) -> Vec<u8> {
    OddGuest {
        realloc,
        ..OddGuest::default()
    }
    .component()
}

/// This runs after `execute`.
fn afterwards(post_return: &str) -> Vec<u8> {
    OddGuest {
        post_return,
        ..OddGuest::default()
    }
    .component()
}

/// Its `execute` has this body, in which the imports have their names.
fn calling(execute: &str) -> Vec<u8> {
    OddGuest {
        imports: IMPORTS,
        execute,
        ..OddGuest::default()
    }
    .component()
}

const IMPORTS: &str = r#"
    (import "portcullis:provider/clock@0.1.0" "now" (func $now (result i64)))
    (import "portcullis:provider/log@0.1.0" "write" (func $log (param i32 i32 i32)))
    (import "portcullis:provider/http@0.1.0" "send-all" (func $send_all (param i32 i32 i32)))"#;

const ENDLESS: &str = "(loop $again (br $again))";
const BROKEN_RULE: Ends = Stopped(Trapped, "broke the rules");
const ABRUPT: Ends = Stopped(Trapped, "stopped abruptly");
const CPU: Ends = Stopped(CpuExceeded, "CPU time");

fn results() -> Vec<Behaviour> {
    const TEXTS: &[&str] = &["odd_guests::a_text_that_is_not_in_memory_traps"];
    vec![
        handmade(
            "a result that is not in memory",
            "has the host read beyond its memory",
            || executing("i32.const 65528"),
            BROKEN_RULE,
            &["odd_guests::a_result_that_is_not_in_memory_traps"],
        ),
        handmade(
            "a result at an address that is not aligned",
            "has the host read beyond its memory",
            || executing("i32.const 1025"),
            BROKEN_RULE,
            &["odd_guests::a_result_that_is_not_in_memory_traps"],
        ),
        handmade(
            "a text whose length lies",
            "has the host read beyond its memory",
            || executing("(i32.store (i32.const 1036) (i32.const 65537)) i32.const 1024"),
            BROKEN_RULE,
            TEXTS,
        ),
        handmade(
            "a text whose end is before its beginning",
            "has the host add up an address that wraps around",
            || {
                executing(
                    "(i32.store (i32.const 1032) (i32.const -1))
                     (i32.store (i32.const 1036) (i32.const 2)) i32.const 1024",
                )
            },
            BROKEN_RULE,
            TEXTS,
        ),
        handmade(
            "a result that is neither of both",
            "has the host take a value that no variant has",
            || executing("(i32.store8 (i32.const 1024) (i32.const 7)) i32.const 1024"),
            BROKEN_RULE,
            &["odd_guests::a_value_that_no_variant_has_traps"],
        ),
        handmade(
            "loads beyond memory",
            "reads what lies beside its memory",
            || executing("(i32.load (i32.const 65533))"),
            Stopped(Trapped, "out of bounds memory access"),
            &["odd_guests::a_trap_says_what_went_wrong"],
        ),
        handmade(
            "divides by zero",
            "has the processor raise a signal",
            || executing("(i32.div_u (i32.const 1) (i32.const 0))"),
            Stopped(Trapped, "integer divide by zero"),
            &["odd_guests::a_trap_says_what_went_wrong"],
        ),
        handmade(
            "calls a function of another type",
            "runs code with what it does not expect",
            || {
                with_fields(
                    "(table 1 funcref) (elem (i32.const 0) $f) (func $f (result i64) i64.const 1)",
                    "(call_indirect (result i32) (i32.const 0))",
                )
            },
            Stopped(Trapped, "indirect call type mismatch"),
            &[],
        ),
        handmade(
            "a list of actions whose length lies",
            "has the host set memory aside for two billion actions",
            || {
                OddGuest {
                    module_changes: &[(
                        "#list\") (result i32) i32.const 512",
                        "#list\") (result i32) (i32.store (i32.const 2052) (i32.const 0x7fffffff))
                           i32.const 2048",
                    )],
                    ..OddGuest::default()
                }
                .component()
            },
            NotLoaded("`actions.list` failed: the provider broke the rules"),
            &[],
        ),
    ]
}

fn imports() -> Vec<Behaviour> {
    vec![
        handmade(
            "a log line that is not in memory",
            "has the host read beyond its memory",
            || {
                calling(
                    "(call $log (i32.const 1) (i32.const 65000) (i32.const 1000)) i32.const 1024",
                )
            },
            BROKEN_RULE,
            &[],
        ),
        handmade(
            "a level that does not exist",
            "has the host take a value that no enumeration has",
            || calling("(call $log (i32.const 9) (i32.const 16) (i32.const 3)) i32.const 1024"),
            BROKEN_RULE,
            &[],
        ),
        handmade(
            "a list of requests whose length lies",
            "has the host set memory aside for two billion requests",
            || {
                calling(
                    "(call $send_all (i32.const 0) (i32.const 0x7fffffff) (i32.const 2048)) i32.const 1024",
                )
            },
            BROKEN_RULE,
            &[],
        ),
        handmade(
            "a list of requests that is not aligned",
            "has the host read where no request can stand",
            || {
                calling(
                    "(call $send_all (i32.const 2) (i32.const 1) (i32.const 2048)) i32.const 1024",
                )
            },
            BROKEN_RULE,
            &[],
        ),
        handmade(
            "requests that overlap all of memory",
            "has the host copy the same text a thousand times over",
            || {
                // 600 requests of zeros, each of which has an endpoint of 60,000 bytes:
                // the loop writes the length of each.
                OddGuest {
                    imports: IMPORTS,
                    memory: "2",
                    execute: "(local $at i32)
                        (local.set $at (i32.const 65536))
                        (loop $again
                          (i32.store offset=4 (local.get $at) (i32.const 60000))
                          (local.set $at (i32.add (local.get $at) (i32.const 56)))
                          (br_if $again (i32.lt_u (local.get $at) (i32.const 99136))))
                        (call $send_all (i32.const 65536) (i32.const 600) (i32.const 2048))
                        i32.const 1024",
                    ..OddGuest::default()
                }
                .component()
            },
            Stopped(TooLarge, "at once"),
            &[],
        ),
        handmade(
            "an answer written over its own code's data",
            "has the host write where it was told to, beyond its memory",
            || {
                calling(
                    "(call $send_all (i32.const 0) (i32.const 0) (i32.const 65534)) i32.const 1024",
                )
            },
            BROKEN_RULE,
            &[],
        ),
        handmade(
            "makes handles for ever",
            "fills the host's table of resources",
            || {
                OddGuest {
                    imports: r#"(import "[export]things" "[resource-new]thing"
                        (func $new (param i32) (result i32)))"#,
                    world: "export things: interface { resource thing {} }",
                    execute: "(loop $again (drop (call $new (i32.const 1))) (br $again)) unreachable",
                    ..OddGuest::default()
                }
                .component()
            },
            Stopped(Trapped, ""),
            &[
                "handles::handles_up_to_the_limit_can_be_had_and_not_one_more",
                "handles::a_handle_that_was_dropped_is_no_longer_counted",
            ],
        ),
    ]
}

fn functions() -> Vec<Behaviour> {
    const ALLOCATOR: &[&str] = &["odd_guests::an_allocator_that_misbehaves_hurts_only_its_call"];
    const AFTERWARDS: &[&str] = &["odd_guests::what_runs_after_the_result_is_part_of_the_call"];
    const START: &[&str] = &["loading::a_component_that_fails_as_it_starts_is_refused"];
    vec![
        handmade(
            "an allocator that never ends",
            "keeps the host waiting for a block",
            || allocating(&format!("{ENDLESS} unreachable")),
            CPU,
            ALLOCATOR,
        ),
        handmade(
            "an allocator that traps",
            "ends the host in the middle of a copy",
            || allocating("unreachable"),
            ABRUPT,
            ALLOCATOR,
        ),
        handmade(
            "an allocator of blocks beyond memory",
            "has the host write beyond its memory",
            || allocating("i32.const -8"),
            BROKEN_RULE,
            ALLOCATOR,
        ),
        handmade(
            "an allocator of one byte at the end",
            "has the host write beyond its memory",
            || allocating("i32.const 65535"),
            BROKEN_RULE,
            ALLOCATOR,
        ),
        handmade(
            "an allocator that calls the host",
            "enters the host while the host is entered",
            || {
                OddGuest {
                    imports: IMPORTS,
                    realloc: "(drop (call $now)) i32.const 4096",
                    ..OddGuest::default()
                }
                .component()
            },
            Stopped(Trapped, "cannot leave component instance"),
            &["odd_guests::an_allocator_may_not_call_the_host"],
        ),
        handmade(
            "an allocator that traps for a response",
            "ends the host in the middle of handing back what it fetched",
            || {
                // The third block is the first for the answer: two are for params.
                OddGuest {
                    imports: IMPORTS,
                    fields: "(global $blocks (mut i32) (i32.const 0))",
                    realloc: "(global.set $blocks (i32.add (global.get $blocks) (i32.const 1)))
                        (if (i32.gt_u (global.get $blocks) (i32.const 3)) (then unreachable))
                        i32.const 4096",
                    execute: "(call $send_all (i32.const 8192) (i32.const 4) (i32.const 2048)) i32.const 1024",
                    ..OddGuest::default()
                }
                .component()
            },
            ABRUPT,
            &[],
        ),
        handmade(
            "never ends after its result",
            "keeps its place when it has answered",
            || afterwards(ENDLESS),
            CPU,
            AFTERWARDS,
        ),
        handmade(
            "traps after its result",
            "is taken for completed",
            || afterwards("unreachable"),
            ABRUPT,
            AFTERWARDS,
        ),
        handmade(
            "never ends as it starts",
            "keeps whoever loads it waiting",
            || starting(ENDLESS),
            NotLoaded("`instantiation` failed: the provider used up"),
            START,
        ),
        handmade(
            "traps as it starts",
            "ends whoever loads it",
            || starting("unreachable"),
            NotLoaded("`instantiation` failed: the provider stopped abruptly"),
            START,
        ),
        handmade(
            "recurses as it starts",
            "runs over the end of the thread's stack",
            || starting("call $start"),
            NotLoaded("of stack"),
            &[],
        ),
        handmade(
            "calls the host as it starts",
            "acts before anybody asked it to",
            || {
                OddGuest {
                    imports: IMPORTS,
                    fields: "(func $start (drop (call $now))) (start $start)",
                    ..OddGuest::default()
                }
                .component()
            },
            NotLoaded("`instantiation` failed"),
            &[],
        ),
        handmade(
            "never ends in a call of each kind",
            "hopes that a loop over bulk instructions cannot be interrupted",
            || {
                with_fields(
                    "(table $table 10000 funcref)",
                    "(loop $again
                       (memory.fill (i32.const 4096) (i32.const 1) (i32.const 60000))
                       (memory.copy (i32.const 4096) (i32.const 8192) (i32.const 50000))
                       (table.fill $table (i32.const 0) (ref.null func) (i32.const 10000))
                       (br $again))
                     unreachable",
                )
            },
            CPU,
            &[],
        ),
    ]
}

/// Grows something by so much, until it is refused.
fn growing(grow: &str) -> String {
    format!("(loop $again (br_if $again (i32.ge_s ({grow}) (i32.const 0)))) unreachable")
}

fn memory() -> Vec<Behaviour> {
    const MEMORY: Ends = Stopped(MemoryExceeded, "sandbox.memory_bytes");
    const TABLE: Ends = Stopped(MemoryExceeded, "sandbox.table_elements");
    const STARTS: &[&str] = &["loading::a_component_that_starts_with_too_much_memory_is_refused"];
    vec![
        handmade(
            "grows a second memory",
            "has as much memory as the limit says, several times",
            || {
                with_fields(
                    "(memory $second 1)",
                    &growing("memory.grow $second (i32.const 16)"),
                )
            },
            MEMORY,
            &["memory::two_memories_share_one_limit"],
        ),
        handmade(
            "grows a table",
            "fills the host's memory with what is no linear memory",
            || {
                with_fields(
                    "(table $table 1 funcref)",
                    &growing("table.grow $table (ref.null func) (i32.const 100)"),
                )
            },
            TABLE,
            &["memory::tables_grow_up_to_the_limit_and_not_by_an_element_more"],
        ),
        handmade(
            "grows several tables",
            "has as many elements as the limit says, several times",
            || {
                with_fields(
                    "(table $a 9000 funcref) (table $b 9000 funcref)",
                    &growing("table.grow $b (ref.null func) (i32.const 100)"),
                )
            },
            TABLE,
            &["memory::tables_grow_up_to_the_limit_and_not_by_an_element_more"],
        ),
        handmade(
            "asks for memory for ever",
            "hopes that what is refused costs nothing",
            || {
                executing(
                    "(loop $again (drop (memory.grow (i32.const 65536))) (br $again)) unreachable",
                )
            },
            CPU,
            &[],
        ),
        handmade(
            "starts with more memory than it may have",
            "takes it before anything of it runs",
            || {
                OddGuest {
                    memory: "1025",
                    ..OddGuest::default()
                }
                .component()
            },
            NotLoaded("memory"),
            STARTS,
        ),
        handmade(
            "starts with all that can be addressed",
            "takes it before anything of it runs",
            || {
                OddGuest {
                    memory: "65536",
                    ..OddGuest::default()
                }
                .component()
            },
            NotLoaded("memory"),
            STARTS,
        ),
        handmade(
            "grows memory as it starts",
            "takes it before anything of it is asked",
            || starting(&growing("memory.grow (i32.const 16)")),
            NotLoaded("memory_bytes"),
            &[],
        ),
        handmade(
            "has five memories",
            "takes the places of others in the pool",
            || with_fields(&"(memory 1)".repeat(4), OddGuest::OK),
            NotLoaded("memories"),
            &[],
        ),
        handmade(
            "has nine tables",
            "takes the places of others in the pool",
            || with_fields(&"(table 1 funcref)".repeat(9), OddGuest::OK),
            NotLoaded("tables"),
            &[],
        ),
        handmade(
            "starts with more table elements than it may have",
            "takes them before anything of it runs",
            || with_fields("(table 20001 funcref)", OddGuest::OK),
            NotLoaded("table"),
            &[],
        ),
        handmade(
            "counts its calls in a global, a table and its memory",
            "carries what one tenant said to another",
            smuggling,
            Completed,
            &["smuggling::nothing_is_left_in_globals_tables_and_memory"],
        ),
    ]
}

/// Answers in how many places it finds something of an earlier call: a global, a table's
/// element, a table's length, a byte of data, and the size of its memory.
pub(crate) fn smuggling() -> Vec<u8> {
    OddGuest {
        memory: "1 10",
        fields: "(global $called (mut i32) (i32.const 0))
            (table $table 1 10 funcref)
            (elem declare func $f) (func $f)",
        execute: "(local $found i32)
            (local.set $found (global.get $called))
            (local.set $found (i32.add (local.get $found)
              (i32.eqz (ref.is_null (table.get $table (i32.const 0))))))
            (local.set $found (i32.add (local.get $found)
              (i32.ne (table.size $table) (i32.const 1))))
            (local.set $found (i32.add (local.get $found) (i32.load8_u (i32.const 4000))))
            (local.set $found (i32.add (local.get $found)
              (i32.ne (memory.size) (i32.const 1))))
            (global.set $called (i32.const 1))
            (table.set $table (i32.const 0) (ref.func $f))
            (drop (table.grow $table (ref.func $f) (i32.const 3)))
            (i32.store8 (i32.const 4000) (i32.const 1))
            (drop (memory.grow (i32.const 2)))
            (i32.store8 (i32.const 3000) (i32.add (local.get $found) (i32.const 48)))
            (i32.store (i32.const 1032) (i32.const 3000))
            (i32.store (i32.const 1036) (i32.const 1))
            i32.const 1024",
        ..OddGuest::default()
    }
    .component()
}

fn encodings() -> Vec<Behaviour> {
    /// Answers this much text at 3000, in this encoding.
    fn answering(encoding: StringEncoding, address: u32, text: u32, length: u32) -> Vec<u8> {
        OddGuest {
            encoding,
            execute: &format!(
                "(i32.store (i32.const 3000) (i32.const {text}))
                 (i32.store (i32.const 1032) (i32.const {address}))
                 (i32.store (i32.const 1036) (i32.const {length})) i32.const 1024"
            ),
            ..OddGuest::default()
        }
        .component()
    }
    const TESTS: &[&str] = &["encodings::what_is_no_text_in_its_encoding_traps"];
    vec![
        handmade(
            "half a surrogate pair in UTF-16",
            "has text in the host that is no text",
            || answering(StringEncoding::UTF16, 3000, 0x22_d800, 2),
            BROKEN_RULE,
            TESTS,
        ),
        handmade(
            "UTF-16 at an odd address",
            "has the host read half a unit",
            || answering(StringEncoding::UTF16, 3001, 0x22_0022, 1),
            BROKEN_RULE,
            TESTS,
        ),
        handmade(
            "UTF-16 of twice the length",
            "has the host count units where it should count bytes",
            || answering(StringEncoding::UTF16, 3000, 0, 0x7fff_ffff),
            BROKEN_RULE,
            TESTS,
        ),
        handmade(
            "Latin-1 that says it is UTF-16",
            "has the host count bytes where it should count units",
            || answering(StringEncoding::CompactUTF16, 3000, 0xdc00_0022, 0x8000_0002),
            BROKEN_RULE,
            TESTS,
        ),
    ]
}
