//! Says what somebody sees who looks elsewhere: the window's title, a bell.

use crate::{
    domain::Word,
    tui::{
        model::Model,
        screen::{Aside, Sent},
        words,
    },
};
use std::time::Duration;

/// Verdicts come and go while everything is looked at for the first time,
const SETTLED: Duration = Duration::from_secs(30);
/// and nobody wants to be called more often than this.
const QUIET: Duration = Duration::from_mins(1);

/// What is said to the terminal besides the picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Asides {
    /// The verdict as the window's title.
    pub title: bool,
    /// The bell and a notification when the verdict changes.
    pub bell: bool,
    /// The mouse is ours from the start.
    pub mouse: bool,
}

/// What was said last.
#[derive(Debug)]
pub(super) struct Caller {
    asides: Asides,
    title: String,
    word: Option<Word>,
    /// When the engine was at that age when somebody was called, or might have been first.
    called: Option<Duration>,
    began: Option<Duration>,
}

impl Caller {
    pub(super) fn new(asides: Asides) -> Self {
        Self { asides, title: String::new(), word: None, called: None, began: None }
    }

    /// The terminal was somebody else's: it does not know the title any more.
    pub(super) fn forget(&mut self) {
        self.title.clear();
    }

    /// Says what is new.
    pub(super) fn call(&mut self, model: &Model, mut tell: impl FnMut(Aside<'_>) -> Sent) {
        if self.asides.title {
            let title = words::title(model);
            if title != self.title {
                tell(Aside::Title(&title));
                self.title = title;
            }
        }
        let (word, now) = (model.live.verdict.word, model.live_now());
        let began = *self.began.get_or_insert(now);
        if self.word == Some(word) {
            return;
        }
        let quiet = self.called.is_some_and(|then| now.saturating_sub(then) < QUIET);
        if !self.asides.bell || now.saturating_sub(began) < SETTLED {
            self.word = Some(word);
        } else if !quiet {
            self.word = Some(word);
            self.called = Some(now);
            let reason = &model.live.verdict.reason;
            tell(Aside::Call(&format!("T-minus: {}: {reason}", word.as_str())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::sample;
    use std::sync::Arc;

    /// What is told when the verdicts are those at those seconds.
    fn told(asides: Asides, verdicts: &[(u64, Word)]) -> Vec<String> {
        let mut caller = Caller::new(asides);
        let mut told = Vec::new();
        for (second, word) in verdicts {
            let mut snapshot = sample::snapshot();
            snapshot.at = Duration::from_secs(1000 + second);
            snapshot.verdict.word = *word;
            let model = Model::new(Arc::new(snapshot));
            caller.call(&model, |aside| {
                told.push(format!("{aside:?}"));
                Sent::Whole
            });
        }
        told
    }

    #[test]
    fn a_new_verdict_calls_once_and_not_while_everything_begins() {
        let bell = Asides { bell: true, ..Asides::default() };
        let verdicts = [
            (0, Word::Hold),
            (5, Word::Go),
            (40, Word::Go),
            (50, Word::NoGo),
            (51, Word::NoGo),
            (60, Word::Go),
            (105, Word::Go),
            (111, Word::Go),
        ];
        let told = told(bell, &verdicts);
        let calls: Vec<&str> = told.iter().filter_map(|it| it.split('"').nth(1)).collect();
        assert_eq!(calls, ["T-minus: NO-GO: 3 blockers", "T-minus: GO: 3 blockers"], "{told:?}");
    }

    #[test]
    fn nothing_is_said_that_nobody_asked_for() {
        let verdicts = [(0, Word::Hold), (50, Word::NoGo), (200, Word::Go)];
        assert!(told(Asides::default(), &verdicts).is_empty());
        let title = Asides { title: true, ..Asides::default() };
        let titles = told(title, &verdicts);
        assert_eq!(titles.len(), 3, "{titles:?}");
        assert!(titles[1].contains("NO-GO 3 - web-3"), "{titles:?}");
    }
}
