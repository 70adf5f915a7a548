//! A line from a terminal that does not show what is typed.

use std::any::Any;
use std::io::{BufReader, Read};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use super::super::exit::Exit;
use super::super::failure::Failure;
use super::Quieten;
use super::keys::{BACKSPACE, CTRL_C, CTRL_D, CTRL_U, DELETE};

/// A terminal that is quiet until this is dropped.
struct Quiet {
    before: Termios,
}

impl Quiet {
    /// Keys arrive one by one and none of them is a signal: a process that ended
    /// here would leave the terminal without echo.
    fn start() -> rustix::io::Result<Self> {
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes -= LocalModes::ECHO | LocalModes::ICANON | LocalModes::ISIG;
        tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet)?;
        Ok(Self { before })
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, &self.before);
    }
}

/// Makes the terminal of this process quiet.
pub(super) fn quieten() -> std::io::Result<Box<dyn Any + Send>> {
    Ok(Box::new(Quiet::start()?))
}

/// Reads a line from the terminal behind standard input.
pub(super) fn read_line(
    quieten: Quieten,
    stdin: &mut dyn Read,
    limit: usize,
) -> Result<String, Failure> {
    let _quiet = quieten().map_err(|error| {
        Failure::other(format!("the terminal cannot be made quiet: {error}"))
            .hint("pipe the token in, or name a file with --token-file")
    })?;
    edit(BufReader::new(stdin).bytes(), limit)
}

/// Keys become a line.
fn edit(keys: impl Iterator<Item = std::io::Result<u8>>, limit: usize) -> Result<String, Failure> {
    let mut line = Zeroizing::new(Vec::new());
    for key in keys {
        let key = key.map_err(|error| Failure::other(format!("cannot read a line: {error}")))?;
        match key {
            b'\n' | b'\r' | CTRL_D => break,
            CTRL_C => {
                let message = "interrupted; nothing was sent";
                return Err(Failure::new(Exit::Interrupted, "interrupted", message));
            }
            BACKSPACE | DELETE => remove_last_char(&mut line),
            CTRL_U => line.clear(),
            key if line.len() < limit => line.push(key),
            _ => {
                return Err(Failure::usage(format!(
                    "the line has more than {limit} bytes"
                )));
            }
        }
    }
    String::from_utf8(line.to_vec()).map_err(|_| Failure::usage("the line is not UTF-8"))
}

fn remove_last_char(line: &mut Vec<u8>) {
    while let Some(byte) = line.pop() {
        // Bytes that continue a character go with the one that begins it.
        if byte & 0b1100_0000 != 0b1000_0000 {
            break;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &[u8]) -> Result<String, Failure> {
        edit(keys.iter().map(|key| Ok(*key)), 8)
    }

    #[test]
    fn keys_become_a_line() {
        for (keys, line) in [
            (&b"token\nrest"[..], "token"),
            (b"token", "token"),
            (b"tokem\x7fn\r", "token"),
            (b"wrong\x15token\x04", "token"),
            ("x\u{e9}\u{8}y\n".as_bytes(), "xy"),
            (b"\x7f\n", ""),
        ] {
            assert_eq!(typed(keys).unwrap(), line);
        }
    }

    #[test]
    fn a_line_can_be_abandoned_and_is_bounded() {
        assert_eq!(typed(b"tok\x03").unwrap_err().exit, Exit::Interrupted);
        assert_eq!(typed(b"123456789").unwrap_err().exit, Exit::Usage);
    }
}
