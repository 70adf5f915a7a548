//! The probe, the table of behaviours and these tests belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::behaviours::{self, Behaviour, Made};
use crate::harness::Guest;

/// Actions that do no harm, or only what a test asks them to.
const HARMLESS_ACTIONS: &[&str] = &[
    "echo",
    "key",
    "now",
    "wait",
    "edition",
    "remember",
    "rows",
    "fetch",
    "fetch_as_user",
    "fetch_preferring_user",
    "fetch_many",
    "forward",
    "log_line",
];

/// The same for manners.
const HARMLESS_MANNERS: &[&str] = &["later"];

/// What guests that keep the rules do, in files that are otherwise about others.
const HARMLESS_TESTS: &[&str] = &[
    "odd_guests::a_guest_written_by_hand_can_keep_the_rules",
    "encodings::a_guest_may_speak_any_of_the_three_encodings",
];

/// The files in which guests are written by hand, or are no guests at all.
const OF_HOSTILE_GUESTS: &[&str] = &["odd_guests", "loading", "encodings", "handles", "smuggling"];

#[tokio::test]
async fn every_action_of_the_probe_is_used_by_a_test() {
    let tests: String = sources(&folder("tests/it")).into_values().collect();
    let guest = Guest::probe().await;
    for action in guest.plugin.actions() {
        let id = action.definition.id.as_str();
        let is_harmless = HARMLESS_ACTIONS.contains(&id);
        assert_ne!(
            is_harmless,
            !action.definition.examples.is_empty(),
            "`{id}` has examples of how it attacks, or is named as harmless here"
        );
        if is_harmless {
            assert!(
                tests.contains(&format!("\"{id}\"")),
                "no test calls \"{id}\""
            );
        }
    }
}

#[tokio::test]
async fn every_attack_of_the_probe_is_a_row() {
    let guest = Guest::probe().await;
    let actions = guest.plugin.actions().iter();
    let attacks = actions.flat_map(|action| &action.definition.examples);
    let attacks: Vec<_> = attacks.map(|example| example.title.clone()).collect();
    let rows = names_of(|behaviour| matches!(behaviour.made, Made::Attack));
    assert_same(&attacks, &rows);
}

#[test]
fn every_manner_of_the_probe_is_a_row() {
    let folder = folder("../../tests/guests/src");
    let text: String = sources(&folder).into_values().collect();
    let asked = text.split("manner_is(\"").skip(1);
    let manners = asked.filter_map(|rest| Some(rest.split_once('"')?.0.to_owned()));
    let manners: BTreeSet<_> = manners
        .filter(|manner| !HARMLESS_MANNERS.contains(&manner.as_str()))
        .collect();
    let rows = names_of(|behaviour| matches!(behaviour.made, Made::Manner(_)));
    assert_same(&manners.into_iter().collect::<Vec<_>>(), &rows);
}

#[test]
fn a_row_has_a_name_of_its_own() {
    let names = names_of(|_| true);
    let distinct: BTreeSet<_> = names.iter().collect();
    assert_eq!(distinct.len(), names.len(), "{names:#?}");
    assert!(names.len() >= 40, "{}", names.len());
}

#[test]
fn what_honest_does_not_make_has_tests_of_its_own() {
    for behaviour in behaviours::all() {
        let made_elsewhere = matches!(behaviour.made, Made::InTests);
        assert!(
            !made_elsewhere || !behaviour.tests.is_empty(),
            "{}",
            behaviour.name
        );
    }
}

#[test]
fn every_test_that_a_row_names_exists() {
    for behaviour in behaviours::all() {
        for test in behaviour.tests {
            let (module, function) = test.rsplit_once("::").unwrap();
            let exists = files_of(module)
                .iter()
                .filter_map(|file| std::fs::read_to_string(file).ok())
                .any(|text| tests_in(&text).any(|name| name == function));
            assert!(exists, "{}: there is no test `{test}`", behaviour.name);
        }
    }
}

#[test]
fn every_test_of_a_hostile_guest_belongs_to_a_row() {
    let rows = behaviours::all();
    let named: BTreeSet<_> = rows.iter().flat_map(|row| row.tests).copied().collect();
    for (module, text) in sources(&folder("tests/it")) {
        if !OF_HOSTILE_GUESTS.contains(&module.as_str()) {
            continue;
        }
        for function in tests_in(&text) {
            let test = format!("{module}::{function}");
            let is_known = named.contains(test.as_str()) || HARMLESS_TESTS.contains(&&*test);
            assert!(is_known, "no row names `{test}`");
        }
    }
}

fn names_of(filter: impl Fn(&Behaviour) -> bool) -> Vec<String> {
    let rows = behaviours::all().into_iter();
    let rows = rows.filter(|row| filter(row));
    rows.map(|row| row.name.to_owned()).collect()
}

#[track_caller]
fn assert_same(found: &[String], rows: &[String]) {
    for name in found {
        assert!(rows.contains(name), "`{name}` has no row in `behaviours`");
    }
    for name in rows {
        assert!(found.contains(name), "nothing of the probe is `{name}`");
    }
    assert_eq!(found.len(), rows.len());
}

/// Where the tests of a module may stand: beside this file, in the crate, with `core::`
/// in front in the core, and with `program::` among the tests of the program.
fn files_of(module: &str) -> Vec<PathBuf> {
    let (roots, module) = match module.split_once("::") {
        Some(("core", module)) => (vec![folder("../core/src")], module),
        Some(("program", module)) => (vec![folder("../server/tests")], module),
        _ => (vec![folder("tests/it"), folder("src")], module),
    };
    let path = module.replace("::", "/");
    let beside = path.strip_suffix("/tests").unwrap_or(&path).to_owned();
    let paths = [path, beside].map(|path| format!("{path}.rs"));
    let files = roots
        .iter()
        .flat_map(|root| paths.iter().map(|path| root.join(path)));
    files.collect()
}

fn folder(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of all files in a folder and those below, by the names of their modules.
fn sources(folder: &Path) -> BTreeMap<String, String> {
    let mut sources = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let module = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() {
            let below = self::sources(&path).into_iter();
            sources.extend(below.map(|(name, text)| (format!("{module}::{name}"), text)));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            sources.insert(module, std::fs::read_to_string(&path).unwrap());
        }
    }
    sources
}

/// The names of the tests in a file.
fn tests_in(text: &str) -> impl Iterator<Item = &str> {
    let mut lines = text.lines().map(str::trim);
    std::iter::from_fn(move || {
        lines.find(|line| line.starts_with("#[test]") || line.starts_with("#[tokio::test"))?;
        let function = lines.find(|line| line.contains("fn "))?;
        function.split_once("fn ")?.1.split(['(', '<']).next()
    })
}
