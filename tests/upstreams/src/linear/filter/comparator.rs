//! Comparisons of single values.

use async_graphql::{ID, InputObject};

use crate::linear::{
    scalars::{DateTime, DateTimeOrDuration},
    schema::Issue,
};

/// Compares ids.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "IDComparator")]
pub(crate) struct IdComparator {
    eq: Option<ID>,
    neq: Option<ID>,
    #[graphql(name = "in")]
    any_of: Option<Vec<ID>>,
    #[graphql(name = "nin")]
    none_of: Option<Vec<ID>>,
}

/// Compares ids or identifiers of issues.
#[derive(Debug, Default, InputObject)]
#[graphql(name = "IssueIDComparator")]
pub(crate) struct IssueIdComparator {
    #[graphql(flatten)]
    id: IdComparator,
}

/// Compares texts.
#[derive(Debug, Default, InputObject)]
pub(crate) struct StringComparator {
    eq: Option<String>,
    neq: Option<String>,
    #[graphql(name = "in")]
    any_of: Option<Vec<String>>,
    #[graphql(name = "nin")]
    none_of: Option<Vec<String>>,
    eq_ignore_case: Option<String>,
    contains: Option<String>,
    contains_ignore_case: Option<String>,
    starts_with: Option<String>,
}

/// Compares numbers.
#[derive(Debug, Default, InputObject)]
pub(crate) struct NumberComparator {
    eq: Option<f64>,
    neq: Option<f64>,
    #[graphql(name = "in")]
    any_of: Option<Vec<f64>>,
    lt: Option<f64>,
    lte: Option<f64>,
    gt: Option<f64>,
    gte: Option<f64>,
}

/// Compares numbers where Linear's schema allows none. The fake's issues always have theirs.
#[derive(Debug, Default, InputObject)]
pub(crate) struct NullableNumberComparator {
    null: Option<bool>,
    #[graphql(flatten)]
    number: NumberComparator,
}

/// Compares moments.
#[derive(Debug, Default, InputObject)]
pub(crate) struct DateComparator {
    eq: Option<DateTimeOrDuration>,
    neq: Option<DateTimeOrDuration>,
    lt: Option<DateTimeOrDuration>,
    lte: Option<DateTimeOrDuration>,
    gt: Option<DateTimeOrDuration>,
    gte: Option<DateTimeOrDuration>,
}

/// Compares truth values.
#[derive(Debug, Default, InputObject)]
pub(crate) struct BooleanComparator {
    eq: Option<bool>,
    neq: Option<bool>,
}

/// Whether the condition holds; a condition that was not given always does.
pub(super) fn holds<C>(condition: Option<&C>, test: impl FnOnce(&C) -> bool) -> bool {
    condition.is_none_or(test)
}

impl IdComparator {
    pub(super) fn matches(&self, id: &ID) -> bool {
        self.matches_any(&[id.as_str()])
    }

    /// For things with several names: equal when one of them is.
    fn matches_any(&self, names: &[&str]) -> bool {
        let is_named = |id: &ID| names.contains(&id.as_str());
        holds(self.eq.as_ref(), is_named)
            && holds(self.neq.as_ref(), |id| !is_named(id))
            && holds(self.any_of.as_ref(), |ids| ids.iter().any(is_named))
            && holds(self.none_of.as_ref(), |ids| !ids.iter().any(is_named))
    }
}

impl IssueIdComparator {
    pub(super) fn matches(&self, issue: &Issue) -> bool {
        self.id.matches_any(&[issue.id.as_str(), &issue.identifier])
    }
}

impl StringComparator {
    pub(super) fn matches(&self, text: &str) -> bool {
        let lower_case = text.to_lowercase();
        let is_in = |texts: &Vec<String>| texts.iter().any(|one| one == text);
        holds(self.eq.as_ref(), |one| text == one)
            && holds(self.neq.as_ref(), |one| text != one)
            && holds(self.any_of.as_ref(), is_in)
            && holds(self.none_of.as_ref(), |texts| !is_in(texts))
            && holds(self.eq_ignore_case.as_ref(), |one| {
                lower_case == one.to_lowercase()
            })
            && holds(self.contains.as_ref(), |part| text.contains(part.as_str()))
            && holds(self.contains_ignore_case.as_ref(), |part| {
                lower_case.contains(&part.to_lowercase())
            })
            && holds(self.starts_with.as_ref(), |start| {
                text.starts_with(start.as_str())
            })
    }
}

impl NumberComparator {
    pub(super) fn matches(&self, number: f64) -> bool {
        let equals = |one: &f64| number.total_cmp(one).is_eq();
        holds(self.eq.as_ref(), equals)
            && holds(self.neq.as_ref(), |one| !equals(one))
            && holds(self.any_of.as_ref(), |numbers| numbers.iter().any(equals))
            && holds(self.lt.as_ref(), |bound| number < *bound)
            && holds(self.lte.as_ref(), |bound| number <= *bound)
            && holds(self.gt.as_ref(), |bound| number > *bound)
            && holds(self.gte.as_ref(), |bound| number >= *bound)
    }
}

impl NullableNumberComparator {
    pub(super) fn matches(&self, number: f64) -> bool {
        self.null != Some(true) && self.number.matches(number)
    }
}

impl DateComparator {
    pub(super) fn matches(&self, DateTime(moment): DateTime) -> bool {
        holds(self.eq.as_ref(), |one| moment == one.0)
            && holds(self.neq.as_ref(), |one| moment != one.0)
            && holds(self.lt.as_ref(), |bound| moment < bound.0)
            && holds(self.lte.as_ref(), |bound| moment <= bound.0)
            && holds(self.gt.as_ref(), |bound| moment > bound.0)
            && holds(self.gte.as_ref(), |bound| moment >= bound.0)
    }
}

impl BooleanComparator {
    pub(super) fn matches(&self, value: bool) -> bool {
        holds(self.eq.as_ref(), |one| value == *one)
            && holds(self.neq.as_ref(), |one| value != *one)
    }
}
