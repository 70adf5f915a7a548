//! Cutting one value down to its share.

use serde_json::{Map, Value};

use super::measure::Measured;
use super::omitted::{Omitted, description};
use super::share::{Claim, Shares};
use super::{OMITTED, TRUNCATED, work};
use crate::json;
use crate::redact::REDACTED;

/// `"_truncated":true`.
pub(super) const MARK_BYTES: usize = TRUNCATED.len() + 2 + ":true".len();

/// Containers this deep are emptied when they must be cut: no agent reads on,
/// and recursion stays bounded.
const MAX_DEPTH: usize = 64;

/// Up to this many members left out of one object are told one by one.
const MAX_MEMBERS_TOLD: usize = 8;

/// Cuts the value that was measured.
pub(super) struct Pruner<'m> {
    measured: &'m Measured,
    omitted: Omitted,
    /// Where we are, for pointers; its length is the depth.
    path: Vec<Step>,
}

enum Step {
    Key(String),
    Index(usize),
}

/// A member of an object that is being cut.
struct Member {
    key: String,
    value: Value,
    node: usize,
    /// Key, colon and comma.
    frame: usize,
    claim: Claim,
}

impl<'m> Pruner<'m> {
    pub(super) fn new(measured: &'m Measured) -> Self {
        Self {
            measured,
            omitted: Omitted::default(),
            path: Vec::new(),
        }
    }

    pub(super) fn into_omitted(self) -> Omitted {
        self.omitted
    }

    /// Cuts a root that is an object.
    pub(super) fn cut_root_object(
        &mut self,
        members: Map<String, Value>,
        budget: usize,
    ) -> Map<String, Value> {
        self.cut_object(members, 0, budget, &[TRUNCATED, OMITTED]).0
    }

    /// Cuts a root that need not be an object.
    pub(super) fn cut_root_value(&mut self, value: Value, budget: usize) -> Value {
        self.fit(value, 0, budget).0
    }

    /// Returns what fits of `value` into `budget`, and the bytes it takes.
    fn fit(&mut self, value: Value, node: usize, budget: usize) -> (Value, usize) {
        work::steps(1);
        let bytes = self.measured.node(node).bytes;
        if bytes <= budget {
            return (value, bytes);
        }
        match value {
            Value::String(text) => self.cut_text(&text, budget),
            Value::Array(items) => self.cut_array(items, node, budget),
            Value::Object(members) => {
                let (members, bytes) = self.cut_object(members, node, budget, &[TRUNCATED]);
                (Value::Object(members), bytes)
            }
            // A share is at least 64 bytes, and no number is that long.
            atom => (atom, bytes),
        }
    }

    fn fit_at(&mut self, step: Step, value: Value, node: usize, budget: usize) -> (Value, usize) {
        self.path.push(step);
        let fitted = self.fit(value, node, budget);
        self.path.pop();
        fitted
    }

    fn cut_text(&mut self, text: &str, budget: usize) -> (Value, usize) {
        let mut bytes = 2;
        let fits = |c: &char| {
            bytes += json::escaped_char_len(*c);
            bytes <= budget
        };
        let head: String = text.chars().take_while(fits).collect();
        work::steps(head.len());
        let head = without_part_of_marker(text, head);
        let (len, kept) = (text.len(), head.len());
        self.record(len - kept, || {
            format!("string of {len} bytes, first {kept} kept")
        });
        let bytes = json::string_len(&head);
        (Value::String(head), bytes)
    }

    /// Keeps the head: as many items as there is room for their essence.
    fn cut_array(&mut self, items: Vec<Value>, node: usize, budget: usize) -> (Value, usize) {
        // Every item takes a comma but the first.
        let available = (budget + 1).saturating_sub("[]".len());
        let claims = self.head_claims(items.len(), node, available);
        let count = items.len();
        work::steps(count);
        let mut shares = Shares::new(&claims, available - claims.len());
        let mut items = items.into_iter();
        let mut kept = Vec::with_capacity(claims.len());
        let mut bytes = "[]".len() + claims.len().saturating_sub(1);
        let mut kept_of_whole = 0;
        let children = self.measured.children(node).enumerate();
        for ((claim, (index, child)), item) in claims.into_iter().zip(children).zip(&mut items) {
            kept_of_whole += claim.bytes;
            let (item, used) = self.fit_at(Step::Index(index), item, child, shares.next(claim));
            shares.used(claim, used);
            bytes += used;
            kept.push(item);
        }
        items.for_each(json::discard);
        if kept.len() < count {
            let lost = self.measured.node(node).bytes - kept_of_whole;
            self.record(lost, || format!("{} of {count} items kept", kept.len()));
        }
        (Value::Array(kept), bytes)
    }

    /// The claims of the items that are kept.
    fn head_claims(&self, count: usize, node: usize, available: usize) -> Vec<Claim> {
        if self.path.len() >= MAX_DEPTH {
            return Vec::new();
        }
        let mut left = available;
        self.measured
            .children(node)
            .take(count)
            .map(|child| Claim::of(self.measured.node(child), available))
            .map_while(|claim| {
                left = left.checked_sub(claim.floor + 1)?;
                Some(claim)
            })
            .collect()
    }

    /// Keeps as many members as there is room for their essence, the small ones
    /// first, in their order; `replaced` are the names that are ours here.
    fn cut_object(
        &mut self,
        members: Map<String, Value>,
        node: usize,
        budget: usize,
        replaced: &[&str],
    ) -> (Map<String, Value>, usize) {
        let mut bytes = "{}".len() + MARK_BYTES;
        let available = budget.saturating_sub(bytes);
        let members = self.members(members, node, available, replaced);
        let count = members.len();
        let (kept, dropped) = self.select(members, available);
        self.record_dropped(dropped, count);

        let frames: usize = kept.iter().map(|member| member.frame).sum();
        let claims: Vec<Claim> = kept.iter().map(|member| member.claim).collect();
        let mut shares = Shares::new(&claims, available - frames);
        let mut cut = Map::with_capacity(kept.len() + 2);
        cut.insert(TRUNCATED.to_owned(), Value::Bool(true));
        for member in kept {
            let (key, claim) = (member.key, member.claim);
            let step = Step::Key(key.clone());
            let (value, used) = self.fit_at(step, member.value, member.node, shares.next(claim));
            shares.used(claim, used);
            bytes += member.frame + used;
            cut.insert(key, value);
        }
        (cut, bytes)
    }

    /// The members of the object `node`, without those that ours replace.
    fn members(
        &self,
        members: Map<String, Value>,
        node: usize,
        available: usize,
        replaced: &[&str],
    ) -> Vec<Member> {
        work::steps(members.len());
        let mut kept = Vec::with_capacity(members.len());
        for ((key, value), node) in members.into_iter().zip(self.measured.children(node)) {
            if replaced.contains(&key.as_str()) {
                json::discard(value);
                continue;
            }
            kept.push(Member {
                frame: json::string_len(&key) + ":,".len(),
                claim: Claim::of(self.measured.node(node), available),
                key,
                value,
                node,
            });
        }
        kept
    }

    /// Splits members into those that are kept and those that are left out.
    fn select(&self, members: Vec<Member>, available: usize) -> (Vec<Member>, Vec<Member>) {
        if self.path.len() >= MAX_DEPTH {
            return (Vec::new(), members);
        }
        let mut left = available;
        let mut by_size: Vec<_> = members.into_iter().enumerate().collect();
        by_size.sort_by_key(|(_, member)| member.frame + member.claim.floor);
        let fitting = by_size
            .iter()
            .take_while(|(_, member)| {
                let rest = left.checked_sub(member.frame + member.claim.floor);
                left = rest.unwrap_or(left);
                rest.is_some()
            })
            .count();
        let dropped = by_size.split_off(fitting);
        (in_order(by_size), in_order(dropped))
    }

    /// Tells of each member that is left out, or of all at once if there are many.
    fn record_dropped(&mut self, dropped: Vec<Member>, count: usize) {
        if dropped.len() > MAX_MEMBERS_TOLD {
            let lost = dropped.iter().map(|m| m.frame + m.claim.bytes).sum();
            let kept = count - dropped.len();
            self.record(lost, || format!("{kept} of {count} keys kept"));
        }
        let tell_each = dropped.len() <= MAX_MEMBERS_TOLD;
        for member in dropped {
            if tell_each {
                let what = description(&member.value);
                self.path.push(Step::Key(member.key));
                self.record(member.frame + member.claim.bytes, || what);
                self.path.pop();
            }
            json::discard(member.value);
        }
    }

    fn record(&mut self, lost: usize, what: impl FnOnce() -> String) {
        let path = &self.path;
        self.omitted.record(lost, || (pointer(path), what()));
    }
}

/// A head that ends within [`REDACTED`] ends before it: half of the mark would
/// look like something of the text.
fn without_part_of_marker(text: &str, mut head: String) -> String {
    let first = head.len().saturating_sub(REDACTED.len() - 1);
    let is_cut = |start: &usize| {
        let rest = text.get(*start..);
        rest.is_some_and(|rest| rest.starts_with(REDACTED))
    };
    if let Some(start) = (first..head.len()).find(is_cut) {
        head.truncate(start);
    }
    head
}

fn in_order(mut members: Vec<(usize, Member)>) -> Vec<Member> {
    members.sort_unstable_by_key(|(position, _)| *position);
    members.into_iter().map(|(_, member)| member).collect()
}

fn pointer(path: &[Step]) -> String {
    let mut pointer = String::new();
    for step in path {
        match step {
            Step::Key(key) => json::push_pointer(&mut pointer, key),
            Step::Index(index) => json::push_pointer(&mut pointer, &index.to_string()),
        }
    }
    pointer
}
