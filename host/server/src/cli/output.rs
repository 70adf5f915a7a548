//! What commands print: tables and sentences for people, JSON for machines.
//!
//! A command returns a [`Report`]; this is the one place that knows whether a
//! person reads it. Text that came from a gateway, a plugin or a file is made
//! [`printable`] here, so that no command can forget it.

mod table;
mod text;

use serde_json::Value;

use super::console::Console;
use super::exit::Exit;
use super::failure::Failure;

pub(super) use text::{field, json_line, one_line, printable};

/// What a command has to say.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// For machines; `None` where the gateway answers with nothing.
    json: Option<Value>,
    /// For machines instead: documents, however many, each on a line of its own.
    json_lines: Option<Vec<Value>>,
    /// For people.
    blocks: Vec<Block>,
    /// What a pipe gets instead of JSON, where text is the thing asked for: a
    /// token, a guide, a script.
    piped: Option<String>,
    /// For standard error: what is legal and deserves a look.
    warnings: Vec<String>,
    /// For standard error as well, and for people only: what helps with what is
    /// printed and must not be part of it.
    note: Option<String>,
    /// Why the command ends with another code than 0 although it has something
    /// to show.
    failure: Option<Failure>,
}

/// A part of what people read.
#[derive(Debug)]
enum Block {
    /// Lines as they are.
    Text(String),
    /// Rows below headers.
    Table {
        headers: Vec<&'static str>,
        rows: Vec<Vec<String>>,
    },
    /// Names and values.
    Fields(Vec<(String, String)>),
}

/// A column of a list: its header, and the field it shows.
pub(super) type Column = (&'static str, &'static str);

impl Report {
    /// A report on a JSON document.
    pub(super) fn new(json: Value) -> Self {
        Self {
            json: Some(json),
            ..Self::default()
        }
    }

    /// A report on any number of JSON documents.
    pub(super) fn of_lines(documents: Vec<Value>) -> Self {
        Self {
            json_lines: Some(documents),
            ..Self::default()
        }
    }

    /// Text that is the thing itself, also in a pipe.
    pub(super) fn piped(text: impl Into<String>) -> Self {
        let text = text.into();
        Self {
            blocks: vec![Block::Text(text.clone())],
            piped: Some(text),
            ..Self::default()
        }
    }

    /// What people read is the thing itself, also in a pipe.
    pub(super) fn also_piped(mut self, console: &Console) -> Self {
        self.piped = Some(self.for_people(console.width));
        self
    }

    /// Something was done, and there is nothing to show for it.
    pub(super) fn done(sentence: impl Into<String>) -> Self {
        Self::default().text(sentence)
    }

    /// The list that an answer holds under `name`; `empty` is said of none.
    pub(super) fn list(answer: Value, name: &str, columns: &[Column], empty: &str) -> Self {
        let items = answer.get(name).and_then(Value::as_array);
        let rows: Vec<_> = items
            .into_iter()
            .flatten()
            .map(|item| {
                let cells = columns.iter().map(|(_, name)| short(item, name));
                cells.collect()
            })
            .collect();
        let headers = columns.iter().map(|(header, _)| *header).collect();
        let report = Self::new(answer);
        if rows.is_empty() {
            report.text(empty)
        } else {
            report.table(headers, rows)
        }
    }

    /// One object and its fields.
    pub(super) fn object(answer: Value) -> Self {
        let fields = fields_of(&answer);
        Self::new(answer).fields(fields)
    }

    /// The JSON document, besides what was given as text.
    pub(super) fn with_json(mut self, json: Value) -> Self {
        self.json = Some(json);
        self
    }

    /// Adds lines for people.
    pub(super) fn text(mut self, text: impl Into<String>) -> Self {
        self.blocks.push(Block::Text(text.into()));
        self
    }

    /// Adds a table for people.
    pub(super) fn table(mut self, headers: Vec<&'static str>, rows: Vec<Vec<String>>) -> Self {
        self.blocks.push(Block::Table { headers, rows });
        self
    }

    /// Adds names and values for people.
    pub(super) fn fields(mut self, fields: Vec<(String, String)>) -> Self {
        self.blocks.push(Block::Fields(fields));
        self
    }

    /// Adds a warning.
    pub(super) fn warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    /// Says something beside what is printed, unless a machine reads it.
    pub(super) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }

    /// Ends with an error, after what there is to show.
    pub(super) fn failing(mut self, failure: Failure) -> Self {
        self.failure = Some(failure);
        self
    }

    /// What goes to standard output.
    fn shown(&self, console: &Console, json: bool) -> String {
        let document = |pretty: bool| {
            if let Some(documents) = &self.json_lines {
                let lines = documents.iter().map(|json| text::json(json, false) + "\n");
                return lines.collect();
            }
            let document = self.json.as_ref();
            document.map_or_else(String::new, |json| text::json(json, pretty) + "\n")
        };
        if json {
            return document(console.stdout_is_terminal);
        }
        match &self.piped {
            Some(text) if !console.stdout_is_terminal => text::lines(text),
            None if !console.stdout_is_terminal => document(false),
            _ => self.for_people(console.width),
        }
    }

    /// All that a person reads, at a terminal on which the command goes on.
    pub(super) fn on_screen(&self, width: Option<u16>) -> String {
        let mut text = self.for_people(width);
        for beside in self.warnings.iter().chain(&self.note) {
            text += &text::lines(beside);
        }
        if let Some(failure) = &self.failure {
            text += &failure.text();
        }
        text
    }

    /// What a person reads at a terminal of this width.
    pub(super) fn for_people(&self, width: Option<u16>) -> String {
        let blocks = self.blocks.iter().map(|block| match block {
            Block::Text(text) => text::lines(text),
            Block::Table { headers, rows } => table::table(headers, rows, width),
            Block::Fields(fields) => table::fields(fields, width),
        });
        blocks.collect()
    }
}

/// A field as people read it: of a time, the seconds are enough.
pub(super) fn short(item: &Value, name: &str) -> String {
    let text = field(item, name);
    match text.split_once('.') {
        Some((seconds, _)) if name.ends_with("At") => format!("{seconds}Z"),
        _ => text,
    }
}

/// Every field that holds something, as text, in the order of the object.
pub(super) fn fields_of(object: &Value) -> Vec<(String, String)> {
    let fields = object.as_object().into_iter().flatten();
    fields
        .filter(|(_, value)| !value.is_null())
        .map(|(name, _)| (name.clone(), short(object, name)))
        .collect()
}

/// Prints how a command ended, and tells what the process ends with.
pub(super) fn print(console: &mut Console, json: bool, ended: Result<Report, Failure>) -> Exit {
    let (report, failure) = match ended {
        Ok(mut report) => {
            let failure = report.failure.take();
            (report, failure)
        }
        Err(failure) => (Report::default(), Some(failure)),
    };
    let shown = report.shown(console, json);
    let failure = console.print(&shown).err().or(failure);
    for warning in &report.warnings {
        console.notice(&printable(&format!("warning: {warning}\n")));
    }
    if let Some(note) = report.note.filter(|_| !json) {
        console.notice(&text::lines(&note));
    }
    let Some(failure) = failure else {
        return Exit::Done;
    };
    let text = if json {
        text::json(&failure.json(), false) + "\n"
    } else {
        failure.text()
    };
    console.notice(&text);
    failure.exit
}
