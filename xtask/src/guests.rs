//! Guest crates: compiling several at once and keeping them as components.
//!
//! Which crates there are is the business of [`crate::plugins`] and
//! [`mod@crate::test`].

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
    process,
};

use anyhow::Context as _;

use crate::{
    component, process as programs,
    toolchain::Toolchain,
    workspace::{self, Place},
};

/// A crate of the workspace that becomes a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Guest {
    /// The name in its `Cargo.toml`.
    pub(crate) package: String,
    /// Where the component goes.
    pub(crate) output: PathBuf,
}

/// A component that is in place.
#[derive(Debug)]
pub(crate) struct Built {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its size in bytes.
    pub(crate) bytes: usize,
}

/// Compiles all guests in one go, then encodes each; `finish` may add to a
/// component before it is put in its place.
pub(crate) fn build(
    toolchain: Toolchain,
    guests: &[Guest],
    finish: impl Fn(&Guest, Vec<u8>) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Vec<Built>> {
    let here = Place::here();
    compile(toolchain, &here, guests)?;
    guests
        .iter()
        .map(|guest| put(guest, &finish(guest, encode(toolchain, &here, guest)?)?))
        .collect()
}

fn compile(toolchain: Toolchain, place: &Place, guests: &[Guest]) -> anyhow::Result<()> {
    let mut cargo = toolchain.cargo_build(place);
    for guest in guests {
        cargo.args(["--package", &guest.package]);
    }
    programs::run(&mut cargo)
}

fn encode(toolchain: Toolchain, place: &Place, guest: &Guest) -> anyhow::Result<Vec<u8>> {
    let module = toolchain.modules(place);
    let module = module.join(module_file_name(&guest.package));
    let bytes = fs::read(&module)
        .with_context(|| format!("`{}` made no {}", guest.package, module.display()))?;
    component::encode(&bytes)
        .with_context(|| format!("`{}` cannot become a component", guest.package))
}

fn put(guest: &Guest, component: &[u8]) -> anyhow::Result<Built> {
    replace_if_different(&guest.output, component)
        .with_context(|| format!("cannot write {}", guest.output.display()))?;
    Ok(Built {
        path: guest.output.clone(),
        bytes: component.len(),
    })
}

/// What cargo calls the module of a package.
fn module_file_name(package: &str) -> String {
    format!("{}.wasm", package.replace('-', "_"))
}

/// Leaves a file alone that is right already, so that whoever looks at its time
/// has nothing to do. Encoding costs milliseconds, so it is simply done again:
/// there is no record of past builds that could be wrong.
///
/// The content appears at once, under the eyes of a gateway that watches the
/// folder.
fn replace_if_different(path: &Path, content: &[u8]) -> io::Result<()> {
    if fs::read(path).is_ok_and(|current| current == content) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = temporary_name(path);
    fs::write(&temporary, content)?;
    fs::rename(&temporary, path)
}

/// A name beside `path` that no other process uses and no `*.wasm` matches.
fn temporary_name(path: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".{}.tmp", process::id()));
    path.with_file_name(name)
}

/// Removes the components of guests that no longer exist from a folder.
pub(crate) fn prune(folder: &Path, keep: &[Guest]) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_component = path
            .extension()
            .is_some_and(|extension| extension == "wasm");
        if is_component && !keep.iter().any(|guest| guest.output == path) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// One line about a component: path and size.
pub(crate) fn describe(built: &Built) -> String {
    format!(
        "{}  {} bytes",
        workspace::relative(&built.path).display(),
        built.bytes
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toolchain;

    #[test]
    fn modules_are_found_under_the_name_that_cargo_gives_them() {
        assert_eq!(
            module_file_name("portcullis-plugin-linear"),
            "portcullis_plugin_linear.wasm"
        );
    }

    /// Everything of a folder but what git and cargo keep there.
    fn copy(from: &Path, to: &Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let entry = entry.unwrap();
            let (path, name) = (entry.path(), entry.file_name());
            if path.is_dir() && name != "target" && name != ".git" {
                copy(&path, &to.join(name));
            } else if path.is_file() {
                fs::copy(&path, to.join(name)).unwrap();
            }
        }
    }

    /// The smallest plugin, in two folders with two target folders.
    #[test]
    fn the_same_sources_make_the_same_component_anywhere() {
        let folder = tempfile::tempdir().unwrap();
        let elsewhere = Place {
            root: folder.path().join("some/where/else"),
            target: folder.path().join("made"),
        };
        copy(workspace::root(), &elsewhere.root);
        let toolchain = toolchain::ensure().unwrap();
        let guests = [Guest {
            package: "portcullis-plugin-slack".to_owned(),
            output: PathBuf::new(),
        }];
        let made = [Place::here(), elsewhere].map(|place| {
            compile(toolchain, &place, &guests).unwrap();
            encode(toolchain, &place, &guests[0]).unwrap()
        });
        let [here, there] = &made;
        assert!(here == there, "{} and {} bytes", here.len(), there.len());
        for path in [workspace::root(), folder.path()] {
            let path = path.as_os_str().as_encoded_bytes();
            assert!(!here.windows(path.len()).any(|part| part == path));
        }
    }

    #[test]
    fn content_is_replaced_and_leaves_nothing_else_behind() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/x.wasm");
        for content in [b"one".as_slice(), b"two"] {
            replace_if_different(&path, content).unwrap();
            assert_eq!(fs::read(&path).unwrap(), content);
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn a_file_with_the_same_content_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.wasm");
        replace_if_different(&path, b"same").unwrap();
        let past = std::time::UNIX_EPOCH;
        fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(past)
            .unwrap();
        replace_if_different(&path, b"same").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), past);
    }

    #[test]
    fn pruning_removes_only_components_without_a_guest() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| folder.path().join(name);
        for name in ["kept.wasm", "gone.wasm", "notes.txt"] {
            fs::write(file(name), "").unwrap();
        }
        let keep = [Guest {
            package: "kept".to_owned(),
            output: file("kept.wasm"),
        }];
        prune(folder.path(), &keep).unwrap();
        assert!(file("kept.wasm").exists() && file("notes.txt").exists());
        assert!(!file("gone.wasm").exists());
    }
}
