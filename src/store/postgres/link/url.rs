//! The address of a database: a URL as libpq takes it, with fewer parameters.
//!
//! A parameter that is not known is refused by name, because ignoring one, such as a misspelled `sslmode`, could make a
//! connection less safe than its operator believes.

use crate::store::error::{Result, StoreError};
use crate::store::postgres::link::password;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::Arc;
use tokio_postgres::config::{Host, SslMode, TargetSessionAttrs};
use tokio_postgres::Config;

/// How a connection is encrypted, and what is verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Not encrypted.
    Disabled,
    /// Encrypted, with a certificate of a trusted authority for any name.
    VerifyAuthority,
    /// Encrypted, with a certificate of a trusted authority for the name of the host.
    VerifyFull,
}

/// A database to connect to.
#[derive(Clone)]
pub struct Address {
    /// One configuration for each server, in their order.
    pub servers: Vec<Config>,
    /// How connections are encrypted.
    pub tls: Tls,
    /// File with the certificates of the trusted authorities. `None` means those of the system.
    pub root_certificates: Option<PathBuf>,
    /// The address for messages and comparisons, without the password.
    pub name: Arc<str>,
}

fn invalid(reason: impl Into<String>) -> StoreError {
    StoreError::InvalidUrl { reason: reason.into() }
}

impl Address {
    /// Reads `url`. A password that it lacks comes from `PGPASSWORD`, or from the password file.
    pub fn read(url: &str) -> Result<Self> {
        let rest =
            ["postgres://", "postgresql://"].iter().find_map(|scheme| url.strip_prefix(scheme));
        let rest = rest.ok_or_else(|| invalid("it does not begin with postgres://"))?;
        let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
        if query.contains('#') || place.contains('#') {
            return Err(invalid("it has a # that is not written as %23"));
        }
        let mut known = Vec::new();
        let (mut mode, mut root_certificates) = (None, None);
        for parameter in query.split('&').filter(|parameter| !parameter.is_empty()) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            match name {
                "sslmode" => mode = Some(value),
                "sslrootcert" if value == "system" => root_certificates = None,
                "sslrootcert" => root_certificates = Some(PathBuf::from(decoded(value)?)),
                "target_session_attrs" if value == "read-write" || value == "primary" => {}
                "target_session_attrs" => return Err(invalid(
                    "target_session_attrs can only be read-write, because every node makes changes",
                )),
                "host" | "port" | "user" | "password" | "dbname" | "application_name"
                | "connect_timeout" => {
                    known.push(parameter);
                }
                _ => return Err(invalid(format!("the parameter {} is not known", shown(name)))),
            }
        }
        let separator = if known.is_empty() { "" } else { "?" };
        let plain = format!("postgres://{place}{separator}{}", known.join("&"));
        // The error of the library could quote a part of the password.
        let config = Config::from_str(&plain).map_err(|_| {
            invalid("user, host, port or database cannot be read; write special characters of a password with %")
        })?;
        Self::of(&config, mode, root_certificates)
    }

    fn of(config: &Config, mode: Option<&str>, root_certificates: Option<PathBuf>) -> Result<Self> {
        let hosts = config.get_hosts();
        if hosts.is_empty()
            || hosts.iter().any(|host| matches!(host, Host::Tcp(name) if name.is_empty()))
        {
            return Err(invalid("it names no host"));
        }
        let user = config.get_user().filter(|user| !user.is_empty());
        let user = user.ok_or_else(|| invalid("it names no user"))?.to_owned();
        let database = config.get_dbname().unwrap_or(&user).to_owned();
        let tls = tls_of(mode, hosts.iter().all(is_on_this_machine))?;
        let ports = config.get_ports();
        let mut servers = Vec::new();
        let mut names = Vec::new();
        for (index, host) in hosts.iter().enumerate() {
            let port = ports.get(index).or_else(|| ports.first()).copied().unwrap_or(5432);
            let mut server = Config::new();
            server.user(&user).dbname(&database).port(port);
            server.application_name(config.get_application_name().unwrap_or("dashboard-sled"));
            let shown = match host {
                Host::Tcp(name) => {
                    server.host(name);
                    name.clone()
                }
                #[cfg(unix)]
                Host::Unix(path) => {
                    server.host_path(path);
                    path.display().to_string()
                }
            };
            let given = config.get_password().map(<[u8]>::to_vec);
            if let Some(password) = given.or_else(|| password::find(&shown, port, &database, &user))
            {
                server.password(password);
            }
            server.ssl_mode(if tls == Tls::Disabled { SslMode::Disable } else { SslMode::Require });
            server.target_session_attrs(TargetSessionAttrs::Any);
            servers.push(server);
            names.push(format!("{shown}:{port}"));
        }
        let name = format!("postgres://{user}@{}/{database}", names.join(",")).into();
        Ok(Self { servers, tls, root_certificates, name })
    }
}

fn tls_of(mode: Option<&str>, is_local: bool) -> Result<Tls> {
    match mode {
        None if is_local => Ok(Tls::Disabled),
        Some("disable") => Ok(Tls::Disabled),
        Some("verify-ca") => Ok(Tls::VerifyAuthority),
        // An encrypted connection to an unknown server protects nothing.
        None | Some("require" | "verify-full") => Ok(Tls::VerifyFull),
        Some(mode @ ("prefer" | "allow")) => Err(invalid(format!(
            "sslmode={mode} would send the data unencrypted to a server, or an attacker, that asks for it; use verify-full, or disable"
        ))),
        Some(mode) => Err(invalid(format!(
            "sslmode={} is not disable, require, verify-ca or verify-full",
            shown(mode)
        ))),
    }
}

fn is_on_this_machine(host: &Host) -> bool {
    match host {
        Host::Tcp(name) => {
            name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
        }
        #[cfg(unix)]
        Host::Unix(_) => true,
    }
}

/// Returns the beginning of a text for a message.
fn shown(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(40).collect()
}

fn decoded(text: &str) -> Result<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digits = [rest.next(), rest.next()].map(|digit| {
            digit
                .and_then(|digit| char::from(digit).to_digit(16))
                .and_then(|digit| u8::try_from(digit).ok())
        });
        let [Some(high), Some(low)] = digits else {
            return Err(invalid("a % is not followed by two hexadecimal digits"));
        };
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| invalid("a parameter is not text"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(url: &str) -> String {
        Address::read(url).map(drop).unwrap_err().to_string()
    }

    #[test]
    fn a_local_host_is_plain_and_any_other_is_verified() {
        for (url, tls) in [
            ("postgres://u@localhost/d", Tls::Disabled),
            ("postgres://u@127.0.0.1:5433/d", Tls::Disabled),
            ("postgres://u@[::1]/d", Tls::Disabled),
            ("postgres://u@/d?host=/run/postgresql", Tls::Disabled),
            ("postgres://u@db.example/d", Tls::VerifyFull),
            ("postgres://u@localhost,db.example/d", Tls::VerifyFull),
            ("postgres://u@db.example/d?sslmode=disable", Tls::Disabled),
            ("postgres://u@db.example/d?sslmode=require", Tls::VerifyFull),
            ("postgresql://u@localhost/d?sslmode=verify-ca", Tls::VerifyAuthority),
        ] {
            assert_eq!(Address::read(url).map(|address| address.tls).ok(), Some(tls), "{url}");
        }
    }

    #[test]
    fn what_cannot_be_honoured_is_refused_by_name_and_no_password_is_shown() {
        for (url, expected) in [
            ("mysql://u:secret@h/d", "does not begin with postgres://"),
            ("postgres://u:secret@/d", "no host"),
            ("postgres://:secret@h/d", "no user"),
            ("postgres://u:secret@h/d?sslmod=disable", "the parameter sslmod is not known"),
            ("postgres://u:secret@h/d?sslmode=prefer", "sslmode=prefer would send"),
            ("postgres://u:secret@h/d?sslmode=none", "sslmode=none is not"),
            ("postgres://u:secret@h:port/d", "cannot be read"),
            ("postgres://u:secret@h/d?target_session_attrs=any", "read-write"),
            ("postgres://u:secret@h/d?sslrootcert=%zz", "hexadecimal"),
        ] {
            let message = refused(url);
            assert!(message.contains(expected), "{url}: {message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }

    #[test]
    fn several_servers_have_one_name_without_the_password() {
        let address = Address::read("postgres://u:secret@a:1,b:2/d?sslmode=disable").unwrap();
        assert_eq!(&*address.name, "postgres://u@a:1,b:2/d");
        assert_eq!(address.servers.len(), 2);
        assert!(address.servers.iter().all(|server| server.get_password() == Some(b"secret")));
    }
}
