//! The command line of the demo.

use std::path::PathBuf;

/// Starts fake upstreams and a gateway, ready to be called, until Ctrl-C.
#[derive(Debug, clap::Parser)]
#[command(name = "portcullis-demo")]
pub(crate) struct Options {
    /// Print one line of JSON when ready, and nothing else, to stdout.
    #[arg(long)]
    pub(crate) json: bool,

    /// The port of 127.0.0.1 to listen on; 0 takes a free one.
    #[arg(long, value_name = "N", default_value_t = 8480)]
    pub(crate) port: u16,

    /// The folder with the plugins to load.
    #[arg(long, value_name = "DIR", default_value = "target/plugins")]
    pub(crate) plugins: PathBuf,
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory as _, Parser as _};

    use super::*;

    #[test]
    fn the_command_line_is_coherent() {
        Options::command().debug_assert();
    }

    #[test]
    fn options_are_read() {
        let line = ["portcullis-demo", "--json", "--port", "0", "--plugins", "x"];
        let options = Options::parse_from(line);
        assert!(options.json);
        assert_eq!((options.port, options.plugins), (0, PathBuf::from("x")));
    }

    #[test]
    fn what_is_unknown_is_refused() {
        assert!(Options::try_parse_from(["portcullis-demo", "--jsno"]).is_err());
        assert!(Options::try_parse_from(["portcullis-demo", "--port", "65536"]).is_err());
    }
}
