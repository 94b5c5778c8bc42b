//! What can be said about a key without sending it. A format is a hint, never a
//! verdict: providers change theirs, and the live answer decides.

use super::providers::{Profile, Provider};

/// What is wrong with a key, if anything.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sanity {
    /// It can be sent.
    Usable(Option<Hint>),
    /// It cannot be what the provider gave out.
    Broken(&'static str),
}

/// A usable key that may still not be the one meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hint {
    /// What is odd, in a clause.
    pub(super) says: &'static str,
    /// What to do about it.
    pub(super) remedy: &'static str,
}

/// Words that stand in examples where a key should be.
const PLACEHOLDERS: &[&str] = &[
    "your-",
    "your_",
    "xxx",
    "<",
    "changeme",
    "change-me",
    "placeholder",
    "example",
    "sk-...",
    "todo",
];

/// Looks at `key` as it was given.
pub(super) fn sanity(profile: &Profile, key: &str) -> Sanity {
    let quotes: &[char] = &['"', '\'', '`'];
    let lower = key.to_ascii_lowercase();
    // A self-hosted Letta takes any password, also one of several words.
    let words = profile.provider == Provider::Letta;
    if key.trim().is_empty() {
        Sanity::Broken("is set, but empty")
    } else if key.contains(['\n', '\r']) {
        Sanity::Broken("has a line break in it")
    } else if key.trim() != key {
        Sanity::Broken("has a space around it")
    } else if key.starts_with(quotes) || key.ends_with(quotes) {
        Sanity::Broken("has quotes around it")
    } else if PLACEHOLDERS.iter().any(|word| lower.starts_with(word)) || lower.ends_with("...") {
        Sanity::Broken("is the placeholder of an example")
    } else if !key.chars().all(|c| c.is_ascii_graphic() || (words && c == ' ')) {
        Sanity::Broken("has characters that no key has")
    } else {
        Sanity::Usable(hint(profile.provider, key))
    }
}

fn hint(provider: Provider, key: &str) -> Option<Hint> {
    let hint = |says, remedy| Some(Hint { says, remedy });
    match provider {
        Provider::OpenAi if key.starts_with("sk-admin-") => {
            hint("an admin key, which cannot infer", "set a project key in its place")
        }
        Provider::Google if key.starts_with("AIza") => hint(
            "an old kind of key, being retired",
            "make a new key (AQ.…) at aistudio.google.com/apikey before Google refuses this one",
        ),
        Provider::OpenAi | Provider::Google | Provider::Letta | Provider::GitHub => None,
    }
}

/// What kind of key it is, by how it begins. Never any of the key itself.
pub(super) fn kind(provider: Provider, key: &str) -> &'static str {
    let kinds: &[(&str, &str)] = match provider {
        Provider::OpenAi => &[
            ("sk-proj-", "project key"),
            ("sk-svcacct-", "service account key"),
            ("sk-admin-", "admin key"),
            ("sk-", "user key"),
        ],
        Provider::Google => &[("AIza", "standard key"), ("AQ.", "auth key")],
        Provider::Letta => &[("sk-let-", "cloud key")],
        Provider::GitHub => &[
            ("ghp_", "classic token"),
            ("github_pat_", "fine-grained token"),
            ("gho_", "OAuth token"),
            ("ghu_", "user-to-server token"),
            ("ghs_", "installation token"),
        ],
    };
    let known = kinds.iter().find(|(prefix, _)| key.starts_with(prefix));
    known.map_or("key of unknown kind", |(_, kind)| kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_a_key_is_named_for_what_it_is() {
        let cases = [
            ("", "is set, but empty"),
            ("  ", "is set, but empty"),
            ("sk-abc\n", "has a line break in it"),
            (" sk-abc", "has a space around it"),
            ("\"sk-abc\"", "has quotes around it"),
            ("sk-abc'", "has quotes around it"),
            ("your-key-here", "is the placeholder of an example"),
            ("XXXX", "is the placeholder of an example"),
            ("sk-...", "is the placeholder of an example"),
            ("<key>", "is the placeholder of an example"),
            ("sk-äbc", "has characters that no key has"),
            ("sk abc", "has characters that no key has"),
        ];
        for (key, expected) in cases {
            let found = sanity(Provider::OpenAi.profile(), key);
            assert_eq!(found, Sanity::Broken(expected), "{key:?}");
        }
    }

    #[test]
    fn a_format_is_a_hint_and_never_a_verdict() {
        let hinted = |provider: Provider, key: &str| match sanity(provider.profile(), key) {
            Sanity::Usable(hint) => hint.is_some(),
            Sanity::Broken(says) => panic!("{key} {says}"),
        };
        let installation = format!("ghs_123_{}.{}", "e".repeat(250), "-_".repeat(125));
        for (provider, key, expected) in [
            (Provider::Google, "AQ.Ab8RN6", false),
            (Provider::Google, "AIzaSyD-x", true),
            (Provider::Google, "something-new", false),
            (Provider::OpenAi, "sk-admin-x", true),
            (Provider::OpenAi, "sk-proj-x", false),
            (Provider::GitHub, &*installation, false),
            (Provider::Letta, "any password", false),
        ] {
            assert_eq!(hinted(provider, key), expected, "{key}");
        }
        assert_eq!(kind(Provider::GitHub, &installation), "installation token");
        assert_eq!(kind(Provider::Google, "something-new"), "key of unknown kind");
    }
}
