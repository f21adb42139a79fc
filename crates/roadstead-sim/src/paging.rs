//! The arithmetic of numbered pages.

/// The items of page `current`, counted from 1, and the number of the last page. In a torn
/// list a newer item has come in before all others since the first page was read, so that
/// every later page begins with what was the end of the one before.
pub(crate) fn cut<T>(
    items: &[T],
    current: usize,
    size: usize,
    torn: bool,
) -> (impl Iterator<Item = &T>, usize) {
    let size = size.max(1);
    let come = usize::from(torn && current > 1);
    let last = items.len().saturating_add(come).div_ceil(size).max(1);
    let before = size
        .saturating_mul(current.saturating_sub(1))
        .saturating_sub(come);
    (items.iter().skip(before).take(size), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_from_one_and_an_empty_list_has_one_page() {
        let (shown, last) = cut(&[1, 2, 3, 4, 5], 2, 2, false);
        assert_eq!((shown.copied().collect::<Vec<_>>(), last), (vec![3, 4], 3));
        let (shown, last) = cut(&[1, 2, 3, 4, 5], 9, 2, false);
        assert_eq!((shown.count(), last), (0, 3));
        let (shown, last) = cut::<u8>(&[], 1, 20, false);
        assert_eq!((shown.count(), last), (0, 1));
        let (shown, last) = cut(&[1, 2, 3, 4], 2, 2, true);
        assert_eq!((shown.copied().collect::<Vec<_>>(), last), (vec![2, 3], 3));
    }
}
