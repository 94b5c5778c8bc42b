use super::{Failure, print, tell};
use crate::{
    cli::{Global, Init},
    config::{Draft, World, draft},
    domain::plain,
    surface::gate,
};
use std::{
    fs::{self, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

/// What the file is called where nothing else is said.
const FILE: &str = "tminus.toml";
/// Characters shown of one thing that was found.
const LINE: usize = 200;

/// `tminus init`: writes a file to begin with, from what lies around. Connects to nothing.
pub(super) fn run(global: &Global, asked: Init) -> Result<u8, Failure> {
    let draft = draft(&World);
    if asked.print {
        print(&draft.text)?;
        return Ok(gate::GO);
    }
    let path = global.config.clone().unwrap_or_else(|| PathBuf::from(FILE));
    let written = if asked.force { replace(&path, &draft.text) } else { make(&path, &draft.text) };
    written.map_err(|error| unwritten(&path, &error))?;
    account(&draft, &path);
    Ok(gate::GO)
}

/// Writes a file that is not there yet. Nobody but its owner may read it: somebody will
/// write a password into it.
fn make(path: &Path, text: &str) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).inspect_err(|_| {
        // Half of it is worse than nothing, and the first error is the one that tells.
        drop(fs::remove_file(path));
    })
}

/// Takes the place of what is there, which stays until the new one is whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
    let mut beside = name.to_owned();
    beside.push(".new");
    let beside = path.with_file_name(beside);
    make(&beside, text)?;
    fs::rename(&beside, path).inspect_err(|_| drop(fs::remove_file(&beside)))
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    let path = path.display();
    let what = format!("{path} is not written");
    if error.kind() == io::ErrorKind::AlreadyExists {
        return Failure::unusable(what, "it is there already")
            .hint("`tminus init --print` shows the new one, --force takes its place");
    }
    Failure::unusable(what, error.to_string())
        .hint("name a file in a directory that you may write to: --config FILE")
}

fn account(draft: &Draft, path: &Path) {
    for found in &draft.found {
        tell(&format!("found  {}", plain(found, LINE)));
    }
    for missing in &draft.missing {
        tell(&format!("none   {missing}"));
    }
    tell(&format!("wrote  {}; `tminus config check` says what holds", path.display()));
}
