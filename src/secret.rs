//! Values that must not reach a screen, a log or a report, and the one function
//! that takes them out of text.

use secrecy::{ExposeSecret, SecretString};
use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};
use std::{fmt, sync::Arc};

/// Shown in a secret's place.
const MASK: &str = "[secret]";
/// Shorter values are too common in ordinary text to be replaced.
const SHORTEST: usize = 4;

/// A value that cannot print itself. Wiped from memory when dropped.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value.
    pub fn new(value: impl Into<String>) -> Self {
        Self(SecretString::from(value.into()))
    }

    /// The value itself. Call it where it leaves through a socket, nowhere else.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(MASK)
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }
}

impl Eq for Secret {}

impl Secret {
    /// What it tells a deserializer that it is, so that one can take note of every secret it reads.
    pub(crate) const NAME: &'static str = "Secret";
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_newtype_struct(Self::NAME, SecretText)
    }
}

/// Takes text, and says so without repeating it when it is given something else.
struct SecretText;

impl<'de> Visitor<'de> for SecretText {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, from: D) -> Result<Secret, D::Error> {
        String::deserialize(from).map(Secret::new)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::new(text))
    }
}

/// Takes known secrets out of text. Cheap to clone.
#[derive(Clone, Default)]
pub struct Redactor(Arc<[SecretString]>);

impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redactor({} values)", self.0.len())
    }
}

impl Redactor {
    /// Knows `secrets`, also percent-encoded; for a URL, also the password in it.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let mut values: Vec<String> = secrets.into_iter().flat_map(forms).collect();
        // The longest first, or a part would be replaced within the whole.
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        values.dedup();
        Self(values.into_iter().map(SecretString::from).collect())
    }

    /// Replaces every known secret in `text`.
    pub fn scrub(&self, text: &mut String) {
        for secret in self.0.iter().map(ExposeSecret::expose_secret) {
            if text.contains(secret) {
                *text = text.replace(secret, MASK);
            }
        }
    }
}

/// The ways in which a secret may turn up in text.
fn forms(secret: &Secret) -> Vec<String> {
    let whole = secret.expose();
    let mut forms = vec![whole.to_owned()];
    let password = match url::Url::parse(whole) {
        Ok(url) => url.password().map(ToOwned::to_owned),
        Err(_) => password_of_several(whole).map(ToOwned::to_owned),
    };
    forms.extend(password.as_deref().map(percent_decoded));
    forms.extend(password);
    let encoded = url::form_urlencoded::byte_serialize(whole.as_bytes()).collect();
    forms.push(encoded);
    forms.retain(|form| form.len() >= SHORTEST);
    forms
}

/// The password of an address with several hosts, which is no URL in the strict sense.
fn password_of_several(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once("://")?;
    let (user, _) = rest.rsplit_once('@')?;
    user.split_once(':').map(|(_, password)| password)
}

fn percent_decoded(text: &str) -> String {
    // A query's rules differ only in `+`, which a password would have encoded.
    let pairs = format!("v={}", text.replace('+', "%2B"));
    url::form_urlencoded::parse(pairs.as_bytes())
        .next()
        .map(|(_, v)| v.into_owned())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_cannot_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "[secret]");
    }

    #[test]
    fn a_secret_is_read_like_a_text() {
        let read: Secret = serde_json::from_str("\"hunter2\"").unwrap();
        assert_eq!(read.expose(), "hunter2");
        assert!(serde_json::from_str::<Secret>("[1]").is_err());
    }

    #[test]
    fn every_form_of_a_secret_is_taken_out() {
        let url = Secret::new("redis://app:p%40ss%2Fword@db:6379/0");
        let redactor = Redactor::new([&url, &Secret::new("sk-live/1+2")]);
        for text in [
            "could not reach redis://app:p%40ss%2Fword@db:6379/0",
            "AUTH app p@ss/word",
            "AUTH app p%40ss%2Fword",
            "Incorrect key sk-live/1+2",
            "?key=sk-live%2F1%2B2",
        ] {
            let mut scrubbed = text.to_owned();
            redactor.scrub(&mut scrubbed);
            assert!(scrubbed.contains(MASK), "{scrubbed}");
            assert!(!scrubbed.contains("word@") && !scrubbed.contains("p@ss"), "{scrubbed}");
            assert!(!scrubbed.contains("sk-live"), "{scrubbed}");
        }
    }

    #[test]
    fn the_password_of_an_address_with_several_hosts_is_one() {
        let redactor = Redactor::new([&Secret::new("redis-sentinel://app:p%40ss@a:1,b:2/m")]);
        for text in ["AUTH app p@ss", "AUTH app p%40ss"] {
            let mut scrubbed = text.to_owned();
            redactor.scrub(&mut scrubbed);
            assert_eq!(scrubbed, format!("AUTH app {MASK}"));
        }
    }

    #[test]
    fn too_short_a_value_does_not_tear_text_apart() {
        let mut text = "a cab".to_owned();
        Redactor::new([&Secret::new("a")]).scrub(&mut text);
        assert_eq!(text, "a cab");
    }
}
