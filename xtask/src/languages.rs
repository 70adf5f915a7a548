//! Components from other languages for the tests: the examples of `sdk/javascript` and
//! `sdk/python`, and variants of them that misbehave.
//!
//! Their tools come from npm and `PyPI`. Where those cannot be reached the tests of these
//! components are skipped, and it is said why. Everything is put below
//! `target/languages`, nothing beside the sources.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, SystemTime},
};

use anyhow::Context as _;

use crate::{process, report, workspace};

/// Long enough to fetch 40 MB on a slow line.
const INSTALL_LIMIT: Duration = Duration::from_mins(3);

/// A Python component takes 20 seconds on an idle machine.
const BUILD_LIMIT: Duration = Duration::from_mins(5);

/// Where components and tools are put.
fn folder() -> PathBuf {
    workspace::target().join("languages")
}

/// Builds what can be built; components that are newer than their sources are left
/// alone.
pub(crate) fn build_all() {
    for (language, outputs, build) in [
        (
            "JavaScript",
            JAVASCRIPT,
            javascript as fn() -> anyhow::Result<()>,
        ),
        ("Python", PYTHON, python),
    ] {
        if let Err(error) = build() {
            report::note(&format!(
                "tests of providers in {language} will be skipped: {error:#}"
            ));
            // Those of earlier sources would be tested in their place.
            for output in outputs {
                let _ = fs::remove_file(folder().join(output));
            }
        }
    }
}

const JAVASCRIPT: &[&str] = &["notes-js.wasm", "notes-js-stubbed.wasm", "odd-js.wasm"];
const PYTHON: &[&str] = &["odd-py.wasm"];

fn javascript() -> anyhow::Result<()> {
    let sources = ["wit", "sdk/javascript/lib", "sdk/javascript/example"];
    let sources = [
        &sources[..],
        &["sdk/javascript/package-lock.json"],
        &["tests/guests/javascript"],
    ];
    if are_newer(JAVASCRIPT, &sources.concat())? {
        return Ok(());
    }
    report::note("building the providers in JavaScript…");
    let tools = folder().join("javascript");
    fs::create_dir_all(&tools)?;
    for file in ["package.json", "package-lock.json"] {
        let from = workspace::root().join("sdk/javascript").join(file);
        fs::copy(from, tools.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    // Not `npm ci`, which refuses a lock without the binaries for some platforms, and
    // not all of them are published; versions and digests are the lock's all the same.
    let mut install = Command::new("npm");
    install
        .current_dir(&tools)
        .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"]);
    process::run_within(&mut install, INSTALL_LIMIT)?;
    let example = "sdk/javascript/example/notes.js";
    componentize_qjs(&tools, example, "notes-js.wasm", &[])?;
    componentize_qjs(&tools, example, "notes-js-stubbed.wasm", &["--stub-wasi"])?;
    componentize_qjs(&tools, "tests/guests/javascript/odd.js", "odd-js.wasm", &[])
}

fn componentize_qjs(tools: &Path, source: &str, output: &str, more: &[&str]) -> anyhow::Result<()> {
    let mut command = Command::new(tools.join("node_modules/.bin/componentize-qjs"));
    command
        .current_dir(workspace::root())
        .args(["--wit", "wit", "--world", "action-source", "--sync"])
        .args(["--module-root", ".", "--js", source])
        .args(more)
        .arg("--output")
        .arg(folder().join(output));
    process::run_within(&mut command, BUILD_LIMIT)
}

fn python() -> anyhow::Result<()> {
    let sources = [
        "wit",
        "sdk/python",
        "sdk/python/example",
        "tests/guests/python",
    ];
    if are_newer(PYTHON, &sources)? {
        return Ok(());
    }
    report::note("building the providers in Python, which takes a while…");
    let tools = folder().join("python");
    let mut venv = Command::new("python3");
    venv.args(["-m", "venv"]).arg(&tools);
    process::run_within(&mut venv, INSTALL_LIMIT)?;
    let mut install = Command::new(tools.join("bin/pip"));
    install
        .current_dir(workspace::root())
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(["-r", "sdk/python/requirements.txt"]);
    process::run_within(&mut install, INSTALL_LIMIT)?;
    let mut command = Command::new(tools.join("bin/componentize-py"));
    command
        .current_dir(workspace::root())
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .args(["-d", "wit", "-w", "action-source", "componentize"])
        .args(["-p", "sdk/python", "-p", "sdk/python/example"])
        .args(["-p", "tests/guests/python", "odd", "-o"])
        .arg(folder().join("odd-py.wasm"));
    process::run_within(&mut command, BUILD_LIMIT)
}

/// Whether all outputs are there and newer than every file of the sources, each of
/// which is a file or a folder without folders that matter.
fn are_newer(outputs: &[&str], sources: &[&str]) -> anyhow::Result<bool> {
    let mut newest = SystemTime::UNIX_EPOCH;
    for source in sources {
        let source = workspace::root().join(source);
        newest = newest.max(newest_of(&source).with_context(|| format!("{}", source.display()))?);
    }
    Ok(outputs.iter().all(|output| {
        let changed = fs::metadata(folder().join(output)).and_then(|found| found.modified());
        changed.is_ok_and(|changed| changed > newest)
    }))
}

fn newest_of(source: &Path) -> std::io::Result<SystemTime> {
    let mut newest = SystemTime::UNIX_EPOCH;
    if source.is_file() {
        return fs::metadata(source)?.modified();
    }
    for entry in fs::read_dir(source)? {
        let found = entry?.metadata()?;
        if found.is_file() {
            newest = newest.max(found.modified()?);
        }
    }
    Ok(newest)
}
