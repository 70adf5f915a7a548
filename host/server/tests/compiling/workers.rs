//! Workers that do not do their work, and one compiler for many.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use portcullis_runtime::{CompileSettings, Compiler, LoadError};
use tempfile::TempDir;

use crate::components::{component, small};
use crate::{PORTCULLIS, compile, refusal, sandbox, settings};

/// A worker that is a script.
struct Script {
    folder: TempDir,
}

impl Script {
    fn new(lines: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let script = Self { folder };
        fs::write(script.path(), format!("#!/bin/sh\n{lines}\n")).unwrap();
        fs::set_permissions(script.path(), fs::Permissions::from_mode(0o700)).unwrap();
        script
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("worker")
    }

    fn settings(&self) -> CompileSettings {
        CompileSettings {
            program: self.path(),
            ..settings()
        }
    }
}

async fn unusable(script: &Script) -> String {
    let error = refusal(script.settings(), &small()).await;
    assert!(matches!(error, LoadError::CompilerUnusable(_)), "{error}");
    let text = error.to_string();
    assert!(text.contains("plugins.compile_worker"), "{text}");
    text
}

/// What the real worker answers.
fn answer(component: &[u8]) -> Vec<u8> {
    let task = r#"{"memory_bytes":1073741824,"cpu_seconds":60,"component_bytes":1000000}"#;
    let mut worker = Command::new(PORTCULLIS)
        .args(["compile-worker", task])
        .env_clear()
        .env("MIMALLOC_ARENA_RESERVE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    worker.stdin.take().unwrap().write_all(component).unwrap();
    let output = worker.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

/// A worker that answers this whatever it is asked.
fn that_answers(answer: &[u8]) -> Script {
    let script = Script::new("exec /bin/cat \"$0.answer\"");
    fs::write(script.path().with_extension("answer"), answer).unwrap();
    script
}

#[tokio::test]
async fn a_worker_that_is_killed_is_told_from_one_that_is_slow() {
    let script = Script::new("kill -9 $$");
    let error = refusal(script.settings(), &small()).await;
    assert!(
        matches!(error, LoadError::CompilerDied { signal: 9 }),
        "{error}"
    );
    let script = Script::new("kill -11 $$");
    let error = refusal(script.settings(), &small()).await;
    assert!(
        matches!(error, LoadError::CompilerDied { signal: 11 }),
        "{error}"
    );
}

#[tokio::test]
async fn a_worker_that_never_ends_is_ended() {
    let script = Script::new("echo $$ > \"$0.pid\"; exec sleep 1000");
    let settings = CompileSettings {
        timeout: Duration::from_millis(500),
        ..script.settings()
    };
    let error = refusal(settings, &small()).await;
    assert!(matches!(error, LoadError::CompileTime { .. }), "{error}");
    // On a busy machine the script may not have come so far.
    let Ok(process) = fs::read_to_string(script.path().with_extension("pid")) else {
        return;
    };
    let process = Path::new("/proc").join(process.trim()).join("exe");
    while fs::read_link(&process).is_ok_and(|program| program.ends_with("sleep")) {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_worker_that_says_nonsense_is_not_believed() {
    let nonsense = unusable(&Script::new("echo garbage")).await;
    assert!(nonsense.contains("its answer cannot be read"), "{nonsense}");
    let silence = unusable(&Script::new("exit 0")).await;
    assert!(silence.contains("its answer cannot be read"), "{silence}");
    let failure = unusable(&Script::new("echo '\x1b[31mno' >&2; exit 3")).await;
    assert!(
        failure.contains("exit status: 3") && !failure.contains('\x1b'),
        "{failure}"
    );
}

#[tokio::test]
async fn a_worker_that_talks_without_end_is_not_listened_to() {
    let script = Script::new("exec yes");
    let settings = CompileSettings {
        memory_bytes: 1 << 20,
        ..script.settings()
    };
    let error = refusal(settings, &small()).await;
    assert!(
        matches!(
            error,
            LoadError::CompilerUnusable(_) | LoadError::CompilerDied { .. }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_program_that_is_none_is_told() {
    let missing = CompileSettings {
        program: "/nonexistent/worker".into(),
        ..settings()
    };
    let text = refusal(missing, &small()).await.to_string();
    assert!(
        text.contains("/nonexistent/worker cannot be started"),
        "{text}"
    );
    let script = Script::new("");
    fs::set_permissions(script.path(), fs::Permissions::from_mode(0o600)).unwrap();
    assert!(unusable(&script).await.contains("cannot be started"));
}

#[tokio::test]
async fn an_answer_about_something_else_is_not_taken() {
    let small = small();
    let right = that_answers(&answer(&small));
    assert!(compile(right.settings(), &small).await.is_ok());

    let other = that_answers(&answer(&component("(core module)")));
    let text = unusable(&other).await;
    assert!(text.contains("another component"), "{text}");

    let mut elsewhere = answer(&small);
    let key = b"\"engine\":\"";
    let at = elsewhere.windows(key.len()).position(|part| part == key);
    let digit = &mut elsewhere[at.unwrap() + key.len()];
    *digit = if *digit == b'0' { b'1' } else { b'0' };
    let text = unusable(&that_answers(&elsewhere)).await;
    assert!(text.contains("another engine or CPU"), "{text}");
}

#[tokio::test]
async fn an_answer_that_is_cut_is_not_taken() {
    let small = small();
    let whole = answer(&small);
    for length in [0, 1, 8, 12, 100, whole.len() - 1] {
        let text = unusable(&that_answers(&whole[..length])).await;
        assert!(text.contains("its answer cannot be read"), "{text}");
    }
}

#[tokio::test]
async fn a_worker_is_given_no_environment_and_no_folder() {
    let script = Script::new("/usr/bin/env > \"$0.env\"; pwd >> \"$0.env\"; cat > /dev/null");
    unusable(&script).await;
    let given = fs::read_to_string(script.path().with_extension("env")).unwrap();
    let names: Vec<_> = given
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        // The shell's own.
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(name))
        .collect();
    assert_eq!(names, ["MIMALLOC_ARENA_RESERVE"], "{given}");
    assert_eq!(given.lines().last(), Some("/"), "{given}");
}

/// Each worker fails when another one runs.
#[tokio::test]
async fn workers_wait_their_turn() {
    let script = Script::new(
        "mkdir \"$0.turn\" || exit 4; /bin/cat > /dev/null; rmdir \"$0.turn\"; exec /bin/cat \"$0.answer\"",
    );
    // The lines above need these two of the file system, and have no PATH.
    let small = small();
    fs::write(script.path().with_extension("answer"), answer(&small)).unwrap();
    let compiler = Compiler::new(script.settings(), None);
    let sandbox = sandbox();
    let compiling = (0..6).map(|_| {
        let (compiler, sandbox, small) = (compiler.clone(), sandbox.clone(), small.clone());
        tokio::spawn(async move { compiler.compile(&sandbox, small).await })
    });
    for compiled in compiling.collect::<Vec<_>>() {
        compiled.await.unwrap().unwrap();
    }
}
