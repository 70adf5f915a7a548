//! Running other programs.

use std::{
    convert::Infallible,
    ffi::OsStr,
    io,
    os::{fd::AsFd as _, unix::process::CommandExt as _},
    process::{Child, Command, ExitStatus, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};

use crate::report;

/// How often a program with a time limit is looked at.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Runs a program to its end. Whatever it prints goes to stderr.
pub(crate) fn run(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(stderr()?)
        .status()
        .with_context(|| format!("cannot start {}", name(command)))?;
    expect_success(command, status)
}

/// Runs a program to its end as if it had been called in our place: what it reads
/// and prints is what we would.
pub(crate) fn run_in_our_place(command: &mut Command) -> anyhow::Result<()> {
    let status = command
        .status()
        .with_context(|| format!("cannot start {}", name(command)))?;
    expect_success(command, status)
}

/// Runs a program to its end and shows what it complained about only if it fails.
pub(crate) fn run_quietly(command: &mut Command) -> anyhow::Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("cannot start {}", name(command)))?;
    if !output.status.success() {
        report::note(String::from_utf8_lossy(&output.stderr).trim_end());
    }
    expect_success(command, output.status)
}

/// Like [`run`], but ends the program when it takes longer than `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> anyhow::Result<()> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(stderr()?)
        .spawn()
        .with_context(|| format!("cannot start {}", name(command)))?;
    match wait_until(&mut child, Instant::now() + limit)? {
        Some(status) => expect_success(command, status),
        None => bail!("`{}` took longer than {} s", line(command), limit.as_secs()),
    }
}

/// Runs a program to its end; what it prints to stdout.
pub(crate) fn stdout(command: &mut Command) -> anyhow::Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", name(command)))?;
    expect_success(command, output.status)?;
    String::from_utf8(output.stdout).with_context(|| format!("`{}` printed no text", line(command)))
}

/// What a program prints, to find out what there is; `None` when it cannot be run or fails.
pub(crate) fn probe(command: &mut Command) -> Option<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

/// Turns this process into another program, so that its process id and the
/// signals sent to it stay the same. Returns only on failure.
pub(crate) fn replace(command: &mut Command) -> anyhow::Result<Infallible> {
    let error = command.exec();
    Err(error).with_context(|| format!("cannot start {}", name(command)))
}

/// Waits for the child; `None` after killing it at the deadline.
fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL_INTERVAL);
    }
}

/// Our stderr as a child's stdout: ours is kept for results.
fn stderr() -> io::Result<Stdio> {
    Ok(io::stderr().as_fd().try_clone_to_owned()?.into())
}

fn expect_success(command: &Command, status: ExitStatus) -> anyhow::Result<()> {
    if !status.success() {
        bail!("`{}` failed ({status})", line(command));
    }
    Ok(())
}

fn name(command: &Command) -> String {
    command.get_program().display().to_string()
}

/// The command as one could type it.
fn line(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_hangs_is_ended_at_its_limit() {
        let error = run_within(Command::new("sleep").arg("1000"), Duration::ZERO).unwrap_err();
        assert_eq!(error.to_string(), "`sleep 1000` took longer than 0 s");
    }

    #[test]
    fn a_failure_names_the_command_line() {
        let error = run(Command::new("sh").args(["-c", "exit 3"])).unwrap_err();
        assert_eq!(error.to_string(), "`sh -c exit 3` failed (exit status: 3)");
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("portcullis-no-such-program")).unwrap_err();
        assert!(
            error.to_string().contains("portcullis-no-such-program"),
            "{error}"
        );
    }

    #[test]
    fn output_of_a_failing_program_is_none() {
        assert_eq!(
            probe(Command::new("sh").args(["-c", "echo x; exit 1"])),
            None
        );
        assert_eq!(
            probe(Command::new("sh").args(["-c", "echo x"])).as_deref(),
            Some("x\n")
        );
    }
}
