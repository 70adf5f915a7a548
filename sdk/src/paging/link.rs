//! The `Link` header (RFC 8288), as far as paging needs it.

/// As many links of one header are read: an upstream needs two.
const MAX_LINKS: usize = 16;

/// One link.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Link {
    /// Where it leads. A provider cannot go there, but may find a cursor in it.
    pub target: String,
    /// The relation, such as `next` or `previous`.
    pub rel: Option<String>,
    /// Sentry's `results`: false when the page behind the link is empty.
    pub results: Option<bool>,
    /// The `cursor` attribute, else the `cursor` parameter of the target as it stands there.
    pub cursor: Option<String>,
}

/// Reads a header's links; what is not a link is skipped.
///
/// ```
/// use portcullis_sdk::paging::links;
///
/// let header = r#"<https://sentry.io/x/?&cursor=0:50:0>; rel="next"; results="true"; cursor="0:50:0""#;
/// assert_eq!(links(header)[0].cursor.as_deref(), Some("0:50:0"));
/// ```
pub fn links(header: &str) -> Vec<Link> {
    split(header, ',')
        .into_iter()
        .filter_map(link)
        .take(MAX_LINKS)
        .collect()
}

fn link(text: &str) -> Option<Link> {
    let mut parts = split(text, ';').into_iter();
    let target = parts.next()?.trim().strip_prefix('<')?.strip_suffix('>')?;
    let mut link = Link {
        target: target.to_owned(),
        ..Link::default()
    };
    for (name, value) in parts.filter_map(attribute) {
        match name.to_ascii_lowercase().as_str() {
            "rel" => link.rel = Some(value.to_owned()),
            "results" => link.results = Some(value != "false"),
            "cursor" => link.cursor = Some(value.to_owned()),
            _ => {}
        }
    }
    link.cursor = link.cursor.or_else(|| cursor_in(target));
    Some(link)
}

fn attribute(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    Some((name.trim(), value.trim().trim_matches('"')))
}

fn cursor_in(target: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let parameters = query
        .split('&')
        .filter_map(|parameter| parameter.split_once('='));
    parameters
        .into_iter()
        .find(|(name, _)| *name == "cursor")
        .map(|(_, value)| value.to_owned())
}

/// Splits at separators that are neither in quotes nor between angle brackets.
fn split(text: &str, separator: char) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut rest, mut quoted, mut bracketed) = (text, false, false);
    let mut position = 0;
    while let Some(character) = rest.get(position..).and_then(|tail| tail.chars().next()) {
        match character {
            '"' if !bracketed => quoted = !quoted,
            '<' if !quoted => bracketed = true,
            '>' if !quoted => bracketed = false,
            _ if character == separator && !quoted && !bracketed => {
                let (part, tail) = rest.split_at(position);
                parts.push(part);
                rest = tail.get(separator.len_utf8()..).unwrap_or_default();
                position = 0;
                continue;
            }
            _ => {}
        }
        position += character.len_utf8();
    }
    parts.push(rest);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTRY: &str = concat!(
        r#"<https://sentry.io/api/0/organizations/acme/issues/?&cursor=0:0:1>; rel="previous"; "#,
        r#"results="false"; cursor="0:0:1", "#,
        r#"<https://sentry.io/api/0/organizations/acme/issues/?&cursor=0:25:0>; rel="next"; "#,
        r#"results="true"; cursor="0:25:0""#,
    );

    #[test]
    fn sentrys_links_are_read() {
        let links = links(SENTRY);

        assert_eq!(links.len(), 2);
        assert_eq!(links[0].results, Some(false));
        assert_eq!(links[1].rel.as_deref(), Some("next"));
        assert_eq!(links[1].cursor.as_deref(), Some("0:25:0"));
    }

    #[test]
    fn separators_in_targets_and_quotes_do_not_split() {
        let links = links(r#"<https://x.example/?a=1,2;3>; title="one, two; three"; rel=next"#);

        assert_eq!(links.len(), 1);
        assert_eq!(links[0].target, "https://x.example/?a=1,2;3");
        assert_eq!(links[0].rel.as_deref(), Some("next"));
    }

    #[test]
    fn a_cursor_may_stand_in_the_target() {
        let links = links("<https://x.example/?page=2&cursor=abc>; rel=\"next\"");

        assert_eq!(links[0].cursor.as_deref(), Some("abc"));
        assert_eq!(links[0].results, None);
    }

    #[test]
    fn what_is_not_a_link_is_skipped() {
        for header in ["", ",", "next", "<unclosed; rel=next", "\"", "é, ü"] {
            assert_eq!(links(header), [], "{header:?}");
        }
    }

    #[test]
    fn the_number_of_links_is_bounded() {
        let header = vec!["<https://x.example/>; rel=next"; 1_000].join(",");

        assert_eq!(links(&header).len(), MAX_LINKS);
    }
}
