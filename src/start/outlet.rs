//! Where what leaves the screen is written, without secrets.

use super::trace;
use crate::{
    domain::{Snapshot, Word, perf::Record},
    probe::this_run,
    secret::Redactor,
    surface::document::{Document, Subject, json, markdown},
    tui::{Incident, Outlet, Paper, Usage},
    units,
};
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

/// The file of what was copied last.
const COPIED: &str = "copied.txt";
/// The directory of what was exported.
const INCIDENTS: &str = "incidents";

/// The state directory of this user.
#[derive(Debug)]
pub(super) struct Files {
    state: Option<PathBuf>,
    redactor: Redactor,
}

impl Files {
    /// In the usual place.
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { state: trace::state(), redactor }
    }

    /// What an integration let through would change its look once it is escaped, so
    /// the secrets go before anything is written.
    fn cleaned(&self, snapshot: &Snapshot) -> Snapshot {
        let mut snapshot = snapshot.clone();
        for view in &mut snapshot.integrations {
            let view = Arc::make_mut(view);
            self.redactor.scrub(&mut view.target.name);
            for check in &mut view.checks {
                let texts = Arc::make_mut(&mut check.finding).texts_mut();
                texts.for_each(|text| self.redactor.scrub(text));
            }
        }
        for blocker in &mut snapshot.blockers {
            self.redactor.scrub(&mut blocker.summary);
            self.redactor.scrub(&mut blocker.remedy);
        }
        self.redactor.scrub(&mut snapshot.verdict.reason);
        snapshot
    }

    fn state(&self) -> Result<&Path, String> {
        self.state.as_deref().ok_or_else(|| "HOME is not set, so there is no place for it".into())
    }
}

impl Outlet for Files {
    fn keep(&self, text: &mut String) -> Result<PathBuf, String> {
        self.redactor.scrub(text);
        let path = self.state()?.join(COPIED);
        write(&path, text).map_err(|error| unwritten(&path, &error))?;
        Ok(path)
    }

    fn export(&self, mut incident: Incident) -> Result<PathBuf, String> {
        let clean = |mut text: String| {
            self.redactor.scrub(&mut text);
            text
        };
        incident.picture.clean(|text| self.redactor.scrub(text));
        let snapshot = &self.cleaned(&incident.snapshot);
        let tests: Vec<Record> = incident.tests.iter().map(|it| (**it).clone()).collect();
        let run = this_run().to_string();
        let subject = Subject { snapshot, run: &run, stored: false, tests: &tests };
        let document = Document::of(&subject);
        // A colon in a name is trouble for some that files are handed to.
        let when = units::rfc3339(snapshot.wall).replace(':', "-");
        let word = snapshot.verdict.word;
        let directory = self.state()?.join(INCIDENTS).join(format!("{when}-{}", name(word)));
        let files = [
            ("report.md", clean(markdown(&document))),
            ("report.json", clean(json(&document))),
            ("screen.txt", clean(incident.picture.text())),
            ("screen.svg", clean(incident.picture.svg(Paper::Dark))),
        ];
        for (name, text) in files {
            let path = directory.join(name);
            write(&path, &text).map_err(|error| unwritten(&path, &error))?;
        }
        Ok(directory)
    }

    fn usage(&self) -> Option<Usage> {
        let stat = fs::read_to_string("/proc/self/stat").ok()?;
        let pages = fs::read_to_string("/proc/self/statm").ok()?;
        let pages: u64 = pages.split_ascii_whitespace().nth(1)?.parse().ok()?;
        let page = u64::try_from(rustix::param::page_size()).ok()?;
        let open = fs::read_dir("/proc/self/fd").ok()?.filter_map(Result::ok);
        let links = open.filter_map(|entry| fs::read_link(entry.path()).ok());
        let sockets = links.filter(|link| link.to_string_lossy().starts_with("socket:")).count();
        Some(Usage { cpu: processor_time(&stat)?, memory: pages * page, sockets })
    }
}

/// User and system time of a process, whose name in front may hold anything.
fn processor_time(stat: &str) -> Option<Duration> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u64>().ok();
    // To programs, a second has a hundred ticks whatever the kernel counts in.
    Some(Duration::from_millis((ticks()? + ticks()?) * 10))
}

fn name(word: Word) -> &'static str {
    match word {
        Word::Go => "go",
        Word::Hold => "hold",
        Word::NoGo => "no-go",
    }
}

/// Writes a file for its user only; the program's umask sees to that.
fn write(path: &Path, text: &str) -> io::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory)?;
    }
    fs::write(path, text)
}

fn unwritten(path: &Path, error: &io::Error) -> String {
    format!("{} cannot be written: {error}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Evidence, Finding, sample},
        secret::Secret,
        tui::{Look, Picture, model::Model},
    };
    use proptest::prelude::*;
    use ratatui::layout::Size;

    /// What is known, with `planted` in every text that comes from outside.
    fn incident(planted: &str) -> Incident {
        let text = |about: &str| format!("{about} {planted} <&\"");
        let views = sample::seed().map(|mut view| {
            for check in &mut view.checks {
                let evidence = Evidence::default()
                    .asked(&text("GET http://app:x@127.0.0.1/?token="))
                    .wanted(&text("header Authorization: Bearer"))
                    .reply(&text("permission denied for"))
                    .fact("said", &*text("error"));
                let finding = Finding::fail(&text("refused")).remedy(&text("set KEY to"));
                check.finding = Arc::new(finding.evidence(evidence));
            }
            view.target.name = text("postgres://app@db/");
            Arc::new(view)
        });
        let mut snapshot = Snapshot { integrations: views.to_vec(), ..Snapshot::default() };
        snapshot.verdict.reason = text("1 blocker");
        let snapshot = Arc::new(snapshot);
        let model = Model::new(Arc::clone(&snapshot));
        let picture = Picture::of(&model, &Look::default(), Size::new(160, 50));
        Incident { snapshot, tests: Vec::new(), picture }
    }

    fn files(planted: &str) -> (tempfile::TempDir, Files) {
        let directory = tempfile::tempdir().unwrap();
        let redactor = Redactor::new(&[Secret::new(planted)]);
        let state = Some(directory.path().to_owned());
        (directory, Files { state, redactor })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn no_secret_leaves_the_screen(planted in "[A-Za-z0-9&<>\"'+/=_-]{8,24}") {
            let (_directory, files) = files(&planted);
            let mut text = format!("asked   GET /?key={planted}");
            let path = files.keep(&mut text).unwrap();
            prop_assert!(!text.contains(&planted));
            prop_assert_eq!(fs::read_to_string(path).unwrap(), text);
            let directory = files.export(incident(&planted)).unwrap();
            let xml = planted.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
            for entry in fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                let text = fs::read_to_string(&path).unwrap();
                prop_assert!(!text.contains(&planted), "{path:?}");
                prop_assert!(!text.contains(&xml), "{path:?}");
            }
        }
    }

    #[test]
    fn an_export_is_a_report_its_json_and_the_screen() {
        let (_directory, files) = files("hunter2-hunter2");
        let directory = files.export(incident("no secret")).unwrap();
        let read = |name: &str| fs::read_to_string(directory.join(name)).unwrap();
        assert!(read("report.md").starts_with("# "), "{}", read("report.md"));
        let json: serde_json::Value = serde_json::from_str(&read("report.json")).unwrap();
        assert_eq!(json["summary"]["verdict"], "HOLD");
        assert!(read("screen.txt").contains("HOLD"));
        assert!(read("screen.svg").starts_with("<svg "));
    }

    #[test]
    fn what_this_process_uses_is_read_from_the_system() {
        let stat = "7 (a) b) S 1 7 7 0 -1 4194304 900 0 0 0 123 45 0 0 20 0 9 0";
        assert_eq!(processor_time(stat), Some(Duration::from_millis(1680)));
        assert_eq!(processor_time("7 (a) S 1"), None);
        let (_directory, files) = files("hunter2-hunter2");
        if cfg!(target_os = "linux") {
            assert!(files.usage().unwrap().memory > 1 << 20);
        }
    }

    #[test]
    fn a_disk_that_takes_nothing_is_said_with_the_file() {
        let (directory, files) = files("hunter2-hunter2");
        fs::write(directory.path().join("incidents"), "a file in the way").unwrap();
        let why = files.export(incident("x")).unwrap_err();
        assert!(why.contains("incidents") && why.contains("cannot be written"), "{why}");
        let nowhere = Files { state: None, redactor: Redactor::default() };
        assert!(nowhere.keep(&mut String::new()).unwrap_err().starts_with("HOME is not set"));
    }
}
