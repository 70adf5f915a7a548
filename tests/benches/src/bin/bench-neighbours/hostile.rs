//! An upstream that does what a path says, in a process of its own.

use std::io::Write as _;
use std::process::Stdio;
use std::time::Duration;

use anyhow::Context as _;
use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};

const OK: &str = "HTTP/1.1 200 OK\r\nconnection: close\r\n";

/// More than any response may have.
const BOMB_BYTES: usize = 256 << 20;

/// As much as a response may have.
const LARGE_BYTES: usize = 8 << 20;

/// A running one; it ends with this value.
pub(crate) struct Hostile {
    pub(crate) url: String,
    _process: Child,
}

impl Hostile {
    /// Starts this program with `hostile-upstream`, and waits until it says where it is.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg("hostile-upstream")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .context("cannot start the hostile upstream")?;
        let stdout = process.stdout.take().context("stdout is piped")?;
        let line = BufReader::new(stdout).lines().next_line().await?;
        Ok(Self {
            url: line.context("the hostile upstream ended at once")?,
            _process: process,
        })
    }
}

/// Serves until stdin ends.
pub(crate) async fn serve() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let mut stdout = std::io::stdout();
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    let bomb: &'static [u8] = bomb()?.leak();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            // Whatever goes wrong with one connection is what it is for.
            tokio::spawn(answer(stream, bomb));
        }
    });
    let ended = || std::io::copy(&mut std::io::stdin(), &mut std::io::sink());
    tokio::task::spawn_blocking(ended).await??;
    Ok(())
}

fn bomb() -> anyhow::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(&vec![b' '; BOMB_BYTES])?;
    Ok(encoder.finish()?)
}

async fn answer(mut stream: TcpStream, bomb: &[u8]) -> std::io::Result<()> {
    let path = read_path(&mut stream).await?;
    match path.as_str() {
        "/hang" => stream.read_u8().await.map(drop),
        "/drip" => drip(&mut stream).await,
        "/endless" => endless(&mut stream).await,
        "/bomb" => {
            let head = format!("{OK}content-encoding: gzip\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(bomb).await
        }
        "/headers" => {
            let headers: Vec<_> = (0..1_000).map(|n| format!("x-{n}: {n}\r\n")).collect();
            let headers = headers.concat();
            let answer = format!("{OK}{headers}content-length: 0\r\n\r\n");
            stream.write_all(answer.as_bytes()).await
        }
        "/lies" => {
            let answer = format!("{OK}content-length: 1000000\r\n\r\nshort");
            stream.write_all(answer.as_bytes()).await
        }
        "/redirect" => {
            let answer = "HTTP/1.1 302 Found\r\nconnection: close\r\nlocation: /redirect\r\n\
                          content-length: 0\r\n\r\n";
            stream.write_all(answer.as_bytes()).await
        }
        "/large" => {
            let head = format!("{OK}content-length: {LARGE_BYTES}\r\n\r\n");
            stream.write_all(head.as_bytes()).await?;
            stream.write_all(&vec![b'x'; LARGE_BYTES]).await
        }
        // A connection that is dropped with bytes unread is reset.
        _ => stream.set_zero_linger(),
    }
}

async fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(format!("{OK}\r\n").as_bytes()).await?;
    loop {
        stream.write_all(b"x").await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    stream.write_all(format!("{OK}\r\n").as_bytes()).await?;
    loop {
        stream.write_all(&[b'x'; 16 << 10]).await?;
    }
}

/// The path of a request without a body.
async fn read_path(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut head).await? == 0 {
            break;
        }
    }
    let head = String::from_utf8_lossy(&head);
    Ok(head.split(' ').nth(1).unwrap_or_default().to_owned())
}
