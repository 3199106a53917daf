//! One TLS configuration for HTTP and WebSocket: ring, TLS 1.2 and up, roots by choice.

use std::{fmt, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    crypto::{CryptoProvider, KeyProvider, ring},
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    sign::SigningKey,
};
use rustls_platform_verifier::BuilderVerifierExt;

/// Whose certificates are trusted.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum TrustRoots {
    /// The operating system's: users' and companies' own authorities count.
    ///
    /// # Platform
    /// On Android the app must initialise the verifier first; where it does not, take `Webpki`.
    #[default]
    Platform,
    /// Mozilla's list, compiled in.
    Webpki,
    /// Only these authorities: one or more PEM certificates.
    Custom(Vec<u8>),
}

impl fmt::Debug for TrustRoots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Platform => "Platform",
            Self::Webpki => "Webpki",
            Self::Custom(_) => "Custom(..)",
        })
    }
}

/// Why no TLS configuration could be built.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsSetupError {
    /// The operating system offered no usable authorities.
    #[error("the system's certificate authorities cannot be read: choose the built-in ones")]
    NoPlatformRoots,
    /// The given PEM text holds no usable certificate.
    #[error("the custom trust roots hold no readable PEM certificate")]
    BadCustomRoots,
    /// The cryptography provider lacks the needed protocol versions.
    #[error("TLS cannot be set up on this device")]
    Unavailable,
}

/// The cryptography of everything here: ring's, without the signing that only clients with a
/// certificate of their own do.
pub(crate) fn provider() -> CryptoProvider {
    CryptoProvider {
        key_provider: &NoKeys,
        ..ring::default_provider()
    }
}

/// Signs nothing: no client here has a certificate.
#[derive(Debug)]
struct NoKeys;

impl KeyProvider for NoKeys {
    fn load_private_key(
        &self,
        _: PrivateKeyDer<'static>,
    ) -> Result<Arc<dyn SigningKey>, rustls::Error> {
        Err(rustls::Error::General("no client certificates".to_owned()))
    }
}

/// Builds the configuration that both transports share.
///
/// # Errors
/// [`TlsSetupError`].
pub fn client_config(roots: &TrustRoots) -> Result<ClientConfig, TlsSetupError> {
    let builder = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|_| TlsSetupError::Unavailable)?;
    let trusting = match roots {
        TrustRoots::Platform => builder
            .with_platform_verifier()
            .map_err(|_| TlsSetupError::NoPlatformRoots)?,
        TrustRoots::Webpki => builder.with_root_certificates(mozilla()),
        TrustRoots::Custom(pem) => builder.with_root_certificates(custom(pem)?),
    };
    Ok(trusting.with_no_client_auth())
}

fn mozilla() -> RootCertStore {
    RootCertStore {
        roots: webpki_roots::TLS_SERVER_ROOTS.to_vec(),
    }
}

fn custom(pem: &[u8]) -> Result<RootCertStore, TlsSetupError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let readable = certificate.map_err(|_| TlsSetupError::BadCustomRoots)?;
        store
            .add(readable)
            .map_err(|_| TlsSetupError::BadCustomRoots)?;
    }
    if store.is_empty() {
        return Err(TlsSetupError::BadCustomRoots);
    }
    Ok(store)
}

/// The TLS failure inside an error chain, where there is one.
pub(crate) fn tls_failure<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a rustls::Error> {
    let mut link = Some(error);
    while let Some(current) = link {
        if let Some(tls) = current.downcast_ref::<rustls::Error>() {
            return Some(tls);
        }
        let inner = current
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        link = match inner {
            Some(wrapped) => Some(wrapped),
            None => current.source(),
        };
    }
    None
}

/// Whether the peer's certificate was what failed.
pub(crate) fn is_certificate_failure(error: &(dyn std::error::Error + 'static)) -> bool {
    matches!(
        tls_failure(error),
        Some(rustls::Error::InvalidCertificate(_) | rustls::Error::NoCertificatesPresented)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn custom_roots_without_a_certificate_are_refused() {
        for bad in [
            "",
            "no pem",
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        ] {
            let roots = TrustRoots::Custom(bad.into());
            assert_eq!(
                client_config(&roots).err(),
                Some(TlsSetupError::BadCustomRoots),
                "{bad}"
            );
        }
    }

    #[test]
    fn a_certificate_failure_is_found_inside_an_io_error() {
        let tls = rustls::Error::InvalidCertificate(rustls::CertificateError::Expired);
        let wrapped = std::io::Error::other(tls);
        assert!(is_certificate_failure(&wrapped));
        assert!(!is_certificate_failure(&std::io::Error::other("reset")));
    }
}
