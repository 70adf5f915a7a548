//! Every action, by id.

use crate::{Behaviour, answers, crash, endless, logging, memory, outbound, plain, scan};

/// What the probe has besides when it describes itself as a later version.
pub(crate) const LATER: &[(&str, Behaviour)] = &[("appeared", plain::echo), ("moment", plain::now)];

pub(crate) const ACTIONS: &[(&str, Behaviour)] = &[
    ("echo", plain::echo),
    ("key", plain::key),
    ("now", plain::now),
    ("wait", plain::wait),
    ("edition", plain::edition),
    ("remember", plain::remember),
    ("text", answers::text),
    ("huge_result", answers::huge_result),
    ("rows", answers::rows),
    ("fail", answers::fail),
    ("fetch", outbound::fetch),
    ("fetch_as_user", outbound::fetch),
    ("fetch_preferring_user", outbound::fetch),
    ("fetch_many", outbound::fetch_many),
    ("forward", outbound::forward),
    ("log_line", logging::log_line),
    ("log_flood", logging::log_flood),
    ("huge_log", logging::huge_log),
    ("spin", endless::spin),
    ("spin_with_host_calls", endless::spin_with_host_calls),
    ("trap", crash::trap),
    ("panic", crash::panic),
    ("recurse", crash::recurse),
    ("allocate", memory::allocate),
    ("grow_memory", memory::grow_memory),
    ("scan_memory", scan::scan_memory),
];
