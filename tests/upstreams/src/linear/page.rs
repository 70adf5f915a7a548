//! Connections: Linear's way of listing, with cursors.

use std::borrow::Cow;

use async_graphql::{Enum, OutputType, SimpleObject, TypeName};

use super::{error::LinearError, workspace::Entity};

/// Items of a page when a query does not say.
const DEFAULT_PAGE_ITEMS: i32 = 50;

/// Linear refuses larger pages.
const MAX_PAGE_ITEMS: i32 = 250;

/// A page of a listing: `IssueConnection` and its like.
#[derive(Debug, SimpleObject)]
#[graphql(name_type)]
pub(crate) struct Connection<T: Entity + OutputType> {
    edges: Vec<Edge<T>>,
    nodes: Vec<T>,
    page_info: PageInfo,
}

/// An item and its place in the listing: `IssueEdge` and its like.
#[derive(Debug, SimpleObject)]
#[graphql(name_type)]
pub(crate) struct Edge<T: Entity + OutputType> {
    cursor: String,
    node: T,
}

/// Where a page lies in its listing.
#[derive(Debug, SimpleObject)]
pub(crate) struct PageInfo {
    has_next_page: bool,
    has_previous_page: bool,
    start_cursor: Option<String>,
    end_cursor: Option<String>,
}

/// What a listing is ordered by; the latest comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Enum)]
#[graphql(rename_items = "camelCase")]
pub(crate) enum PaginationOrderBy {
    /// The default.
    #[default]
    CreatedAt,
    /// Last change first.
    UpdatedAt,
}

/// The arguments of every listing.
#[derive(Debug, Default)]
pub(crate) struct PageArguments {
    pub(crate) after: Option<String>,
    pub(crate) before: Option<String>,
    pub(crate) first: Option<i32>,
    pub(crate) include_archived: Option<bool>,
    pub(crate) last: Option<i32>,
    pub(crate) order_by: Option<PaginationOrderBy>,
}

/// Orders the records and takes the page that the arguments describe.
pub(crate) fn paginate<T: Entity + OutputType>(
    mut records: Vec<T>,
    arguments: &PageArguments,
) -> Result<Connection<T>, LinearError> {
    records.retain(|record| arguments.include_archived == Some(true) || !record.is_archived());
    sort(&mut records, arguments.order_by.unwrap_or_default());
    let start = match &arguments.after {
        Some(cursor) => position(&records, cursor)? + 1,
        None => 0,
    };
    let end = match &arguments.before {
        Some(cursor) => position(&records, cursor)?,
        None => records.len(),
    };
    let (start, end) = arguments.narrow(start, end.max(start))?;
    let nodes = records.get(start..end).unwrap_or_default().to_vec();
    Ok(Connection::new(nodes, start > 0, end < records.len()))
}

fn sort<T: Entity>(records: &mut [T], order_by: PaginationOrderBy) {
    records.sort_by_key(|record| {
        std::cmp::Reverse(match order_by {
            PaginationOrderBy::CreatedAt => record.created_at(),
            PaginationOrderBy::UpdatedAt => record.updated_at(),
        })
    });
}

fn position<T: Entity>(records: &[T], cursor: &str) -> Result<usize, LinearError> {
    let found = records
        .iter()
        .position(|record| record.id().as_str() == cursor);
    found
        .ok_or_else(|| LinearError::invalid(format!("{cursor:?} is not a cursor of this listing.")))
}

impl PageArguments {
    /// Cuts the range down to `first` items from its start or `last` items from its end.
    fn narrow(&self, start: usize, end: usize) -> Result<(usize, usize), LinearError> {
        match (self.first, self.last) {
            (Some(_), Some(_)) => Err(LinearError::invalid("first and last exclude each other.")),
            (None, Some(last)) => Ok((end.saturating_sub(page_items(last)?).max(start), end)),
            (first, None) => {
                let items = page_items(first.unwrap_or(DEFAULT_PAGE_ITEMS))?;
                Ok((start, end.min(start.saturating_add(items))))
            }
        }
    }
}

fn page_items(items: i32) -> Result<usize, LinearError> {
    if !(1..=MAX_PAGE_ITEMS).contains(&items) {
        let range = format!("A page has 1 to {MAX_PAGE_ITEMS} items, not {items}.");
        return Err(LinearError::invalid(range));
    }
    Ok(usize::try_from(items).unwrap_or_default())
}

impl<T: Entity + OutputType> Connection<T> {
    fn new(nodes: Vec<T>, has_previous_page: bool, has_next_page: bool) -> Self {
        let cursor = |node: &T| node.id().to_string();
        let page_info = PageInfo {
            has_next_page,
            has_previous_page,
            start_cursor: nodes.first().map(cursor),
            end_cursor: nodes.last().map(cursor),
        };
        let edge = |node: &T| Edge {
            cursor: cursor(node),
            node: node.clone(),
        };
        Self {
            edges: nodes.iter().map(edge).collect(),
            nodes,
            page_info,
        }
    }
}

impl<T: Entity + OutputType> TypeName for Connection<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Connection", T::NAME))
    }
}

impl<T: Entity + OutputType> TypeName for Edge<T> {
    fn type_name() -> Cow<'static, str> {
        Cow::Owned(format!("{}Edge", T::NAME))
    }
}
