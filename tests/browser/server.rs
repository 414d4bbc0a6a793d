//! The server under test, the processes it takes, and plain HTTP for what an API client does.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    time::Duration,
};

use tempfile::TempDir;

pub type Outcome<T = ()> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// A page or a start takes a fraction of it.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A child process that ends with the test.
pub struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Process {
    /// Starts a program and waits for the first thing in its output that `wanted` finds.
    pub fn start<T: Send + 'static>(
        command: &mut Command,
        wanted: impl Fn(&str) -> Option<T> + Send + 'static,
    ) -> Outcome<(Self, T)> {
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let process = Self(child);
        let (found, waiting) = mpsc::channel();
        // Reads to the end, so that the program never waits for a reader.
        std::thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some(value) = wanted(&line) {
                    let _ = found.send(value);
                }
            }
        });
        let value = waiting
            .recv_timeout(PATIENCE)
            .map_err(|_| format!("{command:?} did not say that it is ready"))?;
        Ok((process, value))
    }
}

/// The built binary on an empty SQLite database, as strict as in production: the set-up form asks
/// for its code.
pub struct Server {
    _process: Process,
    _folder: TempDir,
    port: u16,
    pub setup_link: String,
}

impl Server {
    pub fn address(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// Its log goes to a file named after the test.
    pub fn start(name: &str) -> Outcome<Self> {
        let folder = TempDir::new()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let program = setting("LATCHKEY_TEST_BINARY")
            .unwrap_or_else(|| PathBuf::from(env!("CARGO_BIN_EXE_latchkey")));
        let log = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.log"));
        let start = format!("http://127.0.0.1:{port}/setup/");
        let (process, setup_link) = Process::start(
            Command::new(program)
                .env_clear()
                .env("ROCKET_PROFILE", "release")
                .env("ROCKET_ADDRESS", "127.0.0.1")
                .env("ROCKET_PORT", port.to_string())
                .env("LATCHKEY_DATA_DIR", folder.path().join("data"))
                .current_dir(folder.path())
                .stderr(fs::File::create(log)?),
            move |line| {
                let link = line.get(line.find(&start)?..)?;
                Some(link.split(['"', ' ']).next()?.to_owned())
            },
        )?;
        Ok(Self {
            _process: process,
            _folder: folder,
            port,
            setup_link,
        })
    }

    /// The status of the students API with this token.
    pub fn students(&self, token: &str) -> Outcome<u16> {
        let header = format!("Authorization: Token {token}\r\n");
        Ok(http(self.port, "GET", "/studentapi/", &header, "")?.0)
    }
}

/// One request, without a client library: what is measured is the server.
pub fn http(
    port: u16,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Outcome<(u16, String)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nConnection: close\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = BufReader::new(stream);
    let mut line = String::new();
    answer.read_line(&mut line)?;
    let status = line.split(' ').nth(1).ok_or("no status")?.parse()?;
    let mut length = 0;
    while line.trim_end() != "" {
        line.clear();
        answer.read_line(&mut line)?;
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("Content-Length")
        {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    answer.read_exact(&mut body)?;
    Ok((status, String::from_utf8(body)?))
}

/// Past the test harness, which swallows the output of tests that pass.
pub fn complain(words: &str) {
    let _ = writeln!(std::io::stderr(), "{words}");
}

#[expect(
    clippy::disallowed_methods,
    reason = "the test's own switches, not settings of the server"
)]
pub fn setting(name: &str) -> Option<PathBuf> {
    std::env::var_os(name)
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
}
