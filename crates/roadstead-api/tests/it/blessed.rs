//! The one switch of the tests that compare a committed file with the code.

/// Set to `1`, it has these tests write their files instead of comparing them.
pub(crate) const BLESS: &str = "ROADSTEAD_TEST_BLESS";

#[expect(
    clippy::disallowed_methods,
    reason = "the one switch of these tests, which are no library"
)]
pub(crate) fn is_blessed() -> bool {
    std::env::var(BLESS).is_ok_and(|it| it == "1")
}
