//! Each target for a moment: its corpus, and inputs that are the same each time.

use portcullis_fuzz::{TARGETS, Until, corpus, run};

/// Another one is as good; the same one tells the same tomorrow.
const SEED: u64 = 1;

macro_rules! targets {
    ($($name:ident),+ $(,)?) => {
        $(
            #[test]
            fn $name() {
                let mut targets = TARGETS.iter();
                let target = targets.find(|target| target.name == stringify!($name));
                let target = target.unwrap();
                let ended = run(*target, &corpus::of(target), SEED, Until::OneSeed);
                assert_eq!(ended.broken, None);
            }
        )+

        #[test]
        fn every_target_has_its_moment() {
            let names: Vec<_> = TARGETS.iter().map(|target| target.name).collect();
            assert_eq!(names, [$(stringify!($name)),+]);
        }
    };
}

targets![
    truncate, redact, canonical, foreign, paging, drift, manifest, signature, component, path,
    headers, address, body, echo, text, token,
];
