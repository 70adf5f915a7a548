//! What people and agents are told about a provider. Agents obey its guide, so
//! every word of it is reviewed.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Effect, ManifestEntry, ManifestPart};
use crate::plugin::{PluginDescriptor, PluginManifest};

pub(super) fn compare(active: &PluginManifest, candidate: &PluginManifest) -> Vec<ManifestEntry> {
    let (before, after) = (&active.descriptor, &candidate.descriptor);
    let mut found = Vec::new();
    for ((part, before), (_, after)) in words(before).into_iter().zip(words(after)) {
        if before != after {
            let values = (before.into(), after.into());
            found.push(ManifestEntry::changed(part, None, values, Effect::New));
        }
    }
    found.extend(icon(before, after));
    if active.guide != candidate.guide {
        found.extend(guide(&active.guide, &candidate.guide));
    }
    found
}

fn words(descriptor: &PluginDescriptor) -> [(ManifestPart, &str); 3] {
    [
        (ManifestPart::Id, descriptor.id.as_str()),
        (ManifestPart::Name, &descriptor.name),
        (ManifestPart::Description, &descriptor.description),
    ]
}

/// The picture is shown to people only, and beside the name.
fn icon(before: &PluginDescriptor, after: &PluginDescriptor) -> Option<ManifestEntry> {
    let size = |icon: &Option<String>| icon.as_deref().map_or(Value::from("none"), bytes);
    (before.icon != after.icon).then(|| {
        let values = (size(&before.icon), size(&after.icon));
        ManifestEntry::changed(ManifestPart::Icon, None, values, Effect::Neutral)
    })
}

/// How long both are, then the lines that are in one of them only.
fn guide(before: &str, after: &str) -> Vec<ManifestEntry> {
    let values = (bytes(before), bytes(after));
    let whole = ManifestEntry::changed(ManifestPart::Guide, None, values, Effect::New);
    let part = ManifestPart::GuideLine;
    let gone = lines_without(before, after).into_iter();
    let gone = gone.map(|line| ManifestEntry::removed(part, None, line.into(), Effect::New));
    let come = lines_without(after, before).into_iter();
    let come = come.map(|line| ManifestEntry::added(part, None, line.into(), Effect::New));
    std::iter::once(whole).chain(gone).chain(come).collect()
}

/// The lines of a text that the other lacks, in their order, as often as it lacks
/// them.
fn lines_without<'a>(text: &'a str, other: &str) -> Vec<&'a str> {
    let mut others: BTreeMap<&str, usize> = BTreeMap::new();
    for line in other.lines() {
        *others.entry(line).or_default() += 1;
    }
    text.lines()
        .filter(|line| match others.get_mut(line) {
            Some(left) if *left > 0 => {
                *left -= 1;
                false
            }
            _ => !line.trim().is_empty(),
        })
        .collect()
}

fn bytes(text: &str) -> Value {
    format!("{} bytes", text.len()).into()
}
