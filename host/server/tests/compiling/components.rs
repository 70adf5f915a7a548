//! Components of a few lines.

use std::fmt::Write as _;

/// A component with what every provider has, and these fields. Whether the types
/// fit is not asked before it is linked.
pub(crate) fn component(fields: &str) -> Vec<u8> {
    let component = format!(
        r#"(component {fields} (instance $i)
            (export "portcullis:provider/provider@0.1.0" (instance $i))
            (export "portcullis:provider/actions@0.1.0" (instance $i)))"#
    );
    wat::parse_str(component).unwrap()
}

pub(crate) fn small() -> Vec<u8> {
    component("(core module (func (export \"f\") (result i32) (i32.const 1)))")
}

/// One function within all bounds, whose many variables live through as many
/// branches: to compile it takes far more than to write it.
pub(crate) fn hard() -> Vec<u8> {
    const VARIABLES: usize = 2_000;
    const BRANCHES: usize = 20_000;
    let mut body = String::new();
    for branch in 0..BRANCHES {
        let (from, to) = (branch * 7 % VARIABLES, branch * 13 % VARIABLES);
        let _ = write!(
            body,
            "(if (local.get {from}) (then (local.set {to} \
             (i32.add (local.get {from}) (local.get {to})))))"
        );
    }
    let variables = "i32 ".repeat(VARIABLES);
    component(&format!(
        "(core module (func (param i32) (local {variables}) {body}))"
    ))
}
