//! The crates a plugin consists of, as `CycloneDX`.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};

use crate::{environment, process};

/// The version of `CycloneDX` that is written: <https://cyclonedx.org/docs/1.6/json/>.
const SPEC_VERSION: &str = "1.6";

/// A crate that is compiled into a plugin.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// An SPDX expression, where the manifest has one.
    pub(super) license: Option<String>,
    /// Where it is, if it is one of this workspace.
    pub(super) folder: Option<PathBuf>,
}

/// What cargo compiles into a package for a target: no tests, nothing that only
/// runs while it is built.
pub(super) fn of(root: &Path, package: &str, target: &str) -> anyhow::Result<Vec<Crate>> {
    let mut tree = environment::cargo_command();
    tree.current_dir(root)
        .args(["tree", "--package", package, "--target", target])
        .args(["--edges", "normal,no-proc-macro", "--no-dedupe"])
        .args(["--prefix", "none", "--format", "{p}\t{l}"]);
    parse(&process::stdout(&mut tree)?)
}

/// Lines such as `serde v1.0.229\tMIT OR Apache-2.0`, or with a path behind the
/// version; many of them stand there more than once.
fn parse(lines: &str) -> anyhow::Result<Vec<Crate>> {
    let mut crates = lines
        .lines()
        .map(|line| parse_line(line).with_context(|| format!("cargo tree printed `{line}`")))
        .collect::<anyhow::Result<Vec<_>>>()?;
    crates.sort();
    crates.dedup();
    Ok(crates)
}

fn parse_line(line: &str) -> Option<Crate> {
    let (package, license) = line.split_once('\t')?;
    let (name, rest) = package.split_once(" v")?;
    let (version, place) = rest.split_once(' ').unwrap_or((rest, ""));
    let folder = place
        .strip_prefix("(/")
        .and_then(|path| path.strip_suffix(')'));
    Some(Crate {
        name: name.to_owned(),
        version: version.to_owned(),
        // How manifests used to spell a choice.
        license: Some(license.replace('/', " OR ")).filter(|license| !license.is_empty()),
        folder: folder.map(|path| Path::new("/").join(path)),
    })
}

/// The document: no serial number and no time, which would differ each time.
pub(super) fn document(package: &str, crates: &[Crate]) -> anyhow::Result<String> {
    let plugin = crates.iter().find(|one| one.name == package);
    let plugin = plugin.with_context(|| format!("`{package}` is none of its crates"))?;
    let others = crates.iter().filter(|one| *one != plugin);
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": SPEC_VERSION,
        "version": 1,
        "metadata": { "component": component("application", plugin) },
        "components": others.map(|one| component("library", one)).collect::<Vec<_>>(),
    });
    Ok(document.to_string())
}

fn component(kind: &str, one: &Crate) -> Value {
    let licenses = |license| json!([{ "expression": license }]);
    // A name of this workspace may be another crate's on crates.io.
    let is_foreign = one.folder.is_none();
    let purl = is_foreign.then(|| format!("pkg:cargo/{}@{}", one.name, one.version));
    [
        ("type", Some(json!(kind))),
        ("name", Some(json!(one.name))),
        ("version", Some(json!(one.version))),
        ("licenses", one.license.as_ref().map(licenses)),
        ("purl", purl.map(Value::from)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: &str = "mine v0.1.0 (/home/ada/mine)\tMIT\n\
                         serde v1.0.229\tMIT/Apache-2.0\n\
                         itoa v1.0.18\t\n\
                         serde v1.0.229\tMIT/Apache-2.0\n";

    #[test]
    fn every_crate_is_listed_once_by_name() {
        let crates = parse(LINES).unwrap();
        let names: Vec<_> = crates.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["itoa", "mine", "serde"]);
        assert_eq!(
            crates[1].folder.as_deref(),
            Some(Path::new("/home/ada/mine"))
        );
    }

    #[test]
    fn the_document_has_what_others_need_and_no_path() {
        let document = document("mine", &parse(LINES).unwrap()).unwrap();
        assert!(!document.contains("home"), "{document}");
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(
            document,
            json!({
                "bomFormat": "CycloneDX",
                "specVersion": "1.6",
                "version": 1,
                "metadata": { "component": {
                    "type": "application",
                    "name": "mine",
                    "version": "0.1.0",
                    "licenses": [{ "expression": "MIT" }],
                } },
                "components": [
                    {
                        "type": "library",
                        "name": "itoa",
                        "version": "1.0.18",
                        "purl": "pkg:cargo/itoa@1.0.18",
                    },
                    {
                        "type": "library",
                        "name": "serde",
                        "version": "1.0.229",
                        "licenses": [{ "expression": "MIT OR Apache-2.0" }],
                        "purl": "pkg:cargo/serde@1.0.229",
                    },
                ],
            })
        );
    }

    #[test]
    fn what_cargo_does_not_print_is_no_crate() {
        assert!(parse("warning: something").is_err());
        assert!(document("other", &parse(LINES).unwrap()).is_err());
    }

    #[test]
    fn a_plugin_is_made_of_the_sdk_and_not_of_what_tests_and_macros_need() {
        let crates = of(
            crate::workspace::root(),
            "portcullis-plugin-slack",
            crate::toolchain::TARGET,
        );
        let crates = crates.unwrap();
        let has = |name: &str| crates.iter().any(|one| one.name == name);
        assert!(has("portcullis-sdk") && has("serde_json"));
        for other in [
            "syn",
            "serde_derive",
            "portcullis-sdk-macros",
            "proptest",
            "wasmtime",
        ] {
            assert!(!has(other), "{other}");
        }
    }
}
