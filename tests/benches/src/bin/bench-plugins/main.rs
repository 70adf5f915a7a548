//! What switching, starting, compiling and agreeing on versions of plugins cost.
//!
//! The test guest is the plugin, in many versions: copies of one component in which a
//! few bytes differ, so that each says in every answer which version it is. Two
//! processes besides the database: this one makes the load, the other is the gateway
//! as it is shipped; where gateways are to agree, there are two of them.
//!
//! | file | what it does |
//! | --- | --- |
//! | `options` | the command line, and a database for each part |
//! | `components` | versions of one plugin, and plugins that are told apart |
//! | `caller` | one call, and what may be wrong with it |
//! | `switching` | versions take over from each other under load |
//! | `load` | that load |
//! | `holdings` | what the gateway's process holds |
//! | `restarting` | a gateway with twenty plugins starts |
//! | `compiling` | the worker beside the cache |
//! | `converging` | another gateway serves what this one was told |
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the tables are the result; what is going on goes to stderr"
)]

mod caller;
mod compiling;
mod components;
mod converging;
mod holdings;
mod load;
mod options;
mod restarting;
mod switching;

use clap::Parser as _;
use portcullis_benches::table::Table;

use options::{Options, Part, Place};

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let runtime = tokio::runtime::Runtime::new()?;
    for part in options.parts() {
        eprintln!("{}…", part.name());
        for table in runtime.block_on(measure(&options, part))? {
            println!("{table}");
        }
    }
    Ok(())
}

async fn measure(options: &Options, part: Part) -> anyhow::Result<Vec<Table>> {
    let place = Place::new(options, part)?;
    match part {
        Part::Switch => switching::measure(options, &place).await,
        Part::Restart => restarting::measure(options, &place).await,
        Part::Compile => compiling::measure(options, &place).await,
        Part::Converge => converging::measure(options, &place).await,
    }
}
