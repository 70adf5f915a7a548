//! `plugin inspect`.

use std::fs;
use std::path::Path;

use portcullis_core::plugin::PluginDigest;
use portcullis_runtime::provenance;
use portcullis_tests::{linear_component, plugins_directory};

use super::terminal::Terminal;

/// The page about a bundled plugin, with what depends on its bytes left out.
async fn page_of(id: &str) -> String {
    let file = plugins_directory().join(format!("{id}.wasm"));
    let bytes = fs::read(&file).unwrap();
    let ended = Terminal::new()
        .watched()
        .types(&["plugin", "inspect", file.to_str().unwrap()])
        .await;
    let made = provenance::read(&bytes).unwrap();
    let (source, crates) = (made.revision.unwrap(), made.crates.unwrap());
    ended
        .assert_exit(0)
        .stdout
        .replace(&PluginDigest::of(&bytes).to_string(), "<digest>")
        .replace(&format!("{} bytes", bytes.len()), "<size> bytes")
        .replace(&source, "<source>")
        .replace(
            &format!("crates     {}", crates.len()),
            "crates     <crates>",
        )
}

/// The proof of what each can do, word for word. To write what is printed now, run the
/// tests with `PORTCULLIS_UPDATE_EXPECTED=1`, and read the difference.
#[tokio::test]
async fn every_bundled_plugin_is_told_on_one_page() {
    for id in ["linear", "sentry", "slack"] {
        let page = page_of(id).await;
        let expected = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("it/command_line")
            .join(format!("{id}.txt"));
        if std::env::var_os("PORTCULLIS_UPDATE_EXPECTED").is_some() {
            fs::write(&expected, &page).unwrap();
        }
        let expected = fs::read_to_string(expected).unwrap_or_default();
        assert_eq!(page, expected, "\n{page}");
    }
}

/// The same plugin with another import in the place of one, as often as it is named.
#[tokio::test]
async fn an_import_beyond_the_contract_is_told_instead_of_a_page() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("linear.wasm");
    let mut component = linear_component();
    let (known, unknown) = (b"portcullis:provider/clock@", b"portcullis:provider/vault@");
    let places: Vec<_> = component
        .windows(known.len())
        .enumerate()
        .filter(|(_, window)| *window == known)
        .map(|(at, _)| at)
        .collect();
    assert!(!places.is_empty());
    for at in places {
        component[at..at + unknown.len()].copy_from_slice(unknown);
    }
    fs::write(&path, component).unwrap();
    let typed = ["plugin", "inspect", path.to_str().unwrap()];
    let ended = Terminal::new().types(&typed).await;
    assert_eq!(ended.assert_exit(1).stdout, "");
    ended.assert_told(&["portcullis:provider/vault@0.1.0", "outside the contract"]);
}

#[tokio::test]
async fn every_bundled_plugin_says_what_it_is_made_of() {
    for id in ["linear", "sentry", "slack"] {
        let file = plugins_directory().join(format!("{id}.wasm"));
        let file = file.to_str().unwrap();
        let typed = ["plugin", "inspect", file, "--verbose"];
        let page = Terminal::new()
            .watched()
            .types(&typed)
            .await
            .assert_exit(0)
            .stdout
            .clone();
        assert!(page.contains("\nCrates\n"), "{page}");
        assert!(page.contains("\nserde_json"), "{page}");
        let document = Terminal::new().types(&typed).await.json();
        let crates = document["crates"].as_array().unwrap();
        let serde = crates
            .iter()
            .find(|one| one["name"] == "serde_json")
            .unwrap();
        let purl = format!(
            "pkg:cargo/serde_json@{}",
            serde["version"].as_str().unwrap()
        );
        assert_eq!(serde["purl"], purl);
        assert_eq!(serde["license"], "MIT OR Apache-2.0");
        assert!(!document["source"].as_str().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_document_has_what_the_page_has() {
    let file = plugins_directory().join("linear.wasm");
    let file = file.to_str().unwrap();
    let document = Terminal::new()
        .types(&["plugin", "inspect", file])
        .await
        .json();
    assert_eq!(document["id"], "linear");
    assert_eq!(document["contractVersion"], "0.1.0");
    assert_eq!(document["sizeBytes"], linear_component().len());
    assert_eq!(
        document["endpoints"][0]["routes"][0]["pathPrefix"],
        "/graphql"
    );
    assert_eq!(document["actions"][2]["riskLevel"], "write");
    assert_eq!(
        document["actions"][2]["params"]["additionalProperties"],
        false
    );
    assert_eq!(
        document["capabilities"][0],
        "call https://api.linear.app POST /graphql"
    );
}

#[tokio::test]
async fn what_is_no_plugin_is_told_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    for (path, reason) in [
        (
            write("garbage.wasm", b"this is text"),
            "not a WebAssembly component",
        ),
        (write("core.wasm", b"\0asm\x01\0\0\0"), "core module"),
        (
            write("half.wasm", &linear_component()[..1000]),
            "not a WebAssembly component",
        ),
        (folder.path().to_str().unwrap().to_owned(), "is not a file"),
        ("/nothing.wasm".to_owned(), "No such file"),
    ] {
        let ended = Terminal::new().types(&["plugin", "inspect", &path]).await;
        assert_eq!(ended.assert_exit(1).stdout, "");
        ended.assert_told(&[&path, reason]);
        let built = ended.stderr.contains("cargo xtask plugins");
        assert_eq!(
            built,
            reason.contains("module") || reason.contains("WebAssembly")
        );
        assert!(ended.stderr.lines().count() <= 2, "{ended:?}");
    }
}
