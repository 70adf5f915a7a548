//! What a component says it is made of: its crates and the revision of its
//! sources.
//!
//! Both are custom sections that whoever built it wrote; nothing proves them but a
//! signature. So they are shown and decide nothing, and what is no list is told
//! and keeps no plugin from being served.

#[cfg(test)]
mod tests;

use serde_json::Value;

use crate::sections;

/// A `CycloneDX` document in JSON.
pub const CRATES_SECTION: &str = "portcullis:sbom";

/// The revision of the sources, as text.
pub const SOURCE_SECTION: &str = "portcullis:source";

/// Bytes of the list; that of a plugin with twenty crates has three thousand.
const MAX_LIST_BYTES: usize = 1 << 20;

/// Crates that are listed.
const MAX_CRATES: usize = 4_000;

/// Characters of a name, a version, a licence or a revision.
const MAX_TEXT_CHARS: usize = 200;

/// What a component says about itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The revision it was built from, with `+changes` behind it where that is not
    /// all, or `unknown`. `None` when it does not say.
    pub revision: Option<String>,
    /// What it consists of besides itself, in the order of the document. `None`
    /// when it does not say.
    pub crates: Option<Vec<Crate>>,
}

/// A crate, or what another language calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crate {
    /// Its name.
    pub name: String,
    /// Its version; empty when it has none.
    pub version: String,
    /// An address that scanners know it by, such as `pkg:cargo/serde@1.0.229`.
    pub purl: Option<String>,
    /// An SPDX expression.
    pub license: Option<String>,
}

/// Why a section is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what the plugin says it is made of cannot be read: `{section}` {reason}")]
pub struct Unreadable {
    section: &'static str,
    reason: String,
}

/// Reads what a component says about itself, from its outermost level.
pub fn read(bytes: &[u8]) -> Result<Provenance, Unreadable> {
    let list = section(bytes, CRATES_SECTION)?.map(|data| crates(data).map_err(of(CRATES_SECTION)));
    let revision = section(bytes, SOURCE_SECTION)?;
    let revision = revision.map(|data| line(data).map_err(of(SOURCE_SECTION)));
    Ok(Provenance {
        revision: revision.transpose()?,
        crates: list.transpose()?,
    })
}

fn of(section: &'static str) -> impl Fn(String) -> Unreadable {
    move |reason| Unreadable { section, reason }
}

/// The one section of this name. Of two nobody could tell which one to believe.
fn section<'a>(bytes: &'a [u8], name: &'static str) -> Result<Option<&'a [u8]>, Unreadable> {
    let sections = sections::custom(bytes).map_err(|error| of(name)(error.to_string()))?;
    let mut found = sections.iter().filter(|section| section.name == name);
    let first = found.next().map(|section| section.data);
    if found.next().is_some() {
        return Err(of(name)("stands there twice".to_owned()));
    }
    Ok(first)
}

fn line(data: &[u8]) -> Result<String, String> {
    let text = std::str::from_utf8(data).map_err(|error| format!("is not UTF-8: {error}"))?;
    checked(text)
}

fn crates(data: &[u8]) -> Result<Vec<Crate>, String> {
    if data.len() > MAX_LIST_BYTES {
        return Err(format!("has more than {MAX_LIST_BYTES} bytes"));
    }
    let document: Value =
        serde_json::from_slice(data).map_err(|error| format!("is no JSON: {error}"))?;
    if document.get("bomFormat").and_then(Value::as_str) != Some("CycloneDX") {
        return Err("is no CycloneDX document".to_owned());
    }
    let components = match document.get("components") {
        None => &[][..],
        Some(components) => components
            .as_array()
            .ok_or("has components that are no list")?,
    };
    if components.len() > MAX_CRATES {
        return Err(format!("lists more than {MAX_CRATES} crates"));
    }
    components.iter().map(one).collect()
}

fn one(component: &Value) -> Result<Crate, String> {
    let text = |pointer: &str| match component.pointer(pointer) {
        None => Ok(None),
        Some(Value::String(text)) => checked(text).map(Some),
        Some(_) => Err(format!("has a component whose {pointer} is no text")),
    };
    let license = text("/licenses/0/expression")?.or(text("/licenses/0/license/id")?);
    Ok(Crate {
        name: text("/name")?.ok_or("has a component without a name")?,
        version: text("/version")?.unwrap_or_default(),
        purl: text("/purl")?,
        license: license.or(text("/licenses/0/license/name")?),
    })
}

/// Text that fits into a cell and cannot steer what shows it.
fn checked(text: &str) -> Result<String, String> {
    if text.chars().count() > MAX_TEXT_CHARS {
        return Err(format!(
            "has a text of more than {MAX_TEXT_CHARS} characters"
        ));
    }
    if text.chars().any(char::is_control) {
        return Err("has a text with control characters".to_owned());
    }
    Ok(text.to_owned())
}
