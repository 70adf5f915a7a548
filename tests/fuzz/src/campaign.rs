//! All targets, one after the other, for as long as somebody has time.

use std::path::PathBuf;
use std::time::Duration;

use crate::{Broken, Target, Until, corpus, run};

/// What is to be fuzzed, and how.
#[derive(Debug)]
pub struct Campaign {
    /// These, in this order.
    pub targets: Vec<Target>,
    /// The first of the seeds.
    pub seed: u64,
    /// How long, for each target.
    pub time: Duration,
    /// A folder with real components, to begin with; it need not be there.
    pub plugins: PathBuf,
}

impl Campaign {
    /// Feeds each target, and tells how it ended. True when nothing broke; what broke
    /// something is kept in the corpus.
    pub fn run(&self, mut tell: impl FnMut(String)) -> bool {
        // Hundreds of panics lead to the smallest input; the report has the last.
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let mut is_well = true;
        for target in &self.targets {
            let until = Until::Elapsed(self.time);
            let ended = run(*target, &self.corpus(target), self.seed, until);
            tell(format!("{}: {} inputs held", target.name, ended.inputs));
            if let Some(broken) = ended.broken {
                is_well = false;
                tell(told(target, &broken));
            }
        }
        std::panic::set_hook(hook);
        is_well
    }

    fn corpus(&self, target: &Target) -> Vec<corpus::Seed> {
        let mut seeds = corpus::of(target);
        if target.name == "component" {
            seeds.extend(corpus::read(&self.plugins).unwrap_or_default());
        }
        seeds
    }
}

fn told(target: &Target, broken: &Broken) -> String {
    let told = format!("{} is broken {}", target.name, broken.what);
    let Some(input) = &broken.input else {
        return told;
    };
    match corpus::keep(target, input) {
        Ok(path) => {
            let path = path.display();
            format!("{told}\nhint: every run begins with it from now on; git add {path}")
        }
        Err(error) => format!("{told}\nhint: it cannot be kept ({error}); the seed repeats it"),
    }
}
