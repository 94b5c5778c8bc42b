//! What the generator of the load runs on: figures of another machine are other figures.

use rustix::system::uname;
use std::thread::available_parallelism;

/// The kind of this machine, without its name.
pub(super) fn host() -> String {
    let (system, cores) = (uname(), available_parallelism().map_or(1, usize::from));
    let [kind, machine] = [system.sysname(), system.machine()].map(|it| it.to_string_lossy());
    format!("{kind} {machine}, {cores} cores")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_always_the_same() {
        assert_eq!(host(), host());
        assert!(host().ends_with(" cores") && host().len() > 10);
    }
}
