//! Sockets to listen at, and what to do when there is none.

use std::io;
use std::net::{SocketAddr, TcpListener};

use tokio::net::TcpSocket;

/// How many connections may wait to be accepted; what actix takes where it binds by itself.
const BACKLOG: u32 = 1024;

/// Takes an address, before anything is made that a failure would leave behind.
///
/// `choice` is the setting or option that names the address.
pub(crate) fn bind(address: SocketAddr, choice: &str) -> anyhow::Result<TcpListener> {
    open(address).map_err(|error| refused(error, address, choice))
}

/// Says why nothing can listen at an address.
pub(crate) fn refused(error: io::Error, address: SocketAddr, choice: &str) -> anyhow::Error {
    if error.kind() == io::ErrorKind::AddrInUse {
        return anyhow::anyhow!(
            "{address} is in use by another program; stop it, or choose another address \
             with {choice}"
        );
    }
    anyhow::Error::new(error).context(format!(
        "could not listen at {address}, which {choice} names"
    ))
}

fn open(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    // A server that is started anew must not wait for its old connections to be forgotten. On
    // Windows the same option would take the port away from another program.
    #[cfg(not(windows))]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}
