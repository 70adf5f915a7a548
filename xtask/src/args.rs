//! The command line, parsed by hand: six commands need no library.

use std::fmt;

/// What `cargo xtask` can be asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print a help text.
    Help(&'static str),
    /// Build plugins: one, or all of them.
    Plugins {
        /// The folder's name below `plugins/`.
        id: Option<String>,
    },
    /// Build whatever the tests need and run them.
    Test {
        /// Passed on to `cargo test`.
        cargo_args: Vec<String>,
    },
    /// Start a gateway to play with.
    Demo(DemoOptions),
    /// Measure something.
    Bench(BenchOptions),
    /// Kill gateways and look what becomes of their promises.
    Soak {
        /// Passed on to the program that does it.
        arguments: Vec<String>,
    },
    /// Feed what reads the bytes of others with ever new ones.
    Fuzz {
        /// Passed on to the program that does it.
        arguments: Vec<String>,
    },
}

/// What `cargo xtask bench` measures.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct BenchOptions {
    /// Which benchmarks, in order.
    pub(crate) subjects: Vec<Subject>,
    /// Passed on to the benchmark, where one was named.
    pub(crate) arguments: Vec<String>,
}

/// One benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A call in a sandbox and natively.
    Sandbox,
    /// The gateway under load.
    Invoke,
    /// Cutting results.
    Truncate,
    /// People who decide, and clients that watch.
    Decisions,
    /// Versions of plugins: switching, starting, compiling, agreeing.
    Plugins,
    /// An honest session while others attack.
    Neighbours,
}

impl Subject {
    pub(crate) const ALL: [Self; 6] = [
        Self::Sandbox,
        Self::Invoke,
        Self::Truncate,
        Self::Decisions,
        Self::Plugins,
        Self::Neighbours,
    ];

    /// The name on the command line.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Sandbox => "sandbox",
            Self::Invoke => "invoke",
            Self::Truncate => "truncate",
            Self::Decisions => "decisions",
            Self::Plugins => "plugins",
            Self::Neighbours => "neighbours",
        }
    }
}

/// Options of `cargo xtask demo`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct DemoOptions {
    /// Print one line of JSON instead of a tour.
    pub(crate) json: bool,
    /// The port to listen on; 0 takes a free one.
    pub(crate) port: Option<u16>,
}

/// A command line that asks for something we do not know.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct UsageError {
    problem: String,
    hint: String,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\nhint: {}", self.problem, self.hint)
    }
}

const HELP: &str = "\
Project automation.

Usage: cargo xtask <command>

Commands:
  demo      start a gateway with fake upstreams, ready to be called
  test      build what the tests need, then run all of them
  plugins   build the plugins into target/plugins/
  bench     measure the sandbox, load, truncation, decisions, plugins, and neighbours
  soak      kill gateways and databases under load, compare what was promised, then
            fuzz for an hour
  fuzz      feed what reads the bytes of others with ever new ones

`cargo xtask <command> --help` says more. All but fuzz make sure that guests can
be compiled for wasm32-unknown-unknown: with the library of the compiler in use,
else through rustup, else with Debian's compiler from apt. Set
PORTCULLIS_WASM_TOOLCHAIN=rustup or =debian to choose.";

const PLUGINS_HELP: &str = "\
Builds every folder of plugins/ as a component, target/plugins/<id>.wasm.
Files whose content did not change are not touched.
A component that imports anything but portcullis:provider is refused.

Usage: cargo xtask plugins [--id ID]

Options:
  --id ID   build only plugins/ID";

const TEST_HELP: &str = "\
Builds the plugins and the test guests, starts a Postgres that is thrown away
afterwards, then runs `cargo test --workspace`.
Plain `cargo test` works from then on, until a guest or plugin changes; without
PORTCULLIS_TEST_POSTGRES, the URL of a server it may write to, it skips what
needs Postgres. If that is set here, no server is started.
After the tests it searches what they left behind for the credentials they
planted, and fails if one was found there or in anything they saw.

Usage: cargo xtask test [ARGS…]

All arguments go to `cargo test`:
  cargo xtask test                                   everything
  cargo xtask test -p portcullis-core                one package
  cargo xtask test approval -- --nocapture           by name, with output";

const DEMO_HELP: &str = "\
Starts fake upstreams and a gateway with the bundled plugins, a fresh database
and freshly made keys, and says how to call it. Ctrl-C ends it and removes what
it made.

Usage: cargo xtask demo [--json] [--port N]

Options:
  --json     print one line of JSON when ready, and nothing else, to stdout
  --port N   listen on this port of 127.0.0.1 (default 8480; 0 takes a free one)";

const BENCH_HELP: &str = "\
Measures, and prints one Markdown table to stdout for each benchmark. Builds
what it needs in the release profile first, which takes a while.

Usage: cargo xtask bench [NAME] [ARGS…]

Benchmarks (all of them, in this order, when none is named):
  sandbox    one call in a fresh sandbox beside the same code natively
  invoke     the gateway under load beside the upstream alone, on SQLite and on a
             Postgres that is thrown away afterwards; needs ten minutes
  truncate   redacting and cutting results beside parsing them
  decisions  approving and denying what waits while clients watch, on both as well;
             needs four minutes
  plugins    switching, starting, compiling and agreeing on versions of plugins, on
             both as well; needs five minutes
  neighbours an honest session while others attack, in every way there is; needs
             ten minutes

What follows the name goes to the benchmark; `bench NAME --help` lists it:
  cargo xtask bench invoke --quick                     a minute and a half
  cargo xtask bench invoke --storage postgres://…      only there
  cargo xtask bench sandbox --calls 100000

The numbers are those of a machine with nothing else to do, or they are worth
little: each table shows the load average at its start.";

const SOAK_HELP: &str = "\
Starts the gateway, asks it for many things at once, kills it without warning, and
starts it again on the same data, many times; on Postgres there are two gateways,
and the database's server is killed as well. Then it compares what clients were
told, what the upstream received, what the database holds and what the audit log
says. Prints a report for each database, and fails when a promise was broken.
After that it feeds all fuzz targets, as `cargo xtask fuzz` does.

Usage: cargo xtask soak [--kills N] [--seed N] [--sqlite | --postgres]
                        [--fuzz-minutes N]

Options:
  --kills N          kills on each database (default 50; 2 to 6 s each)
  --seed N           repeat the choices of an earlier run; its report names the seed
  --sqlite           only on SQLite
  --postgres         only on Postgres, whose programs must be installed
  --fuzz-minutes N   how long all fuzz targets together are fed (default 60; 0 leaves
                     them out)

A seed repeats what is killed and at which moments; how processes take turns
remains chance. When something is wrong, database and logs are kept.";

const FUZZ_HELP: &str = "\
Feeds ever new bytes to what reads those of others: results, components, manifests,
definitions, signatures, tokens, and the rules between a guest and an upstream.
Begins with the files of tests/fuzz/corpora and changes of them; components are also
made from the plugins in target/plugins. Prints how many inputs held, and fails when
a promise was broken: the input is then kept as a file to add. `cargo xtask test`
runs the same targets for a moment, `cargo xtask soak` for an hour.

Usage: cargo xtask fuzz [truncate | redact | canonical | foreign | paging | drift |
                         manifest | signature | component | path | headers | address |
                         body | echo | text | token]
                        [--seconds N] [--seed N]

Options:
  --seconds N   how long, for each target (default 60)
  --seed N      begin with this seed; the report of what was broken names it";

/// Reads a command line, without the program's name.
pub(crate) fn parse(arguments: Vec<String>) -> Result<Request, UsageError> {
    let mut arguments = Arguments {
        words: arguments.into_iter(),
        pending: None,
    };
    let Some(command) = arguments.next() else {
        return Ok(Request::Help(HELP));
    };
    match command.as_str() {
        "-h" | "--help" | "help" => Ok(Request::Help(HELP)),
        "plugins" => parse_plugins(arguments),
        "test" => Ok(parse_test(arguments)),
        "demo" => parse_demo(arguments),
        "bench" => parse_bench(arguments),
        "soak" => Ok(parse_soak(arguments)),
        "fuzz" => Ok(parse_fuzz(arguments)),
        _ => Err(UsageError {
            problem: format!("there is no command `{command}`"),
            hint: "the commands are demo, test, plugins, bench, soak and fuzz".to_owned(),
        }),
    }
}

fn parse_plugins(mut arguments: Arguments) -> Result<Request, UsageError> {
    let mut id = None;
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "-h" | "--help" => return Ok(Request::Help(PLUGINS_HELP)),
            "--id" => id = Some(arguments.value_of("--id")?),
            _ => return Err(unknown_flag("plugins", &flag, "--id ID")),
        }
    }
    Ok(Request::Plugins { id })
}

/// Only a leading `--help` is ours: further back it may be the test runner's.
fn parse_test(arguments: Arguments) -> Request {
    let cargo_args = arguments.words.collect::<Vec<_>>();
    match cargo_args.first().map(String::as_str) {
        Some("-h" | "--help") => Request::Help(TEST_HELP),
        _ => Request::Test { cargo_args },
    }
}

fn parse_demo(mut arguments: Arguments) -> Result<Request, UsageError> {
    let mut options = DemoOptions::default();
    while let Some(flag) = arguments.next() {
        match flag.as_str() {
            "-h" | "--help" => return Ok(Request::Help(DEMO_HELP)),
            "--json" => options.json = true,
            "--port" => options.port = Some(parse_port(&arguments.value_of("--port")?)?),
            _ => return Err(unknown_flag("demo", &flag, "--json and --port N")),
        }
    }
    Ok(Request::Demo(options))
}

fn parse_bench(arguments: Arguments) -> Result<Request, UsageError> {
    let mut words = arguments.words;
    let name = match words.next().as_deref() {
        None => {
            return Ok(Request::Bench(BenchOptions {
                subjects: Subject::ALL.to_vec(),
                arguments: Vec::new(),
            }));
        }
        Some("-h" | "--help") => return Ok(Request::Help(BENCH_HELP)),
        Some(name) => name.to_owned(),
    };
    let subject = Subject::ALL
        .into_iter()
        .find(|subject| subject.name() == name)
        .ok_or_else(|| UsageError {
            problem: format!("there is no benchmark `{name}`"),
            hint: "the benchmarks are sandbox, invoke, truncate, decisions and plugins".to_owned(),
        })?;
    Ok(Request::Bench(BenchOptions {
        subjects: vec![subject],
        arguments: words.collect(),
    }))
}

fn parse_soak(arguments: Arguments) -> Request {
    match passed_on(arguments) {
        Some(arguments) => Request::Soak { arguments },
        None => Request::Help(SOAK_HELP),
    }
}

fn parse_fuzz(arguments: Arguments) -> Request {
    match passed_on(arguments) {
        Some(arguments) => Request::Fuzz { arguments },
        None => Request::Help(FUZZ_HELP),
    }
}

/// All words; none when one of them asks for help.
fn passed_on(arguments: Arguments) -> Option<Vec<String>> {
    let words = arguments.words.collect::<Vec<_>>();
    let asks_for_help = |word: &String| word == "-h" || word == "--help";
    (!words.iter().any(asks_for_help)).then_some(words)
}

fn parse_port(text: &str) -> Result<u16, UsageError> {
    text.parse().map_err(|_| UsageError {
        problem: format!("`{text}` is not a port"),
        hint: "a port is a number from 0 to 65535; 0 takes a free one".to_owned(),
    })
}

fn unknown_flag(command: &str, flag: &str, known: &str) -> UsageError {
    UsageError {
        problem: format!("`cargo xtask {command}` does not know `{flag}`"),
        hint: format!("it knows {known}; see `cargo xtask {command} --help`"),
    }
}

/// The words that are left; `--flag=value` reads as two.
struct Arguments {
    words: std::vec::IntoIter<String>,
    /// The second half of a word that was split.
    pending: Option<String>,
}

impl Arguments {
    fn next(&mut self) -> Option<String> {
        if let Some(value) = self.pending.take() {
            return Some(value);
        }
        let word = self.words.next()?;
        match word.split_once('=') {
            Some((flag, value)) if flag.starts_with("--") => {
                self.pending = Some(value.to_owned());
                Some(flag.to_owned())
            }
            _ => Some(word),
        }
    }

    fn value_of(&mut self, flag: &str) -> Result<String, UsageError> {
        self.next().ok_or_else(|| UsageError {
            problem: format!("`{flag}` needs a value"),
            hint: format!("write `{flag} VALUE`"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse_line(line: &str) -> Result<Request, UsageError> {
        parse(line.split_whitespace().map(str::to_owned).collect())
    }

    fn check(line: &str, expected: Request) {
        assert_eq!(parse_line(line), Ok(expected), "{line}");
    }

    fn check_refused(line: &str, problem: &str) {
        let error = parse_line(line).expect_err(line);
        assert_eq!(error.problem, problem, "{line}");
        assert!(!error.hint.is_empty(), "{line}");
    }

    #[test]
    fn every_command_is_read() {
        check("plugins", Request::Plugins { id: None });
        check(
            "plugins --id linear",
            Request::Plugins {
                id: Some("linear".to_owned()),
            },
        );
        check(
            "plugins --id=linear",
            Request::Plugins {
                id: Some("linear".to_owned()),
            },
        );
        check("demo", Request::Demo(DemoOptions::default()));
        check(
            "demo --json --port 0",
            Request::Demo(DemoOptions {
                json: true,
                port: Some(0),
            }),
        );
        check(
            "demo --port=8481",
            Request::Demo(DemoOptions {
                json: false,
                port: Some(8481),
            }),
        );
    }

    #[test]
    fn test_passes_everything_on() {
        let cargo_args = vec![
            "-p".to_owned(),
            "x".to_owned(),
            "--".to_owned(),
            "--help".to_owned(),
        ];
        check("test -p x -- --help", Request::Test { cargo_args });
        check(
            "test",
            Request::Test {
                cargo_args: Vec::new(),
            },
        );
    }

    #[test]
    fn a_benchmark_gets_what_follows_its_name() {
        let bench = |subjects: &[Subject], arguments: &[&str]| {
            Request::Bench(BenchOptions {
                subjects: subjects.to_vec(),
                arguments: arguments.iter().map(|&word| word.to_owned()).collect(),
            })
        };
        check("bench", bench(&Subject::ALL, &[]));
        check("bench truncate", bench(&[Subject::Truncate], &[]));
        check(
            "bench invoke --quick --help",
            bench(&[Subject::Invoke], &["--quick", "--help"]),
        );
    }

    #[test]
    fn soak_passes_everything_on() {
        let arguments = vec!["--kills=3".to_owned(), "--sqlite".to_owned()];
        check("soak --kills=3 --sqlite", Request::Soak { arguments });
    }

    #[test]
    fn fuzz_passes_everything_on() {
        let arguments = ["paging", "--seconds", "5"].map(str::to_owned).to_vec();
        check("fuzz paging --seconds 5", Request::Fuzz { arguments });
    }

    #[test]
    fn every_command_has_help() {
        for line in ["", "help", "-h", "--help"] {
            check(line, Request::Help(HELP));
        }
        check("plugins --help", Request::Help(PLUGINS_HELP));
        check("test --help", Request::Help(TEST_HELP));
        check("demo --json -h", Request::Help(DEMO_HELP));
        check("bench --help", Request::Help(BENCH_HELP));
        check("soak --kills 3 --help", Request::Help(SOAK_HELP));
        check("fuzz paging -h", Request::Help(FUZZ_HELP));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        check_refused("dmeo", "there is no command `dmeo`");
        check_refused(
            "plugins --all",
            "`cargo xtask plugins` does not know `--all`",
        );
        check_refused(
            "plugins linear",
            "`cargo xtask plugins` does not know `linear`",
        );
        check_refused("demo --jsno", "`cargo xtask demo` does not know `--jsno`");
        check_refused("plugins --id", "`--id` needs a value");
        check_refused("bench speed", "there is no benchmark `speed`");
        check_refused("demo --port", "`--port` needs a value");
        check_refused("demo --port 65536", "`65536` is not a port");
        check_refused("demo --port -1", "`-1` is not a port");
    }
}
