//! What one frame costs: the home screen a poll later, from the model to the
//! bytes for the terminal, beside a bare frame of ratatui's own widgets of the
//! same size in which as many cells change.
//!
//! `cargo bench --bench frame`; the budget is one and a half times the bare frame.
#![expect(clippy::unwrap_used, clippy::cast_precision_loss, reason = "a benchmark")]

use divan::{Bencher, black_box};
use ratatui::{
    Frame, Terminal, TerminalOptions, Viewport,
    backend::CrosstermBackend,
    buffer::Buffer,
    layout::{Constraint, Layout, Rect, Size},
    style::{Color, Style},
    symbols,
    text::{Line, Span},
    widgets::{
        Axis, Block, Chart, Dataset, Gauge, GraphType, List, ListItem, Paragraph, Row, Sparkline,
        Table,
    },
};
use std::{
    io::{self, Write},
    sync::Arc,
    time::Duration,
};
use tminus::{
    domain::{
        Cadence, CheckSpec, CheckView, Class, Event, Evidence, Finding, HealthScore, Impact,
        IntegrationId, IntegrationView, Journal, Ledger, Mark, Policy, Provenance, Quantity,
        Series, Snapshot, Status, Target, Timestamp, Verdict, text,
    },
    tui::{Canvas, Look, Sync, model::Model, view},
};

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (200, 60)];
const TITLES: [(&str, &str); 6] = [
    ("redis", "Redis / Valkey"),
    ("database", "DB observability"),
    ("monitoring", "Monitoring stack"),
    ("apis", "External APIs"),
    ("performance", "Performance"),
    ("resilience", "Resilience"),
];

fn main() {
    divan::main();
}

#[divan::bench(args = SIZES)]
fn ours(bencher: Bencher, (width, height): (u16, u16)) {
    let (models, look) = (models(), Look::default());
    let mut canvas = Canvas::new(Sync::Marked);
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        let paint = |buf: &mut Buffer| view::draw(&models[turn % 2], &look, buf);
        black_box(canvas.frame(Size::new(width, height), paint))
    });
}

#[divan::bench(args = SIZES)]
fn bare(bencher: Bencher, (width, height): (u16, u16)) {
    let viewport = Viewport::Fixed(Rect::new(0, 0, width, height));
    let backend = CrosstermBackend::new(Sink(Vec::with_capacity(1 << 16)));
    let mut terminal = Terminal::with_options(backend, TerminalOptions { viewport }).unwrap();
    let (count, data) = (changed((width, height)), Data::new());
    let mut turn = 0;
    bencher.bench_local(|| {
        turn += 1;
        let drawn = terminal.draw(|frame| draw_bare(frame, &data, count, turn % 2 == 0)).unwrap();
        black_box(drawn.count)
    });
}

/// Keeps the bytes of one frame in memory, as ours are.
struct Sink(Vec<u8>);

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        black_box(&self.0);
        self.0.clear();
        Ok(())
    }
}

/// How many cells differ between the two models.
fn changed((width, height): (u16, u16)) -> usize {
    let look = Look::default();
    let [before, after] = models().map(|model| {
        let mut buf = Buffer::empty(Rect::new(0, 0, width, height));
        view::draw(&model, &look, &mut buf);
        buf
    });
    before.diff(&after).len()
}

/// The home screen, and the same one poll later.
fn models() -> [Model; 2] {
    [600, 610].map(|second| Model::new(Arc::new(snapshot(second))))
}

fn snapshot(second: u64) -> Snapshot {
    let at = Duration::from_secs(second);
    let wall = Timestamp(1_795_442_852_000).after(at);
    let views: Vec<_> = (0..6).map(|number| Arc::new(integration(number, second))).collect();
    let (mut ledger, mut journal, policy) =
        (Ledger::default(), Journal::default(), Policy::default());
    ledger.fold(&views, &policy, Duration::from_secs(200), wall);
    let blockers = ledger.list();
    for n in 0..20 {
        let check = Some(views[n % 6].checks[n % 5].id.clone());
        let text = format!("the answer took {n} ms, and then it did not come at all");
        journal.push(Event { at, wall, check, mark: Some(Mark::Fail), text });
    }
    Snapshot {
        seq: second,
        at,
        wall,
        host: "web-3".into(),
        app: None,
        deploy: None,
        settled: None,
        baseline: None,
        shifts: tminus::domain::Shifts::default(),
        answered: Vec::new(),
        paused: false,
        score: HealthScore::overall(views.iter().map(AsRef::as_ref)),
        verdict: Verdict::of(&views, &blockers, &policy, at),
        integrations: views,
        blockers,
        journal,
        notices: Vec::new(),
        began: Duration::ZERO,
    }
}

fn integration(number: usize, second: u64) -> IntegrationView {
    let (id, title) = TITLES[number];
    let id = IntegrationId::new(id).unwrap();
    let mut latency = Series::default();
    for n in 0..second / 3 {
        latency.push(Duration::from_secs(n * 3), 0.02 + (n * 7 % 11) as f64 / 300.0);
    }
    let mut view = IntegrationView {
        checks: (0..7).map(|n| check(&id, (number, n), second)).collect(),
        id,
        title: title.into(),
        target: Target { name: "here".into(), provenance: Provenance::Configured },
        weight: 1,
        score: None,
        status: Status::Unknown,
        latency,
    };
    view.weigh();
    view
}

fn check(id: &IntegrationId, (number, n): (usize, usize), second: u64) -> CheckView {
    let name = ["connect", "instance", "cache", "lock", "session", "queue", "metrics"][n];
    let spec = CheckSpec {
        name: text(name),
        title: text("does what it should"),
        hint: text("start it, set its address, then press r"),
        does: text("Asks it"),
        risk: text("nothing works"),
        cadence: Cadence::Every(Duration::from_secs(10)),
        timeout: Duration::from_secs(2),
        weight: 1,
        class: Class::Blocker,
        impact: Impact::ReadOnly,
        needs: None,
        graph: (number, n) == (0, 0),
    };
    let mut check = CheckView::new(id.check(name), spec);
    let evidence = Evidence::default()
        .asked("HELLO 3, PING, ROLE")
        .wanted("PONG within 50 ms")
        .reply("PONG from a master, version 8.0.1")
        .phase("resolve", Duration::from_micros(80))
        .phase("connect", Duration::from_micros(second % 7 * 100));
    let summary = format!("answers in {}.{} ms, limit 50 ms", n, second % 9);
    let finding =
        if n < 2 && number < 4 { Finding::fail(&summary) } else { Finding::pass(&summary) };
    check.finding = Arc::new(finding.evidence(evidence).measure(Quantity::Bytes(92 << 20)));
    (check.runs, check.ended) = (60, Some(Duration::from_secs(second - 1)));
    check.took = Duration::from_millis(second % 10);
    for n in 0..second / 5 {
        let mib = 90.0 + (n % 40) as f64 / 10.0;
        check.measures.push(Duration::from_secs(n * 5), mib * 1_048_576.0);
    }
    (0..60).for_each(|_| check.note(check.finding.outcome.mark()));
    check
}

/// What the bare frame shows.
struct Data {
    spark: Vec<u64>,
    line: Vec<(f64, f64)>,
    log: Vec<String>,
}

impl Data {
    fn new() -> Self {
        Self {
            spark: (0..400).map(|n| n * 7 % 23).collect(),
            line: (0..300).map(|n| (f64::from(n), f64::from(n * 5 % 37))).collect(),
            log: (0..200).map(|n| format!("12:00:{:02} redis cache GET p99 ok", n % 60)).collect(),
        }
    }
}

/// Six bordered panels with a gauge, a table and a spark line each, a chart and
/// a log, and `count` cells that change from turn to turn.
fn draw_bare(frame: &mut Frame, data: &Data, count: usize, odd: bool) {
    let style = Style::new().fg(Color::Gray).bg(Color::Black);
    frame.render_widget(Block::new().style(style), frame.area());
    let rows = [
        Constraint::Length(1),
        Constraint::Percentage(45),
        Constraint::Min(5),
        Constraint::Length(1),
    ];
    let [head, grid, middle, foot] = Layout::vertical(rows).areas(frame.area());
    let words = vec![Span::styled(" status ", Style::new().fg(Color::Green)), Span::raw("75 %")];
    frame.render_widget(Paragraph::new(Line::from(words)), head);
    let rows: [Rect; 2] = Layout::vertical([Constraint::Fill(1); 2]).areas(grid);
    for (row, area) in rows.into_iter().enumerate() {
        let columns: [Rect; 3] = Layout::horizontal([Constraint::Fill(1); 3]).areas(area);
        for (column, area) in columns.into_iter().enumerate() {
            draw_panel(frame, area, data, TITLES[row * 3 + column].1);
        }
    }
    let halves = [Constraint::Percentage(55), Constraint::Fill(1)];
    let [left, right] = Layout::horizontal(halves).areas(middle);
    draw_chart(frame, left, data);
    let lines = data.log.iter().take(right.height.into()).map(|line| ListItem::new(line.as_str()));
    frame.render_widget(List::new(lines).block(Block::bordered().title("Log")), right);
    frame.render_widget(Paragraph::new(" q quit  r re-check  ? help  tab next"), foot);
    for cell in frame.buffer_mut().content.iter_mut().step_by(3).take(count) {
        cell.set_char(if odd { 'a' } else { 'b' });
    }
}

fn draw_panel(frame: &mut Frame, area: Rect, data: &Data, title: &str) {
    let block = Block::bordered().title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let rows = [Constraint::Length(1), Constraint::Min(3), Constraint::Length(3)];
    let [gauge, table, spark] = Layout::vertical(rows).areas(inner);
    let style = Style::new().fg(Color::Cyan);
    frame.render_widget(Gauge::default().ratio(0.75).gauge_style(style), gauge);
    let names = ["cache", "pubsub", "lock", "rate limit", "queue", "metrics", "session"];
    let rows = names.map(|name| Row::new([name.to_owned(), "OPERATIONAL".into(), "117 us".into()]));
    let widths = [Constraint::Length(12), Constraint::Length(12), Constraint::Min(6)];
    frame.render_widget(Table::new(rows, widths), table);
    let newest = &data.spark[data.spark.len() - usize::from(spark.width).min(data.spark.len())..];
    frame.render_widget(Sparkline::default().data(newest), spark);
}

fn draw_chart(frame: &mut Frame, area: Rect, data: &Data) {
    let set = Dataset::default()
        .marker(symbols::Marker::Braille)
        .graph_type(GraphType::Line)
        .style(Style::new().fg(Color::Magenta))
        .data(&data.line);
    let chart = Chart::new(vec![set])
        .block(Block::bordered().title("Memory"))
        .x_axis(Axis::default().bounds([0.0, 300.0]).labels(["-5m", "now"]))
        .y_axis(Axis::default().bounds([0.0, 40.0]).labels(["0", "40"]));
    frame.render_widget(chart, area);
}
