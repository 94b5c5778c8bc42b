use super::{accepted, deployed, flags, is_plain_pass, needs_remedy, shifts};
use crate::{
    domain::{
        CheckId, CheckView, IntegrationView, Notice, Outcome, Receipt, Severity, Snapshot, Status,
        Topic, Word,
    },
    units,
};
use std::{cmp, fmt::Write as _};

/// Whether the text may hold colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Words only.
    Plain,
    /// Words, and colours that repeat what they say.
    Color,
}

/// The colours that are used, as a terminal's own.
#[derive(Clone, Copy)]
enum Hue {
    Good,
    Warn,
    Bad,
    Unclear,
}

/// Columns before a check's summary, without the width of its id.
const MARGIN: usize = 22;

/// For people: a line for each integration, what does not pass below it, the verdict last.
pub fn human(snapshot: &Snapshot, paint: Paint) -> String {
    let widest = snapshot.integrations.iter().map(|view| view.id.as_str().len());
    let sheet = Sheet { snapshot, paint, width: cmp::max(12, widest.max().unwrap_or(0)) };
    let mut text = String::new();
    for view in &snapshot.integrations {
        sheet.integration(view, &mut text);
    }
    sheet.overall(&mut text);
    sheet.deployed(&mut text);
    sheet.against(&mut text);
    sheet.notices(&mut text);
    sheet.verdict(&mut text);
    text
}

struct Sheet<'a> {
    snapshot: &'a Snapshot,
    paint: Paint,
    width: usize,
}

// Writing to a String cannot fail.
impl Sheet<'_> {
    fn integration(&self, view: &IntegrationView, text: &mut String) {
        let percent = view.score.map_or("-".into(), |score| score.percent.to_string());
        let coverage = view.score.map_or(0, |score| score.coverage);
        let ran = view.checks.iter().filter(|check| check.outcome().is_executed()).count();
        let status =
            self.paint.with(status_hue(view.status), &format!("{:<11}", view.status.word()));
        let _infallible = writeln!(
            text,
            "{:width$} {percent:>3}  {status}  {ran} of {} ran, coverage {coverage} %  {}",
            view.id.as_str(),
            view.checks.len(),
            view.target.name,
            width = self.width,
        );
        let listed = || view.checks.iter().filter(|check| !is_plain_pass(check));
        let widest = listed().map(|check| check.id.as_str().len()).max().unwrap_or(0);
        for check in listed() {
            self.check(check, widest, text);
        }
    }

    fn check(&self, check: &CheckView, width: usize, text: &mut String) {
        let word = self.paint.with(check_hue(check), &format!("{:<8}", word(check)));
        let (id, class) = (check.id.as_str(), check.spec.class.word());
        let said = flags(check, self.snapshot);
        let said: Vec<&str> = said.into_iter().filter(|flag| *flag != "fallback").collect();
        let said = if said.is_empty() { String::new() } else { format!("  [{}]", said.join(", ")) };
        let summary = &check.finding.summary;
        let _infallible = writeln!(text, "  {word} {id:width$}  {class:<7}  {summary}{said}");
        let mut below = |line: &str| {
            let _infallible = writeln!(text, "{:1$}{line}", "", width + MARGIN);
        };
        if needs_remedy(check) && !self.is_mended_elsewhere(check) {
            below(&format!("do: {}", check.remedy()));
        }
        if let Some(acceptance) = accepted(check, self.snapshot).and_then(|it| it.accepted.as_ref())
        {
            let by = acceptance.owner.as_deref().map(|owner| format!(" by {owner}"));
            let (by, until) = (by.unwrap_or_default(), units::rfc3339(acceptance.until));
            below(&format!("accepted{by} until {until}: {}", acceptance.reason));
        }
    }

    /// Whether it falls with another check, which says what to do.
    fn is_mended_elsewhere(&self, check: &CheckView) -> bool {
        let mut standing = self.snapshot.blockers.iter().filter(|it| it.cleared.is_none());
        standing.any(|blocker| blocker.also.contains(&check.id))
    }

    fn overall(&self, text: &mut String) {
        let width = self.width;
        let _infallible = match self.snapshot.score {
            Some(score) => writeln!(
                text,
                "{:width$} {:>3}  coverage {} %{}",
                "overall",
                score.percent,
                score.coverage,
                left_on_targets(self.snapshot),
            ),
            None => writeln!(text, "{:width$}   -  nothing applies", "overall"),
        };
    }

    fn deployed(&self, text: &mut String) {
        if let Some(says) = deployed(self.snapshot) {
            let _infallible = writeln!(text, "{:width$} {says}", "deployed", width = self.width);
        }
    }

    /// What has moved since the baseline, if there is one.
    fn against(&self, text: &mut String) {
        let Some(says) = shifts::against(self.snapshot) else { return };
        let _infallible = writeln!(text, "{:width$} {says}", "against", width = self.width);
        let told: Vec<[String; 3]> = shifts::moved(&self.snapshot.shifts).collect();
        let widest = told.iter().map(|[_, check, _]| check.len()).max().unwrap_or(0);
        for [word, check, moved] in told {
            let hue = if word == "worse" { Hue::Warn } else { Hue::Good };
            let word = self.paint.with(hue, &format!("{word:<8}"));
            let _infallible = writeln!(text, "  {word} {check:widest$}  {moved}");
        }
    }

    /// What is wrong with the configuration was told before there was a result.
    fn notices(&self, text: &mut String) {
        let told = |notice: &&Notice| notice.topic != Topic::Configuration;
        for notice in self.snapshot.notices.iter().filter(told) {
            let _infallible =
                writeln!(text, "{:width$} {}", "note", notice.says, width = self.width);
        }
    }

    fn verdict(&self, text: &mut String) {
        let verdict = &self.snapshot.verdict;
        let ids: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
        let because = if ids.is_empty() { String::new() } else { format!(": {}", ids.join(", ")) };
        let mut also = String::new();
        if verdict.accepted > 0 {
            let _infallible = write!(also, "; {} accepted", verdict.accepted);
        }
        if verdict.warnings > 0 {
            let _infallible = write!(also, "; {} on the checklist", verdict.warnings);
        }
        let word = self.paint.with(word_hue(verdict.word), verdict.word.as_str());
        let (rule, reason) = (verdict.rule.number(), &verdict.reason);
        let _infallible = writeln!(text, "VERDICT  {word}  rule {rule}, {reason}{because}{also}");
    }
}

/// What was written on targets, where anything was.
fn left_on_targets(snapshot: &Snapshot) -> String {
    let checks = snapshot.integrations.iter().flat_map(|view| &view.checks);
    let all = checks.fold(Receipt::default(), |sum, check| sum.and(check.finding.receipt));
    let Receipt { written, removed, left, .. } = all;
    match written {
        0 => String::new(),
        _ => format!("; on targets: {written} written, {removed} removed, {left} left"),
    }
}

/// A stand-in that works is not a pass.
fn word(check: &CheckView) -> &'static str {
    let stands_in = *check.outcome() == Outcome::Pass && check.finding.fallback;
    if stands_in { "fallback" } else { check.outcome().word() }
}

fn check_hue(check: &CheckView) -> Hue {
    match check.outcome().severity() {
        Severity::Fine if check.finding.fallback => Hue::Warn,
        Severity::Fine => Hue::Good,
        Severity::Soft => Hue::Warn,
        Severity::Unclear => Hue::Unclear,
        Severity::Bad => Hue::Bad,
    }
}

fn status_hue(status: Status) -> Hue {
    match status {
        Status::Operational => Hue::Good,
        Status::Degraded => Hue::Warn,
        Status::Down => Hue::Bad,
        Status::Unknown => Hue::Unclear,
    }
}

fn word_hue(word: Word) -> Hue {
    match word {
        Word::Go => Hue::Good,
        Word::Hold => Hue::Warn,
        Word::NoGo => Hue::Bad,
    }
}

impl Paint {
    fn with(self, hue: Hue, text: &str) -> String {
        let code = match hue {
            Hue::Good => 32,
            Hue::Warn => 33,
            Hue::Bad => 31,
            Hue::Unclear => 35,
        };
        match self {
            Self::Plain => text.into(),
            Self::Color => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Policy, surface::sample};

    #[test]
    fn the_seed_reads_like_a_report() {
        insta::assert_snapshot!(human(&sample::seed(), Paint::Plain), @r"
        redis         75  DEGRADED     8 of 8 ran, coverage 100 %  here
          fallback redis.connect    blocker  mock in use, no instance
          fallback redis.cache      blocker  answers
          fallback redis.pubsub     blocker  answers
          fallback redis.lock       blocker  answers
          fallback redis.ratelimit  blocker  answers
          fallback redis.queue      blocker  answers
          fallback redis.metrics    blocker  answers
          fallback redis.session    blocker  answers
        database      25  DOWN         3 of 6 ran, coverage 62 %  here
          fail     database.connect       blocker  connection refused by 127.0.0.1:5432
                                                   do: look at it
          blocked  database.pool          blocker  waits
          blocked  database.transactions  blocker  waits
          blocked  database.errors        blocker  waits
        monitoring    75  OPERATIONAL  6 of 7 ran, coverage 75 %  here
          unknown  monitoring.connect  major    no Prometheus to ask
                                                do: look at it
        apis          75  DEGRADED     2 of 4 ran, coverage 50 %  here
          fail     apis.google  blocker  Google AI key missing
                                         do: look at it
          skipped  apis.letta   blocker  no key set
          skipped  apis.github  blocker  no key set
        performance  100  OPERATIONAL  3 of 3 ran, coverage 100 %  here
        resilience   100  OPERATIONAL  4 of 4 ran, coverage 100 %  here
        overall       75  coverage 81 %
        VERDICT  NO-GO  rule 2, 3 blockers: apis.google, database.connect, redis.connect; 1 on the checklist
        ");
    }

    #[test]
    fn what_somebody_answers_for_is_said_with_its_reason_and_its_end() {
        let text = human(&sample::accepted(), Paint::Plain);
        assert!(text.contains("[accepted]"), "{text}");
        assert!(
            text.contains("accepted by ops until 2026-11-24T02:13:20.000Z: contract starts"),
            "{text}"
        );
        assert!(text.contains("on targets: 2 written, 2 removed, 0 left"), "{text}");
        assert!(text.contains("timing") && text.contains("[flaky]"), "{text}");
        assert!(text.lines().last().unwrap().contains("1 accepted"), "{text}");
    }

    #[test]
    fn nothing_at_all_is_a_hold() {
        let text = human(&sample::of([], &Policy::default()), Paint::Plain);
        insta::assert_snapshot!(text, @r"
        overall        -  nothing applies
        VERDICT  HOLD  rule 3, coverage 0 %, at least 50 wanted
        ");
    }

    #[test]
    fn colours_only_repeat_what_the_words_say() {
        let (plain, painted) =
            (human(&sample::seed(), Paint::Plain), human(&sample::seed(), Paint::Color));
        assert!(!plain.contains('\u{1b}'));
        assert!(painted.contains("\u{1b}[31mNO-GO\u{1b}[0m"), "{painted}");
        let mut bare = painted;
        for code in [0, 31, 32, 33, 35] {
            bare = bare.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(bare, plain);
    }
}
