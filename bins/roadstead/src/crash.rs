//! The variables by which a build for tests is made to die or to be wrong. No other build takes
//! them.

use crate::settings::Reader;

/// Where to die: `create.t2_after:2` at the second pass.
const CRASH_AT: &str = "CRASH_AT";

/// Which rule to break.
const MUTANT: &str = "MUTANT";

/// Heeds the variables.
#[cfg(feature = "crash-points")]
pub(crate) fn read(reader: &mut Reader) {
    use roadstead_core::crash;

    reader.take(CRASH_AT, (), |it| it.parse().map(crash::arm));
    reader.take(MUTANT, (), |it| it.parse().map(crash::mutate));
}

/// Refuses the variables: whoever sets one believes to test what this build cannot do.
#[cfg(not(feature = "crash-points"))]
pub(crate) fn read(reader: &mut Reader) {
    for name in [CRASH_AT, MUTANT] {
        reader.take(name, (), |_value| {
            Err("works only in a build with the feature `crash-points`, which this is not")
        });
    }
}

#[cfg(test)]
mod tests {
    use crate::settings::Settings;

    fn mistake(name: &str, value: &str) -> String {
        let values = [(name.to_owned(), value.to_owned())].into();
        Settings::parse(values).unwrap_err().to_string()
    }

    #[cfg(not(feature = "crash-points"))]
    #[test]
    fn a_build_without_crash_points_refuses_their_variables() {
        for (name, value) in [
            (super::CRASH_AT, "create.t2_after"),
            (super::MUTANT, "fails_everything"),
        ] {
            let message = mistake(name, value);
            assert!(message.contains(&format!("ROADSTEAD_{name} ")), "{message}");
            assert!(message.contains("the feature `crash-points`"), "{message}");
        }
    }

    #[cfg(feature = "crash-points")]
    #[test]
    fn a_build_with_crash_points_refuses_those_it_does_not_have() {
        for (name, value) in [(super::CRASH_AT, "create.t9"), (super::MUTANT, "lazy")] {
            let message = mistake(name, value);
            assert!(
                message.contains(&format!("ROADSTEAD_{name} must be ")),
                "{message}"
            );
        }
    }
}
