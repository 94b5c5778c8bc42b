//! The same over TLS.

use super::{GOOD, Manner, Rude, measured, small};
use crate::support::certificate;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use std::sync::Arc;
use tminus::perf::{Hindrance, load::Asked};
use tokio_rustls::TlsAcceptor;

fn acceptor() -> Option<(TlsAcceptor, tempfile::TempDir)> {
    let dir = certificate()?;
    let certificate = CertificateDer::from_pem_file(dir.path().join("cert.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(dir.path().join("key.pem")).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.unwrap().with_no_client_auth();
    let config = config.with_single_cert(vec![certificate], key).unwrap();
    Some((TlsAcceptor::from(Arc::new(config)), dir))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trusted_server_is_measured_and_any_other_is_not_spoken_to() {
    let Some((acceptor, dir)) = acceptor() else { return };
    let server = Rude::start_as(Manner::Says(GOOD.into()), Some(acceptor)).await;
    let url = server.url().replace("http://", "https://");
    let trusting = || Asked { ca: Some(dir.path().join("cert.pem")), ..small(100) };
    let record = measured(&url, trusting()).await.unwrap();
    assert_eq!((record.total.succeeded, record.total.failed), (100, 0), "{record:?}");
    let untested = measured(&url, small(100)).await.unwrap_err();
    assert_eq!(untested.why, Hindrance::Target);
    assert!(untested.says.contains("nobody trusted vouches"), "{untested}");
    assert_eq!(server.asked(), 100, "nothing is sent to whom nobody vouches for");
    let plain = Rude::start(Manner::Says("HTTP/1.1 400 Plain\r\n\r\n".into())).await;
    let url = plain.url().replace("http://", "https://");
    let untested = measured(&url, trusting()).await.unwrap_err();
    assert_eq!(untested.why, Hindrance::Target, "{untested}");
    let untested = measured(&server.url(), small(10)).await.unwrap();
    assert_eq!(untested.total.succeeded, 0, "the port speaks TLS: {untested:?}");
}
