//! "Did you mean …?"

/// Longer names are not compared: the cost is quadratic in their length.
const MAX_NAME_BYTES: usize = 60;

/// How many names are compared with a misspelled one.
const MAX_COMPARED: usize = 200;

/// The name that was probably meant: one slip away, or two from a longer name,
/// and with something of the name left. A slip is a letter more, less, other or
/// swapped with its neighbour; upper and lower case are the same.
pub fn nearest<'n>(text: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    if text.len() > MAX_NAME_BYTES {
        return None;
    }
    let lower = text.to_lowercase();
    names
        .into_iter()
        .take(MAX_COMPARED)
        .filter(|name| name.len() <= MAX_NAME_BYTES)
        .map(|name| (strsim::osa_distance(&lower, &name.to_lowercase()), name))
        .filter(|(slips, name)| is_close(*slips, name.chars().count()))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, name)| name)
}

fn is_close(slips: usize, length: usize) -> bool {
    slips <= (length / 3).clamp(1, 2) && slips < length
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        let names = ["title", "id", "description", "a", "list_issues"];
        assert_eq!(nearest(text, names), expected, "{text}");
    }

    #[test]
    fn only_what_is_close_is_suggested() {
        check("titel", Some("title"));
        check("Title", Some("title"));
        check("tilte", Some("title"));
        check("tile", Some("title"));
        check("descripton", Some("description"));
        check("listIssues", Some("list_issues"));
        check("idd", Some("id"));
        check("name", None);
        check("", None);
        check("b", None);
        check("toggle", None);
        check(&"title".repeat(100), None);
    }
}
