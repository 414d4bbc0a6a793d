//! The real binary as an operator runs it: commands, and a server that can be killed.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::Path,
    process::{Child, Command, Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use super::{Answer, PASSWORD};

/// How `latchkey` is called: in a folder of its own, with an environment of its own.
pub struct Program {
    folder: TempDir,
    environment: Vec<(String, String)>,
}

/// An empty folder.
pub fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

impl Program {
    pub fn new() -> Self {
        let program = Self {
            folder: folder(),
            environment: Vec::new(),
        };
        program
            .set("LATCHKEY_HASH_MEMORY_KIB", "8")
            .set("LATCHKEY_HASH_ITERATIONS", "1")
    }

    /// With a superuser, `root`.
    pub fn with_root() -> Self {
        let program = Self::new()
            .set("LATCHKEY_SUPERUSER_USERNAME", "root")
            .set("LATCHKEY_SUPERUSER_PASSWORD", PASSWORD);
        program.succeeds(&["createsuperuser", "--noinput"]);
        program
    }

    #[must_use]
    pub fn set(mut self, name: &str, value: &str) -> Self {
        self.environment.retain(|(n, _)| n != name);
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    fn log_file(&self) -> std::fs::File {
        let mut options = std::fs::OpenOptions::new();
        options.create(true).append(true);
        options.open(self.folder.path().join("log")).unwrap()
    }

    /// What its servers wrote to standard error so far.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Where it runs; its data folder is `data` in it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(self.environment.iter().map(|(n, v)| (n, v)))
            .stdin(Stdio::null());
        command
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    /// With this on its standard input.
    pub fn run_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = self
            .command(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(input.as_bytes()).unwrap();
        drop(stdin);
        child.wait_with_output().unwrap()
    }

    /// Standard output of a command that must succeed.
    #[track_caller]
    pub fn succeeds(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    /// Standard error of a command that must fail.
    #[track_caller]
    pub fn fails(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }

    /// Serves on a free port of the loopback; returns once it answers.
    pub fn serve(&self) -> Server {
        self.serve_on(0)
    }

    pub fn serve_on(&self, port: u16) -> Server {
        let mut child = self
            .command(&["serve"])
            .env("ROCKET_PORT", port.to_string())
            .stdout(Stdio::piped())
            .stderr(self.log_file())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let first = lines.next().expect("says where it listens").unwrap();
        let address = first.trim_end_matches('/').rsplit_once(':');
        let port = address.and_then(|(_, port)| port.parse().ok());
        let port = port.unwrap_or_else(|| panic!("{first}"));
        // The rest is read so that the server never waits for a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Server { child, port }
    }
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// Gone at once, like a machine without power: no farewell, no flush.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Told to stop, as by an operator.
    pub fn tell_to_stop(&self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(told.success());
    }

    /// The same; returns when it is gone.
    pub fn stop(mut self) {
        self.tell_to_stop();
        assert!(self.child.wait().unwrap().success());
    }

    pub fn post(&self, path: &str, credential: &str, body: &Value) -> Answer {
        let body = body.to_string();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{credential}\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        );
        self.exchange(&[head.as_bytes(), body.as_bytes()].concat())
    }

    pub fn get(&self, path: &str, credential: &str) -> Answer {
        let head = format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n{credential}\r\n"
        );
        self.exchange(head.as_bytes())
    }

    pub fn exchange(&self, bytes: &[u8]) -> Answer {
        exchange(self.port, bytes)
    }

    pub fn port(&self) -> u16 {
        self.port
    }
}

/// These bytes go, and nothing after them; what comes until the server hangs up, however it does.
pub fn raw(port: u16, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut said = Vec::new();
    // A connection that is reset is hung up on, too.
    let _reset = stream.read_to_end(&mut said);
    said
}

/// These bytes go, and what comes until the server hangs up.
pub fn exchange(port: u16, bytes: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_mins(1)))
        .unwrap();
    stream.write_all(bytes).unwrap();
    let mut text = Vec::new();
    stream.read_to_end(&mut text).unwrap();
    let text = String::from_utf8_lossy(&text).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").expect("a head and a body");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    Answer {
        status: status.and_then(|s| s.parse().ok()).expect("a status"),
        headers: lines
            .filter_map(|line| line.split_once(": "))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect(),
        text: body.to_owned(),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killed already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
