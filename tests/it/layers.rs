//! Who may name what: each dependency has one home, so that it can be replaced
//! or reviewed there.

use std::fs;
use std::path::{Path, PathBuf};

/// A phrase, and the paths below `host` that may contain it. A path ends with a
/// slash for everything below it.
type Rule = (&'static str, &'static [&'static str]);

const IN_CODE: &[Rule] = &[
    ("sqlx::", &["storage/"]),
    ("wasmtime::", &["runtime/"]),
    (
        "wasmtime_wasi::",
        &[
            "runtime/src/wasi.rs",
            "runtime/src/wasi/",
            "runtime/src/outcome.rs",
        ],
    ),
    ("wasmparser::", &["runtime/"]),
    ("portcullis_storage::", &["server/", "storage/"]),
    (
        // A credential in clear: where it is opened, and where it is attached.
        "secrecy::",
        &[
            "runtime/src/egress.rs",
            "runtime/src/egress/",
            "server/src/config/secret.rs",
            "server/src/connections/opened.rs",
        ],
    ),
    ("chacha20poly1305::", &["server/src/vault.rs"]),
    (
        "hkdf::",
        &["server/src/vault.rs", "server/src/auth/tokens.rs"],
    ),
    ("jsonwebtoken::", &["server/src/auth/tokens.rs"]),
    (
        "reqwest::",
        &[
            "runtime/src/egress.rs",
            "runtime/src/egress/",
            // The command line is a client of the gateway, and pulls from registries.
            "server/src/cli/client.rs",
            "server/src/cli/plugin/oci/transport.rs",
        ],
    ),
    (
        "axum::",
        &[
            "server/src/http.rs",
            "server/src/http/",
            "server/src/lib.rs",
        ],
    ),
    ("utoipa::", &["server/src/http/"]),
    ("tokio_tungstenite::", &["server/src/http/events/"]),
    (
        "std::env",
        &[
            "server/src/config.rs",
            "server/src/config/",
            "server/src/main.rs",
            "server/src/cli/console.rs",
            // A test starts itself again, and tells it so.
            "server/tests/compiling/cache.rs",
        ],
    ),
];

const IN_MANIFESTS: &[Rule] = &[
    ("sqlx", &["storage/Cargo.toml"]),
    ("wasmtime", &["runtime/Cargo.toml"]),
    ("wasmtime-wasi", &["runtime/Cargo.toml"]),
    ("wasmparser", &["runtime/Cargo.toml"]),
    ("secrecy", &["runtime/Cargo.toml", "server/Cargo.toml"]),
    ("chacha20poly1305", &["server/Cargo.toml"]),
    ("hkdf", &["server/Cargo.toml"]),
    ("jsonwebtoken", &["server/Cargo.toml"]),
    ("reqwest", &["runtime/Cargo.toml", "server/Cargo.toml"]),
    ("axum", &["server/Cargo.toml"]),
    ("utoipa", &["server/Cargo.toml"]),
    ("tokio-tungstenite", &["server/Cargo.toml"]),
    (
        "tokio",
        &[
            "runtime/Cargo.toml",
            "server/Cargo.toml",
            "storage/Cargo.toml",
        ],
    ),
    ("portcullis-storage", &["server/Cargo.toml"]),
    ("portcullis-runtime", &["server/Cargo.toml"]),
];

/// The commands that work without a gateway running, since they are its own. The
/// others are its clients.
const COMMANDS_OF_THE_GATEWAY: &[&str] = &[
    "server/src/cli/serve.rs",
    "server/src/cli/settings.rs",
    "server/src/cli/config/",
    "server/src/cli/database.rs",
    "server/src/cli/audit/",
    "server/src/cli/keys.rs",
    "server/src/cli/cache.rs",
    "server/src/cli/plugin/",
];

fn host() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host")
}

/// Every file below a directory with this ending, by its path below `host`.
fn files(ending: &str) -> Vec<(String, String)> {
    let mut directories = vec![host()];
    let mut files = Vec::new();
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.to_str().unwrap().ends_with(ending) {
                let name = path
                    .strip_prefix(host())
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files
}

/// `file:line: phrase` for each line that names what its file may not. What a
/// line names is decided by `names`.
fn trespasses(
    files: &[(String, String)],
    rules: &[Rule],
    names: impl Fn(&str, &str) -> bool,
) -> Vec<String> {
    let mut found = Vec::new();
    for (file, text) in files {
        let forbidden = rules.iter().filter(|(_, homes)| !is_in(file, homes));
        for (phrase, _) in forbidden {
            for (index, line) in text.lines().enumerate() {
                if names(line, phrase) {
                    found.push(format!("host/{file}:{}: {phrase}", index + 1));
                }
            }
        }
    }
    found
}

fn is_in(file: &str, homes: &[&str]) -> bool {
    homes
        .iter()
        .any(|home| file == *home || home.ends_with('/') && file.starts_with(home))
}

/// Whether a line of Rust, other than a comment, has the phrase as a path of its
/// own and not as the end of a longer name.
fn in_code(line: &str, phrase: &str) -> bool {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices(phrase).any(|(at, _)| {
        !code[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
    })
}

/// Whether a line of a manifest is the dependency of this name.
fn in_manifest(line: &str, name: &str) -> bool {
    line.strip_prefix(name)
        .is_some_and(|rest| rest.starts_with(['.', ' ', '=']))
}

#[test]
fn code_names_only_what_belongs_to_its_layer() {
    let sources = files(".rs");
    assert!(sources.len() > 80, "{} files", sources.len());
    let found = trespasses(&sources, IN_CODE, in_code);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn crates_depend_only_on_what_belongs_to_their_layer() {
    let manifests = files("Cargo.toml");
    assert_eq!(manifests.len(), 4);
    let found = trespasses(&manifests, IN_MANIFESTS, in_manifest);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn clients_and_the_gateway_meet_over_http_alone() {
    let rules = [
        "crate::gateway",
        "crate::http",
        "crate::sources",
        "crate::actions",
        "portcullis_runtime",
        "portcullis_storage",
    ]
    .map(|phrase| (phrase, COMMANDS_OF_THE_GATEWAY));
    let mut clients = files(".rs");
    clients.retain(|(file, _)| file.starts_with("server/src/cli/"));
    assert!(clients.len() > 20, "{} files", clients.len());
    let found = trespasses(&clients, &rules, in_code);
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_home_is_lived_in() {
    // A rule about a place that has moved would allow and forbid nothing.
    for (rules, files, names) in [
        (
            &IN_CODE[..IN_CODE.len() - 1],
            files(".rs"),
            in_code as fn(&str, &str) -> bool,
        ),
        (IN_MANIFESTS, files("Cargo.toml"), in_manifest),
    ] {
        for (phrase, homes) in rules {
            let lived_in = files.iter().any(|(file, text)| {
                is_in(file, homes) && text.lines().any(|line| names(line, phrase))
            });
            assert!(lived_in, "nothing in {homes:?} names {phrase}");
        }
    }
}

#[test]
fn a_trespass_is_reported_with_its_place() {
    let files = [(
        "core/src/lib.rs".to_owned(),
        "// sqlx:: is not for us\nuse my_sqlx::Pool;\nuse sqlx::Pool;\n".to_owned(),
    )];
    let found = trespasses(&files, IN_CODE, in_code);
    assert_eq!(found, ["host/core/src/lib.rs:3: sqlx::"]);
}

#[test]
fn the_server_reaches_no_sandbox_and_the_sandbox_no_storage_and_no_secret() {
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    let found = trespasses(
        &[
            file("server/src/actions.rs", "use wasmtime::Store;"),
            file(
                "server/src/gateway.rs",
                "let x = wasmtime_wasi::WasiCtx::new();",
            ),
            file("runtime/src/invoke.rs", "use portcullis_storage::Storage;"),
            file("runtime/src/cache.rs", "use chacha20poly1305::Key;"),
            file("runtime/src/state.rs", "token: secrecy::SecretString,"),
            file(
                "runtime/src/egress/credential.rs",
                "use secrecy::SecretString;",
            ),
        ],
        IN_CODE,
        in_code,
    );
    assert_eq!(
        found,
        [
            "host/server/src/actions.rs:1: wasmtime::",
            "host/server/src/gateway.rs:1: wasmtime_wasi::",
            "host/runtime/src/invoke.rs:1: portcullis_storage::",
            "host/runtime/src/cache.rs:1: chacha20poly1305::",
            "host/runtime/src/state.rs:1: secrecy::",
        ]
    );
    let manifest = |line: &str| {
        let files = [file("runtime/Cargo.toml", line)];
        trespasses(&files, IN_MANIFESTS, in_manifest).len()
    };
    for forbidden in ["portcullis-storage", "sqlx", "chacha20poly1305", "hkdf"] {
        assert_eq!(manifest(&format!("{forbidden}.workspace = true")), 1);
    }
    assert_eq!(manifest("wasmtime.workspace = true"), 0);
}
