//! Ids that follow from what somebody else has named.

use std::fmt::Write;

/// Returns a text as a part of an id: two texts never become the same one.
pub(crate) fn id_of(text: &str) -> String {
    let mut id = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii_alphanumeric() || "._-".contains(letter) {
            id.push(letter);
        } else {
            // Writing to a text cannot fail.
            let _written = write!(id, "~{:x}", u32::from(letter));
        }
    }
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_breaks_out_of_an_id() {
        for (text, id) in [
            ("s-1vcpu_1.gb", "s-1vcpu_1.gb"),
            ("linode/debian12", "linode~2fdebian12"),
            ("a b\"[x]~", "a~20b~22~5bx~5d~7e"),
            ("é", "~e9"),
            ("", ""),
        ] {
            assert_eq!(id_of(text), id);
        }
    }
}
