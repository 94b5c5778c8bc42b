//! What the user may say about external APIs, and what the environment says.

use super::providers::{PROFILES, Profile, Provider};
use crate::{probe::Complaint, secret::Secret};
use serde::Deserialize;
use url::Url;

/// The four providers of the row `apis`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// `OpenAI`. Required unless told otherwise.
    pub openai: ProviderSettings,
    /// Google AI. Required unless told otherwise.
    pub google: ProviderSettings,
    /// Letta. Optional unless told otherwise.
    pub letta: ProviderSettings,
    /// GitHub. Optional unless told otherwise.
    pub github: ProviderSettings,
}

/// One provider.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ProviderSettings {
    /// Its key. Default: the provider's own environment variables.
    pub key: Option<Secret>,
    /// Base URL of a gateway or a self-hosted server. Default: the provider's own.
    pub url: Option<String>,
    /// Whether a missing key is a failure. Default: true for `OpenAI` and Google AI.
    pub required: Option<bool>,
    /// The variable that the key came from, if it did.
    #[serde(skip)]
    pub variable: Option<&'static str>,
    /// Another variable of the provider that holds a different key.
    #[serde(skip)]
    pub rival: Option<&'static str>,
}

/// One `[[api]]`: a further account, shown as a row of its own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InstanceSettings {
    /// Name of the row: `apis/<name>`. Lower-case letters, digits, `-` and `_`.
    pub name: String,
    /// `openai`, `google`, `letta` or `github`.
    pub provider: Provider,
    /// Its key. There is no default.
    pub key: Option<Secret>,
    /// Base URL of a gateway or a self-hosted server. Default: the provider's own.
    pub url: Option<String>,
    /// Whether a missing key is a failure. Default: true.
    pub required: Option<bool>,
}

impl Settings {
    /// Fills in what the file does not say from the providers' own variables.
    pub fn fill(&mut self, env: impl Fn(&str) -> Option<String>) {
        for profile in &PROFILES {
            self.of_mut(profile.provider).fill(profile, &env);
        }
    }

    /// The settings of one provider.
    pub fn of(&self, provider: Provider) -> &ProviderSettings {
        match provider {
            Provider::OpenAi => &self.openai,
            Provider::Google => &self.google,
            Provider::Letta => &self.letta,
            Provider::GitHub => &self.github,
        }
    }

    fn of_mut(&mut self, provider: Provider) -> &mut ProviderSettings {
        match provider {
            Provider::OpenAi => &mut self.openai,
            Provider::Google => &mut self.google,
            Provider::Letta => &mut self.letta,
            Provider::GitHub => &mut self.github,
        }
    }

    /// What is wrong with them.
    pub fn complaints(&self) -> Vec<Complaint> {
        let of_one = |profile: &Profile| {
            let complaint = complaint(self.of(profile.provider).url.as_deref()?)?;
            Some(Complaint::new(&format!("{}.url", profile.word), complaint))
        };
        PROFILES.iter().filter_map(of_one).collect()
    }

    /// Every secret in them, for whoever takes secrets out of text.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        PROFILES.iter().filter_map(|profile| self.of(profile.provider).key.as_ref())
    }
}

impl ProviderSettings {
    fn fill(&mut self, profile: &Profile, env: impl Fn(&str) -> Option<String>) {
        let set: Vec<_> =
            profile.keys.iter().filter_map(|name| Some((*name, env(name)?))).collect();
        if let (None, Some((name, value))) = (&self.key, set.first()) {
            self.key = Some(Secret::new(value.as_str()));
            self.variable = Some(name);
            self.rival = set.iter().find(|(_, other)| other != value).map(|(name, _)| *name);
        }
        if self.url.is_none() {
            self.url = profile.url.and_then(env).filter(|url| !url.is_empty());
        }
    }
}

impl InstanceSettings {
    /// What is wrong with them.
    pub fn complaints(&self) -> Vec<Complaint> {
        let url = self.url.as_deref().and_then(complaint);
        url.map(|says| Complaint::new("url", says)).into_iter().collect()
    }

    /// Every secret in them, for whoever takes secrets out of text.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.key.iter()
    }
}

impl From<InstanceSettings> for ProviderSettings {
    fn from(instance: InstanceSettings) -> Self {
        let InstanceSettings { key, url, required, .. } = instance;
        Self { key, url, required: Some(required.unwrap_or(true)), ..Self::default() }
    }
}

/// What is wrong with a base URL. Never quotes it: it may hold a password.
fn complaint(url: &str) -> Option<String> {
    match Url::parse(url) {
        Err(error) => Some(format!("is not a URL ({error}); write https://host/path")),
        Ok(url) if !matches!(url.scheme(), "http" | "https") => {
            Some("must begin with https://, or http:// on this machine".into())
        }
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            Some("must not hold a user or password; the key goes under key".into())
        }
        Ok(url) if url.query().is_some() || url.fragment().is_some() => {
            Some("must end with the path, without ? or #".into())
        }
        Ok(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(set: &[(&str, &str)]) -> Settings {
        let mut settings = Settings::default();
        settings.fill(|name| {
            set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        });
        settings
    }

    #[test]
    fn the_first_variable_that_is_set_is_used_and_a_rival_is_named() {
        let google = filled(&[("GEMINI_API_KEY", "one"), ("GOOGLE_API_KEY", "two")]).google;
        assert_eq!(google.key, Some(Secret::new("one")));
        assert_eq!(
            (google.variable, google.rival),
            (Some("GEMINI_API_KEY"), Some("GOOGLE_API_KEY"))
        );
        let same = filled(&[("GITHUB_TOKEN", "t"), ("GH_TOKEN", "t")]).github;
        assert_eq!((same.variable, same.rival), (Some("GITHUB_TOKEN"), None));
        assert_eq!(filled(&[]).openai.key, None);
    }

    #[test]
    fn the_file_is_stronger_than_the_environment() {
        let mut settings = Settings::default();
        settings.openai.key = Some(Secret::new("from the file"));
        settings.openai.url = Some("https://gateway.example/v1".into());
        settings.fill(|_| Some("from the environment".into()));
        assert_eq!(settings.openai.key, Some(Secret::new("from the file")));
        assert_eq!(settings.openai.variable, None);
        assert_eq!(settings.openai.url.as_deref(), Some("https://gateway.example/v1"));
        assert_eq!(settings.letta.url.as_deref(), Some("from the environment"));
        assert_eq!(settings.secrets().count(), 4);
    }

    #[test]
    fn a_base_url_that_cannot_work_is_explained_and_not_quoted() {
        for bad in
            ["api.openai.com", "ftp://hunter2", "https://u:hunter2@h/v1", "https://h/?k=hunter2"]
        {
            let mut settings = Settings::default();
            settings.openai.url = Some(bad.into());
            let complaints = settings.complaints();
            assert_eq!((complaints.len(), &*complaints[0].key), (1, "openai.url"), "{bad}");
            assert!(!complaints[0].says.contains("hunter2"), "{bad}");
        }
        let mut settings = Settings::default();
        settings.letta.url = Some("http://localhost:8283".into());
        assert_eq!(settings.complaints(), []);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_refused() {
        assert!(toml::from_str::<Settings>("[openai]\nkey = \"k\"").is_ok());
        assert!(toml::from_str::<Settings>("[openai]\nkye = \"k\"").is_err());
        assert!(toml::from_str::<Settings>("[open_ai]\nkey = \"k\"").is_err());
        let instance = "name = \"eu\"\nprovider = \"openai\"\nkey = \"k\"";
        let instance: InstanceSettings = toml::from_str(instance).unwrap();
        assert_eq!(ProviderSettings::from(instance).required, Some(true));
        assert!(toml::from_str::<InstanceSettings>("name = \"eu\"\nprovider = \"opena\"").is_err());
    }
}
