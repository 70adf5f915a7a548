//! A Markdown table that is aligned for people, and how numbers stand in it.

use std::fmt;
use std::time::Duration;

/// A heading, what the numbers hold for, and rows.
#[derive(Debug, Default)]
pub struct Table {
    title: String,
    facts: Vec<(String, String)>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns; the first is aligned left, the others right.
    pub fn new(title: &str, columns: &[&str]) -> Self {
        Self {
            title: title.to_owned(),
            facts: Vec::new(),
            rows: vec![columns.iter().map(|&column| column.to_owned()).collect()],
        }
    }

    /// Adds something that the numbers depend on.
    pub fn fact(&mut self, name: &str, value: impl fmt::Display) {
        self.facts.push((name.to_owned(), value.to_string()));
    }

    /// Adds a row of as many cells as there are columns.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }

    fn widths(&self) -> Vec<usize> {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        (0..columns)
            .map(|column| {
                let cells = self.rows.iter().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect()
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "### {}\n", self.title)?;
        for (name, value) in &self.facts {
            writeln!(f, "- {name}: {value}")?;
        }
        writeln!(f)?;
        let widths = self.widths();
        for (index, row) in self.rows.iter().enumerate() {
            write_row(f, row, &widths)?;
            if index == 0 {
                write_rule(f, &widths)?;
            }
        }
        Ok(())
    }
}

fn write_row(f: &mut fmt::Formatter<'_>, row: &[String], widths: &[usize]) -> fmt::Result {
    for (index, (cell, &width)) in row.iter().zip(widths).enumerate() {
        if index == 0 {
            write!(f, "| {cell:<width$} ")?;
        } else {
            write!(f, "| {cell:>width$} ")?;
        }
    }
    writeln!(f, "|")
}

fn write_rule(f: &mut fmt::Formatter<'_>, widths: &[usize]) -> fmt::Result {
    for (index, width) in widths.iter().enumerate() {
        let end = if index == 0 { '-' } else { ':' };
        write!(f, "| {}{end} ", "-".repeat(width.saturating_sub(1)))?;
    }
    writeln!(f, "|")
}

/// A time in the unit in which it has at least one digit before the point.
pub fn time(time: Duration) -> String {
    let nanos = time.as_secs_f64() * 1e9;
    match nanos {
        0.0..1e3 => format!("{nanos:.0} ns"),
        1e3..1e6 => format!("{:.1} µs", nanos / 1e3),
        1e6..1e9 => format!("{:.2} ms", nanos / 1e6),
        _ => format!("{:.2} s", nanos / 1e9),
    }
}

/// How many times longer one time is than the other.
pub fn ratio(time: Duration, base: Duration) -> String {
    if base.is_zero() {
        return "-".to_owned();
    }
    format!("{:.2}", time.as_secs_f64() / base.as_secs_f64())
}

/// Bytes in KiB or MiB.
pub fn bytes(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one decimal is shown")]
    let kib = bytes as f64 / 1024.0;
    if kib < 1024.0 {
        format!("{kib:.1} KiB")
    } else {
        format!("{:.1} MiB", kib / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_markdown_and_aligned() {
        let mut table = Table::new("Speed", &["what", "p50"]);
        table.fact("machine", "a");
        table.row(["µs".to_owned(), "1".to_owned()]);
        assert_eq!(
            table.to_string(),
            "### Speed\n\n- machine: a\n\n\
             | what | p50 |\n| ---- | --: |\n| µs   |   1 |\n"
        );
    }

    #[test]
    fn numbers_have_units_that_fit() {
        let cases = [(950, "950 ns"), (1_500, "1.5 µs"), (2_345_000, "2.35 ms")];
        for (nanos, expected) in cases {
            assert_eq!(time(Duration::from_nanos(nanos)), expected);
        }
        assert_eq!(time(Duration::from_secs(3)), "3.00 s");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(3 << 20), "3.0 MiB");
        assert_eq!(
            ratio(Duration::from_secs(3), Duration::from_secs(2)),
            "1.50"
        );
        assert_eq!(ratio(Duration::from_secs(3), Duration::ZERO), "-");
    }
}
