//! What a version asks of the host: where it calls, with what, and through which
//! interfaces.

use std::collections::{BTreeMap, BTreeSet};

use super::{Effect, ManifestEntry, ManifestPart};
use crate::plugin::{
    ConnectionRequirement, ConnectionType, CredentialRule, Endpoint, PluginManifest, Route,
};

pub(super) fn compare(active: &PluginManifest, candidate: &PluginManifest) -> Vec<ManifestEntry> {
    let mut found = Found::default();
    let (before, after) = (&active.descriptor, &candidate.descriptor);
    let name = |endpoint: &Endpoint| endpoint.name.clone();
    for (before, after) in paired(&before.endpoints, &after.endpoints, name) {
        found.endpoint(before, after);
    }
    let scope = |requirement: &ConnectionRequirement| requirement.scope;
    for (before, after) in paired(&before.connections, &after.connections, scope) {
        found.connection(before, after);
    }
    found.names(
        ManifestPart::Import,
        None,
        &active.imports,
        &candidate.imports,
    );
    found.names(ManifestPart::Wasi, None, &active.wasi, &candidate.wasi);
    found.memory(before.asks.memory_mib, after.asks.memory_mib);
    found.entries
}

/// What has the same key on both sides, in the order of the keys.
fn paired<'a, T, K: Ord>(
    before: &'a [T],
    after: &'a [T],
    key: impl Fn(&T) -> K,
) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let mut pairs: BTreeMap<K, (Option<&T>, Option<&T>)> = BTreeMap::new();
    for item in before {
        pairs.entry(key(item)).or_default().0 = Some(item);
    }
    for item in after {
        pairs.entry(key(item)).or_default().1 = Some(item);
    }
    pairs.into_values().collect()
}

#[derive(Default)]
struct Found {
    entries: Vec<ManifestEntry>,
}

impl Found {
    fn endpoint(&mut self, before: Option<&Endpoint>, after: Option<&Endpoint>) {
        let Some(either) = before.or(after) else {
            return;
        };
        let of = Some(either.name.as_str());
        let base = |endpoint: &Endpoint| endpoint.base_url.to_string();
        match (before.map(base), after.map(base)) {
            (None, Some(after)) => self.added(ManifestPart::Endpoint, of, after),
            (Some(before), None) => self.removed(ManifestPart::Endpoint, of, before),
            (Some(before), Some(after)) if before != after => {
                self.changed(ManifestPart::BaseUrl, of, before, after);
            }
            _ => {}
        }
        let routes = |it: Option<&Endpoint>| it.map_or(Vec::new(), |it| it.routes.clone());
        self.routes(of, &routes(before), &routes(after));
        let rules = |it: Option<&Endpoint>| it.map_or(Vec::new(), |it| it.credentials.clone());
        self.credentials(of, &rules(before), &rules(after));
    }

    /// A route under one that there was is nothing new, and one that stays allowed
    /// is nothing less.
    fn routes(&mut self, of: Option<&str>, before: &[Route], after: &[Route]) {
        let names = |routes: &[Route]| routes.iter().map(Route::to_string).collect();
        let (had, has): (BTreeSet<_>, BTreeSet<_>) = (names(before), names(after));
        let without = |routes: &[Route], named: &BTreeSet<String>, covering: &[Route]| {
            let mut others: BTreeMap<String, bool> = BTreeMap::new();
            for route in routes {
                let name = route.to_string();
                if !named.contains(&name) {
                    let is_covered = covering.iter().any(|broad| broad.covers(route));
                    others.insert(name, is_covered);
                }
            }
            others
        };
        let effect = |is_covered, effect| if is_covered { Effect::Neutral } else { effect };
        for (name, is_covered) in without(after, &had, before) {
            let effect = effect(is_covered, Effect::New);
            let entry = ManifestEntry::added(ManifestPart::Route, of, name.into(), effect);
            self.entries.push(entry);
        }
        for (name, is_covered) in without(before, &has, after) {
            let effect = effect(is_covered, Effect::Narrowing);
            let entry = ManifestEntry::removed(ManifestPart::Route, of, name.into(), effect);
            self.entries.push(entry);
        }
    }

    fn credentials(
        &mut self,
        of: Option<&str>,
        before: &[CredentialRule],
        after: &[CredentialRule],
    ) {
        let shown = |rule: &CredentialRule| format!("{} as {}", rule.connection, rule.form);
        for pair in paired(before, after, |rule| rule.connection) {
            match pair {
                (None, Some(after)) => self.added(ManifestPart::Credential, of, shown(after)),
                (Some(before), None) => self.removed(ManifestPart::Credential, of, shown(before)),
                (Some(before), Some(after)) if before != after => {
                    self.changed(ManifestPart::Credential, of, shown(before), shown(after));
                }
                _ => {}
            }
        }
    }

    fn connection(
        &mut self,
        before: Option<&ConnectionRequirement>,
        after: Option<&ConnectionRequirement>,
    ) {
        let Some(either) = before.or(after) else {
            return;
        };
        let of = Some(either.scope.as_str());
        match (before, after) {
            (None, Some(after)) => self.added(ManifestPart::Connection, of, needed(after)),
            (Some(before), None) => self.removed(ManifestPart::Connection, of, needed(before)),
            (Some(before), Some(after)) => self.changed_connection(of, before, after),
            (None, None) => {}
        }
        let types = |it: Option<&ConnectionRequirement>| -> BTreeSet<String> {
            let types = it.into_iter().flat_map(|it| &it.types);
            types.map(ToString::to_string).collect()
        };
        self.names(
            ManifestPart::ConnectionType,
            of,
            &types(before),
            &types(after),
        );
        let scopes = |it: Option<&ConnectionRequirement>| -> BTreeSet<String> {
            it.into_iter().flat_map(|it| it.scopes.clone()).collect()
        };
        self.names(
            ManifestPart::OAuthScope,
            of,
            &scopes(before),
            &scopes(after),
        );
    }

    fn changed_connection(
        &mut self,
        of: Option<&str>,
        before: &ConnectionRequirement,
        after: &ConnectionRequirement,
    ) {
        if before.optional != after.optional {
            let values = (needed(before).into(), needed(after).into());
            let effect = if after.optional {
                Effect::Narrowing
            } else {
                Effect::New
            };
            let entry = ManifestEntry::changed(ManifestPart::Needed, of, values, effect);
            self.entries.push(entry);
        }
        // Which of the ways is preferred; those that came or went are told apart.
        let common = |one: &[ConnectionType], other: &[ConnectionType]| {
            let common = one.iter().filter(|kind| other.contains(kind));
            common
                .map(|kind| kind.as_str())
                .collect::<Vec<_>>()
                .join(", ")
        };
        let preferred = common(&before.types, &after.types);
        let prefers = common(&after.types, &before.types);
        if preferred != prefers {
            self.changed(ManifestPart::ConnectionType, of, preferred, prefers);
        }
        match (before.preset.clone(), after.preset.clone()) {
            (before, after) if before == after => {}
            (before, after) => {
                let shown = |preset: Option<String>| preset.unwrap_or_else(|| "none".to_owned());
                self.changed(ManifestPart::Preset, of, shown(before), shown(after));
            }
        }
    }

    /// The gateway's default may be more or less than any number, so whoever asks
    /// for one at all asks for something new.
    fn memory(&mut self, before: Option<u32>, after: Option<u32>) {
        let shown = |mib: u32| format!("{mib} MiB");
        match (before, after) {
            (None, Some(after)) => self.added(ManifestPart::Memory, None, shown(after)),
            (Some(before), None) => self.removed(ManifestPart::Memory, None, shown(before)),
            (Some(before), Some(after)) if before != after => {
                let effect = if after < before {
                    Effect::Narrowing
                } else {
                    Effect::New
                };
                let values = (shown(before).into(), shown(after).into());
                let entry = ManifestEntry::changed(ManifestPart::Memory, None, values, effect);
                self.entries.push(entry);
            }
            _ => {}
        }
    }

    /// Compares sets: what is more is new, what is less is less.
    fn names(
        &mut self,
        part: ManifestPart,
        of: Option<&str>,
        before: &BTreeSet<String>,
        after: &BTreeSet<String>,
    ) {
        for name in after.difference(before) {
            self.added(part, of, name.clone());
        }
        for name in before.difference(after) {
            self.removed(part, of, name.clone());
        }
    }

    fn added(&mut self, part: ManifestPart, of: Option<&str>, after: String) {
        let entry = ManifestEntry::added(part, of, after.into(), Effect::New);
        self.entries.push(entry);
    }

    fn removed(&mut self, part: ManifestPart, of: Option<&str>, before: String) {
        let entry = ManifestEntry::removed(part, of, before.into(), Effect::Narrowing);
        self.entries.push(entry);
    }

    fn changed(&mut self, part: ManifestPart, of: Option<&str>, before: String, after: String) {
        let values = (before.into(), after.into());
        let entry = ManifestEntry::changed(part, of, values, Effect::New);
        self.entries.push(entry);
    }
}

fn needed(requirement: &ConnectionRequirement) -> String {
    let needed = if requirement.optional {
        "optional"
    } else {
        "required"
    };
    needed.to_owned()
}
