//! Countries and where they lie, for those in which somebody has a data center.

/// Where regions are that do not say where they are.
pub(crate) const ELSEWHERE: &str = "Elsewhere";

/// The parts of the world, in the order in which they are shown.
pub(crate) const CONTINENTS: [&str; 7] = [
    "North America",
    "South America",
    "Europe",
    "Asia",
    "Oceania",
    "Africa",
    ELSEWHERE,
];

#[rustfmt::skip]
const COUNTRIES: [(&str, &str, &str); 48] = [
    ("AE", "United Arab Emirates", "Asia"),
    ("AR", "Argentina", "South America"),
    ("AT", "Austria", "Europe"),
    ("AU", "Australia", "Oceania"),
    ("BE", "Belgium", "Europe"),
    ("BG", "Bulgaria", "Europe"),
    ("BH", "Bahrain", "Asia"),
    ("BR", "Brazil", "South America"),
    ("CA", "Canada", "North America"),
    ("CH", "Switzerland", "Europe"),
    ("CL", "Chile", "South America"),
    ("CN", "China", "Asia"),
    ("CO", "Colombia", "South America"),
    ("CZ", "Czechia", "Europe"),
    ("DE", "Germany", "Europe"),
    ("DK", "Denmark", "Europe"),
    ("ES", "Spain", "Europe"),
    ("FI", "Finland", "Europe"),
    ("FR", "France", "Europe"),
    ("GB", "United Kingdom", "Europe"),
    ("HK", "Hong Kong", "Asia"),
    ("ID", "Indonesia", "Asia"),
    ("IE", "Ireland", "Europe"),
    ("IL", "Israel", "Asia"),
    ("IN", "India", "Asia"),
    ("IT", "Italy", "Europe"),
    ("JP", "Japan", "Asia"),
    ("KE", "Kenya", "Africa"),
    ("KR", "South Korea", "Asia"),
    ("MX", "Mexico", "North America"),
    ("MY", "Malaysia", "Asia"),
    ("NG", "Nigeria", "Africa"),
    ("NL", "Netherlands", "Europe"),
    ("NO", "Norway", "Europe"),
    ("NZ", "New Zealand", "Oceania"),
    ("PH", "Philippines", "Asia"),
    ("PL", "Poland", "Europe"),
    ("PT", "Portugal", "Europe"),
    ("QA", "Qatar", "Asia"),
    ("RO", "Romania", "Europe"),
    ("SA", "Saudi Arabia", "Asia"),
    ("SE", "Sweden", "Europe"),
    ("SG", "Singapore", "Asia"),
    ("TH", "Thailand", "Asia"),
    ("TR", "Türkiye", "Asia"),
    ("TW", "Taiwan", "Asia"),
    ("US", "United States", "North America"),
    ("ZA", "South Africa", "Africa"),
];

/// Returns the name of a country by its ISO 3166-1 code, and where it lies. One that is not
/// listed keeps its code.
pub(crate) fn country(code: Option<&str>) -> (&str, &'static str) {
    let known = COUNTRIES.iter().find(|it| Some(it.0) == code);
    match known {
        Some((_, name, continent)) => (name, continent),
        None => (code.unwrap_or_default(), ELSEWHERE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_country_lies_somewhere_and_is_named_once() {
        for (code, name, continent) in COUNTRIES {
            assert!(code.len() == 2 && !name.is_empty() && CONTINENTS.contains(&continent));
            assert_eq!(
                COUNTRIES.iter().filter(|it| it.0 == code).count(),
                1,
                "{code}"
            );
        }
        assert_eq!(country(Some("DE")), ("Germany", "Europe"));
        assert_eq!(country(Some("XX")), ("XX", ELSEWHERE));
        assert_eq!(country(None), ("", ELSEWHERE));
    }
}
