//! A mail server on a real socket that keeps what it gets: without TLS, where it also stands for a server that does not
//! offer any, with TLS from the first byte, or after STARTTLS.

use std::sync::{Arc, Mutex};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{
    io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    },
};

/// How a sink is spoken to.
#[derive(Clone)]
pub enum Speech {
    Clear,
    Tls(TlsAcceptor),
    StartTls(TlsAcceptor),
}

/// Of the files of a certificate and its key.
pub fn acceptor((certificate, key): &(String, String)) -> TlsAcceptor {
    let certificate = CertificateDer::from_pem_file(certificate).unwrap();
    let key = PrivateKeyDer::from_pem_file(key).unwrap();
    let config = ServerConfig::builder_with_provider(
        tokio_rustls::rustls::crypto::ring::default_provider().into(),
    )
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_no_client_auth()
    .with_single_cert(vec![certificate], key)
    .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

/// One letter as it came in.
#[derive(Clone, Debug)]
pub struct Received {
    pub to: String,
    /// Who signed in for it.
    pub user: String,
    pub raw: String,
}

impl Received {
    /// The text part.
    pub fn text(&self) -> String {
        let part = super::between(&self.raw, "Content-Type: text/plain", "\r\n--");
        let (head, body) = part.split_once("\r\n\r\n").unwrap();
        if head.contains("base64") {
            let body: String = body.split_whitespace().collect();
            return String::from_utf8(STANDARD.decode(body).unwrap()).unwrap();
        }
        body.replace("=\r\n", "").replace("=3D", "=")
    }

    /// The path of the link in it.
    pub fn link(&self) -> String {
        let text = self.text();
        let path = super::between(&text, "https://id.example.org", "\r\n");
        path.trim().to_owned()
    }
}

/// Cheap to clone; clones are the same server.
#[derive(Clone)]
pub struct Sink {
    pub port: u16,
    received: Arc<Mutex<Vec<Received>>>,
    /// What was said before TLS began.
    in_the_clear: Arc<Mutex<Vec<String>>>,
    task: Arc<tokio::task::JoinHandle<()>>,
}

impl Sink {
    pub async fn start() -> Self {
        Self::at(0).await
    }

    /// At this port; 0: any that is free.
    pub async fn at(port: u16) -> Self {
        Self::speaking(port, Speech::Clear).await
    }

    pub async fn speaking(port: u16, speech: Speech) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let received = Arc::new(Mutex::new(Vec::new()));
        let kept = received.clone();
        let in_the_clear = Arc::new(Mutex::new(Vec::new()));
        let heard = in_the_clear.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (speech, kept, heard) = (speech.clone(), kept.clone(), heard.clone());
                tokio::spawn(async move {
                    match speech {
                        Speech::Clear => converse(stream, true, kept).await,
                        Speech::Tls(acceptor) => {
                            converse(acceptor.accept(stream).await.ok()?, true, kept).await
                        }
                        Speech::StartTls(acceptor) => {
                            let stream = before_tls(stream, &heard).await?;
                            converse(acceptor.accept(stream).await.ok()?, false, kept).await
                        }
                    }
                });
            }
        });
        Self {
            port,
            received,
            in_the_clear,
            task: Arc::new(task),
        }
    }

    /// Nobody answers at its port any more.
    pub async fn stop(self) {
        self.task.abort();
        super::until("the port is closed", async || {
            TcpStream::connect(("127.0.0.1", self.port)).await.is_err()
        })
        .await;
    }

    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The commands that were said before TLS began.
    pub fn in_the_clear(&self) -> Vec<String> {
        self.in_the_clear.lock().unwrap().clone()
    }

    /// Settings that send mail here, as `ann`.
    pub fn settings(&self) -> Vec<(&'static str, String)> {
        mail_settings(&format!(
            "smtp://ann:pa%23ss@127.0.0.1:{}?tls=none",
            self.port
        ))
    }
}

pub fn mail_settings(smtp_url: &str) -> Vec<(&'static str, String)> {
    vec![
        ("LATCHKEY_SMTP_URL", smtp_url.to_owned()),
        (
            "LATCHKEY_MAIL_FROM",
            "Latchkey <no-reply@example.org>".to_owned(),
        ),
        ("LATCHKEY_PUBLIC_URL", "https://id.example.org".to_owned()),
    ]
}

/// Until the client asks for TLS; takes nothing else.
async fn before_tls(stream: TcpStream, heard: &Mutex<Vec<String>>) -> Option<TcpStream> {
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 sink\r\n").await.ok()?;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let command = line.split_whitespace().next().unwrap_or_default();
        heard.lock().unwrap().push(command.to_uppercase());
        let answer = match command.to_uppercase().as_str() {
            "EHLO" => "250-sink\r\n250-AUTH PLAIN\r\n250 STARTTLS",
            "STARTTLS" => {
                stream.write_all(b"220 go on\r\n").await.ok()?;
                return Some(stream.into_inner());
            }
            "QUIT" => "221 bye",
            _ => "530 STARTTLS first",
        };
        let answer = format!("{answer}\r\n");
        stream.write_all(answer.as_bytes()).await.ok()?;
    }
}

async fn converse(
    stream: impl AsyncRead + AsyncWrite,
    greets: bool,
    received: Arc<Mutex<Vec<Received>>>,
) -> Option<()> {
    let (read, mut write) = tokio::io::split(stream);
    let mut lines = BufReader::new(read).lines();
    if greets {
        write.write_all(b"220 sink\r\n").await.ok()?;
    }
    let (mut user, mut to) = (String::new(), String::new());
    while let Ok(Some(line)) = lines.next_line().await {
        let answer = match line.split([' ', ':']).next()?.to_uppercase().as_str() {
            "EHLO" => "250-sink\r\n250-8BITMIME\r\n250 AUTH PLAIN",
            "AUTH" => {
                let given = STANDARD.decode(line.rsplit(' ').next()?).ok()?;
                let text = String::from_utf8(given).ok()?;
                let mut parts = text.split('\0').skip(1);
                parts.next()?.clone_into(&mut user);
                if parts.next() == Some("pa#ss") {
                    "235 welcome"
                } else {
                    "535 wrong password"
                }
            }
            "RCPT" => {
                super::between(&line, "<", ">").clone_into(&mut to);
                if to.starts_with("nobody@") {
                    "550 no such person"
                } else if to.starts_with("full@") {
                    "452 no room"
                } else {
                    "250 ok"
                }
            }
            "DATA" => {
                write.write_all(b"354 go\r\n").await.ok()?;
                let mut raw = String::new();
                while let Ok(Some(line)) = lines.next_line().await {
                    if line == "." {
                        break;
                    }
                    raw.push_str(line.strip_prefix('.').unwrap_or(&line));
                    raw.push_str("\r\n");
                }
                received.lock().unwrap().push(Received {
                    to: to.clone(),
                    user: user.clone(),
                    raw,
                });
                "250 kept"
            }
            "QUIT" => "221 bye",
            _ => "250 ok",
        };
        write
            .write_all(format!("{answer}\r\n").as_bytes())
            .await
            .ok()?;
    }
    Some(())
}
