use super::{Page, Slot, Stack, footer};
use crate::{
    tui::{
        glyphs::Sign,
        keymap::Bound,
        model::{Cost, Model, Screen},
        theme::Role,
        update::has,
    },
    units,
};
use ratatui::layout::Rect;
use std::cmp;

/// Width from which there is room for two columns of keys.
const TWO_COLUMNS: u16 = 72;
/// Height from which our own cost has a place.
const WITH_COST: u16 = 12;
/// Columns of the keys themselves.
const KEYS: u16 = 14;

const SIGNS: [(Sign, &str); 6] = [
    (Sign::Pass, "passes"),
    (Sign::Warn, "warns, or a stand-in"),
    (Sign::Fail, "fails"),
    (Sign::Unknown, "not known, or blocked"),
    (Sign::Off, "off on purpose"),
    (Sign::Flapping, "keeps changing"),
];

const COLUMNS: [(&str, &str); 4] = [
    ("score", "what was earned of 100"),
    ("cov", "how much was looked at"),
    ("p95", "19 of 20 are faster"),
    ("W1", "to do, blocks nothing"),
];

/// One line of the help.
enum Line<'a> {
    Title(&'static str),
    Keys(Bound<'a>, Option<Bound<'a>>),
    Signs((Sign, &'static str), Option<(Sign, &'static str)>),
    Columns((&'static str, &'static str), Option<(&'static str, &'static str)>),
    Blank,
}

/// Every key, those that work on the screen underneath first; what the signs mean.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model, top: u16) {
    let mut stack = Stack::new(area);
    footer::keys(page, stack.last_line(), model);
    let screen = match model.screen {
        Screen::Home => "KEYS: all integrations",
        Screen::Integration(_) => "KEYS: one integration",
        Screen::Tests => "KEYS: performance tests",
        Screen::Full(_) => "KEYS: one pane",
    };
    let under = Model { help: None, ..model.clone() };
    let lines = lines(model, &under, area.width >= TWO_COLUMNS);
    // What we take ourselves is never scrolled away.
    if let Some(cost) = model.cost.filter(|_| area.height >= WITH_COST) {
        page.put(stack.last_line().skip(1), &told(&cost), Role::Plain);
        page.title(stack.last_line(), "THIS PROGRAM", format_args!(""));
    }
    let rows = usize::from(stack.left.height);
    let first = cmp::min(usize::from(top), (lines.len() + 1).saturating_sub(rows));
    let title = stack.line();
    let more = if lines.len() + 1 > rows + first { ", down for more" } else { "" };
    let does = if model.sought.is_empty() { "type to search" } else { "esc shows all" };
    page.title(title, screen, format_args!("{does}{more}"));
    if lines.is_empty() {
        page.put(stack.line().skip(1), "nothing here has that", Role::Muted);
    }
    for line in lines.iter().skip(first) {
        if stack.left.height == 0 {
            break;
        }
        draw_line(page, stack.line(), line, &under);
    }
}

/// What has what is looked for: keys, signs, columns.
fn lines<'a>(model: &'a Model, under: &Model, two_columns: bool) -> Vec<Line<'a>> {
    let sought = |texts: &[&str]| has(&model.sought, texts);
    let named = |bound: &Bound<'_>| sought(&[bound.row.name, bound.row.help, &bound.shown()]);
    let works = |bound: &Bound<'_>| (bound.row.when)(under);
    let mut keys: Vec<Bound<'_>> = model.keys.bound().filter(named).filter(works).collect();
    keys.extend(model.keys.bound().filter(named).filter(|bound| !works(bound)));
    let signs: Vec<_> = SIGNS.into_iter().filter(|(_, meaning)| sought(&[meaning])).collect();
    let columns: Vec<_> =
        COLUMNS.into_iter().filter(|(name, meaning)| sought(&[name, meaning])).collect();
    let mut lines: Vec<Line<'a>> = Vec::new();
    lines.extend(side_by_side(&keys, two_columns).map(|(left, right)| Line::Keys(left, right)));
    if !signs.is_empty() || !columns.is_empty() {
        lines.extend([Line::Blank, Line::Title("SIGNS")]);
    }
    lines.extend(side_by_side(&signs, two_columns).map(|(left, right)| Line::Signs(left, right)));
    let columns = side_by_side(&columns, two_columns);
    lines.extend(columns.map(|(left, right)| Line::Columns(left, right)));
    lines
}

/// The items in one column or in two, line by line.
fn side_by_side<T: Copy>(
    items: &[T],
    two_columns: bool,
) -> impl Iterator<Item = (T, Option<T>)> + '_ {
    let rows = if two_columns { items.len().div_ceil(2) } else { items.len() };
    let (left, right) = items.split_at(rows);
    left.iter().copied().zip(right.iter().copied().map(Some).chain(std::iter::repeat(None)))
}

fn draw_line(page: &mut Page<'_>, slot: Slot, line: &Line<'_>, under: &Model) {
    let (left, right) = slot.split(slot.width / 2);
    match line {
        Line::Title(title) => page.title(slot, title, format_args!("")),
        Line::Blank => {}
        Line::Keys(first, None) => key(page, slot, *first, under),
        Line::Keys(first, Some(second)) => {
            key(page, left, *first, under);
            key(page, right, *second, under);
        }
        Line::Signs(first, None) => sign(page, slot, *first),
        Line::Signs(first, Some(second)) => {
            sign(page, left, *first);
            sign(page, right, *second);
        }
        Line::Columns(first, None) => column(page, slot, *first),
        Line::Columns(first, Some(second)) => {
            column(page, left, *first);
            column(page, right, *second);
        }
    }
}

/// What the console itself takes, in a line.
fn told(cost: &Cost) -> String {
    let known = |text: Option<String>| text.unwrap_or_else(|| "?".into());
    let cpu = known(cost.cpu.map(|percent| format!("{percent:.1}")));
    let memory = known(cost.memory.map(units::bytes));
    let sockets = known(cost.sockets.map(|count| count.to_string()));
    format!(
        "cpu {cpu} %   rss {memory}   {:.0} checks/min   {sockets} sockets   {:.0} B/s   up {}",
        cost.runs,
        cost.written,
        units::age(cost.up)
    )
}

fn key(page: &mut Page<'_>, slot: Slot, bound: Bound<'_>, under: &Model) {
    let role = if (bound.row.when)(under) { Role::Plain } else { Role::Muted };
    let (keys, rest) = slot.skip(1).split(KEYS);
    page.put(keys, &bound.shown(), if role == Role::Plain { Role::Strong } else { role });
    page.put(rest, bound.row.help, role);
}

fn sign(page: &mut Page<'_>, slot: Slot, (sign, meaning): (Sign, &str)) {
    let (glyph, rest) = slot.skip(1).split(KEYS);
    page.sign(glyph, sign);
    page.put(rest, meaning, Role::Plain);
}

fn column(page: &mut Page<'_>, slot: Slot, (name, meaning): (&str, &str)) {
    let (head, rest) = slot.skip(1).split(KEYS);
    page.put(head, name, Role::Strong);
    page.put(rest, meaning, Role::Plain);
}
