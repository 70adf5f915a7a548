//! A schema of params as a list to read: a line for each param, nested ones
//! below.
//!
//! What cannot be said in a line (conditions, say) is left to the schema, and
//! the list says so. The schema is a plugin's: what is followed, nested and
//! listed is bounded.

use std::collections::VecDeque;
use std::fmt::Write as _;

use portcullis_core::schema;
use serde_json::{Map, Value};

use super::markdown::{code, inline};

/// Lines of one list.
const MAX_LINES: usize = 200;

/// Levels below the params themselves.
const MAX_DEPTH: usize = 6;

/// Schemas that are read for one value: its own, and what it refers to.
const MAX_PARTS: usize = 16;

/// Allowed values that are listed.
const MAX_VALUES: usize = 30;

const MAX_DESCRIPTION_BYTES: usize = 400;

/// Keywords that say more than a line can.
const UNTOLD: [&str; 9] = [
    "if",
    "not",
    "dependentSchemas",
    "dependentRequired",
    "contains",
    "prefixItems",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
];

/// The params of a schema, as a list in Markdown. Empty when there are none.
pub(super) fn list(schema: &Value) -> String {
    let mut list = List {
        root: schema,
        text: String::new(),
        lines: 0,
        open: Vec::new(),
        is_partial: false,
    };
    list.members(&Parts::of(schema, schema), 0);
    if list.is_partial {
        list.text
            .push_str("- The schema in `GET /{sessionId}/actions/available` says more.\n");
    }
    list.text
}

/// True when the schema takes nothing but the properties it names.
pub(super) fn is_closed(schema: &Value) -> bool {
    let parts = Parts::of(schema, schema);
    parts.get("additionalProperties") == Some(&Value::Bool(false))
}

struct List<'s> {
    root: &'s Value,
    text: String,
    lines: usize,
    /// The schemas whose members are being listed, to notice when one holds
    /// itself.
    open: Vec<*const Map<String, Value>>,
    is_partial: bool,
}

impl<'s> List<'s> {
    /// Lists what a value of this schema is made of.
    fn members(&mut self, parts: &Parts<'s>, depth: usize) {
        self.is_partial |= UNTOLD.iter().any(|keyword| parts.get(keyword).is_some());
        let own = parts.addresses();
        if depth > MAX_DEPTH || own.iter().any(|part| self.open.contains(part)) {
            self.is_partial = true;
            return;
        }
        let outer = self.open.len();
        self.open.extend(own);
        self.properties(parts, depth);
        self.items(parts, depth);
        self.forms(parts, depth);
        self.open.truncate(outer);
    }

    fn properties(&mut self, parts: &Parts<'s>, depth: usize) {
        let required = parts.required();
        for (name, schema) in parts.objects("properties") {
            let needed = required.contains(&name.as_str());
            self.line(&code(name), needed, schema, depth);
        }
        for (pattern, schema) in parts.objects("patternProperties") {
            let label = format!("properties that match {}", code(pattern));
            self.line(&label, false, schema, depth);
        }
        if let Some(schema @ Value::Object(_)) = parts.get("additionalProperties") {
            self.line("any other property", false, schema, depth);
        }
    }

    /// The items of an array, where there is more to say of them than their type.
    fn items(&mut self, parts: &Parts<'s>, depth: usize) {
        let Some(schema) = parts.get("items") else {
            return;
        };
        let items = Parts::of(schema, self.root);
        if !items.rules().is_empty() || items.description().is_some() || items.has_members() {
            self.line("each item", false, schema, depth);
        }
    }

    /// Several forms that a value may have. One form and null is a value that may
    /// be null; several constants are the allowed values.
    fn forms(&mut self, parts: &Parts<'s>, depth: usize) {
        let forms = parts.forms();
        if forms.len() < 2 || parts.constants().is_some() {
            return;
        }
        for (number, form) in (1..).zip(forms) {
            self.line(&format!("form {number}"), false, form, depth);
        }
    }

    fn line(&mut self, label: &str, required: bool, schema: &'s Value, depth: usize) {
        if self.lines >= MAX_LINES {
            self.is_partial = true;
            return;
        }
        self.lines += 1;
        let parts = Parts::of(schema, self.root);
        let mut facts = vec![parts.kind(self.root, MAX_DEPTH)];
        facts.extend(required.then(|| "required".to_owned()));
        facts.extend(parts.rules());
        facts.retain(|fact| !fact.is_empty());
        let indent = "  ".repeat(depth);
        let _ = write!(self.text, "{indent}- {label}");
        if !facts.is_empty() {
            let _ = write!(self.text, " ({})", facts.join(", "));
        }
        if let Some(description) = parts.description() {
            let _ = write!(
                self.text,
                ": {}",
                inline(description, MAX_DESCRIPTION_BYTES)
            );
        }
        self.text.push('\n');
        self.constants(&parts, depth + 1);
        self.members(&parts, depth + 1);
    }

    /// What each allowed value means, where the schema tells.
    fn constants(&mut self, parts: &Parts<'s>, depth: usize) {
        for (value, description) in parts.constants().into_iter().flatten().take(MAX_VALUES) {
            if let Some(description) = description {
                let indent = "  ".repeat(depth);
                let description = inline(description, MAX_DESCRIPTION_BYTES);
                let _ = writeln!(self.text, "{indent}- {}: {description}", shown(value));
                self.lines += 1;
            }
        }
    }
}

/// The schemas that hold for one value together: its own, what that refers to,
/// and what all of them demand besides.
struct Parts<'s> {
    parts: Vec<&'s Map<String, Value>>,
    nullable: bool,
}

impl<'s> Parts<'s> {
    fn of(schema: &'s Value, root: &'s Value) -> Self {
        let mut found = Self {
            parts: Vec::new(),
            nullable: false,
        };
        let mut pending = VecDeque::from([schema]);
        while let Some(schema) = pending.pop_front() {
            let Value::Object(keywords) = schema else {
                continue;
            };
            let known = found.parts.iter().any(|part| std::ptr::eq(*part, keywords));
            if known || found.parts.len() >= MAX_PARTS {
                continue;
            }
            found.parts.push(keywords);
            let reference = keywords.get("$ref").and_then(Value::as_str);
            pending.extend(reference.and_then(|reference| schema::resolve(reference, root)));
            let all = keywords.get("allOf").and_then(Value::as_array);
            pending.extend(all.into_iter().flatten());
            let forms = forms(keywords);
            found.nullable |= forms.iter().any(|form| is_null(form));
            pending.extend(only(forms));
        }
        found
    }

    /// The first that is said about something: the value's own schema speaks
    /// before those it refers to.
    fn get(&self, keyword: &str) -> Option<&'s Value> {
        self.parts.iter().find_map(|part| part.get(keyword))
    }

    fn addresses(&self) -> Vec<*const Map<String, Value>> {
        let with_members = self.parts.iter().filter(|part| has_members(part));
        with_members.map(|part| std::ptr::from_ref(*part)).collect()
    }

    fn has_members(&self) -> bool {
        self.parts.iter().any(|part| has_members(part))
    }

    fn objects(&self, keyword: &str) -> Vec<(&'s String, &'s Value)> {
        let objects = self
            .parts
            .iter()
            .filter_map(|part| part.get(keyword)?.as_object());
        objects.flatten().collect()
    }

    fn required(&self) -> Vec<&'s str> {
        let lists = self
            .parts
            .iter()
            .filter_map(|part| part.get("required")?.as_array());
        lists.flatten().filter_map(Value::as_str).collect()
    }

    fn description(&self) -> Option<&'s str> {
        let text = self.get("description").or_else(|| self.get("title"))?;
        text.as_str().filter(|text| !text.trim().is_empty())
    }

    /// The forms one of which a value has, null aside.
    fn forms(&self) -> Vec<&'s Value> {
        let forms = self.parts.iter().map(|part| forms(part));
        let mut forms = forms.filter(|forms| only(forms.clone()).is_none());
        let mut forms = forms.find(|forms| !forms.is_empty()).unwrap_or_default();
        forms.retain(|form| !is_null(form));
        forms
    }

    /// The allowed values where each is a form of its own, with what each means.
    fn constants(&self) -> Option<Vec<(&'s Value, Option<&'s str>)>> {
        let forms = self.forms();
        if forms.is_empty() {
            return None;
        }
        let constant = |form: &'s Value| {
            let description = form.get("description").and_then(Value::as_str);
            Some((form.get("const")?, description))
        };
        forms.into_iter().map(constant).collect()
    }

    /// What kind of value it is, such as `array of string or null`.
    fn kind(&self, root: &'s Value, depth: usize) -> String {
        let mut kinds: Vec<String> = match self.get("type") {
            Some(Value::String(name)) => vec![name.clone()],
            Some(Value::Array(names)) => {
                let names = names.iter().filter_map(Value::as_str);
                names.map(str::to_owned).collect()
            }
            _ => self.implied_kind(),
        };
        let items = self.get("items").filter(|_| depth > 0);
        for kind in kinds.iter_mut().filter(|kind| *kind == "array") {
            let of = items.map(|items| Self::of(items, root).kind(root, depth - 1));
            if let Some(of) = of.filter(|of| !of.is_empty()) {
                *kind = format!("array of {of}");
            }
        }
        if self.nullable && kinds.is_empty() {
            return "may be null".to_owned();
        }
        if self.nullable && !kinds.iter().any(|kind| kind == "null") {
            kinds.push("null".to_owned());
        }
        kinds.sort_by_key(|kind| kind == "null");
        kinds.join(" or ")
    }

    fn implied_kind(&self) -> Vec<String> {
        let implied = [("properties", "object"), ("items", "array")];
        let implied = implied
            .iter()
            .find(|(keyword, _)| self.get(keyword).is_some());
        match implied {
            Some((_, kind)) => vec![(*kind).to_owned()],
            None if self.forms().len() > 1 && self.constants().is_none() => {
                vec!["one of the forms below".to_owned()]
            }
            None => Vec::new(),
        }
    }

    /// What is allowed, in a few words each.
    fn rules(&self) -> Vec<String> {
        let mut rules = Vec::new();
        rules.extend(
            self.get("const")
                .map(|value| format!("always {}", shown(value))),
        );
        rules.extend(self.values());
        for (least, most, of) in [
            ("minLength", "maxLength", "characters"),
            ("minimum", "maximum", ""),
            ("minItems", "maxItems", "items"),
            ("minProperties", "maxProperties", "properties"),
        ] {
            let (least, most) = (self.number(least), self.number(most));
            rules.extend(range(least.as_deref(), most.as_deref(), of));
        }
        for (keyword, words) in [
            ("exclusiveMinimum", "more than"),
            ("exclusiveMaximum", "less than"),
            ("multipleOf", "a multiple of"),
        ] {
            rules.extend(
                self.number(keyword)
                    .map(|number| format!("{words} {number}")),
            );
        }
        for (keyword, words) in [("pattern", "matches"), ("format", "format")] {
            let text = self.get(keyword).and_then(Value::as_str);
            rules.extend(text.map(|text| format!("{words} {}", code(text))));
        }
        for (keyword, words) in [
            ("uniqueItems", "no item twice"),
            ("deprecated", "deprecated"),
        ] {
            rules.extend((self.get(keyword) == Some(&Value::Bool(true))).then(|| words.to_owned()));
        }
        rules.extend(
            self.get("default")
                .map(|value| format!("default {}", shown(value))),
        );
        rules
    }

    /// The allowed values.
    fn values(&self) -> Option<String> {
        let constants = || {
            let constants = self.constants()?;
            Some(constants.into_iter().map(|(value, _)| value).collect())
        };
        let listed = self.get("enum").and_then(Value::as_array);
        let values: Vec<&Value> = listed
            .map(|list| list.iter().collect())
            .or_else(constants)?;
        let shown: Vec<String> = values
            .iter()
            .take(MAX_VALUES)
            .map(|value| shown(value))
            .collect();
        let more = match values.len().saturating_sub(MAX_VALUES) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        Some(format!("one of {}{more}", shown.join(", ")))
    }

    fn number(&self, keyword: &str) -> Option<String> {
        match self.get(keyword)? {
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

fn has_members(part: &Map<String, Value>) -> bool {
    ["properties", "patternProperties", "items", "anyOf", "oneOf"]
        .iter()
        .any(|keyword| part.contains_key(*keyword))
        || part
            .get("additionalProperties")
            .is_some_and(Value::is_object)
}

fn forms(part: &Map<String, Value>) -> Vec<&Value> {
    let keywords = ["oneOf", "anyOf"];
    let forms = keywords
        .iter()
        .find_map(|keyword| part.get(*keyword)?.as_array());
    forms.into_iter().flatten().collect()
}

/// The form that is left when null is none: the value has it, or is null.
fn only(mut forms: Vec<&Value>) -> Option<&Value> {
    forms.retain(|form| !is_null(form));
    match *forms.as_slice() {
        [form] => Some(form),
        _ => None,
    }
}

fn is_null(schema: &Value) -> bool {
    schema.get("type").and_then(Value::as_str) == Some("null")
        || schema.get("const").is_some_and(Value::is_null)
}

fn range(least: Option<&str>, most: Option<&str>, of: &str) -> Option<String> {
    let range = match (least, most) {
        (Some("1"), None) if !of.is_empty() => return Some("not empty".to_owned()),
        (Some(least), Some(most)) if least == most => format!("exactly {least}"),
        (Some(least), Some(most)) => format!("{least} to {most}"),
        (Some(least), None) => format!("at least {least}"),
        (None, Some(most)) => format!("at most {most}"),
        (None, None) => return None,
    };
    Some(format!("{range} {of}").trim_end().to_owned())
}

fn shown(value: &Value) -> String {
    code(&value.to_string())
}

#[cfg(test)]
mod tests;
