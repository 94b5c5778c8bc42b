use super::lease::Lease;
use std::{
    panic::{self, PanicHookInfo},
    thread,
};

/// Makes a panic of this thread, the one that draws, give the terminal back
/// before it is reported by whatever reported it so far.
///
/// A panic of any other thread ends one run of one check and nothing else: the
/// console goes on drawing, so it must neither give the terminal back nor write
/// on it. It goes to the log.
pub(super) fn install(lease: Lease) {
    let drawing = thread::current().id();
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if thread::current().id() == drawing {
            lease.give_back();
            report(panic);
        } else {
            note(panic);
        }
    }));
}

fn note(panic: &PanicHookInfo<'_>) {
    let at = panic.location().map_or_else(|| "somewhere".into(), ToString::to_string);
    let says = panic.payload_as_str().unwrap_or("no message");
    tracing::error!(thread = thread::current().name(), at, "panic: {says}");
}
