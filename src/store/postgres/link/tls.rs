//! Encrypted connections: rustls with ring, and the certificates of the system or of one file.

use crate::store::error::{Result, StoreError};
use crate::store::postgres::link::url::{Address, Tls};
use crate::store::problem::Problem;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::WebPkiServerVerifier;
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::fmt::Display;
use std::sync::Arc;
use tokio_postgres_rustls::MakeRustlsConnect;

/// Returns what encrypts the connections to `address`, or `None` if they are not encrypted.
pub fn connector(address: &Address) -> Result<Option<MakeRustlsConnect>> {
    if address.tls == Tls::Disabled {
        return Ok(None);
    }
    let untrusted = |cause: &dyn Display| StoreError::Unsuitable {
        name: Arc::clone(&address.name),
        problem: Problem::Untrusted(cause.to_string()),
    };
    let roots = Arc::new(roots(address)?);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|error| untrusted(&error))?;
    let config = if address.tls == Tls::VerifyFull {
        builder.with_root_certificates(roots).with_no_client_auth()
    } else {
        let inner = WebPkiServerVerifier::builder_with_provider(roots, provider)
            .build()
            .map_err(|error| untrusted(&error))?;
        builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(AnyName(inner)))
            .with_no_client_auth()
    };
    Ok(Some(MakeRustlsConnect::new(config)))
}

fn roots(address: &Address) -> Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    let mut causes = Vec::new();
    let found = if let Some(file) = &address.root_certificates {
        let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect);
        read.unwrap_or_else(|error| {
            causes.push(format!("{}: {error}", file.display()));
            Vec::new()
        })
    } else {
        let native = rustls_native_certs::load_native_certs();
        causes.extend(native.errors.iter().map(ToString::to_string));
        native.certs
    };
    let (added, _) = roots.add_parsable_certificates(found);
    if added == 0 {
        let causes = causes.join("; ");
        let problem =
            Problem::Untrusted(format!("there is no certificate of an authority ({causes})"));
        return Err(StoreError::Unsuitable { name: Arc::clone(&address.name), problem });
    }
    Ok(roots)
}

/// Verifies everything but the name in a certificate: `sslmode=verify-ca`.
#[derive(Debug)]
struct AnyName(Arc<WebPkiServerVerifier>);

impl ServerCertVerifier for AnyName {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let verified =
            self.0.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match verified {
            // The name is compared last, after the chain was verified.
            Err(rustls::Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => Ok(ServerCertVerified::assertion()),
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls12_signature(message, certificate, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.0.verify_tls13_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
