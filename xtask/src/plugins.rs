//! `cargo xtask plugins`: every folder of `plugins/` as a component.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};

use crate::{
    guests::{self, Built, Guest},
    provenance, report,
    toolchain::{self, Toolchain},
    workspace,
};

/// Builds one plugin, or all, and prints a line for each.
pub(crate) fn run(id: Option<&str>) -> anyhow::Result<()> {
    let toolchain = toolchain::ensure()?;
    let built = match id {
        Some(id) => guests::build(toolchain, &[find(id)?], provenance::embed)?,
        None => build_all(toolchain)?,
    };
    built
        .iter()
        .try_for_each(|built| report::result(&guests::describe(built)))
}

/// Builds all plugins; afterwards the folder holds them and no others.
pub(crate) fn build_all(toolchain: Toolchain) -> anyhow::Result<Vec<Built>> {
    let ids = ids(&workspace::root().join("plugins"))?;
    report::note(&format!("building the plugins: {}…", ids.join(", ")));
    let plugins = ids.iter().map(|id| guest(id)).collect::<Vec<_>>();
    let built = guests::build(toolchain, &plugins, provenance::embed)?;
    guests::prune(&folder(), &plugins).context("cannot tidy the folder of plugins")?;
    Ok(built)
}

/// Where the components are put.
pub(crate) fn folder() -> PathBuf {
    workspace::target().join("plugins")
}

fn find(id: &str) -> anyhow::Result<Guest> {
    let ids = ids(&workspace::root().join("plugins"))?;
    if !ids.iter().any(|known| known == id) {
        bail!(
            "there is no plugins/{id}\nhint: there are {}",
            ids.join(", ")
        );
    }
    Ok(guest(id))
}

/// The folder's name is the provider's id, and the package is named after it.
fn guest(id: &str) -> Guest {
    Guest {
        package: format!("portcullis-plugin-{id}"),
        output: folder().join(format!("{id}.wasm")),
    }
}

/// The folders that hold a package, sorted.
fn ids(plugins: &Path) -> anyhow::Result<Vec<String>> {
    let mut ids = Vec::new();
    let entries =
        fs::read_dir(plugins).with_context(|| format!("cannot list {}", plugins.display()))?;
    for entry in entries {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            ids.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    ids.sort();
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_with_a_package_are_plugins() {
        let plugins = tempfile::tempdir().unwrap();
        for id in ["sentry", "linear"] {
            fs::create_dir(plugins.path().join(id)).unwrap();
            fs::write(plugins.path().join(id).join("Cargo.toml"), "").unwrap();
        }
        fs::create_dir(plugins.path().join("notes")).unwrap();
        fs::write(plugins.path().join("README.md"), "").unwrap();
        assert_eq!(ids(plugins.path()).unwrap(), ["linear", "sentry"]);
    }

    #[test]
    fn an_unknown_id_is_answered_with_those_that_exist() {
        let error = find("liner").unwrap_err().to_string();
        assert!(
            error.contains("plugins/liner") && error.contains("linear"),
            "{error}"
        );
    }

    #[test]
    fn every_plugin_is_named_after_its_folder() {
        let plugins = workspace::root().join("plugins");
        for id in ids(&plugins).unwrap() {
            let manifest = fs::read_to_string(plugins.join(&id).join("Cargo.toml")).unwrap();
            let name = format!("name = \"{}\"", guest(&id).package);
            assert!(
                manifest.lines().any(|line| line == name),
                "plugins/{id} lacks {name}"
            );
        }
    }
}
