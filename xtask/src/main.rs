//! Project automation: `cargo xtask <command>`.
//!
//! [`args`] says what can be asked for; each command has a module of its own
//! ([`plugins`], [`mod@test`], [`demo`], [`mod@bench`], [`soak`], [`fuzz`]). What they share:
//! [`guests`] compiles guest crates with a [`toolchain`] and turns them into components ([`component`]), to which [`provenance`] adds what they are made of;
//! [`languages`] has components made from other languages;
//! [`leaks`] searches what tests leave behind for credentials;
//! [`postgres`] starts a server to be thrown away.
//!
//! Results go to stdout, everything said on the way goes to stderr.

mod apt;
mod args;
mod bench;
mod cargo_messages;
mod component;
mod demo;
mod environment;
mod fuzz;
mod guests;
mod languages;
mod leaks;
mod plugins;
mod postgres;
mod process;
mod provenance;
mod report;
mod soak;
mod test;
mod toolchain;
mod workspace;

use std::process::ExitCode;

use args::Request;

fn main() -> ExitCode {
    let outcome = match args::parse(environment::arguments()) {
        Ok(request) => perform(request),
        Err(error) => {
            report::note(&format!("error: {error}"));
            return ExitCode::from(2);
        }
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::note(&format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn perform(request: Request) -> anyhow::Result<()> {
    match request {
        Request::Help(text) => report::result(text),
        Request::Plugins { id } => plugins::run(id.as_deref()),
        Request::Test { cargo_args } => test::run(&cargo_args),
        Request::Demo(options) => demo::run(options),
        Request::Bench(options) => bench::run(&options),
        Request::Soak { arguments } => soak::run(&arguments),
        Request::Fuzz { arguments } => fuzz::run(&arguments),
    }
}
