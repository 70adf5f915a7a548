//! Every limit that is configured: what happens at its edge, why its default is what
//! it is, and the tests that reach it.
//!
//! A new key is a new row here, or one in [`NO_LIMITS`]; a test says so.

/// A key of the configuration that limits something.
pub(super) struct Limit {
    pub(super) key: &'static str,
    /// What happens at the edge.
    pub(super) edge: &'static str,
    /// Why the default is what it is.
    pub(super) why: &'static str,
    /// Tests in which one more is too much.
    pub(super) reached: &'static [&'static str],
    /// Tests in which just so much is not; often the same.
    pub(super) below: &'static [&'static str],
}

/// Keys that stand among limits and are none: how many threads there are, and which
/// program compiles.
pub(super) const NO_LIMITS: &[&str] = &["plugins.compile_worker", "sandbox.guest_threads"];

pub(super) const ROWS: &[Limit] = &[
    Limit {
        key: "sandbox.concurrent_calls",
        edge: "a call waits for a place, then `busy`",
        why: "the pool of instances is sized by it: address space, not memory",
        reached: &["a_call_that_finds_no_place_in_time_is_busy"],
        below: &["every_place_has_an_instance_and_a_stack"],
    },
    Limit {
        key: "sandbox.calls_per_plugin",
        edge: "a call waits for a place, then `busy`",
        why: "three quarters: however slow its upstream, the others have places left",
        reached: &[
            "a_plugin_leaves_places_to_the_others",
            "a_plugin_has_as_many_places_as_an_operator_gives_it",
        ],
        below: &["a_plugin_leaves_places_to_the_others"],
    },
    Limit {
        key: "sandbox.calls_per_organization",
        edge: "a call waits for a place, then `busy`",
        why: "half, and fewer than of a plugin: none takes a plugin from the others",
        reached: &["an_organization_leaves_places_to_the_others"],
        below: &["an_organization_leaves_places_to_the_others"],
    },
    Limit {
        key: "sandbox.queue_length",
        edge: "`busy` at once",
        why: "twice as many as run; who comes later would mostly wait in vain",
        reached: &["as_many_wait_as_may_and_no_more"],
        below: &["as_many_wait_as_may_and_no_more"],
    },
    Limit {
        key: "sandbox.queue_timeout_ms",
        edge: "`busy`",
        why: "usual calls are done by then; who waits longer had better hear so",
        reached: &["a_call_that_finds_no_place_in_time_is_busy"],
        below: &["a_call_waits_for_a_place"],
    },
    Limit {
        key: "sandbox.component_bytes",
        edge: "the plugin is refused",
        why: "the largest we know, a Python guest, has 18.4 MB",
        reached: &["a_component_over_the_size_limit_is_refused"],
        below: &["a_component_over_the_size_limit_is_refused"],
    },
    Limit {
        key: "sandbox.memory_bytes",
        edge: "growth is refused; what the guest does then is `memory_exceeded`",
        why: "a reply of 8 MiB, parsed and rebuilt, takes about five times its size",
        reached: &[
            "memory_grows_up_to_the_limit_and_not_by_a_page_more",
            "two_memories_share_one_limit",
        ],
        below: &[
            "memory_grows_up_to_the_limit_and_not_by_a_page_more",
            "two_memories_share_one_limit",
        ],
    },
    Limit {
        key: "sandbox.table_elements",
        edge: "`memory_exceeded`, naming tables",
        why: "a large component has a few thousand functions",
        reached: &["tables_grow_up_to_the_limit_and_not_by_an_element_more"],
        below: &["tables_grow_up_to_the_limit_and_not_by_an_element_more"],
    },
    Limit {
        key: "sandbox.stack_bytes",
        edge: "`trapped`, naming the stack",
        why: "every call that runs may fill one: all together take 32 MiB",
        reached: &["the_stack_takes_one_call_more_only_where_it_is_larger"],
        below: &["the_stack_takes_one_call_more_only_where_it_is_larger"],
    },
    Limit {
        key: "sandbox.cpu_time_ms",
        edge: "`cpu_exceeded`",
        why: "usual calls take well under 10 ms; waiting is not counted",
        reached: &[
            "a_guest_that_computes_for_ever_is_stopped_at_its_cpu_limit",
            "host_calls_and_waiting_give_no_fresh_cpu_time",
        ],
        below: &[
            "a_call_below_the_limit_is_told_what_it_used",
            "waiting_for_http_costs_no_cpu_time",
        ],
    },
    Limit {
        key: "sandbox.deadline_ms",
        edge: "`deadline_exceeded`; its requests are dropped",
        why: "the patience of an agent",
        reached: &[
            "a_call_that_waits_too_long_is_stopped_with_its_request",
            "a_call_that_computes_too_long_is_stopped_though_it_has_cpu_time_left",
        ],
        below: &["a_wait_takes_the_time_it_was_asked_to"],
    },
    Limit {
        key: "sandbox.host_call_bytes",
        edge: "`too_large`",
        why: "the largest result and room for its envelope",
        reached: &["a_host_call_has_its_limit"],
        below: &["a_host_call_has_its_limit"],
    },
    Limit {
        key: "sandbox.result_bytes",
        edge: "`too_large`",
        why: "a page of rows; what agents read is cut to 10 KiB anyway",
        reached: &["a_result_has_its_limit"],
        below: &["a_result_has_its_limit"],
    },
    Limit {
        key: "sandbox.http_requests",
        edge: "the guest gets `too-many-requests`",
        why: "enough to page, too few to scan",
        reached: &["requests_beyond_the_limit_of_a_call_are_not_sent"],
        below: &["requests_beyond_the_limit_of_a_call_are_not_sent"],
    },
    Limit {
        key: "sandbox.log_lines",
        edge: "more are dropped and counted",
        why: "what a person reads of one call",
        reached: &["lines_beyond_the_limit_are_dropped_and_counted"],
        below: &["lines_beyond_the_limit_are_dropped_and_counted"],
    },
    Limit {
        key: "sandbox.log_line_bytes",
        edge: "the rest is cut",
        why: "with the number of lines: 256 KiB of log for a call at most",
        reached: &["a_line_is_whole_up_to_its_limit"],
        below: &["a_line_is_whole_up_to_its_limit"],
    },
    Limit {
        key: "sandbox.handles",
        edge: "`trapped`, naming handles",
        why: "the contract has none: these are of WASI, or the guest's own",
        reached: &[
            "handles_are_counted_up_to_their_limit",
            "as_many_handles_as_can_be_configured_have_room",
        ],
        below: &[
            "handles_are_counted_up_to_their_limit",
            "as_many_handles_as_can_be_configured_have_room",
        ],
    },
    Limit {
        key: "sandbox.large.concurrent_calls",
        edge: "a call waits for a place, then `busy`",
        why: "at the default size all of them together take 2 GiB",
        reached: &["one_call_more_than_there_are_larger_places_is_busy"],
        below: &["one_call_more_than_there_are_larger_places_is_busy"],
    },
    Limit {
        key: "sandbox.large.memory_bytes",
        edge: "no more can be granted",
        why: "eight times the usual, for interpreters",
        reached: &["memory_grows_up_to_what_was_granted_and_not_by_a_page_more"],
        below: &["memory_grows_up_to_what_was_granted_and_not_by_a_page_more"],
    },
    Limit {
        key: "egress.max_path_bytes",
        edge: "`too-large`, nothing is sent",
        why: "promised by `http.wit`; no upstream we know takes longer ones",
        reached: &["a_request_goes_out_at_its_limits_and_not_beyond"],
        below: &["a_request_goes_out_at_its_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.max_query_bytes",
        edge: "`too-large`, nothing is sent",
        why: "promised by `http.wit`; filters of Sentry and Jira are long",
        reached: &["a_request_goes_out_at_its_limits_and_not_beyond"],
        below: &["a_request_goes_out_at_its_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.max_headers",
        edge: "`too-large`, nothing is sent",
        why: "promised by `http.wit`",
        reached: &["a_request_goes_out_at_its_limits_and_not_beyond"],
        below: &["a_request_goes_out_at_its_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.max_header_bytes",
        edge: "`too-large`, nothing is sent",
        why: "promised by `http.wit`; servers commonly refuse more",
        reached: &["a_request_goes_out_at_its_limits_and_not_beyond"],
        below: &["a_request_goes_out_at_its_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.max_request_body_bytes",
        edge: "`too-large`, nothing is sent",
        why: "several times the largest document an agent writes",
        reached: &["a_request_goes_out_at_its_limits_and_not_beyond"],
        below: &["a_request_goes_out_at_its_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.max_response_body_bytes",
        edge: "`too-large`; reading ends",
        why: "it must fit into a guest's memory several times",
        reached: &[
            "a_body_arrives_at_its_limit_and_not_beyond",
            "a_small_archive_cannot_grow_over_the_limit",
        ],
        below: &["a_body_arrives_at_its_limit_and_not_beyond"],
    },
    Limit {
        key: "egress.max_response_wire_bytes",
        edge: "`too-large`; reading ends",
        why: "most bodies are not compressed; an archive may hold nothing, for ever",
        reached: &["what_is_received_is_bounded_also_where_nothing_comes_of_it"],
        below: &["what_is_received_is_bounded_also_where_nothing_comes_of_it"],
    },
    Limit {
        key: "egress.max_response_headers",
        edge: "`too-large`",
        why: "usual responses have about 30",
        reached: &["headers_arrive_at_their_limits_and_not_beyond"],
        below: &["headers_arrive_at_their_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.max_response_header_bytes",
        edge: "`too-large`",
        why: "a hundred headers of 650 bytes each",
        reached: &["headers_arrive_at_their_limits_and_not_beyond"],
        below: &["headers_arrive_at_their_limits_and_not_beyond"],
    },
    Limit {
        key: "egress.connect_timeout_ms",
        edge: "`timeout`, nothing was sent",
        why: "it leaves most of a call to the response",
        reached: &["connecting_has_a_limit_of_its_own"],
        below: &["a_granted_name_may_resolve_to_a_private_address"],
    },
    Limit {
        key: "plugins.compile_memory_bytes",
        edge: "the plugin is refused",
        why: "a Python guest of 18.4 MB needs 570 MB, the largest file twice that",
        reached: &["compiling/limits::memory_is_bounded"],
        below: &["compiling/limits::memory_is_bounded"],
    },
    Limit {
        key: "plugins.compile_cpu_seconds",
        edge: "the plugin is refused",
        why: "a Python guest takes 22 s",
        reached: &["cpu_time_is_bounded"],
        below: &["cpu_time_is_bounded"],
    },
    Limit {
        key: "plugins.compile_seconds",
        edge: "the plugin is refused",
        why: "more than its CPU time, for machines that have other things to do",
        reached: &["time_is_bounded"],
        below: &["a_worker_makes_what_the_engine_takes"],
    },
    Limit {
        key: "server.max_body_bytes",
        edge: "413 `payload_too_large`",
        why: "several times the largest document an agent writes",
        reached: &["a_body_up_to_the_limit_is_read_and_one_byte_more_is_not"],
        below: &["a_body_up_to_the_limit_is_read_and_one_byte_more_is_not"],
    },
    Limit {
        key: "server.max_plugin_bytes",
        edge: "413 `payload_too_large`",
        why: "above `sandbox.component_bytes`, whose refusal says more",
        reached: &["a_body_that_is_no_component_is_not_looked_at"],
        below: &["a_body_that_is_no_component_is_not_looked_at"],
    },
    Limit {
        key: "admission.invocations_per_minute",
        edge: "429 `rate_limited`, `Retry-After`",
        why: "one a second, for each session",
        reached: &["it/admission::sixty_requests_in_a_minute_and_no_more"],
        below: &["it/admission::sixty_requests_in_a_minute_and_no_more"],
    },
    Limit {
        key: "admission.pending_per_session",
        edge: "429 `too_many_pending`, `Retry-After`",
        why: "what a person reads through",
        reached: &["it/admission::ten_requests_wait_for_a_person_and_no_more"],
        below: &["it/admission::ten_requests_wait_for_a_person_and_no_more"],
    },
];
