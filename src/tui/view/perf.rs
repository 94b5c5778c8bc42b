use super::{Page, Slot, Stack, footer, side_by_side};
use crate::{
    domain::{
        Word,
        perf::{Brief, Ended, Entry, Floor, Offer, Phase, Progress, Running, Second, Step},
    },
    perf::render,
    tui::{
        glyphs::Sign,
        model::Model,
        theme::Role,
        widget::{histogram, score_bar},
    },
    units,
};
use ratatui::layout::Rect;
use std::cmp;

/// Under this height there is one test and what it does.
const LIST: u16 = 11;
/// From this width on the seconds stand beside the histogram,
const WIDE: u16 = 100;
/// in so many columns,
const SECONDS: u16 = 46;
/// and not in so few lines.
const LEAST: u16 = 3;
/// Columns of a graph that are not its own: labels and the unit.
const GRAPH: usize = 20;
/// Columns of a test's name and of its target.
const NAME: u16 = 18;
const TARGET: u16 = 24;

/// The performance tests: which there are, what they found, and what one does now.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model) {
    let mut stack = Stack::new(area);
    footer::keys(page, stack.last_line(), model);
    if area.height > 5 {
        footer::message(page, stack.last_line(), model);
    }
    let Some(entry) = model.entry() else {
        page.put(stack.line().skip(1), "there is nothing to put under load", Role::Muted);
        page.put(
            stack.line().skip(1),
            "configure something: set REDIS_URL, or `url` in [performance]",
            Role::Muted,
        );
        return;
    };
    if area.height + 1 >= LIST {
        page.title(stack.line(), "PERFORMANCE TESTS", format_args!("enter asks first"));
        let count = u16::try_from(model.board.tests.len()).unwrap_or(u16::MAX);
        list(page, stack.take(cmp::min(count, stack.left.height / 3)), model);
    }
    let title = entry.offer.title.to_uppercase();
    page.title(stack.line(), &title, format_args!("{}", entry.offer.target));
    match model.board.running(&entry.offer.test) {
        Some(running) => runs(page, stack, running),
        None if model.asking => asks(page, stack, &entry.offer),
        None => rests(page, stack, entry),
    }
}

fn list(page: &mut Page<'_>, area: Rect, model: &Model) {
    let first = super::first_row(model.test_row(), model.board.tests.len(), area.height.into());
    let entries = model.board.tests.iter().enumerate().skip(first);
    for (line, (at, entry)) in (0..area.height).zip(entries) {
        let slot = Slot::of(area, line);
        let cursor = if at == model.test_row() { '>' } else { ' ' };
        let rest = page.glyph(slot, cursor, Role::Focus);
        let running = model.board.running(&entry.offer.test).is_some();
        let rest = match sign(entry, running) {
            Some(sign) => page.sign(rest, sign).skip(1),
            None => rest.skip(2),
        };
        let (name, rest) = rest.split(NAME);
        page.put(name, &entry.offer.title, Role::Strong);
        let (target, rest) = rest.split(TARGET);
        page.put(target.split_last(1).0, &entry.offer.target, Role::Plain);
        let rest = when(page, rest, entry);
        let (says, role) = summary(entry, running);
        page.put(rest, &says, role);
    }
}

/// How the last attempt ended, unless the next is under way. One that was not run says
/// nothing about its target.
fn sign(entry: &Entry, running: bool) -> Option<Sign> {
    let sign = match (&entry.last, &entry.failed) {
        _ if running => return None,
        (_, Some(_)) => Sign::Fail,
        (None, None) => Sign::Off,
        (Some(record), None) => match &record.ended {
            Ended::Complete => match record.verdict().0 {
                Word::Go => Sign::Pass,
                Word::Hold => Sign::Warn,
                Word::NoGo => Sign::Fail,
            },
            Ended::Aborted => Sign::Warn,
            Ended::Stopped(_) => Sign::Fail,
        },
    };
    Some(sign)
}

fn when(page: &mut Page<'_>, slot: Slot, entry: &Entry) -> Slot {
    let Some(record) = entry.last.as_ref().filter(|_| slot.width > 30) else { return slot };
    let clock = (page.look().clock)(record.began);
    page.print_right(slot, Role::Muted, format_args!("{clock}")).split_last(1).0
}

fn summary(entry: &Entry, running: bool) -> (String, Role) {
    match (&entry.last, &entry.failed, &entry.offer.refused) {
        _ if running => ("runs now".into(), Role::Focus),
        (_, Some(why), _) => (why.clone(), Role::Bad),
        (Some(record), None, _) => (render::brief(record), Role::Plain),
        (None, None, Some(refused)) => (format!("not here: {}", refused.why), Role::Muted),
        (None, None, None) => ("not run yet".into(), Role::Muted),
    }
}

/// The question, with everything that the answer needs.
fn asks(page: &mut Page<'_>, mut stack: Stack, offer: &Offer) {
    let takes = units::span(offer.takes);
    let target = &offer.target;
    page.print(
        stack.line().skip(1),
        Role::Warn,
        format_args!("Put load on {target} for about {takes}?"),
    );
    page.put(stack.line().skip(1), &offer.load, Role::Plain);
    for does in &offer.does {
        page.print(stack.line().skip(1), Role::Plain, format_args!("it {does}"));
    }
    stack.line();
    page.put(stack.line().skip(1), "s starts it, esc does not", Role::Strong);
}

/// What the test found last, or what it would do.
fn rests(page: &mut Page<'_>, mut stack: Stack, entry: &Entry) {
    if let Some(refused) = &entry.offer.refused {
        page.print(stack.line().skip(1), Role::Warn, format_args!("not here: {}", refused.why));
        page.print(stack.line().skip(1), Role::Plain, format_args!("do: {}", refused.hint));
    }
    if let Some(why) = &entry.failed {
        page.print(stack.line().skip(1), Role::Bad, format_args!("no result: {why}"));
    }
    let Some(record) = &entry.last else {
        page.put(stack.line().skip(1), &entry.offer.load, Role::Plain);
        for does in &entry.offer.does {
            page.print(stack.line().skip(1), Role::Muted, format_args!("it {does}"));
        }
        return;
    };
    if let Some(before) = &entry.before {
        let (at, says) = ((page.look().clock)(before.began), render::brief(before));
        page.print(stack.line().skip(1), Role::Muted, format_args!("before     {says}  ({at})"));
    }
    // Which test and when is said above.
    for line in render::human(record).lines().skip(1).take(stack.left.height.into()) {
        page.put(stack.line().skip(1), line, Role::Plain);
    }
    if stack.left.height > LEAST && record.memory.is_none() {
        seconds(page, stack.left, &record.seconds);
    }
}

/// How far the test is, and what it measures.
fn runs(page: &mut Page<'_>, mut stack: Stack, running: &Running) {
    let now = &running.progress;
    let slot = stack.line().skip(1);
    let (bar, rest) = slot.split(cmp::min(30, slot.width / 3));
    score_bar(page, bar, Some(percent(now)), Role::Focus);
    let says = if running.aborting { "stops and tidies up" } else { phase(now.phase) };
    let far = far(now);
    page.print(rest.skip(2), Role::Strong, format_args!("{says} {far}"));
    let Progress { rate, in_flight, clients, failed, .. } = *now;
    let role = if failed > 0 { Role::Warn } else { Role::Plain };
    let slot = page.print(
        stack.line().skip(1),
        Role::Plain,
        format_args!("rate {rate:>9.0}/s   clients {clients}   in flight {in_flight}   "),
    );
    let slot = page.print(slot, role, format_args!("failed {failed}")).skip(2);
    let classes = now.errors.iter().map(|(class, count)| format!("{class} {count}"));
    page.put(slot, &classes.collect::<Vec<_>>().join("  "), Role::Warn);
    if now.bars.is_empty() {
        page.put(stack.line().skip(1), "nothing is measured yet", Role::Muted);
        return;
    }
    times(page, stack.line(), "now", now.recent);
    times(page, stack.line(), "all", now.whole);
    if !now.memory.is_empty() {
        memory(page, stack.left, &now.memory);
        return;
    }
    let (left, right) = if stack.left.width >= WIDE {
        side_by_side(stack.left, stack.left.width - SECONDS - 2)
    } else {
        (stack.left, Rect::default())
    };
    if !now.steps.is_empty() {
        steps(page, left, &now.steps);
    } else if left.height > 2 {
        page.title(Slot::of(left, 0), "HOW LONG", format_args!("since it measures"));
        let inner = Rect { y: left.y + 1, height: left.height - 1, ..left };
        histogram(page, inner, &now.bars);
    }
    seconds(page, right, &now.seconds);
}

/// The steps that are done, as a graph.
fn steps(page: &mut Page<'_>, area: Rect, steps: &[Step]) {
    page.title(Slot::of(area, 0), "STEPS", format_args!("{} are done", steps.len()));
    graph(page, area, &render::graph(steps, None, size(area)));
}

/// The memory so far, as a graph.
fn memory(page: &mut Page<'_>, area: Rect, floors: &[Floor]) {
    let now = floors.last().map(|floor| units::bytes(floor.bytes)).unwrap_or_default();
    page.title(Slot::of(area, 0), "MEMORY", format_args!("{now}, the least of each block"));
    graph(page, area, &render::memory_graph(floors, None, size(area)));
}

/// What a graph under a title may take of `area`.
fn size(area: Rect) -> render::Size {
    render::Size {
        width: usize::from(area.width).saturating_sub(GRAPH),
        height: usize::from(area.height).saturating_sub(2),
    }
}

fn graph(page: &mut Page<'_>, area: Rect, lines: &[String]) {
    for (line, text) in (1..area.height).zip(lines) {
        page.put(Slot::of(area, line), text, Role::Plain);
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Preparing => "prepares",
        Phase::WarmingUp => "warms up",
        Phase::Measuring => "measures",
        Phase::Finishing => "waits for the last answers and tidies up",
    }
}

fn far(now: &Progress) -> String {
    match (now.of, now.requests) {
        (Some(of), _) => format!("{} of {}", units::span(now.elapsed), units::span(of)),
        (None, Some(requests)) if now.phase == Phase::Measuring => {
            format!("{} of {requests}", now.succeeded.saturating_add(now.failed))
        }
        (None, _) => String::new(),
    }
}

/// How much of the phase is over.
fn percent(now: &Progress) -> u8 {
    let (done, whole) = match (now.of, now.requests) {
        (Some(of), _) => (now.elapsed.as_millis(), of.as_millis()),
        (None, Some(requests)) => {
            (u128::from(now.succeeded.saturating_add(now.failed)), u128::from(requests))
        }
        (None, None) => (0, 1),
    };
    u8::try_from(done.saturating_mul(100) / whole.max(1)).unwrap_or(100).min(100)
}

fn times(page: &mut Page<'_>, slot: Slot, name: &str, brief: Brief) {
    let Brief { p50, p95, p99, max } = brief;
    let rest = page.print(slot.skip(1), Role::Muted, format_args!("{name}  "));
    let [p50, p95, p99, max] = [p50, p95, p99, max].map(units::latency);
    page.print(
        rest,
        Role::Plain,
        format_args!("p50 {p50:>7}   p95 {p95:>7}   p99 {p99:>7}   max {max:>7}"),
    );
}

/// Second by second, the newest first.
fn seconds(page: &mut Page<'_>, area: Rect, seconds: &[Second]) {
    page.title(Slot::of(area, 0), "SECOND BY SECOND", format_args!("newest first"));
    let head = format!("{:>4}{:>9}{:>9}{:>9}{:>9}", "s", "per s", "p50", "p99", "max");
    page.put(Slot::of(area, 1), &head, Role::Muted);
    for (line, second) in (2..area.height).zip(seconds.iter().rev()) {
        let [p50, p99, max] = [second.p50, second.p99, second.max].map(units::latency);
        let (at, ended) = (second.at + 1, second.succeeded);
        let role = if second.failed > 0 { Role::Warn } else { Role::Plain };
        page.print(
            Slot::of(area, line),
            role,
            format_args!("{at:>4}{ended:>9}{p50:>9}{p99:>9}{max:>9}"),
        );
    }
}
