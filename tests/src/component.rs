//! The sandbox and the plugins, made once for all tests that want the same
//! settings: compiling a component takes longer than most tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use portcullis::config::Config;
use portcullis::sources::PluginLoader;
use portcullis_runtime::egress::{EgressLimits, SystemResolver};
use portcullis_runtime::{Compiler, Plugin, Sandbox, SandboxConfig};
use tokio::runtime::Runtime;

/// The folder `cargo xtask plugins` fills.
pub fn plugins_directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../target/plugins")
}

/// The bytes of the Linear component.
pub fn linear_component() -> Vec<u8> {
    read(&plugins_directory().join("linear.wasm"))
}

/// Which Linear a gateway serves, for tests in which a plugin changes between two
/// gateways on the same data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LinearVersion {
    /// As it was built.
    #[default]
    Built,
    /// `list_issues` and `create_issue` take a `programId` and no `projectId`: they
    /// are called differently.
    OtherParams,
    /// `list_issues` and `create_issue` have other titles, and are called as ever.
    OtherWords,
    /// `add_comment` is called `put_comment`.
    OtherName,
    /// There is no such source.
    Absent,
}

impl LinearVersion {
    /// What stands for what in the component as it was built. The same number of
    /// bytes, so that nothing in it moves.
    const fn changes(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Built | Self::Absent => &[],
            Self::OtherParams => &[("projectId", "programId")],
            Self::OtherName => &[("add_commentAdd comment", "put_commentAdd comment")],
            Self::OtherWords => &[
                ("List issues", "Find issues"),
                ("Create issue", "Report issue"),
            ],
        }
    }

    /// The bytes of the component.
    ///
    /// # Panics
    ///
    /// When there is none.
    pub fn component(self) -> Vec<u8> {
        assert_ne!(self, Self::Absent, "there is no such component");
        let mut component = linear_component();
        for (text, other) in self.changes() {
            replace(&mut component, text, other);
        }
        component
    }
}

/// The test guests, with what stands first of each pair replaced by the second, which
/// has as many bytes.
pub fn probe_component(changes: &[(&str, &str)]) -> Vec<u8> {
    let mut component = read(&plugins_directory().join("../guests/test-guests.wasm"));
    for (text, other) in changes {
        replace(&mut component, text, other);
    }
    component
}

/// Replaces the one place where a component has this text.
fn replace(component: &mut [u8], text: &str, other: &str) {
    assert_eq!(text.len(), other.len(), "{text} and {other}");
    let windows = component.windows(text.len()).enumerate();
    let places: Vec<_> = windows
        .filter(|(_, window)| *window == text.as_bytes())
        .map(|(at, _)| at)
        .collect();
    let [at] = places[..] else {
        panic!("`{text}` stands at {places:?} of the component, not at one place");
    };
    component[at..at + text.len()].copy_from_slice(other.as_bytes());
}

/// Which version of the test guests a gateway serves, as the provider `probe`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ProbeVersion {
    /// There is no such source.
    #[default]
    Absent,
    /// As it was built.
    Built,
    /// `echo` is dangerous, `text` takes a parameter, `remember` is gone, `now` is
    /// called `moment`, and `appeared` is new.
    Later,
}

impl ProbeVersion {
    /// The bytes of the component.
    fn component(self) -> Vec<u8> {
        match self {
            Self::Later => probe_component(&[("manner: well ", "manner: later")]),
            _ => probe_component(&[]),
        }
    }
}

fn read(component: &Path) -> Vec<u8> {
    std::fs::read(component).unwrap_or_else(|error| {
        panic!(
            "{}: {error}; run `cargo xtask plugins` first, or everything with `cargo xtask test`",
            component.display()
        )
    })
}

/// A sandbox and the plugins in it.
#[derive(Clone)]
pub(crate) struct Loaded {
    config: SandboxConfig,
    limits: EgressLimits,
    pub(crate) sandbox: Sandbox,
    linear: Plugin,
    /// The others that are shipped, by their ids.
    bundled: Arc<Mutex<BTreeMap<&'static str, Plugin>>>,
    /// These are compiled when somebody wants them.
    other_params: Arc<OnceLock<Plugin>>,
    other_words: Arc<OnceLock<Plugin>>,
    other_name: Arc<OnceLock<Plugin>>,
    probe: Arc<OnceLock<Plugin>>,
    later_probe: Arc<OnceLock<Plugin>>,
}

impl Loaded {
    /// What loads more plugins beside these.
    pub(crate) fn loader(&self, compiler: Compiler) -> PluginLoader {
        loader(&self.sandbox, &self.limits, compiler)
    }

    /// A provider that is shipped beside Linear.
    pub(crate) fn bundled(&self, id: &'static str) -> Plugin {
        let component = || read(&plugins_directory().join(format!("{id}.wasm")));
        let compile = || add(&self.sandbox, &self.limits, component());
        // Locked while it compiles: the others want the same.
        let mut all = self.bundled.lock().unwrap_or_else(PoisonError::into_inner);
        all.entry(id).or_insert_with(compile).clone()
    }

    /// Linear in this version.
    pub(crate) fn linear(&self, version: LinearVersion) -> Option<Plugin> {
        let kept = match version {
            LinearVersion::Built => return Some(self.linear.clone()),
            LinearVersion::OtherParams => &self.other_params,
            LinearVersion::OtherWords => &self.other_words,
            LinearVersion::OtherName => &self.other_name,
            LinearVersion::Absent => return None,
        };
        let compile = || add(&self.sandbox, &self.limits, version.component());
        Some(kept.get_or_init(compile).clone())
    }

    /// The test guests in this version.
    pub(crate) fn probe(&self, version: ProbeVersion) -> Option<Plugin> {
        let kept = match version {
            ProbeVersion::Absent => return None,
            ProbeVersion::Built => &self.probe,
            ProbeVersion::Later => &self.later_probe,
        };
        let compile = || add(&self.sandbox, &self.limits, version.component());
        Some(kept.get_or_init(compile).clone())
    }
}

/// A sandbox with these settings, and Linear in it.
pub(crate) fn load(config: &Config) -> Loaded {
    static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());
    let (config, limits) = (config.sandbox(), config.egress());
    // Locked while it compiles: the others want the same.
    let mut all = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |loaded: &&Loaded| loaded.config == config && loaded.limits == limits;
    if let Some(loaded) = all.iter().find(same) {
        return loaded.clone();
    }
    let loaded = compile(config, limits);
    all.push(loaded.clone());
    loaded
}

/// The runtime that carries the sandboxes' requests. A sandbox keeps the runtime
/// that made it, and that of a single test ends with the test.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("a runtime")
    })
}

fn compile(config: SandboxConfig, limits: EgressLimits) -> Loaded {
    let wanted = config.clone();
    let sandbox = wait_for(async move { Sandbox::new(wanted).expect("a sandbox") });
    Loaded {
        linear: add(&sandbox, &limits, linear_component()),
        bundled: Arc::default(),
        other_params: Arc::default(),
        other_words: Arc::default(),
        other_name: Arc::default(),
        probe: Arc::default(),
        later_probe: Arc::default(),
        sandbox,
        config,
        limits,
    }
}

/// The program that compiles where a whole gateway is opened, or the command line
/// used: a program of tests is not the gateway's.
pub fn compile_worker() -> PathBuf {
    let test = std::env::current_exe().expect("this program");
    let deps = test.parent().expect("a folder");
    deps.with_file_name("portcullis-compile-worker")
}

/// What loads plugins into this sandbox.
fn loader(sandbox: &Sandbox, limits: &EgressLimits, compiler: Compiler) -> PluginLoader {
    PluginLoader {
        sandbox: sandbox.clone(),
        compiler,
        limits: limits.clone(),
        resolver: Arc::new(SystemResolver),
    }
}

/// Compiles a component.
fn add(sandbox: &Sandbox, limits: &EgressLimits, component: Vec<u8>) -> Plugin {
    let loader = loader(sandbox, limits, Compiler::in_process());
    wait_for(async move { loader.load(component).await.expect("a plugin") })
}

/// Waits on a thread of its own: one that runs a test's runtime may not block on
/// another runtime.
fn wait_for<T: Send + 'static>(making: impl Future<Output = T> + Send + 'static) -> T {
    let joined = std::thread::spawn(|| runtime().block_on(making)).join();
    joined.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}
