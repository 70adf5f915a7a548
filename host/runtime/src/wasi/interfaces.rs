//! Which interfaces of WASI there are.

use crate::inspect::{InspectError, shown};

/// What WASI 0.2 has for programs that run by themselves. Everything else is
/// refused by name before a component is compiled, not when it is linked.
const INTERFACES: &[&str] = &[
    "cli/environment",
    "cli/exit",
    "cli/stderr",
    "cli/stdin",
    "cli/stdout",
    "cli/terminal-input",
    "cli/terminal-output",
    "cli/terminal-stderr",
    "cli/terminal-stdin",
    "cli/terminal-stdout",
    "clocks/monotonic-clock",
    "clocks/wall-clock",
    "filesystem/preopens",
    "filesystem/types",
    "io/error",
    "io/poll",
    "io/streams",
    "random/insecure",
    "random/insecure-seed",
    "random/random",
    "sockets/instance-network",
    "sockets/ip-name-lookup",
    "sockets/network",
    "sockets/tcp",
    "sockets/tcp-create-socket",
    "sockets/udp",
    "sockets/udp-create-socket",
];

const VERSION: &str = "0.2.";

/// Refuses the name of an imported interface, `wasi:io/poll@0.2.0`, if there is
/// nothing that could be linked to it.
pub(crate) fn check(name: &str) -> Result<(), InspectError> {
    let known = name
        .strip_prefix("wasi:")
        .and_then(|name| name.split_once('@'))
        .is_some_and(|(interface, version)| {
            INTERFACES.contains(&interface) && version.starts_with(VERSION)
        });
    if known {
        return Ok(());
    }
    Err(InspectError::ForeignWasi {
        name: shown(name),
        advice: advice(name).into(),
    })
}

/// What whoever built the component can do about it.
fn advice(name: &str) -> &'static str {
    if name.starts_with("wasi:http/") {
        "requests go through `portcullis:provider/http`; build without it: \
         `componentize-js -d http -d fetch-event`, or `--stub-wasi` of componentize-qjs"
    } else if name.contains("@0.3") {
        "only WASI 0.2 is linked; build for `wasm32-wasip2`, or without WASI: \
         `--stub-wasi` of componentize-qjs and componentize-py"
    } else {
        "build without it: `--stub-wasi` of componentize-qjs and componentize-py, \
         or portcullis-sdk for wasm32-unknown-unknown"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_linked_is_taken_in_every_release_of_0_2() {
        for interface in INTERFACES {
            for release in ["0.2.0", "0.2.12"] {
                let name = format!("wasi:{interface}@{release}");
                assert_eq!(check(&name), Ok(()), "{name}");
            }
        }
    }

    #[test]
    fn what_is_not_is_refused_by_name_with_advice() {
        for (name, says) in [
            ("wasi:http/outgoing-handler@0.2.0", "-d http"),
            ("wasi:nn/tensor@0.2.0", "--stub-wasi"),
            ("wasi:cli/stdout@0.3.0", "WASI 0.2"),
            ("wasi:cli/run@0.2.0", "--stub-wasi"),
            ("wasi:cli/stdout", "--stub-wasi"),
            ("wasi:cli/stdout@0.20.0", "--stub-wasi"),
        ] {
            let error = check(name).unwrap_err().to_string();
            assert!(error.contains(&format!("`{name}`")), "{error}");
            assert!(error.contains(says), "{name}: {error}");
        }
    }
}
