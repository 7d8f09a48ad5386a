//! TLS 1.3 with pinned public keys on both sides: no authorities, no names, no tickets, no early data.
//!
//! The pin is the SHA-256 of the certificate's public key. The handshake's signature is checked, so the right
//! certificate with another key is refused. Expiry dates are not looked at: a pin is taken back by removing it
//! from the agreement.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, DistinguishedName, Error, ServerConfig,
    SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use secrecy::{ExposeSecret, SecretString};
use sluis_config::ConfigError;
use sluis_config::credentials::Credentials;
use sluis_core::id::Digest;
use sluis_core::words;
use sluis_core::words::Words;

/// A certificate with its private key.
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl Identity {
    /// From the credentials `tls-certificate` and `tls-key`, which may each hold several, the newest first: the first
    /// one that the other side knows, or else the newest.
    ///
    /// # Errors
    /// [`ConfigError::Credential`], also where a key has no certificate of its own there.
    pub fn load(
        credentials: &Credentials,
        knows: impl Fn(&Digest) -> bool,
    ) -> Result<Self, ConfigError> {
        let (chain, keys) = read(credentials, "tls")?;
        let wrong = |why: Words| ConfigError::Credential { name: "tls-key".into(), why };
        let mut all = Vec::new();
        for key in keys {
            let signing = provider().key_provider.load_private_key(key.clone_key());
            let signing = signing.map_err(|e| {
                wrong(words!(
                    "met die sleutel is niet te ondertekenen («{e}»)",
                    "that key cannot sign (\"{e}\")"
                ))
            })?;
            let public = signing.public_key().map(|public| Digest::of(&public));
            let mut chain = chain.iter().filter_map(|one| Some((one, pin_of(one).ok()?)));
            let (certificate, pin) =
                chain.find(|(_, pin)| Some(*pin) == public).ok_or_else(|| {
                    wrong(words!(
                        "een sleutel daar heeft geen certificaat in tls-certificate",
                        "a key there has no certificate in tls-certificate"
                    ))
                })?;
            all.push((pin, Self { chain: vec![certificate.clone()], key }));
        }
        let place = all.iter().position(|(pin, _)| knows(pin)).unwrap_or(0);
        all.into_iter().nth(place).map(|(_, one)| one).ok_or_else(|| wrong(no_key()))
    }

    /// From the credentials `<name>-certificate`, which may be a chain, and `<name>-key`.
    ///
    /// # Errors
    /// [`ConfigError::Credential`].
    pub fn named(credentials: &Credentials, name: &str) -> Result<Self, ConfigError> {
        let (chain, keys) = read(credentials, name)?;
        let none = || ConfigError::Credential { name: format!("{name}-key"), why: no_key() };
        Ok(Self { chain, key: keys.into_iter().next().ok_or_else(none)? })
    }
}

fn no_pem(error: &rustls_pki_types::pem::Error) -> Words {
    words!(
        "niet te lezen als PEM; zet een goede kopie terug («{error}»)",
        "cannot be read as PEM; put a good copy back (\"{error}\")"
    )
}

fn no_key() -> Words {
    words!("er staat geen sleutel in", "no key in it")
}

/// The certificates and the keys of a name, in their order.
fn read(
    credentials: &Credentials,
    name: &str,
) -> Result<(Vec<CertificateDer<'static>>, Vec<PrivateKeyDer<'static>>), ConfigError> {
    let (of_chain, of_key) = (format!("{name}-certificate"), format!("{name}-key"));
    let certificates = credentials.public(&of_chain)?;
    let keys: SecretString = credentials.secret(&of_key)?;
    let wrong = |name: &str, why: Words| ConfigError::Credential { name: name.into(), why };
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificates.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(&of_chain, no_pem(&e)))?;
    if chain.is_empty() {
        return Err(wrong(
            &of_chain,
            words!("er staat geen certificaat in", "no certificate in it"),
        ));
    }
    let keys: Vec<_> = PrivateKeyDer::pem_slice_iter(keys.expose_secret().as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|e| wrong(&of_key, no_pem(&e)))?;
    if keys.is_empty() {
        return Err(wrong(&of_key, no_key()));
    }
    Ok((chain, keys))
}

/// The pin of a certificate: SHA-256 of its SubjectPublicKeyInfo.
///
/// # Errors
/// What is wrong with the certificate.
pub fn pin_of(certificate: &CertificateDer<'_>) -> Result<Digest, Error> {
    let parsed = webpki::EndEntityCert::try_from(certificate)
        .map_err(|_| Error::InvalidCertificate(CertificateError::BadEncoding))?;
    Ok(Digest::of(&parsed.subject_public_key_info()))
}

fn provider() -> CryptoProvider {
    aws_lc_rs::default_provider()
}

/// The client side: our identity, and one server that is known by its pins.
///
/// # Errors
/// Where the identity does not serve.
pub fn client(
    identity: Identity,
    server: Vec<Digest>,
    require_post_quantum: bool,
) -> Result<ClientConfig, Error> {
    let mut provider = provider();
    if require_post_quantum {
        provider.kx_groups.retain(|group| group.name() == rustls::NamedGroup::X25519MLKEM768);
    }
    let pins = Pins { allowed: server, provider: provider.clone() };
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(pins))
        .with_client_auth_cert(identity.chain, identity.key)?;
    config.resumption = rustls::client::Resumption::disabled();
    config.enable_early_data = false;
    Ok(config)
}

/// The server side: only clients whose pins are in the list, and they must show a certificate.
///
/// # Errors
/// Where the identity does not serve.
pub fn server(identity: Identity, clients: Vec<Digest>) -> Result<ServerConfig, Error> {
    let provider = provider();
    let pins = Pins { allowed: clients, provider: provider.clone() };
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_client_cert_verifier(Arc::new(pins))
        .with_single_cert(identity.chain, identity.key)?;
    Ok(without_memory(config))
}

/// A server for clients that we do not know: it shows who it is, and asks nobody.
///
/// # Errors
/// Where the identity does not serve.
pub fn open_server(identity: Identity) -> Result<ServerConfig, Error> {
    let config = ServerConfig::builder_with_provider(Arc::new(provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(identity.chain, identity.key)?;
    Ok(without_memory(config))
}

/// No tickets, no sessions, no early data: every connection is a handshake of its own.
fn without_memory(mut config: ServerConfig) -> ServerConfig {
    config.send_tls13_tickets = 0;
    config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
    config.max_early_data_size = 0;
    config
}

/// Accepts a certificate by its public key alone.
#[derive(Debug)]
struct Pins {
    allowed: Vec<Digest>,
    provider: CryptoProvider,
}

impl Pins {
    fn check(&self, certificate: &CertificateDer<'_>) -> Result<(), Error> {
        if self.allowed.contains(&pin_of(certificate)?) {
            Ok(())
        } else {
            Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
        }
    }
    fn verify(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.provider.signature_verification_algorithms,
        )
    }
    fn schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
    fn no_tls12() -> Error {
        Error::General("TLS 1.2 is not spoken".into())
    }
}

impl ServerCertVerifier for Pins {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(certificate).map(|()| ServerCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::no_tls12())
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signature)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}

impl ClientCertVerifier for Pins {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }
    fn verify_client_cert(
        &self,
        certificate: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(certificate).map(|()| ClientCertVerified::assertion())
    }
    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Err(Self::no_tls12())
    }
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.verify(message, certificate, signature)
    }
    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.schemes()
    }
}
