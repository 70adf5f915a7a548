//! Results of the shapes that providers answer with, and of the worst ones.

use std::fmt::Write as _;

/// Makes JSON text of about so many bytes.
pub(crate) type Shape = fn(usize) -> String;

pub(crate) const SHAPES: &[(&str, Shape)] = &[
    ("a page of issues", issues),
    ("one huge text", text),
    ("deep nesting", deep),
    ("a wide array", wide_array),
    ("a wide object", wide_object),
];

/// Well within the 128 levels that `serde_json` reads.
const DEPTH: usize = 100;

/// `{"<key>":[item,item,…]}`, until there are enough bytes.
fn list(bytes: usize, mut item: impl FnMut(&mut String, usize)) -> String {
    let mut text = String::from("{\"items\":[");
    let mut number = 0;
    while text.len() < bytes {
        if number > 0 {
            text.push(',');
        }
        item(&mut text, number);
        number += 1;
    }
    text.push_str("]}");
    text
}

fn issues(bytes: usize) -> String {
    list(bytes, |text, number| {
        let _ = write!(
            text,
            r#"{{"id":"9c1a6f0e-6a3b-4b43-9d0b-{number:012}","identifier":"ENG-{number}","title":"Login hangs after the second factor is sent","priority":{},"estimate":null,"archived":false,"state":{{"id":"57a00000-0000-4000-8000-000000000001","name":"In Progress"}},"labels":["bug","login"],"description":"Steps:\n1. Open the page.\n2. Enter a code — nothing happens.\n","updatedAt":"2026-11-20T10:15:30.123Z"}}"#,
            number % 5,
        );
    })
}

/// Markdown with line breaks, quotes and letters of several bytes.
fn text(bytes: usize) -> String {
    let line = "The gate closes when the key is “turned”, says \\\"Ada\\\" — naïvely.\\n";
    let mut text = String::from("{\"body\":\"");
    while text.len() < bytes {
        text.push_str(line);
    }
    text.push_str("\"}");
    text
}

fn deep(bytes: usize) -> String {
    list(bytes, |text, number| {
        for level in 0..DEPTH {
            let _ = write!(text, r#"{{"level":{level},"below":"#);
        }
        let _ = write!(text, "{number}");
        text.push_str(&"}".repeat(DEPTH));
    })
}

fn wide_array(bytes: usize) -> String {
    list(bytes, |text, number| {
        let _ = write!(text, "{number}");
    })
}

fn wide_object(bytes: usize) -> String {
    let mut text = String::from("{\"first\":0");
    let mut number = 0_usize;
    while text.len() < bytes {
        let _ = write!(text, r#","member_{number}":"value {number}""#);
        number += 1;
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_json_of_its_size() {
        for (name, shape) in SHAPES {
            let text = shape(100_000);
            assert!((100_000..102_000).contains(&text.len()), "{name}");
            serde_json::from_str::<serde_json::Value>(&text).unwrap();
        }
    }
}
