//! What there is to say about the machine, so that a table can be read later.
//!
//! Whatever cannot be found out reads `unknown`: a benchmark should not fail for
//! want of a caption.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::table::Table;

/// The lock file of this build: what was compiled in.
const LOCK: &str = include_str!("../../../Cargo.lock");

const UNKNOWN: &str = "unknown";

/// The unit of CPU times in `/proc`: every Linux says 100 a second.
const TICK: Duration = Duration::from_millis(10);

/// Writes what every table has to say: machine, compiler, and how busy it was.
pub fn describe(table: &mut Table) {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    table.fact(
        "machine",
        format!("{cores} cores, {}, Linux {}", cpu_model(), kernel()),
    );
    table.fact("compiler", format!("{}, {}", rustc(), profile()));
    table.fact("load average at the start", load_average());
}

/// The version of a dependency as it was locked.
pub fn locked_version(package: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    LOCK.lines()
        .skip_while(|line| *line != name)
        .nth(1)
        .and_then(|line| line.strip_prefix("version = \""))
        .and_then(|line| line.strip_suffix('"'))
        .unwrap_or(UNKNOWN)
}

/// Resident memory of a process, in bytes.
pub fn resident_bytes(process: u32) -> Option<u64> {
    status_bytes(process, "VmRSS:")
}

/// The most resident memory that a process ever had, in bytes.
pub fn peak_resident_bytes(process: u32) -> Option<u64> {
    status_bytes(process, "VmHWM:")
}

fn status_bytes(process: u32, name: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with(name))?;
    let kib: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib * 1024)
}

/// Files, sockets and the like that a process has open.
pub fn open_files(process: u32) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{process}/fd")).ok()?.count())
}

/// Pieces of a process's address space that are mapped.
pub fn mappings(process: u32) -> Option<usize> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).ok()?;
    Some(maps.lines().count())
}

/// Threads of a process.
pub fn threads(process: u32) -> Option<usize> {
    Some(fs::read_dir(format!("/proc/{process}/task")).ok()?.count())
}

/// CPU time that a process has taken so far, all threads together.
pub fn cpu_time(process: u32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The second field is the name, which may hold anything but ends with the
    // last parenthesis; user and system time are fields 14 and 15.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut times = fields.split_whitespace().skip(11);
    let ticks: u64 = times.next()?.parse::<u64>().ok()? + times.next()?.parse::<u64>().ok()?;
    Some(TICK * u32::try_from(ticks).ok()?)
}

/// The filesystem that holds a path, such as `ext4`.
pub fn filesystem(path: &Path) -> String {
    let path = fs::canonicalize(path).unwrap_or_default();
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            Some((words.next()?, words.next()?))
        })
        .filter(|(at, _)| path.starts_with(at))
        // Of two on the same place the later hides the earlier.
        .max_by_key(|(at, _)| at.len())
        .map_or_else(|| UNKNOWN.to_owned(), |(_, kind)| kind.to_owned())
}

/// The first line that a program prints.
pub fn first_line(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

fn cpu_model() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info.lines().find(|line| line.starts_with("model name"));
    model
        .and_then(|line| line.split_once(": "))
        .map_or_else(|| UNKNOWN.to_owned(), |(_, name)| name.to_owned())
}

fn kernel() -> String {
    fs::read_to_string("/proc/sys/kernel/osrelease")
        .map_or_else(|_| UNKNOWN.to_owned(), |text| text.trim().to_owned())
}

fn rustc() -> String {
    first_line("rustc", &["--version"]).unwrap_or_else(|| UNKNOWN.to_owned())
}

fn profile() -> &'static str {
    if cfg!(debug_assertions) {
        "NOT optimised: these numbers mean nothing"
    } else {
        "release"
    }
}

fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ')
        .next()
        .filter(|load| !load.is_empty())
        .unwrap_or(UNKNOWN)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_those_of_the_lock_file() {
        assert!(locked_version("wasmtime").starts_with("48."));
        assert_eq!(locked_version("no-such-package"), UNKNOWN);
    }

    #[test]
    fn this_process_takes_memory_and_others_take_none() {
        assert!(resident_bytes(std::process::id()).is_some_and(|bytes| bytes > 100_000));
        assert_eq!(resident_bytes(u32::MAX), None);
    }

    #[test]
    fn cpu_time_is_counted() {
        assert!(cpu_time(std::process::id()).is_some());
        assert_eq!(cpu_time(u32::MAX), None);
    }

    #[test]
    fn what_a_process_holds_is_counted() {
        let process = std::process::id();
        let count = open_files(process).unwrap();
        let _files: Vec<_> = (0..100)
            .map(|_| fs::File::open("/dev/null").unwrap())
            .collect();
        assert!(open_files(process).unwrap() > count);
        assert!(mappings(process) > Some(1) && threads(process) > Some(0));
        assert!(peak_resident_bytes(process) >= resident_bytes(process));
        assert_eq!((open_files(u32::MAX), mappings(u32::MAX)), (None, None));
    }

    #[test]
    fn every_path_is_on_some_filesystem() {
        assert_ne!(filesystem(Path::new("/")), UNKNOWN);
    }
}
