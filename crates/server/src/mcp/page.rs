//! Pages of a list that the protocol asks for with a cursor.

use rmcp::ErrorData;
use rmcp::model::PaginatedRequestParams;

use crate::mcp::outside;

/// Entries of a page: more than each list has, since some clients read the first page only.
const PAGE: usize = 100;

/// One page, and the cursor of the next.
///
/// # Errors
/// The cursor is none of ours (MCP 2025-11-25, "Pagination": invalid params).
pub(crate) fn page<T>(
    items: Vec<T>,
    request: Option<PaginatedRequestParams>,
) -> Result<(Vec<T>, Option<String>), ErrorData> {
    page_of(PAGE, items, request.and_then(|request| request.cursor).as_deref())
}

fn page_of<T>(most: usize, items: Vec<T>, cursor: Option<&str>) -> Result<(Vec<T>, Option<String>), ErrorData> {
    let from = match cursor {
        None => 0,
        Some(cursor) => {
            let from = cursor.parse().ok().filter(|from| *from < items.len());
            from.ok_or_else(|| {
                let problem = format!("cursor is {cursor:?}; it must be nextCursor of the page before, or be left out");
                outside::invalid_params(problem)
            })?
        }
    };
    let next = (from + most < items.len()).then(|| (from + most).to_string());
    Ok((items.into_iter().skip(from).take(most).collect(), next))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_the_list() {
        let (mut all, mut cursor) = (Vec::new(), None);
        loop {
            let (items, next) = page_of(3, (0..7).collect(), cursor.as_deref()).expect("our own cursor");
            all.extend(items);
            match next {
                Some(next) => cursor = Some(next),
                None => break,
            }
        }
        assert_eq!(all, (0..7).collect::<Vec<_>>(), "each entry once, in order");
    }

    #[test]
    fn a_cursor_of_somebody_else_is_told() {
        for cursor in ["", "x", "7", "-1"] {
            let error = page_of(3, (0..7).collect(), Some(cursor)).expect_err("not ours");
            assert!(error.message.contains("nextCursor"), "what to send instead: {}", error.message);
        }
    }
}
