//! The worker that compiles beside the cache of what it has made.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use portcullis_benches::latency::Latencies;
use portcullis_benches::machine;
use portcullis_benches::table::{Table, bytes, ratio, time};
use portcullis_core::plugin::PluginDigest;
use portcullis_runtime::{Cache, CacheKey, CompileSettings, Compiler, Sandbox, SandboxConfig};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;

use crate::components::bundled;
use crate::options::{Options, Place};

/// The bounds that a worker has by default.
const MEMORY_BYTES: u64 = 2 << 30;
const CPU_SECONDS: u64 = 120;
const COMPONENT_BYTES: usize = 32 << 20;

const COMPILATIONS: usize = 5;
const LOADS: u64 = 200;

const COLUMNS: [&str; 10] = [
    "plugin",
    "component",
    "artifact",
    "worker p50",
    "worker max",
    "its CPU time, max",
    "its memory, max",
    "from the cache p50",
    "from the cache max",
    "worker ÷ cache",
];

/// One table, with a line for each plugin that the gateway is shipped with.
pub(crate) async fn measure(options: &Options, place: &Place) -> anyhow::Result<Vec<Table>> {
    let mut table = Table::new(
        "plugins: compiled by a worker, and loaded from the cache",
        &COLUMNS,
    );
    machine::describe(&mut table);
    table.fact("wasmtime", machine::locked_version("wasmtime"));
    table.fact("compiled", format!("{COMPILATIONS} times each"));
    table.fact("loaded from the cache", format!("{LOADS} times each"));
    let program = std::path::absolute(&options.program.gateway)?;
    let cached = Cached::new(&program, place)?;
    for (id, component) in bundled(&options.program.target)? {
        let mut compiled = Compilations::default();
        for _ in 0..COMPILATIONS {
            compiled.add(&program, &component).await?;
        }
        let loads = cached.loads(component.clone()).await?;
        table.row([
            id,
            bytes(component.len() as u64),
            bytes(compiled.artifact_bytes),
            time(compiled.wall.p50()),
            time(compiled.wall.max()),
            time(compiled.cpu),
            bytes(compiled.memory),
            time(loads.p50()),
            time(loads.max()),
            ratio(compiled.wall.p50(), loads.p50()),
        ]);
    }
    Ok(vec![table])
}

/// What workers took for one component.
#[derive(Default)]
struct Compilations {
    wall: Latencies,
    cpu: Duration,
    memory: u64,
    artifact_bytes: u64,
}

impl Compilations {
    /// Compiles once, with a worker that is started as the gateway starts it.
    async fn add(&mut self, program: &Path, component: &[u8]) -> anyhow::Result<()> {
        let started = Instant::now();
        let mut worker = start(program)?;
        let process = worker.id().context("it runs")?;
        feed(worker.stdin.take(), component).await?;
        let mut stdout = worker.stdout.take().context("stdout is piped")?;
        // Its answer begins when all is compiled, and has no room in the pipe, so
        // that the worker is still there to be looked at.
        let first = stdout.read_u8().await?;
        let cpu = machine::cpu_time(process);
        let memory = machine::peak_resident_bytes(process);
        let artifact = read(stdout, first).await?;
        let status = worker.wait().await?;
        ensure!(status.success(), "the worker ended with {status}");
        self.wall.record(started.elapsed());
        self.cpu = self.cpu.max(cpu.context("no CPU time in /proc")?);
        self.memory = self.memory.max(memory.context("no memory in /proc")?);
        self.artifact_bytes = artifact;
        Ok(())
    }
}

fn start(program: &Path) -> anyhow::Result<Child> {
    let task = json!({
        "memory_bytes": MEMORY_BYTES,
        "cpu_seconds": CPU_SECONDS,
        "component_bytes": COMPONENT_BYTES,
    });
    Command::new(program)
        .args(["compile-worker", &task.to_string()])
        .env_clear()
        // As the gateway does, since its limit is one of addresses.
        .env("MIMALLOC_ARENA_RESERVE", "0")
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {}", program.display()))
}

async fn feed(stdin: Option<ChildStdin>, component: &[u8]) -> anyhow::Result<()> {
    let mut stdin = stdin.context("stdin is piped")?;
    Ok(stdin.write_all(component).await?)
}

/// Reads the rest of an answer; the bytes of all of it.
async fn read(mut stdout: ChildStdout, first: u8) -> anyhow::Result<u64> {
    let mut answer = vec![first];
    stdout.read_to_end(&mut answer).await?;
    Ok(answer.len() as u64)
}

/// A sandbox, and the cache beside it.
struct Cached {
    sandbox: Sandbox,
    compiler: Compiler,
}

impl Cached {
    fn new(program: &Path, place: &Place) -> anyhow::Result<Self> {
        let settings = CompileSettings {
            program: program.to_owned(),
            memory_bytes: MEMORY_BYTES,
            cpu_seconds: CPU_SECONDS,
            timeout: Duration::from_mins(3),
            at_a_time: 1,
        };
        let cache = Cache::new(place.path("compiled"), 1 << 30, CacheKey::new([1; 32]));
        Ok(Self {
            sandbox: Sandbox::new(SandboxConfig::default())?,
            compiler: Compiler::new(settings, Some(cache)),
        })
    }

    /// Times finding, checking and mapping what a component became.
    async fn loads(&self, component: Vec<u8>) -> anyhow::Result<Latencies> {
        let digest = PluginDigest::of(&component);
        self.compiler.compile(&self.sandbox, component).await?;
        let find = async || self.compiler.cached(&self.sandbox, digest).await;
        ensure!(find().await.is_some(), "the cache does not keep {digest}");
        Ok(Latencies::of_async(LOADS, find).await)
    }
}
