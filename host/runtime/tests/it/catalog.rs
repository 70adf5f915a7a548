//! The probe's actions and these tests belong together.

use std::path::Path;

use crate::harness::Guest;

#[tokio::test]
async fn every_behaviour_of_the_probe_is_used_by_a_test() {
    let tests = sources();
    let guest = Guest::probe().await;
    for action in guest.plugin.actions() {
        let quoted = format!("\"{}\"", action.definition.id);
        assert!(tests.contains(&quoted), "no test calls {quoted}");
    }
}

/// The text of all files beside this one.
fn sources() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| std::fs::read_to_string(path).unwrap())
        .collect()
}
