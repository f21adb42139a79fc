//! What happens to a server, step by step.

use maud::{Markup, html};

/// How far a step is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StepState {
    /// Over.
    Done,
    /// Under way.
    Now,
    /// Not begun.
    Later,
    /// It went wrong.
    Failed,
}

/// A step.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// What it is.
    pub(crate) label: &'a str,
    /// How far it is.
    pub(crate) state: StepState,
    /// What there is to say about it.
    pub(crate) note: Option<Markup>,
}

/// Shows the steps, the one under way marked as such.
pub(crate) fn timeline(steps: &[Step<'_>]) -> Markup {
    html! {
        ol.timeline {
            @for step in steps {
                @let (class, word) = match step.state {
                    StepState::Done => ("done", "done"),
                    StepState::Now => ("now", "under way"),
                    StepState::Later => ("later", "not begun"),
                    StepState::Failed => ("failed", "failed"),
                };
                li class=(class) aria-current=[(step.state == StepState::Now).then_some("step")] {
                    (step.label) span.hidden-text { ", " (word) }
                    @if let Some(note) = &step.note { div.small { (note) } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_says_how_far_it_is() {
        let step = |label, state| Step {
            label,
            state,
            note: None,
        };
        let shown = timeline(&[
            step("Accepted", StepState::Done),
            step("Booting", StepState::Now),
        ])
        .0;
        assert!(
            shown.contains("Accepted<span class=\"hidden-text\">, done</span>"),
            "{shown}"
        );
        assert!(
            shown.contains(r#"<li class="now" aria-current="step">Booting"#),
            "{shown}"
        );
    }
}
