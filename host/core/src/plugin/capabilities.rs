//! What a plugin can do, in words.

use std::collections::BTreeSet;

use super::{PluginDescriptor, PluginManifest};
use crate::json::head;

/// How many calls one sentence names. Who wants to see more looks at the routes.
const MAX_CALLS: usize = 24;

/// The bytes of a phrase in a sentence: hosts have at most 253.
const MAX_PHRASE_BYTES: usize = 400;

/// How a phrase about a request begins.
const CALL: &str = "call ";

/// What a plugin can do, in phrases that follow "can only": proved from its
/// imports and the routes it declares.
///
/// For example `call https://api.linear.app POST /graphql`, `log`, `read the clock`.
/// WASI says what stands behind it, which is nothing.
pub fn capabilities(
    descriptor: &PluginDescriptor,
    imports: &BTreeSet<String>,
    wasi: &BTreeSet<String>,
) -> Vec<String> {
    let mut phrases = Vec::new();
    if imports.contains("http") {
        phrases.extend(calls(descriptor));
    }
    if imports.contains("log") {
        phrases.push("log".to_owned());
    }
    if imports.contains("clock") {
        phrases.push("read the clock".to_owned());
    }
    if !wasi.is_empty() {
        phrases.push(WASI.to_owned());
    }
    if let Some(mib) = descriptor.asks.memory_mib {
        phrases.push(format!("use up to {mib} MiB of memory"));
    }
    phrases
}

const WASI: &str = "use WASI with nothing behind it (no files, no network, no environment)";

fn calls(descriptor: &PluginDescriptor) -> impl Iterator<Item = String> {
    descriptor.endpoints.iter().flat_map(|endpoint| {
        let base = endpoint.base_url.as_str().trim_end_matches('/');
        let routes = endpoint.routes.iter();
        routes.map(move |route| format!("{CALL}{base} {} {}", route.method, route.path_prefix))
    })
}

/// [`capabilities`] as what follows "it can only: ", without a full stop.
///
/// At most 24 calls are named and the others counted; everything that is no call
/// is named.
pub fn phrase(capabilities: &[String]) -> String {
    let (calls, others): (Vec<_>, Vec<_>) = capabilities
        .iter()
        .map(String::as_str)
        .partition(|phrase| phrase.starts_with(CALL));
    let omitted = calls.len().saturating_sub(MAX_CALLS);
    let more = match omitted {
        0 => None,
        1 => Some("make 1 more call".to_owned()),
        _ => Some(format!("make {omitted} more calls")),
    };
    let shown: Vec<_> = calls
        .into_iter()
        .take(MAX_CALLS)
        .map(shortened)
        .chain(more)
        .chain(others.into_iter().map(shortened))
        .collect();
    if shown.is_empty() {
        return "compute".to_owned();
    }
    shown.join("; ")
}

/// One sentence about all a plugin can do: `It can only: call
/// https://api.linear.app POST /graphql; log.`
pub fn sentence(capabilities: &[String]) -> String {
    format!("It can only: {}.", phrase(capabilities))
}

fn shortened(phrase: &str) -> String {
    if phrase.len() <= MAX_PHRASE_BYTES {
        return phrase.to_owned();
    }
    format!("{}…", head(phrase, MAX_PHRASE_BYTES))
}

impl PluginManifest {
    /// What the version can do: [`capabilities`].
    pub fn capabilities(&self) -> Vec<String> {
        capabilities(&self.descriptor, &self.imports, &self.wasi)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::manifest::tests::manifest;

    #[test]
    fn what_is_not_imported_cannot_be_done() {
        let mut manifest = manifest();
        manifest.imports = ["clock", "http", "log", "types"].map(str::to_owned).into();
        assert_eq!(
            sentence(&manifest.capabilities()),
            "It can only: call https://api.linear.app POST /graphql; log; read the clock."
        );
        manifest.imports.remove("http");
        manifest.imports.remove("log");
        assert_eq!(
            sentence(&manifest.capabilities()),
            "It can only: read the clock."
        );
        manifest.imports.clear();
        assert_eq!(sentence(&manifest.capabilities()), "It can only: compute.");
    }

    #[test]
    fn wasi_is_told_with_what_is_behind_it() {
        let mut manifest = manifest();
        manifest.wasi.insert("wasi:cli/stdout@0.2.6".to_owned());
        let told = sentence(&manifest.capabilities());
        assert!(told.ends_with(
            "; use WASI with nothing behind it (no files, no network, no environment)."
        ));
    }

    #[test]
    fn memory_is_told_where_it_is_asked_for() {
        let mut manifest = manifest();
        manifest.descriptor.asks.memory_mib = Some(256);
        let told = sentence(&manifest.capabilities());
        assert!(
            told.ends_with("; log; use up to 256 MiB of memory."),
            "{told}"
        );
    }

    #[test]
    fn a_sentence_is_bounded_and_counts_the_rest() {
        let mut manifest = manifest();
        let endpoint = &mut manifest.descriptor.endpoints[0];
        endpoint.base_url = format!("https://a.example/{}", "x".repeat(2_000))
            .parse()
            .unwrap();
        let route = endpoint.routes[0].clone();
        endpoint.routes = vec![route; 1_000];
        let told = sentence(&manifest.capabilities());
        assert!(told.ends_with("; make 976 more calls; log."), "{told}");
        assert!(told.len() < 12_000, "{}", told.len());
    }
}
