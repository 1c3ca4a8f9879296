//! Finds out whether a server that could not be connected to speaks another protocol. The library waits for more bytes
//! of such a server, or says that the connection ended.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_postgres::config::{Config, Host};

/// Asks whether the server can encrypt. PostgreSQL answers with one letter.
const REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const LIMIT: Duration = Duration::from_millis(500);

/// Returns a description of the answer if the server is certainly not PostgreSQL.
pub async fn other_server(server: &Config) -> Option<String> {
    let Some(Host::Tcp(host)) = server.get_hosts().first() else { return None };
    let port = server.get_ports().first().copied()?;
    let answer = timeout(LIMIT, async {
        let mut stream = TcpStream::connect((host.as_str(), port)).await.ok()?;
        stream.write_all(&REQUEST).await.ok()?;
        stream.read_u8().await.ok()
    });
    let byte = answer.await.ok()??;
    (!matches!(byte, b'S' | b'N' | b'E')).then(|| "it does not speak its protocol".to_owned())
}
