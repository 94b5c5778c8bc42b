use super::{
    Failure, Session,
    look::{For, Looked, look},
    print, tell,
};
use crate::{
    cli::{BaselineVerb, Global, ListFormat},
    clock,
    domain::{Baseline, PastDeploy},
    history::Baselines,
    nearest::did_you_mean,
    surface::{diff, gate},
    units,
};
use std::fmt::Write as _;

/// `tminus baseline …`: keeps how everything stands, and shows what was kept.
pub(super) async fn run(global: &Global, verb: &BaselineVerb) -> Result<u8, Failure> {
    match verb {
        BaselineVerb::Save { name, selection } => save(global, name, selection).await,
        BaselineVerb::List => {
            let (session, kept) = read(global).await?;
            show(&session, &list(&kept))
        }
        BaselineVerb::Show { name } => {
            let (session, kept) = read(global).await?;
            let text = shown(named(&kept, name)?);
            show(&session, &text)
        }
        BaselineVerb::Rm { name } => {
            let session = Session::read(global)?;
            let mut baselines = open(&session).await?;
            let kept = baselines.all().await.map_err(unreadable)?;
            named(&kept, name)?;
            baselines.remove(name).await.map_err(unreadable)?;
            Ok(gate::GO)
        }
    }
}

/// `tminus diff`: what became of what stood in the way, and of what was measured.
pub(super) async fn diff(
    global: &Global,
    [before, after]: [&str; 2],
    format: ListFormat,
) -> Result<u8, Failure> {
    let (session, kept) = read(global).await?;
    let (before, after) = (named(&kept, before)?, named(&kept, after)?);
    let text = match format {
        ListFormat::Human => diff::human(before, after),
        ListFormat::Json => diff::json(before, after),
    };
    show(&session, &text)?;
    Ok(if diff::is_worse(before, after) { gate::NO_GO } else { gate::GO })
}

/// The baseline of that name, for who compares with it.
pub(super) async fn find(session: &Session, name: &str) -> Result<Baseline, Failure> {
    let kept = open(session).await?.all().await.map_err(unreadable)?;
    named(&kept, name).cloned()
}

/// What somebody may name as a moment.
pub(super) async fn moments(
    session: &Session,
) -> Result<(Vec<Baseline>, Vec<PastDeploy>), Failure> {
    let mut kept = open(session).await?;
    let baselines = kept.all().await.map_err(unreadable)?;
    Ok((baselines, kept.deploys().await.map_err(unreadable)?))
}

async fn save(global: &Global, name: &str, selection: &[String]) -> Result<u8, Failure> {
    if !Baseline::is_name(name) {
        let why = "a name has 1 to 60 characters that can be printed";
        return Err(Failure::unusable(format!("{name:?} cannot be a name"), why));
    }
    let mut session = Session::open(global)?;
    let mut baselines = open(&session).await?;
    let snapshot = match look(&mut session, selection, For::Comparing).await? {
        Looked::At(snapshot) => snapshot,
        Looked::Interrupted(signal) => {
            tell("tminus: interrupted, so nothing was kept");
            return Ok(gate::interrupted(signal));
        }
    };
    let mut baseline = Baseline::of(name, &snapshot);
    for was in &mut baseline.checks {
        session.redactor.scrub(&mut was.summary);
    }
    baselines.save(&baseline).await.map_err(unreadable)?;
    show(&session, &format!("kept  {}\n", line(&baseline)))
}

async fn read(global: &Global) -> Result<(Session, Vec<Baseline>), Failure> {
    let session = Session::read(global)?;
    let kept = open(&session).await?.all().await.map_err(unreadable)?;
    Ok((session, kept))
}

async fn open(session: &Session) -> Result<Baselines, Failure> {
    let place = session.history_place().ok_or_else(|| {
        Failure::unusable("there are no baselines", "they are in the history, which is off")
            .hint("leave `off` out of [history]")
    })?;
    Baselines::open(&place, clock::now()).await.map_err(unreadable)
}

fn unreadable(why: String) -> Failure {
    Failure::unusable("the history cannot be used", why)
        .hint("name another place with `path` or `url` in [history]")
}

fn named<'a>(kept: &'a [Baseline], name: &str) -> Result<&'a Baseline, Failure> {
    kept.iter().find(|it| it.name == name).ok_or_else(|| {
        let meant = did_you_mean(name, kept.iter().map(|it| it.name.as_str()));
        let why = format!("none is called {name:?}{meant}");
        Failure::unusable("there is no such baseline", why)
            .hint("`tminus baseline list` names them, `tminus baseline save` takes one")
    })
}

fn list(kept: &[Baseline]) -> String {
    if kept.is_empty() {
        return "no baseline is kept; `tminus baseline save NAME` takes one\n".into();
    }
    kept.iter().fold(String::new(), |text, it| text + &line(it) + "\n")
}

fn line(baseline: &Baseline) -> String {
    let Baseline { name, at, host, word, score, checks } = baseline;
    let score = score.map_or("no score".into(), |score| format!("score {score}"));
    let stood = checks.iter().filter(|was| was.stood).count();
    let (at, word) = (units::rfc3339(*at), word.as_str());
    format!("{name}  {at}  {host}  {word}, {score}, {stood} of {} stand in the way", checks.len())
}

fn shown(baseline: &Baseline) -> String {
    let mut text = line(baseline) + "\n";
    for was in &baseline.checks {
        let word = if was.fallback { "fallback" } else { was.mark.word() };
        let stands = if was.stood { "!" } else { " " };
        let _infallible =
            writeln!(text, "{stands} {word:<8} {:<28} {}", was.check.as_str(), was.summary);
    }
    text
}

fn show(session: &Session, text: &str) -> Result<u8, Failure> {
    let mut text = text.to_owned();
    session.redactor.scrub(&mut text);
    print(&text)?;
    Ok(gate::GO)
}
