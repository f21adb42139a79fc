//! The arithmetic of numbered pages.

/// The items of page `current`, counted from 1, and the number of the last page.
pub(crate) fn cut<T>(
    items: &[T],
    current: usize,
    size: usize,
) -> (impl Iterator<Item = &T>, usize) {
    let size = size.max(1);
    let last = items.len().div_ceil(size).max(1);
    let before = size.saturating_mul(current.saturating_sub(1));
    (items.iter().skip(before).take(size), last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_cut_from_one_and_an_empty_list_has_one_page() {
        let (shown, last) = cut(&[1, 2, 3, 4, 5], 2, 2);
        assert_eq!((shown.copied().collect::<Vec<_>>(), last), (vec![3, 4], 3));
        let (shown, last) = cut(&[1, 2, 3, 4, 5], 9, 2);
        assert_eq!((shown.count(), last), (0, 3));
        let (shown, last) = cut::<u8>(&[], 1, 20);
        assert_eq!((shown.count(), last), (0, 1));
    }
}
