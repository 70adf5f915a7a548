//! Tables of a terminal's width.

use comfy_table::{ColumnConstraint, ContentArrangement, Table, Width, presets};

use super::text::one_line;

/// Blanks between two columns.
const GAP: usize = 2;

/// Rows below their headers; where they do not fit, each row as fields.
///
/// Text is wrapped between words and nowhere else: an id, a time or an address is
/// there to be copied whole.
pub(super) fn table(headers: &[&'static str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let widths: Vec<_> = (0..headers.len())
        .map(|column| least_width(headers, rows, column))
        .collect();
    let least = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    if width.is_some_and(|width| usize::from(width) < least) {
        return records(headers, rows, width);
    }
    let mut table = plain(width);
    table.set_header(headers.to_vec());
    for row in rows {
        table.add_row(row.iter().map(|cell| one_line(cell)));
    }
    for (column, least) in table.column_iter_mut().zip(widths) {
        column.set_constraint(at_least(least));
    }
    // The first column says which one it is.
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
    let values = fields.iter().map(|(_, value)| longest_word(value)).max();
    for (column, constraint) in table.column_iter_mut().zip([
        ColumnConstraint::ContentWidth,
        at_least(values.unwrap_or_default()),
    ]) {
        column.set_constraint(constraint);
    }
    rendered(&table)
}

/// Each row as fields of its own, with an empty line between two.
fn records(headers: &[&'static str], rows: &[Vec<String>], width: Option<u16>) -> String {
    let records = rows.iter().map(|row| {
        let names = headers.iter().map(|header| (*header).to_owned());
        let pairs: Vec<_> = names.zip(row.iter().cloned()).collect();
        fields(&pairs, width)
    });
    records.collect::<Vec<_>>().join("\n")
}

/// What a column needs at least. The first is never wrapped.
fn least_width(headers: &[&'static str], rows: &[Vec<String>], column: usize) -> usize {
    let measure = match column {
        0 => |text: &str| one_line(text).chars().count(),
        _ => longest_word,
    };
    let cells = rows.iter().filter_map(|row| row.get(column));
    let header = headers.get(column).map(|header| measure(header));
    cells
        .map(|cell| measure(cell))
        .chain(header)
        .max()
        .unwrap_or_default()
}

fn longest_word(text: &str) -> usize {
    let words = one_line(text);
    let words = words.split(' ').map(|word| word.chars().count());
    words.max().unwrap_or_default()
}

/// A width to which the library does not add the blanks around it.
fn at_least(width: usize) -> ColumnConstraint {
    let width = u16::try_from(width + GAP).unwrap_or(u16::MAX);
    ColumnConstraint::LowerBoundary(Width::Fixed(width))
}

/// A table without lines, so that a row can be copied. Its width is given, never
/// looked up: what it is printed to is the console's business.
fn plain(width: Option<u16>) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table.force_no_tty();
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        // The blanks at both ends are taken off again.
        table.set_width(width.saturating_add(2));
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

    const ID: &str = "6f2c1e9a-3a1d-4c57-9a53-0d3c0b8f7e11";
    const TIME: &str = "2026-11-21T16:43:53Z";

    fn rows() -> Vec<Vec<String>> {
        let row = [ID, "linear", "Fix the build and tell others about it", TIME];
        vec![row.map(str::to_owned).to_vec(); 2]
    }

    const HEADERS: &[&str] = &["ID", "PROVIDER", "TITLE", "CREATED"];

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
    fn no_terminal_is_exceeded_and_no_word_broken() {
        for width in 49..=200 {
            let text = table(HEADERS, &rows(), Some(width));
            for line in text.lines() {
                assert!(
                    line.chars().count() <= usize::from(width),
                    "{width}:\n{text}"
                );
            }
            for word in [ID, TIME, "linear", "Fix", "others"] {
                assert_eq!(text.matches(word).count(), 2, "{width} {word}:\n{text}");
            }
        }
    }

    #[test]
    fn what_does_not_fit_side_by_side_stands_below_each_other() {
        let record = format!(
            "ID        {ID}\nPROVIDER  linear\nTITLE     Fix the build and tell others about it\n\
             CREATED   {TIME}\n"
        );
        assert_eq!(
            table(HEADERS, &rows(), Some(70)),
            format!("{record}\n{record}")
        );
        assert!(table(HEADERS, &rows(), Some(100)).starts_with("ID  "));
    }

    #[test]
    fn a_word_that_is_too_long_is_left_to_the_terminal() {
        let named = [("digest".to_owned(), "0".repeat(71))];
        for width in [1, 20, 80] {
            let text = fields(&named, Some(width));
            assert_eq!(text, format!("digest  {}\n", "0".repeat(71)));
        }
    }
}
