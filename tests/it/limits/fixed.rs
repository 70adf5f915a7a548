//! Limits that are constants: what the contract promises, or what nobody would change.

use super::render::number;
use super::text;

/// A constant that limits something.
pub(super) struct Fixed {
    /// Where it stands, and its name.
    pub(super) file: &'static str,
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// What happens at the edge.
    pub(super) edge: &'static str,
    pub(super) tests: &'static [&'static str],
}

pub(super) const ROWS: &[Fixed] = &[
    Fixed {
        file: "host/runtime/src/imports/http.rs",
        name: "SEND_ALL_LIMIT",
        what: "requests of one `send-all`",
        edge: "`too-many-requests` for those beyond, none of which is sent",
        tests: &["send_all_sends_eight_at_most_and_keeps_their_order"],
    },
    Fixed {
        file: "host/core/src/foreign.rs",
        name: "MAX_DEPTH",
        what: "levels of a result's JSON",
        edge: "`provider_internal`",
        tests: &["a_result_may_be_nested_so_deep_and_no_deeper"],
    },
    Fixed {
        file: "host/runtime/src/invoke.rs",
        name: "ERROR_MESSAGE_BYTES",
        what: "an error's message",
        edge: "cut between characters, after secrets have been found",
        tests: &["an_error_is_cut_at_4_kib_between_characters"],
    },
    Fixed {
        file: "host/runtime/src/engine.rs",
        name: "MEMORIES_PER_COMPONENT",
        what: "memories of an instance",
        edge: "the plugin is refused",
        tests: &["an_instance_has_so_many_memories_and_tables_and_no_more"],
    },
    Fixed {
        file: "host/runtime/src/engine.rs",
        name: "TABLES_PER_COMPONENT",
        what: "tables of an instance",
        edge: "the plugin is refused",
        tests: &["an_instance_has_so_many_memories_and_tables_and_no_more"],
    },
    Fixed {
        file: "host/runtime/src/wasi.rs",
        name: "RANDOM_BYTES",
        what: "randomness asked for at once, of WASI",
        edge: "`trapped`",
        tests: &["randomness_comes_in_bounded_portions"],
    },
    Fixed {
        file: "host/runtime/src/wasi/output.rs",
        name: "LINE_BYTES",
        what: "a printed line, of WASI",
        edge: "the line is replaced by a note, so that no half of a secret is shown",
        tests: &["a_line_without_end_takes_no_memory_and_shows_no_half_secret"],
    },
];

/// The tests of the parts of a component: each just over its bound, and at it.
pub(super) const OF_PARTS: &[&str] = &[
    "the_sections_of_a_core_module_are_counted",
    "the_sections_of_a_component_are_counted",
    "sums_are_over_all_modules",
    "what_memories_and_tables_start_with_is_added_up",
    "functions_are_bounded_one_by_one",
    "elements_of_segments_are_added_up",
    "inspect/tests::nesting_is_bounded",
    "nested_parts_are_bounded",
    "data_is_added_up",
];

/// A part of a component, and how much of it there may be.
pub(super) struct Part {
    pub(super) what: String,
    pub(super) limit: u64,
}

/// Every bound of `inspect/bounds.rs`, in its order.
pub(super) fn parts() -> Vec<Part> {
    let source = text("host/runtime/src/inspect/bounds.rs");
    let bounds = source.split("Bound = bound(").skip(1);
    let part = |bound: &str| {
        let (arguments, _) = bound.split_once(");").unwrap();
        let (what, limit) = arguments.rsplit_once(", ").unwrap();
        Part {
            what: what.trim().trim_matches('"').to_owned(),
            limit: number(limit),
        }
    };
    bounds.map(part).collect()
}
