//! Clauses of the use cases as sentences for people.

/// Makes a whole sentence of a clause that begins small and ends without a period.
pub(crate) fn sentence(clause: &str) -> String {
    let mut letters = clause.chars();
    let first = letters.next().map(|it| it.to_uppercase());
    let mut sentence: String = first.into_iter().flatten().chain(letters).collect();
    if !sentence.is_empty() && !sentence.ends_with(['.', '!', '?', '…']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clause_becomes_a_sentence() {
        for (clause, said) in [
            ("there is no such server", "There is no such server."),
            ("Enter it once more.", "Enter it once more."),
            ("`x` is no key", "`x` is no key."),
            ("", ""),
        ] {
            assert_eq!(sentence(clause), said);
        }
    }
}
