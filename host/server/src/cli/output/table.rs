//! Tables of a terminal's width.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, presets};

use super::text::one_line;

/// Rows below their headers.
pub(super) fn table(headers: &[&'static str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let mut table = plain(width);
    table.set_header(headers.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    // The first column says which one it is, and is there to be copied whole.
    if let Some(column) = table.column_mut(0) {
        column.set_constraint(ColumnConstraint::ContentWidth);
    }
    rendered(&table)
}

/// Names beside their values.
pub(super) fn fields(fields: &[(String, String)], width: Option<u16>) -> String {
    let mut table = plain(width);
    for (name, value) in fields {
        table.add_row([one_line(name), one_line(value)]);
    }
    rendered(&table)
}

/// A table without lines, so that a row can be copied. Its width is given, never
/// looked up: what it is printed to is the console's business.
fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.force_no_tty();
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(width);
    }
    table
}

/// The lines, without the padding at both ends.
fn rendered(table: &Table) -> String {
    let mut text = String::new();
    for line in table.lines() {
        text += line.strip_prefix(' ').unwrap_or(&line).trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_cells_stay_on_their_line() {
        let rows = [
            vec!["linear".to_owned(), "a\nb".to_owned()],
            vec!["x".to_owned(), "\u{1b}[31m".to_owned()],
        ];
        assert_eq!(
            table(&["ID", "NAME"], &rows, None),
            "ID      NAME\nlinear  a\\nb\nx       \\u{1b}[31m\n"
        );
    }

    #[test]
    fn a_narrow_terminal_is_not_exceeded() {
        let rows = [vec![
            "an-id-of-some-length".to_owned(),
            "many words ".repeat(10),
        ]];
        let text = table(&["ID", "TITLE"], &rows, Some(40));
        assert!(text.lines().count() > 2);
        assert!(text.contains("an-id-of-some-length  many"), "{text}");
        assert!(
            text.lines().all(|line| line.chars().count() <= 40),
            "{text}"
        );
    }
}
