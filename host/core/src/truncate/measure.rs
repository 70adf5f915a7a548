//! One pass over a value that measures every subtree.

use serde_json::Value;

use super::prune::MARK_BYTES;
use super::work;
use crate::json;

/// The least a subtree may be cut to; it is left out rather than cut further.
/// More than any number takes, and than `{"_truncated":true}`.
pub(super) const MIN_SHARE: usize = 64;

/// What is essential of a string or an array: enough to recognize it by.
const ESSENTIAL_BYTES: usize = 128;

/// What is essential of an object at most, so that one with very many members
/// does not push out its siblings.
const MAX_ESSENTIAL_OBJECT: usize = 1_024;

/// The sizes of all subtrees, in the order of the text: the first child of a
/// node follows it, the next sibling follows its last descendant.
pub(super) struct Measured {
    nodes: Vec<Node>,
}

/// One subtree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Node {
    /// Its compact serialized text.
    pub(super) bytes: usize,
    /// What it takes to keep all its small values and something of the large
    /// ones; at least `min(bytes, MIN_SHARE)`, at most `bytes`.
    pub(super) essential: usize,
    /// How many nodes it has, itself included.
    nodes: usize,
    parent: Option<usize>,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Atom,
    Text,
    Array,
    Object,
}

impl Measured {
    /// Measures without recursing: values may be nested to any depth.
    pub(super) fn of(root: &Value) -> Self {
        let mut nodes = Vec::new();
        let mut pending = vec![(root, None)];
        while let Some((value, parent)) = pending.pop() {
            let here = Some(nodes.len());
            let node = Node::of(value, parent);
            // As long as it took to measure.
            work::steps(node.bytes);
            nodes.push(node);
            match value {
                Value::Array(items) => pending.extend(items.iter().rev().map(|v| (v, here))),
                Value::Object(members) => {
                    pending.extend(members.values().rev().map(|v| (v, here)));
                }
                _ => {}
            }
        }
        add_up(&mut nodes);
        Self { nodes }
    }

    pub(super) fn root_bytes(&self) -> usize {
        self.node(0).bytes
    }

    pub(super) fn node(&self, index: usize) -> Node {
        *self
            .nodes
            .get(index)
            .expect("an index comes from walking the value that was measured")
    }

    /// The indices of the children of `index`, in order. The caller has the
    /// value and knows how many there are.
    pub(super) fn children(&self, index: usize) -> impl Iterator<Item = usize> {
        let first = index + 1;
        std::iter::successors(Some(first), |child| Some(child + self.node(*child).nodes))
    }
}

impl Node {
    fn of(value: &Value, parent: Option<usize>) -> Self {
        let own = json::own_len(value);
        let (kind, essential) = match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => (Kind::Atom, own),
            Value::String(_) => (Kind::Text, own),
            Value::Array(_) => (Kind::Array, own),
            Value::Object(_) => (Kind::Object, own + MARK_BYTES + 1),
        };
        Self {
            bytes: own,
            essential,
            nodes: 1,
            parent,
            kind,
        }
    }

    /// Called when all descendants have been added.
    fn finish(&mut self) {
        let essential = match self.kind {
            Kind::Atom => self.bytes,
            Kind::Text | Kind::Array => ESSENTIAL_BYTES,
            Kind::Object => self.essential.min(MAX_ESSENTIAL_OBJECT),
        };
        self.essential = essential.min(self.bytes);
    }
}

/// Adds every node to its parent. Descendants stand behind their ancestors, so
/// from the back each node is complete when it is reached.
fn add_up(nodes: &mut [Node]) {
    work::steps(nodes.len());
    for index in (0..nodes.len()).rev() {
        let Some((before, [node, ..])) = nodes.split_at_mut_checked(index) else {
            return;
        };
        node.finish();
        if let Some(parent) = node.parent.and_then(|parent| before.get_mut(parent)) {
            parent.bytes += node.bytes;
            parent.essential += node.essential;
            parent.nodes += node.nodes;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::arbitrary::json_value;

    #[track_caller]
    fn check(value: &Value, bytes: usize, essential: usize) {
        let root = Measured::of(value).node(0);
        assert_eq!((root.bytes, root.essential), (bytes, essential), "{value}");
    }

    #[test]
    fn small_values_are_essential_as_a_whole() {
        check(&json!(null), 4, 4);
        check(&json!("\"\n"), 6, 6);
        check(&json!({"a": [1, {}]}), 12, 12);
    }

    #[test]
    fn something_of_large_values_is_essential() {
        check(&json!("x".repeat(1_000)), 1_002, ESSENTIAL_BYTES);
        check(&json!(vec![1; 1_000]), 2_001, ESSENTIAL_BYTES);
        let marked = r#"{"_truncated":true,"id":1,"a":}"#.len() + ESSENTIAL_BYTES;
        check(&json!({"id": 1, "a": "x".repeat(1_000)}), 1_015, marked);
    }

    #[test]
    fn the_essence_of_an_object_is_bounded() {
        let wide: Value = (0..1_000)
            .map(|n| (n.to_string(), json!("twelve bytes")))
            .collect();
        assert_eq!(Measured::of(&wide).node(0).essential, MAX_ESSENTIAL_OBJECT);
    }

    proptest! {
        #[test]
        fn every_subtree_is_measured(value in json_value()) {
            let measured = Measured::of(&value);
            let mut pending = vec![(&value, 0)];
            while let Some((value, index)) = pending.pop() {
                let node = measured.node(index);
                prop_assert_eq!(node.bytes, value.to_string().len());
                prop_assert!(node.essential >= node.bytes.min(MIN_SHARE));
                prop_assert!(node.essential <= node.bytes);
                match value {
                    Value::Array(items) => pending.extend(items.iter().zip(measured.children(index))),
                    Value::Object(members) => {
                        pending.extend(members.values().zip(measured.children(index)));
                    }
                    _ => {}
                }
            }
        }
    }
}
