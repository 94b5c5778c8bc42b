use crate::{domain::perf::Refusal, probe::Safety};

/// What is known of a target when it is decided whether it may be put under load.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// Its name, for people.
    pub name: &'a str,
    /// Whether it is this machine.
    pub local: bool,
    /// Its own `writes` setting.
    pub writes: Option<bool>,
    /// Its own `load` setting.
    pub load: Option<bool>,
    /// The table of the configuration that these stand in: `redis`.
    pub table: &'a str,
}

/// Why a test that writes may not put `place` under load; nothing if it may.
///
/// What this machine holds may be; anything else only if its own configuration says
/// `load = true`, or the command line `--allow-load`. A declared `false` always holds.
pub fn refusal(place: &Place<'_>, safety: Safety) -> Option<Refusal> {
    let Place { name, table, .. } = place;
    if place.load == Some(false) || place.writes == Some(false) {
        let key = if place.load == Some(false) { "load" } else { "writes" };
        return Some(Refusal {
            why: format!("[{table}] says `{key} = false`"),
            hint: format!("take that out of [{table}] if {name} may be put under load"),
        });
    }
    let allowed = place.load == Some(true) || place.local || safety.allow_load;
    (!allowed).then(|| Refusal {
        why: format!("{name} is not on this machine and no load is allowed there"),
        hint: format!("set `load = true` in [{table}] or give --allow-load, if its owner agrees"),
    })
}

/// Why a test cannot be run that was asked for as `complaint` says; `verb` is its name on
/// the command line.
pub(super) fn unusable(complaint: Option<String>, verb: &str) -> Option<Refusal> {
    complaint.map(|why| Refusal { why, hint: format!("see `tminus perf {verb} --help`") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_here_or_declared_is_put_under_load() {
        let (strict, lax) = (Safety::default(), Safety { allow_load: true, ..Safety::default() });
        let place =
            |local, writes, load| Place { name: "db:6379/0", local, writes, load, table: "redis" };
        let may = |place: Place, safety| refusal(&place, safety).is_none();
        assert!(may(place(true, None, None), strict));
        assert!(!may(place(false, None, None), strict));
        assert!(!may(place(false, Some(true), None), strict), "writing a key is no load");
        assert!(may(place(false, None, Some(true)), strict));
        assert!(may(place(false, None, None), lax));
        for declared in [place(true, None, Some(false)), place(true, Some(false), Some(true))] {
            assert!(!may(declared, lax), "a declared `false` always holds");
        }
        let said = refusal(&place(false, None, None), strict).unwrap();
        assert!(said.why.contains("db:6379/0") && said.hint.contains("load = true"));
    }
}
