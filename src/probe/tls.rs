//! The one TLS provider of the process.

use std::sync::Once;

/// Makes ring the TLS provider, unless there is one already. Cheap to repeat.
///
/// reqwest's clients panic without a provider, even where ring is the only one
/// compiled in, so everything that builds one calls this first.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // An error says that there is one already, which is what is wanted.
        drop(rustls::crypto::ring::default_provider().install_default());
    });
}
