//! The providers: where they are, how a key is sent, what to ask that costs nothing.

use serde::Deserialize;

/// Whose API it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Provider {
    /// `OpenAI`, or a server that speaks its API.
    OpenAi,
    /// Google AI, the Gemini API.
    Google,
    /// Letta, in the cloud or self-hosted.
    Letta,
    /// GitHub, or GitHub Enterprise Server.
    GitHub,
}

/// How a key is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// `Authorization: Bearer …`
    Bearer,
    /// `x-goog-api-key: …`; a bearer token would mean something else there.
    GoogleKey,
}

/// What is known of a provider before it is asked.
#[derive(Debug)]
pub struct Profile {
    /// Which one.
    pub provider: Provider,
    /// Its name in the configuration and in check names.
    pub word: &'static str,
    /// Its name to show.
    pub name: &'static str,
    /// Whether a release needs it unless the configuration says otherwise.
    pub required: bool,
    /// Variables that hold its key; the first that is set is used.
    pub keys: &'static [&'static str],
    /// Variable that holds its base URL.
    pub url: Option<&'static str>,
    /// Its own address.
    pub(super) base: &'static str,
    /// The question that costs nothing, below the base.
    pub(super) path: &'static str,
    /// What a good answer is.
    pub(super) wanted: &'static str,
    pub(super) scheme: Scheme,
    /// Header fields beyond the key.
    pub(super) headers: &'static [(&'static str, &'static str)],
    /// Where its keys are made.
    pub(super) console: &'static str,
}

/// Every provider, in the order to show them.
pub static PROFILES: [Profile; 4] = [
    Profile {
        provider: Provider::OpenAi,
        word: "openai",
        name: "OpenAI",
        required: true,
        keys: &["OPENAI_API_KEY"],
        url: Some("OPENAI_BASE_URL"),
        base: "https://api.openai.com/v1",
        path: "/models",
        wanted: "200, a list with at least one model",
        scheme: Scheme::Bearer,
        headers: &[],
        console: "platform.openai.com/api-keys",
    },
    Profile {
        provider: Provider::Google,
        word: "google",
        name: "Google AI",
        required: true,
        keys: &["GOOGLE_AI_API_KEY", "GEMINI_API_KEY", "GOOGLE_API_KEY"],
        url: None,
        base: "https://generativelanguage.googleapis.com/v1beta",
        path: "/models?pageSize=1",
        wanted: "200, at least one model",
        scheme: Scheme::GoogleKey,
        headers: &[],
        console: "aistudio.google.com/apikey",
    },
    Profile {
        provider: Provider::Letta,
        word: "letta",
        name: "Letta",
        required: false,
        keys: &["LETTA_API_KEY"],
        url: Some("LETTA_BASE_URL"),
        base: "https://api.letta.com",
        path: "/v1/agents/?limit=1",
        wanted: "200, an array of agents",
        scheme: Scheme::Bearer,
        headers: &[],
        console: "app.letta.com",
    },
    Profile {
        provider: Provider::GitHub,
        word: "github",
        name: "GitHub",
        required: false,
        keys: &["GITHUB_TOKEN", "GH_TOKEN"],
        url: Some("GITHUB_API_URL"),
        base: "https://api.github.com",
        path: "/rate_limit",
        wanted: "200, resources.core.limit above 60",
        scheme: Scheme::Bearer,
        // Without a version it answers in whatever is newest.
        headers: &[
            ("accept", "application/vnd.github+json"),
            ("x-github-api-version", "2022-11-28"),
        ],
        console: "github.com/settings/tokens",
    },
];

impl Provider {
    /// What is known of it.
    pub fn profile(self) -> &'static Profile {
        match self {
            Self::OpenAi => &PROFILES[0],
            Self::Google => &PROFILES[1],
            Self::Letta => &PROFILES[2],
            Self::GitHub => &PROFILES[3],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_provider_has_its_own_profile() {
        for profile in &PROFILES {
            assert_eq!(profile.provider.profile().word, profile.word);
            assert!(profile.base.starts_with("https://") && !profile.base.ends_with('/'));
            assert!(profile.path.starts_with('/') && !profile.keys.is_empty());
        }
    }

    #[test]
    fn the_configuration_calls_them_by_their_words() {
        for profile in &PROFILES {
            let read: Provider = serde_json::from_str(&format!("{:?}", profile.word)).unwrap();
            assert_eq!(read, profile.provider);
        }
    }
}
