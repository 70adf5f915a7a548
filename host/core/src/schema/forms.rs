//! Values that must have one of several forms (`anyOf`, `oneOf`) and have none.
//!
//! Which form was meant decides what is worth telling: its violations where one
//! can be recognized, the allowed values where the forms are told apart by one,
//! and else the form that is nearest.

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind as Kind;
use serde_json::Value;

use super::explain::{self, allowed, close_option, expected, found, violation};
use super::words::listed;
use super::{MAX_VIOLATIONS, Violation};

type Branch = Vec<ValidationError<'static>>;

/// The violations behind the fact that none of the forms fits.
pub(super) fn violations(
    schema: &Value,
    error: &ValidationError<'_>,
    branches: &[Branch],
) -> Vec<Violation> {
    let meant: Vec<_> = branches.iter().filter(|b| is_meant(b, error)).collect();
    if let [branch] = meant.as_slice() {
        return explain_all(schema, branch);
    }
    if let Some(told) = in_a_sentence(error, branches) {
        return vec![violation(error, None, told)];
    }
    if let Some(told) = by_a_constant(error, branches) {
        return vec![told];
    }
    nearest(schema, error, branches)
}

/// True when the params seem to follow this branch: it is not refused for its
/// type or for a constant, which is how branches are told apart.
fn is_meant(branch: &[ValidationError<'static>], error: &ValidationError<'_>) -> bool {
    !branch.iter().any(|cause| match cause.kind() {
        Kind::Type { .. } | Kind::Enum { .. } => depth(cause, error) == 0,
        Kind::Constant { .. } => depth(cause, error) <= 1,
        _ => false,
    })
}

/// How far below the value in question a cause is.
fn depth(cause: &ValidationError<'_>, error: &ValidationError<'_>) -> usize {
    let here = error.instance_path().as_str();
    let below = cause.instance_path().as_str().strip_prefix(here);
    below.map_or(usize::MAX, |path| path.matches('/').count())
}

/// What the value must be, where each form says it in a few words.
fn in_a_sentence(error: &ValidationError<'_>, branches: &[Branch]) -> Option<String> {
    let causes = branches.iter().map(|branch| match branch.as_slice() {
        [only] if depth(only, error) == 0 => Some(only),
        _ => None,
    });
    must_be(&causes.collect::<Option<Vec<_>>>()?)
}

/// What a property must be, where each form wants another value of it.
fn by_a_constant(error: &ValidationError<'_>, branches: &[Branch]) -> Option<Violation> {
    let first = branches
        .first()?
        .iter()
        .find(|cause| is_tag(cause, error))?;
    let causes = branches.iter().map(|branch| {
        let mut causes = branch.iter().filter(|cause| is_tag(cause, error));
        causes.find(|cause| cause.instance_path() == first.instance_path())
    });
    let told = must_be(&causes.collect::<Option<Vec<_>>>()?)?;
    Some(violation(first, None, told))
}

fn is_tag(cause: &ValidationError<'_>, error: &ValidationError<'_>) -> bool {
    let is_constant = matches!(cause.kind(), Kind::Constant { .. } | Kind::Enum { .. });
    is_constant && depth(cause, error) == 1
}

/// One sentence for causes that are about the same value.
fn must_be(causes: &[&ValidationError<'static>]) -> Option<String> {
    let value = causes.first()?;
    let expected: Option<Vec<_>> = causes.iter().map(|cause| expected(cause.kind())).collect();
    let options = causes.iter().flat_map(|cause| allowed(cause.kind()));
    let close = close_option(value.instance(), options);
    let expected = listed(&expected?, " or ");
    Some(format!("must be {expected}, found {}{close}", found(value)))
}

/// That no form fits, and what separates the value from the nearest: of those
/// that may have been meant the one with the fewest violations, of two the first.
fn nearest(schema: &Value, error: &ValidationError<'_>, branches: &[Branch]) -> Vec<Violation> {
    let count = branches.len();
    let told = format!("must have one of {count} forms and has none");
    let distance = |branch: &Branch| (!is_meant(branch, error), branch.len());
    let nearest = (1..)
        .zip(branches)
        .min_by_key(|(_, branch)| distance(branch));
    let Some((number, branch)) = nearest else {
        return vec![violation(error, None, told)];
    };
    let told = format!("{told}; form {number} is the nearest");
    let mut all = vec![violation(error, None, told)];
    all.extend(explain_all(schema, branch));
    all
}

fn explain_all(schema: &Value, branch: &[ValidationError<'static>]) -> Vec<Violation> {
    let causes = branch.iter();
    causes
        .flat_map(|cause| explain::violations(schema, cause))
        .take(MAX_VIOLATIONS)
        .collect()
}
