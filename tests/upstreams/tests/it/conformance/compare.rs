//! Compares a schema with the one it claims to be a part of.

use apollo_compiler::{
    Name, Node, Schema,
    ast::{FieldDefinition, InputValueDefinition, OperationType},
    collections::IndexMap,
    schema::{Component, ExtendedType},
};

/// What `part` has and `whole` has not, or has otherwise. Empty when every operation that `part`
/// accepts is accepted by `whole` with the same types: `part` may leave out what is optional, and
/// nothing else.
pub(super) fn differences(part: &str, whole: &str) -> Vec<String> {
    let part = Schema::parse(part, "part.graphql").unwrap();
    let whole = Schema::parse(whole, "whole.graphql").unwrap();
    let mut report = Report::default();
    for operation in [OperationType::Query, OperationType::Mutation] {
        if let Some(ours) = part.root_operation(operation) {
            let theirs = whole
                .root_operation(operation)
                .map_or("nothing", |name| name.as_str());
            report.same(&format!("root of {operation}"), ours, theirs);
        }
    }
    for (name, kind) in part.types.iter().filter(|(_, kind)| !kind.is_built_in()) {
        match whole.types.get(name) {
            Some(counterpart) => report.compare_types(name, kind, counterpart),
            None => report.add(format!("{name}: no such type")),
        }
    }
    report.0
}

#[derive(Default)]
struct Report(Vec<String>);

impl Report {
    fn add(&mut self, difference: String) {
        self.0.push(difference);
    }

    fn same(&mut self, what: &str, ours: &str, theirs: &str) {
        if ours != theirs {
            self.add(format!("{what}: {ours} here, {theirs} there"));
        }
    }

    fn compare_types(&mut self, name: &str, ours: &ExtendedType, theirs: &ExtendedType) {
        match (ours, theirs) {
            (ExtendedType::Scalar(_), ExtendedType::Scalar(_)) => {}
            (ExtendedType::Object(ours), ExtendedType::Object(theirs)) => {
                self.compare_fields(name, &ours.fields, &theirs.fields);
                for interface in ours
                    .implements_interfaces
                    .difference(&theirs.implements_interfaces)
                {
                    self.add(format!("{name}: does not implement {interface}"));
                }
            }
            (ExtendedType::Enum(ours), ExtendedType::Enum(theirs)) => {
                for value in ours
                    .values
                    .keys()
                    .filter(|value| !theirs.values.contains_key(*value))
                {
                    self.add(format!("{name}.{value}: no such value"));
                }
            }
            (ExtendedType::InputObject(ours), ExtendedType::InputObject(theirs)) => {
                let ours: Vec<_> = ours.fields.values().map(|field| &field.node).collect();
                let theirs: Vec<_> = theirs.fields.values().map(|field| &field.node).collect();
                self.compare_inputs(name, &ours, &theirs);
            }
            _ => self.add(format!(
                "{name}: another kind of type, or one the comparison does not know"
            )),
        }
    }

    fn compare_fields(
        &mut self,
        name: &str,
        ours: &IndexMap<Name, Component<FieldDefinition>>,
        theirs: &IndexMap<Name, Component<FieldDefinition>>,
    ) {
        for (field, ours) in ours {
            let place = format!("{name}.{field}");
            let Some(theirs) = theirs.get(field) else {
                self.add(format!("{place}: no such field"));
                continue;
            };
            if theirs.directives.has("deprecated") {
                self.add(format!("{place}: deprecated"));
            }
            self.same(&place, &ours.ty.to_string(), &theirs.ty.to_string());
            let arguments = ours.arguments.iter().collect::<Vec<_>>();
            self.compare_inputs(
                &place,
                &arguments,
                &theirs.arguments.iter().collect::<Vec<_>>(),
            );
        }
    }

    /// Arguments of a field or fields of an input object.
    fn compare_inputs(
        &mut self,
        place: &str,
        ours: &[&Node<InputValueDefinition>],
        theirs: &[&Node<InputValueDefinition>],
    ) {
        for input in ours {
            match theirs.iter().find(|their| their.name == input.name) {
                Some(their) => {
                    let place = format!("{place}({})", input.name);
                    self.same(&place, &input.ty.to_string(), &their.ty.to_string());
                }
                None => self.add(format!("{place}({}): no such input", input.name)),
            }
        }
        let is_missing = |name: &Name| !ours.iter().any(|input| input.name == *name);
        for their in theirs
            .iter()
            .filter(|their| their.is_required() && is_missing(&their.name))
        {
            self.add(format!(
                "{place}({}): required there, missing here",
                their.name
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::differences;

    const WHOLE: &str = "
        type Query { thing(id: ID!, size: Size): Thing! things(first: Int): [Thing!]! }
        type Thing { id: ID! name: String old: Int @deprecated at: Time! }
        input ThingInput { name: String! note: String }
        enum Size { small large }
        scalar Time
        type Mutation { make(input: ThingInput!): Thing }
    ";

    fn check(part: &str, expected: &[&str]) {
        let found = differences(part, WHOLE);
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn a_part_that_leaves_out_what_is_optional_conforms() {
        check(
            "type Query { thing(id: ID!): Thing! }
             type Thing { id: ID! at: Time! }
             scalar Time
             enum Size { large }
             input ThingInput { name: String! }",
            &[],
        );
    }

    #[test]
    fn unknown_names_are_differences() {
        check("type Query { other: Int }", &["Query.other: no such field"]);
        check(
            "type Query { things: [Thing!]! } type Thing { size: Int }",
            &["Thing.size: no such field"],
        );
        check(
            "type Query { things(last: Int): [Thing!]! } type Thing { id: ID! }",
            &["Query.things(last): no such input"],
        );
        check("type Other { id: ID! }", &["Other: no such type"]);
        check("enum Size { medium }", &["Size.medium: no such value"]);
        check(
            "input ThingInput { name: String! colour: String }",
            &["ThingInput(colour): no such input"],
        );
    }

    #[test]
    fn another_type_or_nullability_is_a_difference() {
        check("type Thing { name: String! }", &["Thing.name: "]);
        check("type Thing { id: String! }", &["Thing.id: "]);
        check(
            "type Query { things(first: Float): [Int!]! }",
            &["Query.things: ", "Query.things(first): "],
        );
        check("input Thing { id: ID! }", &["Thing: another kind of type"]);
    }

    #[test]
    fn leaving_out_what_is_required_is_a_difference() {
        check(
            "input ThingInput { note: String }",
            &["ThingInput(name): required there"],
        );
        check(
            "type Query { thing: Thing! }",
            &["Query.thing(id): required there"],
        );
    }

    #[test]
    fn deprecated_fields_are_differences() {
        check("type Thing { old: Int }", &["Thing.old: deprecated"]);
    }

    #[test]
    fn another_root_is_a_difference() {
        check(
            "schema { query: Thing } type Thing { id: ID! }",
            &["root of query"],
        );
    }
}
