//! Putting a value together from its pages.

use serde_json::{Map, Value};

use super::Page;
use crate::pointer::Pointer;

/// Collects what stands at a pointer, and descends into what was cut.
#[derive(Debug)]
pub struct Gathering {
    /// What is not complete yet; each is a part of the one before.
    levels: Vec<Level>,
    whole: Option<Value>,
}

#[derive(Debug)]
struct Level {
    at: Pointer,
    /// Where its next page begins; `None` when there is none.
    next: Option<usize>,
    value: Option<Value>,
}

/// The page that comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted<'g> {
    /// Of what.
    pub pointer: &'g Pointer,
    /// From where on.
    pub offset: usize,
}

/// Pages that do not belong together, as when what they show has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pages do not fit together")]
pub struct Inconsistent;

impl Gathering {
    /// Of everything that stands there.
    pub fn of(at: Pointer) -> Self {
        Self {
            levels: vec![Level::new(at)],
            whole: None,
        }
    }

    /// What to ask for next; `None` when everything is there.
    pub fn wanted(&self) -> Option<Wanted<'_>> {
        let level = self.levels.last()?;
        Some(Wanted {
            pointer: &level.at,
            offset: level.next?,
        })
    }

    /// Takes the page that was wanted.
    ///
    /// # Errors
    ///
    /// [`Inconsistent`] when it is not the continuation of what is there.
    pub fn take(&mut self, page: Page) -> Result<(), Inconsistent> {
        let level = self.levels.last_mut().ok_or(Inconsistent)?;
        let cut = page.cut.clone();
        level.add(page)?;
        if let Some(cut) = cut {
            let (parent, _) = cut.split_last().ok_or(Inconsistent)?;
            if parent != level.at {
                return Err(Inconsistent);
            }
            self.levels.push(Level::new(cut));
        }
        self.close()
    }

    /// The value; `None` while something is wanted.
    pub fn into_value(self) -> Option<Value> {
        self.whole
    }

    /// Puts what is complete where it belongs.
    fn close(&mut self) -> Result<(), Inconsistent> {
        while let Some(level) = self.levels.pop_if(|level| level.next.is_none()) {
            let value = level.value.ok_or(Inconsistent)?;
            match self.levels.last_mut() {
                Some(parent) => parent.attach(&level.at, value)?,
                None => self.whole = Some(value),
            }
        }
        Ok(())
    }
}

impl Level {
    const fn new(at: Pointer) -> Self {
        Self {
            at,
            next: Some(0),
            value: None,
        }
    }

    fn add(&mut self, page: Page) -> Result<(), Inconsistent> {
        let advances = page.next_offset.is_none_or(|next| Some(next) > self.next);
        if !advances {
            return Err(Inconsistent);
        }
        self.next = page.next_offset;
        // What was cut comes whole, from pages of its own.
        let value = match (page.cut, page.value) {
            (Some(_), Value::Array(_)) => Value::Array(Vec::new()),
            (Some(_), Value::Object(_)) => Value::Object(Map::new()),
            (Some(_), _) => return Err(Inconsistent),
            (None, value) => value,
        };
        match (&mut self.value, value) {
            (none @ None, value) => *none = Some(value),
            (Some(Value::Array(items)), Value::Array(more)) => items.extend(more),
            (Some(Value::Object(members)), Value::Object(more)) => members.extend(more),
            (Some(Value::String(text)), Value::String(more)) => text.push_str(&more),
            _ => return Err(Inconsistent),
        }
        Ok(())
    }

    /// Adds a part that was cut, before the next page is added.
    fn attach(&mut self, at: &Pointer, part: Value) -> Result<(), Inconsistent> {
        let (_, token) = at.split_last().ok_or(Inconsistent)?;
        match &mut self.value {
            Some(Value::Array(items)) => items.push(part),
            Some(Value::Object(members)) => {
                members.insert(token, part);
            }
            _ => return Err(Inconsistent),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn page(value: Value, next_offset: Option<usize>, cut: Option<&str>) -> Page {
        Page {
            value,
            total: None,
            next_offset,
            cut: cut.map(|pointer| pointer.parse().unwrap()),
        }
    }

    #[track_caller]
    fn check(pages: Vec<Page>, expected: &Result<Option<Value>, Inconsistent>) {
        let mut gathering = Gathering::of(Pointer::default());
        let taken = pages.into_iter().try_for_each(|page| gathering.take(page));
        assert_eq!(&taken.map(|()| gathering.into_value()), expected);
    }

    #[test]
    fn a_level_is_closed_when_its_last_page_and_its_cut_part_are_there() {
        let first = page(json!([1]), Some(1), None);
        let cut = page(json!(["x"]), None, Some("/1"));
        check(vec![first.clone()], &Ok(None));
        check(vec![first.clone(), cut.clone()], &Ok(None));
        let text = page(json!("xyz"), None, None);
        check(vec![first, cut, text], &Ok(Some(json!([1, "xyz"]))));
    }

    #[test]
    fn pages_that_do_not_fit_together_are_refused() {
        let refused = Err(Inconsistent);
        let list = page(json!([1]), Some(1), None);
        for second in [
            page(json!({}), None, None),
            page(json!([2]), Some(1), None),
            page(json!(["x"]), None, Some("/0/1")),
            page(json!(["x"]), None, Some("")),
            page(json!("x"), None, Some("/1")),
        ] {
            check(vec![list.clone(), second], &refused);
        }
        check(vec![page(json!(1), None, None); 2], &refused);
    }
}
