use super::{Failure, print};
use crate::{cli::Cli, surface::gate};
use clap::CommandFactory as _;
use clap_complete::Shell;

/// `tminus completions`: what `shell` has to read to complete the command line.
pub(super) fn completions(shell: Shell) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tminus", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(gate::GO)
}

/// `tminus man`: the manual page, a section for each verb.
pub(super) fn page() -> Result<u8, Failure> {
    let mut page = Vec::new();
    let command = Cli::command().disable_help_subcommand(true);
    let rendered = clap_mangen::Man::new(command.clone()).render(&mut page).and_then(|()| {
        let verbs = command.get_subcommands().filter(|verb| !verb.is_hide_set());
        verbs.cloned().try_for_each(|verb| verb_section(verb, &mut page))
    });
    // It is written into memory, which cannot fail.
    rendered.map_err(|error| Failure::unusable("the manual cannot be made", error.to_string()))?;
    print(&String::from_utf8_lossy(&page))?;
    Ok(gate::GO)
}

fn verb_section(verb: clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let name = format!("tminus {}", verb.get_name());
    let man = clap_mangen::Man::new(verb.bin_name(name.clone()));
    page.extend_from_slice(format!(".SH \"{}\"\n", name.to_uppercase()).as_bytes());
    man.render_description_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_options_section(page)
}
