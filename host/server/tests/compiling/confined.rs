//! What a worker gives up before it reads its input.

use std::fs;
use std::process::{Command, Stdio};

use crate::PORTCULLIS;

/// Both values of a limit, as the system tells them.
pub(crate) fn limit(limits: &str, name: &str) -> Option<String> {
    let line = limits.lines().find(|line| line.starts_with(name))?;
    let columns: Vec<_> = line[name.len()..].split_whitespace().collect();
    Some(columns[..2].join(" "))
}

#[test]
fn a_worker_limits_itself_before_it_reads() {
    let task = r#"{"memory_bytes":536870912,"cpu_seconds":7,"component_bytes":1000}"#;
    let mut worker = Command::new(PORTCULLIS)
        .args(["compile-worker", task])
        .env_clear()
        .env("MIMALLOC_ARENA_RESERVE", "0")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let process = format!("/proc/{}", worker.id());
    // It waits for its input, which never comes.
    let limits = loop {
        let limits = fs::read_to_string(format!("{process}/limits")).unwrap();
        if limit(&limits, "Max cpu time").as_deref() == Some("7 8") {
            break limits;
        }
        std::thread::yield_now();
    };
    for (name, expected) in [
        ("Max address space", "536870912 536870912"),
        ("Max open files", "3 3"),
        ("Max processes", "0 0"),
        ("Max file size", "0 0"),
        ("Max core file size", "0 0"),
    ] {
        assert_eq!(limit(&limits, name).as_deref(), Some(expected), "{limits}");
    }
    while !fs::read_to_string(format!("{process}/status"))
        .unwrap()
        .contains("NoNewPrivs:\t1")
    {
        std::thread::yield_now();
    }
    worker.kill().unwrap();
    worker.wait().unwrap();
}

#[test]
fn a_worker_without_limits_does_nothing() {
    for arguments in [&[][..], &["{}"], &["nonsense"], &[r#"{"memory_bytes":1}"#]] {
        let output = Command::new(PORTCULLIS)
            .arg("compile-worker")
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(1), "{output:?}");
        assert!(output.stdout.is_empty());
        assert!(output.stderr.starts_with(b"compile-worker: "), "{output:?}");
    }
}
