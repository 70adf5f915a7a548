//! A question at the bottom, and what is told above it.

use std::any::Any;

use super::super::console::Console;
use super::super::console::keys::{Keys, Line, Pressed};
use super::super::exit::Exit;
use super::super::failure::Failure;
use super::super::output::{Report, printable};

/// Columns of a terminal that does not say.
const USUAL_WIDTH: u16 = 80;

/// The terminal while somebody is asked.
pub(super) struct Screen<'a> {
    pub(super) console: &'a mut Console,
    pub(super) keys: Keys,
    line: Line,
    question: String,
    /// Whether the question stands there, with what is typed so far.
    is_asked: bool,
    /// Makes the terminal what it was.
    _quiet: Box<dyn Any + Send>,
}

impl<'a> Screen<'a> {
    /// Takes over the terminal.
    pub(super) fn open(console: &'a mut Console) -> Result<Self, Failure> {
        let quiet = (console.quieten)().map_err(|error| {
            Failure::other(format!("the terminal cannot be made quiet: {error}"))
                .hint("`portcullis inbox --once` needs none; `portcullis approve` decides")
        })?;
        let stdin = std::mem::replace(&mut console.stdin, Box::new(std::io::empty()));
        Ok(Self {
            console,
            keys: Keys::of(stdin),
            line: Line::default(),
            question: String::new(),
            is_asked: false,
            _quiet: quiet,
        })
    }

    pub(super) fn width(&self) -> usize {
        usize::from(self.console.width.unwrap_or(USUAL_WIDTH))
    }

    /// Asks from now on; what was typed for another question is forgotten.
    pub(super) fn ask(&mut self, question: String) -> Result<(), Failure> {
        self.line.clear();
        self.question = question;
        self.show_question()
    }

    /// Tells something, after which somebody is asked something else.
    pub(super) fn print(&mut self, report: &Report) -> Result<(), Failure> {
        self.leave()?;
        let text = report.on_screen(self.console.width);
        self.console.print(&text)
    }

    /// Tells something above the question, and what is typed stays.
    pub(super) fn tell(&mut self, report: &Report) -> Result<(), Failure> {
        self.print(report)?;
        self.show_question()
    }

    /// Ends the line of the question.
    pub(super) fn leave(&mut self) -> Result<(), Failure> {
        if std::mem::take(&mut self.is_asked) {
            return self.console.print("\n");
        }
        Ok(())
    }

    /// Takes a key; an answer when it completes one.
    pub(super) fn press(&mut self, key: u8) -> Result<Pressed, Failure> {
        let pressed = self.line.press(key);
        match &pressed {
            Pressed::Echo(text) => self.console.print(&printable(text))?,
            Pressed::Wipe => self.console.print("\u{8} \u{8}")?,
            Pressed::Redraw => {
                self.leave()?;
                self.show_question()?;
            }
            Pressed::Entered(_) => self.leave()?,
            Pressed::Nothing | Pressed::Stopped(_) => {}
        }
        Ok(pressed)
    }

    /// Waits for the gateway. Ctrl-C ends the waiting; other keys are forgotten,
    /// since they cannot be an answer to what comes.
    pub(super) async fn wait_for<T>(
        &mut self,
        answer: impl Future<Output = Result<T, Failure>>,
        interrupted: impl FnOnce() -> Failure,
    ) -> Result<T, Failure> {
        tokio::select! {
            answer = answer => answer,
            () = self.keys.interrupted() => Err(interrupted()),
            () = &mut self.console.interrupted => Err(interrupted()),
        }
    }

    fn show_question(&mut self) -> Result<(), Failure> {
        self.is_asked = true;
        let text = format!("{}{}", self.question, self.line.text());
        self.console.print(&printable(&text))
    }
}

/// Ctrl-C at a question.
pub(super) fn interrupted() -> Failure {
    Failure::new(
        Exit::Interrupted,
        "interrupted",
        "interrupted; what is not decided goes on waiting",
    )
}
