//! What the user may say about the monitoring stack.

use crate::{probe::Complaint, secret::Secret};
use serde::Deserialize;
use url::Url;

/// Where Prometheus is.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Address of Prometheus, as `http://host:9090` or `https://user:password@host/prefix`.
    /// Without it, only the dashboards and rules that ship with tminus are checked.
    pub prometheus: Option<Secret>,
}

impl Settings {
    /// What is wrong with them. Never quotes the address: it may hold a password.
    pub fn complaints(&self) -> Vec<Complaint> {
        let Some(address) = &self.prometheus else { return Vec::new() };
        let says = match Url::parse(address.expose()) {
            Err(error) => format!("is not a URL ({error}); write http://host:9090"),
            Ok(url) if !matches!(url.scheme(), "http" | "https") => {
                "must begin with http:// or https://".into()
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                "must end with the path, without ? or #".into()
            }
            Ok(_) => return Vec::new(),
        };
        vec![Complaint::new("prometheus", says)]
    }

    /// Every secret in them, for whoever takes secrets out of text.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.prometheus.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_address_is_explained_and_not_quoted() {
        let settings = |url: &str| Settings { prometheus: Some(Secret::new(url)) };
        for good in ["http://localhost:9090", "https://me:pw@prom.example/p/", "http://[::1]:9090"]
        {
            assert_eq!(settings(good).complaints(), [], "{good}");
        }
        for bad in ["localhost:9090", "hunter2", "ftp://hunter2", "http://h/?q=hunter2"] {
            let complaints = settings(bad).complaints();
            assert_eq!((complaints.len(), &*complaints[0].key), (1, "prometheus"), "{bad}");
            assert!(!complaints[0].says.contains("hunter2"), "{bad}");
        }
        assert_eq!(Settings::default().complaints(), []);
    }
}
