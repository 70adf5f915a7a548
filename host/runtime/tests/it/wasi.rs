//! Components that import WASI: there is nothing behind it.

use std::fmt::Write as _;
use std::time::Duration;

use portcullis_core::invocation::FailureCode;
use portcullis_runtime::{Compiler, LoadError, Plugin, SandboxConfig};
use serde_json::json;
use tracing::Level;

use crate::harness::{
    Expect as _, Guest, NOW_MICROS, OddGuest, egress_client, lines_with, probe, refusal,
};

/// Answers with the digit on the stack.
const ANSWER: &str = r"
    (func $answer (param $digit i32) (result i32)
      (i32.store8 (i32.const 3000) (i32.add (local.get $digit) (i32.const 48)))
      (i32.store (i32.const 1032) (i32.const 3000))
      (i32.store (i32.const 1036) (i32.const 1))
      i32.const 1024)";

/// A guest that imports one interface of WASI and answers with a digit.
struct WasiGuest<'a> {
    /// `cli/exit`
    interface: &'a str,
    /// More interfaces and their functions.
    imports: &'a str,
    /// What it does to get at its digit.
    digit: &'a str,
}

impl WasiGuest<'_> {
    /// The interfaces that the imported functions belong to.
    fn world(&self) -> String {
        let mut interfaces: Vec<_> = self
            .imports
            .split('"')
            .filter(|word| word.starts_with("wasi:"))
            .collect();
        let own = format!("wasi:{}@0.2.0", self.interface);
        interfaces.push(&own);
        interfaces.sort_unstable();
        interfaces.dedup();
        let import = |name: &&str| format!("import {name};");
        interfaces.iter().map(import).collect()
    }

    fn component(&self) -> Vec<u8> {
        OddGuest {
            imports: self.imports,
            memory: "8",
            fields: ANSWER,
            world: &self.world(),
            execute: &format!("{} call $answer", self.digit),
            ..OddGuest::default()
        }
        .component()
    }

    async fn load(&self, change: impl FnOnce(&mut SandboxConfig)) -> Guest {
        Guest::load(self.component(), change).await.unwrap()
    }

    async fn check(&self, expected: u8) {
        let guest = self.load(|_| {}).await;
        assert_eq!(guest.result("anything", json!({})).await, json!(expected));
    }
}

/// The length of the list that a function without parameters answers.
async fn check_is_empty(interface: &str, function: &str) {
    let imports =
        format!(r#"(import "wasi:{interface}@0.2.0" "{function}" (func $f (param i32)))"#);
    let guest = WasiGuest {
        interface,
        imports: &imports,
        digit: "(call $f (i32.const 2048)) (i32.load (i32.const 2052))",
    };
    guest.check(0).await;
}

#[tokio::test]
async fn there_is_no_environment_no_argument_and_no_directory() {
    check_is_empty("cli/environment", "get-environment").await;
    check_is_empty("cli/environment", "get-arguments").await;
    check_is_empty("filesystem/preopens", "get-directories").await;
}

#[tokio::test]
async fn there_is_no_working_directory_and_no_terminal() {
    for (interface, function) in [
        ("cli/environment", "initial-cwd"),
        ("cli/terminal-stdout", "get-terminal-stdout"),
    ] {
        let imports =
            format!(r#"(import "wasi:{interface}@0.2.0" "{function}" (func $f (param i32)))"#);
        let guest = WasiGuest {
            interface,
            imports: &imports,
            digit: "(call $f (i32.const 2048)) (i32.load8_u (i32.const 2048))",
        };
        guest.check(0).await;
    }
}

/// `access-denied`, as an error's code.
const ACCESS_DENIED: u8 = 1;

#[tokio::test]
async fn no_socket_can_be_made() {
    for (interface, function) in [
        ("sockets/tcp-create-socket", "create-tcp-socket"),
        ("sockets/udp-create-socket", "create-udp-socket"),
    ] {
        for family in [0, 1] {
            let imports = format!(
                r#"(import "wasi:{interface}@0.2.0" "{function}" (func $f (param i32 i32)))"#
            );
            let digit = format!(
                "(call $f (i32.const {family}) (i32.const 2048))
                 (if (i32.eqz (i32.load8_u (i32.const 2048))) (then unreachable))
                 (i32.load8_u (i32.const 2052))"
            );
            let guest = WasiGuest {
                interface,
                imports: &imports,
                digit: &digit,
            };
            guest.check(ACCESS_DENIED).await;
        }
    }
}

#[tokio::test]
async fn no_name_is_resolved() {
    let guest = WasiGuest {
        interface: "sockets/ip-name-lookup",
        imports: r#"
            (import "wasi:sockets/instance-network@0.2.0" "instance-network"
              (func $network (result i32)))
            (import "wasi:sockets/ip-name-lookup@0.2.0" "resolve-addresses"
              (func $resolve (param i32 i32 i32 i32)))"#,
        // `localhost`, which needs no network; and `permanent-resolver-failure`.
        digit: "
            (i64.store (i32.const 3000) (i64.const 0x736f686c61636f6c))
            (i32.store8 (i32.const 3008) (i32.const 0x74))
            (call $resolve (call $network) (i32.const 3000) (i32.const 9) (i32.const 2048))
            (if (i32.eqz (i32.load8_u (i32.const 2048))) (then unreachable))
            (i32.eq (i32.load8_u (i32.const 2052)) (i32.const 20))",
    };
    guest.check(1).await;
}

#[tokio::test]
async fn input_has_ended() {
    let guest = WasiGuest {
        interface: "cli/stdin",
        imports: r#"
            (import "wasi:cli/stdin@0.2.0" "get-stdin" (func $stdin (result i32)))
            (import "wasi:io/streams@0.2.0" "[method]input-stream.blocking-read"
              (func $read (param i32 i64 i32)))"#,
        // An error, and of the two the one that says `closed`.
        digit: "(call $read (call $stdin) (i64.const 1) (i32.const 2048))
            (if (i32.eqz (i32.load8_u (i32.const 2048))) (then unreachable))
            (i32.load8_u (i32.const 2052))",
    };
    guest.check(1).await;
}

const RANDOM: &str = r#"
    (import "wasi:random/random@0.2.0" "get-random-u64" (func $u64 (result i64)))
    (import "wasi:random/random@0.2.0" "get-random-bytes" (func $bytes (param i64 i32)))"#;

fn random(digit: &str) -> WasiGuest<'_> {
    WasiGuest {
        interface: "random/random",
        imports: RANDOM,
        digit,
    }
}

#[tokio::test]
async fn what_is_random_differs_from_call_to_call() {
    let guest = random(
        "(i64.store (i32.const 3016) (call $u64)) (i32.load8_u (i32.const 3016)) (i32.const 7) i32.and",
    );
    let guest = guest.load(|_| {}).await;
    let first = guest.result("anything", json!({})).await;
    // The chance that none of a hundred differs in three bits is 2^-300.
    for _ in 0..100 {
        if guest.result("anything", json!({})).await != first {
            return;
        }
    }
    panic!("always {first}");
}

#[tokio::test]
async fn randomness_comes_in_bounded_portions() {
    random("(call $bytes (i64.const 65536) (i32.const 2048)) (i32.const 1)")
        .check(1)
        .await;
    let greedy = random("(call $bytes (i64.const 65537) (i32.const 2048)) (i32.const 1)");
    let guest = greedy.load(|_| {}).await;
    let code = guest.stop_code("anything", json!({})).await;
    assert_eq!(code, FailureCode::Trapped);
}

#[tokio::test]
async fn the_wall_clock_is_the_calls() {
    let seconds = NOW_MICROS / 1_000_000;
    let digit = format!(
        "(call $now (i32.const 2048))
         (i64.eq (i64.load (i32.const 2048)) (i64.const {seconds}))"
    );
    let guest = WasiGuest {
        interface: "clocks/wall-clock",
        imports: r#"(import "wasi:clocks/wall-clock@0.2.0" "now" (func $now (param i32)))"#,
        digit: &digit,
    };
    guest.check(1).await;
}

const WAITING: &str = r#"
    (import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration"
      (func $after (param i64) (result i32)))
    (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
    (import "wasi:io/poll@0.2.0" "[method]pollable.block" (func $block (param i32)))
    (import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))"#;

fn waiting(digit: &str) -> WasiGuest<'_> {
    WasiGuest {
        interface: "clocks/monotonic-clock",
        imports: WAITING,
        digit,
    }
}

const HOUR_NANOS: u64 = 3_600_000_000_000;

#[tokio::test]
async fn time_passes_for_who_waits() {
    let digit = "(i64.store (i32.const 2048) (call $now))
        (call $block (call $after (i64.const 2000000)))
        (i64.ge_u (i64.sub (call $now) (i64.load (i32.const 2048))) (i64.const 2000000))";
    waiting(digit).check(1).await;
}

/// The other guest uses up its time on the only thread meanwhile.
#[tokio::test]
async fn waiting_costs_no_cpu_time() {
    const LIMIT: Duration = Duration::from_millis(50);
    let digit = "(call $block (call $after (i64.const 200000000))) (i32.const 1)";
    let guest = waiting(digit)
        .load(|config| config.limits.cpu_time = LIMIT)
        .await;
    let mut other = guest.clone();
    let compiler = Compiler::in_process();
    let loaded = Plugin::load(&guest.sandbox, &compiler, probe(), egress_client()).await;
    other.plugin = loaded.unwrap();
    let (waited, code) = tokio::join!(
        guest.call("anything", json!({})),
        other.stop_code("spin", json!({})),
    );
    assert_eq!(code, FailureCode::CpuExceeded);
    assert!(waited.usage.cpu_time < LIMIT, "{:?}", waited.usage);
    assert_eq!(waited.completed(), json!(1));
}

#[tokio::test]
async fn waiting_ends_with_the_call() {
    let digit = format!("(call $block (call $after (i64.const {HOUR_NANOS}))) (i32.const 1)");
    let guest = waiting(&digit)
        .load(|config| config.limits.deadline = Duration::from_millis(30))
        .await;
    let code = guest.stop_code("anything", json!({})).await;
    assert_eq!(code, FailureCode::DeadlineExceeded);
}

/// Asking again and again without waiting is work, also where it is the host that
/// does it.
#[tokio::test]
async fn asking_whether_something_is_ready_costs_cpu_time() {
    let digit = "(i32.store (i32.const 2048) (call $after (i64.const 0)))
        (loop $again (call $poll (i32.const 2048) (i32.const 1) (i32.const 2056)) (br $again))
        unreachable";
    let guest = waiting(digit)
        .load(|config| config.limits.cpu_time = Duration::from_millis(20))
        .await;
    let code = guest.stop_code("anything", json!({})).await;
    assert_eq!(code, FailureCode::CpuExceeded);
}

#[tokio::test]
async fn a_guest_that_exits_has_ended_its_call_and_nothing_else() {
    let guest = WasiGuest {
        interface: "cli/exit",
        imports: r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#,
        digit: "(call $exit (i32.const 1)) (i32.const 0)",
    };
    let guest = guest.load(|_| {}).await;
    for _ in 0..2 {
        let (code, message) = guest.call("anything", json!({})).await.stopped();
        assert_eq!(code, FailureCode::Trapped);
        assert!(message.contains("status 1"), "{message}");
    }
}

/// Pollables that are never dropped.
#[tokio::test]
async fn resources_are_bounded() {
    let digit = "(loop $again (drop (call $after (i64.const 1))) (br $again)) unreachable";
    let guest = waiting(digit).load(|_| {}).await;
    let code = guest.stop_code("anything", json!({})).await;
    assert_eq!(code, FailureCode::Trapped);
}

/// A guest that prints a text, `times` times.
fn printing(stream: &str, text: &str, times: u32) -> Vec<u8> {
    let interface = format!("wasi:cli/{stream}@0.2.0");
    let imports = format!(
        r#"(import "{interface}" "get-{stream}" (func $stream (result i32)))
           (import "wasi:io/streams@0.2.0" "[method]output-stream.blocking-write-and-flush"
             (func $write (param i32 i32 i32 i32)))"#
    );
    let fields = format!(r#"(data (i32.const 8192) "{}")"#, escaped(text));
    let execute = format!(
        "(local $stream i32) (local $times i32)
         (local.set $stream (call $stream))
         (local.set $times (i32.const {times}))
         (loop $again
           (call $write (local.get $stream) (i32.const 8192) (i32.const {}) (i32.const 2048))
           (br_if $again (local.tee $times (i32.sub (local.get $times) (i32.const 1)))))
         i32.const 1024",
        text.len()
    );
    OddGuest {
        imports: &imports,
        memory: "8",
        fields: &fields,
        world: &format!("import {interface}; import wasi:io/streams@0.2.0;"),
        execute: &execute,
        ..OddGuest::default()
    }
    .component()
}

fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        write!(escaped, "\\{byte:02x}").unwrap();
    }
    escaped
}

async fn printed(guest: &Guest, mark: &str) -> (Vec<(Level, String)>, u32) {
    let mut dropped = 0;
    let lines = lines_with(mark, async {
        let report = guest.call("anything", json!({})).await;
        dropped = report.usage.log_lines_dropped;
        report.completed();
    });
    let lines = lines.await.into_iter();
    let lines = lines.map(|line| (line.level, line.message)).collect();
    (lines, dropped)
}

#[tokio::test]
async fn what_is_printed_reaches_the_log_line_by_line() {
    for (stream, level) in [("stdout", Level::INFO), ("stderr", Level::WARN)] {
        let text =
            format!("printed-{stream} 1\n\nprinted-{stream} \u{1b}[31m2\r\nprinted-{stream} 3");
        let guest = Guest::load(printing(stream, &text, 1), |_| {})
            .await
            .unwrap();
        let (lines, dropped) = printed(&guest, &format!("printed-{stream}")).await;
        let expected = ["1", "[31m2", "3"].map(|end| (level, format!("printed-{stream} {end}")));
        assert_eq!(lines, expected);
        assert_eq!(dropped, 0);
    }
}

#[tokio::test]
async fn what_is_printed_contains_no_secret_and_is_cut() {
    let secret = "sk_live_0123456789";
    let text = format!("printed-secret {secret} and the rest of it\n");
    let guest = Guest::load(printing("stdout", &text, 1), |config| {
        config.limits.log_line_bytes = 31;
    });
    let guest = guest.await.unwrap().secret(secret);
    let (lines, _) = printed(&guest, "printed-secret").await;
    assert_eq!(
        lines,
        [(Level::INFO, "printed-secret [REDACTED] and t".to_owned())]
    );
}

#[tokio::test]
async fn printed_lines_have_the_limit_of_logged_ones() {
    let guest = Guest::load(printing("stdout", "printed-flood\n", 5), |config| {
        config.limits.log_lines = 3;
    });
    let (lines, dropped) = printed(&guest.await.unwrap(), "printed-flood").await;
    assert_eq!((lines.len(), dropped), (3, 2));
}

/// 17 times 4,096 bytes without an end, which is more than is kept of a line.
#[tokio::test]
async fn a_line_without_end_takes_no_memory_and_shows_no_half_secret() {
    let text = "x".repeat(4096);
    let guest = Guest::load(printing("stdout", &text, 17), |_| {})
        .await
        .unwrap();
    let (lines, _) = printed(&guest, "(a line of more than 64 KiB)").await;
    assert_eq!(lines.len(), 1);
    let guest = Guest::load(printing("stdout", &text, 16), |_| {})
        .await
        .unwrap();
    let (lines, _) = printed(&guest, "xxxxxxxx").await;
    assert_eq!(lines[0].1.len(), 4096);
}

/// A guest whose `describe` is this, with clock, randomness and waiting at hand.
async fn describing(describe: &str) -> Result<Guest, LoadError> {
    let imports = format!(
        r#"{WAITING} {RANDOM}
           (import "wasi:clocks/wall-clock@0.2.0" "now" (func $wall (param i32)))"#
    );
    let world = WasiGuest {
        interface: "cli/exit",
        imports: &imports,
        digit: "",
    };
    let odd = OddGuest {
        imports: &imports,
        world: &world.world(),
        describe,
        ..OddGuest::default()
    };
    Guest::load(odd.component(), |_| {}).await
}

#[tokio::test]
async fn clocks_stand_still_while_a_plugin_describes_itself() {
    let describe = "(call $wall (i32.const 2048))
        (if (i64.ne (i64.load (i32.const 2048)) (i64.const 0)) (then unreachable))
        (if (i64.ne (call $now) (i64.const 0)) (then unreachable))
        i32.const 256";
    assert!(describing(describe).await.is_ok());
}

/// Three letters of its name depend on chance, twelve bits of it.
#[tokio::test]
async fn chance_is_always_the_same_while_a_plugin_describes_itself() {
    let letter = |at: u32| {
        format!(
            "(i32.store8 (i32.const {at})
               (i32.add (i32.const 65) (i32.and (i32.wrap_i64 (call $u64)) (i32.const 15))))"
        )
    };
    let describe = format!("{} {} {} i32.const 256", letter(20), letter(21), letter(22));
    let first = describing(&describe).await.unwrap();
    let second = describing(&describe).await.unwrap();
    assert_eq!(
        first.plugin.descriptor().name,
        second.plugin.descriptor().name
    );
}

#[tokio::test]
async fn a_plugin_that_describes_itself_has_nothing_to_wait_for() {
    let describe = format!("(call $block (call $after (i64.const {HOUR_NANOS}))) i32.const 256");
    let error = describing(&describe).await.map(|guest| guest.plugin);
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("the clock is refused while a plugin describes itself"),
        "{error}"
    );
    let at_once = "(call $block (call $after (i64.const 0))) i32.const 256";
    assert!(describing(at_once).await.is_ok());
}

#[tokio::test]
async fn who_imports_wasi_is_known_for_it() {
    let capability = "use WASI with nothing behind it (no files, no network, no environment)";
    let guest = random("(i32.const 1)").load(|_| {}).await;
    let imported = &guest.plugin.inspection().wasi;
    assert_eq!(
        imported.iter().collect::<Vec<_>>(),
        ["wasi:random/random@0.2.0"]
    );
    assert_eq!(guest.plugin.capabilities(), [capability]);

    let native = OddGuest::default().component();
    let plugin = Guest::load(native, |_| {}).await.unwrap().plugin;
    assert!(plugin.inspection().wasi.is_empty());
    assert_eq!(plugin.capabilities(), [""; 0]);
}

#[tokio::test]
async fn what_of_wasi_is_not_there_is_refused_by_name_with_advice() {
    for (import, advice) in [
        ("wasi:http/outgoing-handler@0.2.0", "-d http"),
        ("wasi:keyvalue/store@0.2.0", "--stub-wasi"),
        ("wasi:cli/environment@0.3.0", "WASI 0.2"),
    ] {
        let wat = format!(r#"(component (import "{import}" (instance)))"#);
        let error = refusal(wat::parse_str(&wat).unwrap()).await.to_string();
        assert!(error.contains(import) && error.contains(advice), "{error}");
    }
}

#[tokio::test]
async fn exports_that_nobody_knows_are_tolerated() {
    let odd = OddGuest {
        world: "export init: func();",
        fields: r#"(func (export "init") unreachable)"#,
        ..OddGuest::default()
    };
    let guest = Guest::load(odd.component(), |_| {}).await.unwrap();
    assert_eq!(guest.result("anything", json!({})).await, json!({}));
}
