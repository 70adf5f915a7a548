//! A port that stays ours while nobody listens there.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

/// A port of the loopback address, for a server that is killed and started again.
///
/// Its socket is bound and never listens. So the system gives the port to nobody
/// else, neither to a server that takes any nor to a client as its own end, while a
/// server that names it may use it: both say `SO_REUSEADDR`, as servers do.
#[derive(Debug)]
pub struct ReservedPort {
    _socket: TcpSocket,
    address: SocketAddr,
}

impl ReservedPort {
    /// One that is free.
    pub fn any() -> io::Result<Self> {
        let socket = TcpSocket::new_v4()?;
        socket.set_reuseaddr(true)?;
        socket.bind((Ipv4Addr::LOCALHOST, 0).into())?;
        let address = socket.local_addr()?;
        Ok(Self {
            _socket: socket,
            address,
        })
    }

    /// Where the server is to listen.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    #[tokio::test]
    async fn a_server_comes_and_goes_and_the_port_stays() {
        let port = ReservedPort::any().unwrap();
        for _ in 0..3 {
            TcpStream::connect(port.address()).await.unwrap_err();
            let server = TcpListener::bind(port.address()).await.unwrap();
            let client = TcpStream::connect(port.address()).await.unwrap();
            drop((server.accept().await.unwrap(), client, server));
        }
    }
}
