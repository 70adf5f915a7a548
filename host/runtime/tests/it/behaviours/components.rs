//! Components that ask for, offer or are what none of ours is.

#![expect(clippy::too_many_lines, reason = "tables, one row after the other")]

use super::{Behaviour, Ends, Made};
use crate::harness::{OddGuest, probe};
use Ends::{Completed, NotLoaded};

pub(super) fn rows() -> Vec<Behaviour> {
    let groups = [bytes(), imports(), exports(), features(), parts()];
    groups.into_iter().flatten().collect()
}

fn component(
    name: &'static str,
    tries: &'static str,
    component: fn() -> Vec<u8>,
    says: &'static str,
    tests: &'static [&'static str],
) -> Behaviour {
    Behaviour {
        name,
        tries,
        made: Made::Component(component),
        ends: NotLoaded(says),
        tests,
    }
}

fn encoded(wat: &str) -> Vec<u8> {
    wat::parse_str(wat).unwrap()
}

/// A component of these fields with exports of the right names.
fn exporting(fields: &str) -> Vec<u8> {
    encoded(&format!(
        r#"(component {fields} (instance $i)
            (export "portcullis:provider/provider@0.1.0" (instance $i))
            (export "portcullis:provider/actions@0.1.0" (instance $i)))"#
    ))
}

const NO_COMPONENT: &str = "not a WebAssembly component";

fn bytes() -> Vec<Behaviour> {
    const GARBAGE: &[&str] = &["loading::garbage_is_refused"];
    vec![
        component(
            "no bytes",
            "breaks whoever reads it",
            Vec::new,
            NO_COMPONENT,
            GARBAGE,
        ),
        component(
            "any bytes",
            "breaks whoever reads it",
            || vec![0xff; 4096],
            NO_COMPONENT,
            GARBAGE,
        ),
        component(
            "a core module",
            "is taken for a component",
            || encoded("(module)"),
            "it is a core module",
            &["loading::a_core_module_is_refused"],
        ),
        component(
            "half a component",
            "breaks whoever reads it",
            || {
                let mut half = probe();
                half.truncate(half.len() / 2);
                half
            },
            NO_COMPONENT,
            &["loading::a_component_cut_off_anywhere_is_refused_before_it_is_compiled"],
        ),
        component(
            "something behind its end",
            "is one thing to who signs it and another to who runs it",
            || [probe(), b"more".to_vec()].concat(),
            NO_COMPONENT,
            &["inspect::tests::what_follows_a_component_belongs_to_it_or_is_refused"],
        ),
    ]
}

fn imports() -> Vec<Behaviour> {
    const FOREIGN: &str = "is outside the contract";
    const TESTS: &[&str] = &["loading::a_component_that_wants_more_than_the_contract_is_refused"];
    const WASI: &[&str] = &["wasi::what_of_wasi_is_not_there_is_refused_by_name_with_advice"];
    const LINK: &str = "does not fit the contract";
    vec![
        component(
            "imports another package",
            "calls what somebody has linked for others",
            || exporting(r#"(import "portcullis:secrets/tokens@0.1.0" (instance))"#),
            FOREIGN,
            TESTS,
        ),
        component(
            "imports an interface of ours that no guest gets",
            "calls what the host has and guests have not",
            || exporting(r#"(import "portcullis:provider/secrets@0.1.0" (instance))"#),
            FOREIGN,
            TESTS,
        ),
        component(
            "imports what it should export",
            "has the host be the provider",
            || exporting(r#"(import "portcullis:provider/actions@0.1.0" (instance))"#),
            FOREIGN,
            &[],
        ),
        component(
            "imports a core module",
            "runs code that was not inspected",
            || exporting(r#"(import "extra" (core module))"#),
            FOREIGN,
            &[],
        ),
        component(
            "imports a component",
            "runs code that was not inspected",
            || exporting(r#"(import "extra" (component))"#),
            FOREIGN,
            &[],
        ),
        component(
            "imports a resource",
            "holds something of the host's",
            || exporting(r#"(import "extra" (type (sub resource)))"#),
            FOREIGN,
            &[],
        ),
        component(
            "imports a function by a plain name",
            "calls what somebody has linked for others",
            || exporting(r#"(import "system" (func (param "command" string)))"#),
            FOREIGN,
            TESTS,
        ),
        component(
            "imports by the address of a file",
            "has the host fetch something",
            || exporting(r#"(import "url=<https://evil.example/extra.wasm>" (component))"#),
            FOREIGN,
            &[],
        ),
        component(
            "imports WASI's HTTP",
            "calls out past the egress",
            || exporting(r#"(import "wasi:http/outgoing-handler@0.2.0" (instance))"#),
            "which no provider gets",
            WASI,
        ),
        component(
            "imports what WASI has not",
            "calls what somebody has linked for others",
            || exporting(r#"(import "wasi:keyvalue/store@0.2.0" (instance))"#),
            "which no provider gets",
            WASI,
        ),
        component(
            "imports another version of the contract",
            "has the host take one thing for another",
            || exporting(r#"(import "portcullis:provider/http@0.2.0" (instance))"#),
            "serves version 0.1.0",
            &["loading::a_component_of_another_version_of_the_contract_is_refused"],
        ),
        component(
            "imports the same twice",
            "has two readers disagree on what it asks for",
            || exporting(&r#"(import "portcullis:provider/clock@0.1.0" (instance))"#.repeat(2)),
            NO_COMPONENT,
            &["loading::a_name_that_stands_twice_is_refused"],
        ),
        component(
            "imports an interface as a function",
            "has the host take one thing for another",
            || exporting(r#"(import "portcullis:provider/clock@0.1.0" (func))"#),
            LINK,
            &[],
        ),
        component(
            "imports a function with another type",
            "has the host take one thing for another",
            || {
                OddGuest {
                    imports: r#"(import "portcullis:provider/log@0.1.0" "write" (func (param i32 i32)))"#,
                    contract_changes: &[(
                        "write: func(level: level, message: string);",
                        "write: func(message: string);",
                    )],
                    ..OddGuest::default()
                }
                .component()
            },
            LINK,
            &["loading::imports_of_other_types_do_not_fit"],
        ),
        component(
            "imports a function that its interface has not",
            "calls what the host has and guests have not",
            || {
                OddGuest {
                    imports: r#"(import "portcullis:provider/log@0.1.0" "read" (func (param i32)))"#,
                    contract_changes: &[(
                        "write: func(level: level, message: string);",
                        "write: func(level: level, message: string); read: func() -> string;",
                    )],
                    ..OddGuest::default()
                }
                .component()
            },
            LINK,
            &[],
        ),
    ]
}

fn exports() -> Vec<Behaviour> {
    const LINK: &str = "does not fit the contract";
    const EXECUTE: &str =
        "execute: func(context: context, action: string, params: json) -> result<json, error>;";
    const MISSING: &[&str] = &["loading::a_component_without_the_exports_is_refused"];
    vec![
        component(
            "exports nothing",
            "is loaded and can do nothing",
            || encoded("(component)"),
            "does not export `portcullis:provider/provider@0.1.0`",
            MISSING,
        ),
        component(
            "exports no actions",
            "is loaded and can do nothing",
            || {
                encoded(
                    r#"(component (instance $i)
                        (export "portcullis:provider/provider@0.1.0" (instance $i)))"#,
                )
            },
            "does not export `portcullis:provider/actions@0.1.0`",
            MISSING,
        ),
        component(
            "exports instances without functions",
            "is called where there is nothing",
            || exporting(""),
            LINK,
            &["loading::exports_of_other_types_do_not_fit"],
        ),
        component(
            "has no `execute`",
            "is called where there is nothing",
            || {
                OddGuest {
                    contract_changes: &[(EXECUTE, "")],
                    module_changes: &[
                        (
                            r#"(export "portcullis:provider/actions@0.1.0#execute")"#,
                            "",
                        ),
                        (
                            r#"(export "cabi_post_portcullis:provider/actions@0.1.0#execute")"#,
                            "",
                        ),
                    ],
                    ..OddGuest::default()
                }
                .component()
            },
            LINK,
            &[],
        ),
        component(
            "has an `execute` of another type",
            "has the host take one thing for another",
            || {
                OddGuest {
                    contract_changes: &[(
                        EXECUTE,
                        "execute: func(action: string) -> result<json, error>;",
                    )],
                    module_changes: &[("(param i32 i32 i32 i32 i32 i32)", "(param i32 i32)")],
                    ..OddGuest::default()
                }
                .component()
            },
            "expected 3-tuple, found 1-tuple",
            &[],
        ),
        component(
            "answers records of another shape",
            "has the host take one thing for another",
            || {
                OddGuest {
                    contract_changes: &[("version: string,", "version: string, secret: string,")],
                    ..OddGuest::default()
                }
                .component()
            },
            "expected record of 5 fields, found 6 fields",
            &[],
        ),
        component(
            "exports the same twice",
            "has two readers disagree on what it offers",
            || {
                encoded(
                    r#"(component (instance $i)
                        (export "portcullis:provider/provider@0.1.0" (instance $i))
                        (export "portcullis:provider/actions@0.1.0" (instance $i))
                        (export "portcullis:provider/actions@0.1.0" (instance $i)))"#,
                )
            },
            NO_COMPONENT,
            &[],
        ),
        component(
            "exports another version of the contract",
            "has the host take one thing for another",
            || {
                encoded(
                    r#"(component (instance $i)
                        (export "portcullis:provider/provider@0.2.0" (instance $i)))"#,
                )
            },
            "serves version 0.1.0",
            &["loading::a_component_of_another_version_of_the_contract_is_refused"],
        ),
        Behaviour {
            ends: Completed,
            ..component(
                "exports more than anybody asked for",
                "has something called that nobody has looked at",
                || {
                    OddGuest {
                        world: "export init: func();",
                        fields: r#"(func (export "init") unreachable)"#,
                        ..OddGuest::default()
                    }
                    .component()
                },
                "",
                &["wasi::exports_that_nobody_knows_are_tolerated"],
            )
        },
    ]
}

fn features() -> Vec<Behaviour> {
    const TRIES: &str = "runs on code of the engine that no provider needs";
    let feature = |name, make| {
        component(
            name,
            TRIES,
            make,
            NO_COMPONENT,
            &["loading::features_that_no_provider_needs_are_refused"],
        )
    };
    vec![
        feature("64-bit memory", || {
            exporting("(core module (memory i64 1))")
        }),
        feature("shared memory", || {
            exporting("(core module (memory 1 1 shared))")
        }),
        feature("memory with pages of one byte", || {
            exporting("(core module (memory 1 (pagesize 1)))")
        }),
        feature("garbage collection", || {
            exporting("(core module (type (struct)))")
        }),
        feature("typed function references", || {
            exporting("(core module (type $t (func)) (func (param (ref $t))))")
        }),
        feature("external references", || {
            exporting("(core module (table 1 externref))")
        }),
        feature("exceptions", || exporting("(core module (tag))")),
        feature("tail calls", || {
            exporting("(core module (func $f return_call $f))")
        }),
        feature("stack switching", || {
            exporting("(core module (type $f (func)) (type $c (cont $f)))")
        }),
        feature("relaxed SIMD", || {
            exporting(
                "(core module (func (param v128) (result v128)
                    local.get 0 local.get 0 local.get 0 f32x4.relaxed_madd))",
            )
        }),
        feature("wide arithmetic", || {
            exporting(
                "(core module (func (param i64) (result i64 i64)
                    local.get 0 local.get 0 i64.mul_wide_u))",
            )
        }),
        feature("threads", || {
            exporting(
                "(core module (import \"a\" \"b\" (memory 1 1 shared))
                    (func (drop (i32.atomic.load (i32.const 0)))))",
            )
        }),
        feature("asynchronous functions", || {
            exporting("(type (future u8)) (type (stream u8))")
        }),
        feature("a component's own start function", || {
            exporting(
                r#"(core module $m (func (export "f")))
                   (core instance $m (instantiate $m))
                   (func $f (canon lift (core func $m "f")))
                   (start $f)"#,
            )
        }),
    ]
}

fn parts() -> Vec<Behaviour> {
    vec![
        component(
            "components within components",
            "ends the stack of whoever reads it",
            || {
                let nested = format!("{}{}", "(component ".repeat(50), ")".repeat(50));
                exporting(&nested)
            },
            "levels of nested components, and may have 8",
            &["inspect::tests::nesting_is_bounded"],
        ),
        component(
            "too many nested components",
            "takes whoever compiles it for ever",
            || exporting(&"(component)".repeat(65)),
            "nested components, and may have 64",
            &["inspect::tests::nested_parts_are_bounded"],
        ),
        component(
            "thousands of instances",
            "takes the host's memory with what is no code",
            || {
                exporting(&format!(
                    "(component $c) {}",
                    "(instance (instantiate $c))".repeat(3_000)
                ))
            },
            "component instances, and may have 512",
            &["inspect::tests::the_sections_of_a_component_are_counted"],
        ),
        component(
            "instances that multiply",
            "has a small component become a million instances",
            || {
                let level = |level: u32| {
                    let inner = level - 1;
                    let instances = format!("(instance (instantiate $c{inner}))").repeat(10);
                    format!(
                        "(component $c{level} (alias outer 1 $c{inner} (component $c{inner})) {instances})"
                    )
                };
                let levels: Vec<_> = (1..7).map(level).collect();
                let first = "(component $c0 (core module $m) (core instance (instantiate $m)))";
                let wat = format!("{first} {} (instance (instantiate $c6))", levels.concat());
                exporting(&wat)
            },
            "transitively contains",
            &[],
        ),
        component(
            "types that multiply",
            "has a small type become one of a billion parts",
            || {
                let level = |level: u32| {
                    let inner = level - 1;
                    format!("(type $t{level} (tuple $t{inner} $t{inner}))")
                };
                let levels: Vec<_> = (1..30).map(level).collect();
                let wat = format!("(type $t0 (tuple u8 u8)) {}", levels.concat());
                exporting(&wat)
            },
            NO_COMPONENT,
            &[],
        ),
        component(
            "too many core modules",
            "takes whoever compiles it for ever",
            || exporting(&"(core module)".repeat(65)),
            "65 core modules, and may have 64",
            &["loading::a_component_of_too_many_parts_is_refused"],
        ),
        component(
            "too many core instances for the pool",
            "takes the places of others in the pool",
            || {
                let instances = "(core instance (instantiate $m))".repeat(21);
                exporting(&format!("(core module $m) {instances}"))
            },
            "transitively contains",
            &[],
        ),
    ]
}
