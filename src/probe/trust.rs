//! Who may vouch for a server, and why one was not believed.

use super::{ProbeError, tls};
use crate::units;
use rustls::{
    CertificateError, ClientConfig, RootCertStore,
    pki_types::{CertificateDer, pem::PemObject as _},
};
use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use tokio::{sync::OnceCell, task::spawn_blocking};

/// Whom to trust. Reading the certificates of a host takes milliseconds: once is enough.
#[derive(Debug)]
pub struct Trust {
    ca: Option<PathBuf>,
    tls: OnceCell<Arc<ClientConfig>>,
}

impl Trust {
    /// The issuers in the file `ca`, or those that this host trusts.
    pub fn new(ca: Option<PathBuf>) -> Self {
        Self { ca, tls: OnceCell::new() }
    }

    /// How to greet a server, once the certificates are read.
    pub async fn config(&self) -> Result<Arc<ClientConfig>, ProbeError> {
        let config = self.tls.get_or_try_init(|| client_config(self.ca.clone())).await;
        config.map(Arc::clone)
    }
}

/// What TLS says went wrong; the driver hides it in the error of the socket.
pub fn of_tls(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref().and_then(|inner| inner.downcast_ref())
}

/// Why a handshake failed.
pub fn reason(error: &io::Error, host: &str) -> String {
    match of_tls(error) {
        Some(error @ rustls::Error::InvalidMessage(_)) => {
            format!("the port does not speak TLS ({error})")
        }
        Some(rustls::Error::InvalidCertificate(error)) => of_certificate(error, host),
        Some(error) => error.to_string(),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "it closed the connection during the handshake".into()
        }
        None => error.kind().to_string(),
    }
}

/// What is wrong with a certificate. The library's own words name its types, and times in seconds.
#[expect(clippy::wildcard_enum_match_arm, reason = "the library adds errors as it learns of them")]
fn of_certificate(error: &CertificateError, host: &str) -> String {
    let text = format!("{error:?}");
    match error {
        CertificateError::Expired => "the certificate has expired".into(),
        CertificateError::ExpiredContext { time, not_after } => {
            let since = time.as_secs().saturating_sub(not_after.as_secs());
            format!("the certificate expired {} ago", units::age(Duration::from_secs(since)))
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the certificate is not valid yet".into()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            format!("the certificate is not for {host}")
        }
        CertificateError::UnknownIssuer => "nobody trusted vouches for the certificate".into(),
        _ if text.contains("CaUsedAsEndEntity") => {
            "the server shows the certificate of an issuer, not one of its own".into()
        }
        _ => format!("invalid certificate: {error}"),
    }
}

async fn client_config(ca: Option<PathBuf>) -> Result<Arc<ClientConfig>, ProbeError> {
    tls::install();
    let roots = spawn_blocking(move || match ca {
        Some(path) => named_roots(&path),
        None => Ok(native_roots()),
    });
    let roots =
        roots.await.map_err(|_| ProbeError::Local("reading certificates failed".into()))??;
    let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    Ok(Arc::new(config))
}

fn named_roots(path: &Path) -> Result<RootCertStore, ProbeError> {
    let bad = |what: &str| ProbeError::Misconfigured(format!("`ca`: {} {what}", path.display()));
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(path).map_err(|_| bad("cannot be read"))? {
        let certificate = certificate.map_err(|_| bad("is not a PEM file"))?;
        roots.add(certificate).map_err(|_| bad("holds a certificate that cannot vouch"))?;
    }
    if roots.is_empty() { Err(bad("holds no certificate")) } else { Ok(roots) }
}

/// What this host trusts; where it has no store (a bare container), Mozilla's list.
fn native_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        roots.add_parsable_certificates(webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().cloned());
    }
    roots
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustls::pki_types::UnixTime;

    #[test]
    fn a_certificate_file_must_hold_a_certificate() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [Path::new("/nowhere/ca.pem"), file.path()] {
            let error = named_roots(path).unwrap_err();
            assert!(matches!(&error, ProbeError::Misconfigured(says) if says.contains("`ca`")));
        }
    }

    #[test]
    fn what_is_wrong_with_a_certificate_is_said_in_words() {
        let of = |error: CertificateError| of_certificate(&error, "db");
        assert_eq!(of(CertificateError::Expired), "the certificate has expired");
        assert_eq!(of(CertificateError::NotValidForName), "the certificate is not for db");
        let unknown = of(CertificateError::UnknownIssuer);
        assert_eq!(unknown, "nobody trusted vouches for the certificate");
        let expired = CertificateError::ExpiredContext {
            time: UnixTime::since_unix_epoch(Duration::from_hours(25)),
            not_after: UnixTime::since_unix_epoch(Duration::ZERO),
        };
        assert_eq!(of(expired), "the certificate expired 1d1h ago");
    }
}
