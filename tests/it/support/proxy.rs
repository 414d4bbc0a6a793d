//! A real proxy in front of a small application that echoes what reaches it. The configuration is
//! the one in docs/next-door.md, with other addresses.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::{Answer, folder, program::exchange, until, variable, wait};

/// Where a program is; in `sbin` too, which not everybody has in the path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = variable("PATH").unwrap_or_default();
    let folders =
        std::env::split_paths(&path).chain(["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from));
    let mut candidates = folders.map(|folder| folder.join(name));
    candidates.find(|candidate| candidate.is_file())
}

/// Past the capture of the test harness. With CI set, a missing program is a failure.
pub fn without(program: &str) {
    assert!(
        variable("CI").is_none(),
        "CI is set and there is no {program}: install it"
    );
    let text = format!("\n*** {program} was not found: its tests did NOT run ***\n");
    std::io::stderr().write_all(text.as_bytes()).unwrap();
}

/// The first fenced block of this language in a document.
#[track_caller]
pub fn fenced(document: &str, language: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("docs")
        .join(document);
    let text = std::fs::read_to_string(path).unwrap();
    super::between(&text, &format!("\n```{language}\n"), "\n```\n").to_owned()
}

/// The application behind the proxy: 200, and the request as it came, head and body.
pub struct Upstream {
    pub port: u16,
}

impl Upstream {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                std::thread::spawn(move || echo(stream));
            }
        });
        Self { port }
    }
}

/// One request a connection.
fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut seen = String::new();
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().unwrap_or(0);
        }
        seen.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    seen.push_str(&String::from_utf8_lossy(&body));
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        seen.len()
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(seen.as_bytes())
}

/// A running proxy; killed when dropped.
pub struct Proxy {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Proxy {
    pub fn nginx(program: &Path, latchkey: u16, app: u16) -> Self {
        let port = free_port();
        let block = fenced("next-door.md", "nginx")
            .replace("listen 80;", &format!("listen 127.0.0.1:{port};"))
            .replace("127.0.0.1:8000", &format!("127.0.0.1:{latchkey}"))
            .replace("127.0.0.1:3000", &format!("127.0.0.1:{app}"));
        Self::nginx_with(program, port, &block)
    }

    /// Two nodes behind one address, as docs/scaling.md has it, but without TLS and with room for tests.
    pub fn nginx_for_two(program: &Path, nodes: [u16; 2]) -> Self {
        let port = free_port();
        let text = fenced("scaling.md", "nginx");
        let certificates = |line: &&str| !line.trim_start().starts_with("ssl_");
        let lines: Vec<&str> = text.lines().filter(certificates).collect();
        let block = lines
            .join("\n")
            .replace("listen 80;", &format!("listen 127.0.0.1:{};", free_port()))
            .replace(
                "listen 443 ssl http2;",
                &format!("listen 127.0.0.1:{port};"),
            )
            .replace("10.0.0.11:8000", &format!("127.0.0.1:{}", nodes[0]))
            .replace("10.0.0.12:8000", &format!("127.0.0.1:{}", nodes[1]))
            .replace("/var/log/nginx/latchkey.log", "access.log")
            .replace("rate=50r/s", "rate=100000r/s");
        Self::nginx_with(program, port, &block)
    }

    fn nginx_with(program: &Path, port: u16, block: &str) -> Self {
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {name};\n"))
            .concat();
        let config = format!(
            "daemon off;\nmaster_process off;\npid nginx.pid;\nevents {{}}\n\
             http {{\naccess_log off;\n{temporary}{block}\n}}\n"
        );
        Self::start(program, port, &config, |folder| {
            let mut arguments = vec!["-p".to_owned(), folder.to_owned()];
            arguments.extend(["-e", "error.log", "-c", "config.yaml"].map(str::to_owned));
            arguments
        })
    }

    pub fn caddy(program: &Path, latchkey: u16, app: u16) -> Self {
        let port = free_port();
        let block = fenced("next-door.md", "caddy")
            .replace(
                "app.example.org {",
                &format!("http://app.example.org:{port} {{\n\tbind 127.0.0.1"),
            )
            .replace("127.0.0.1:8000", &format!("127.0.0.1:{latchkey}"))
            .replace("127.0.0.1:3000", &format!("127.0.0.1:{app}"));
        let config = format!("{{\n\tadmin off\n\tauto_https off\n}}\n{block}\n");
        Self::start(program, port, &config, |_| {
            ["run", "--adapter", "caddyfile", "--config", "config.yaml"]
                .map(str::to_owned)
                .into()
        })
    }

    pub fn traefik(program: &Path, latchkey: u16, app: u16) -> Self {
        let port = free_port();
        let config = fenced("next-door.md", "yaml")
            .replace("127.0.0.1:8000", &format!("127.0.0.1:{latchkey}"))
            .replace("127.0.0.1:3000", &format!("127.0.0.1:{app}"));
        let proxy = Self::start(program, port, &config, |_| {
            vec![
                format!("--entrypoints.web.address=127.0.0.1:{port}"),
                "--providers.file.filename=config.yaml".to_owned(),
                "--global.checknewversion=false".to_owned(),
                "--global.sendanonymoususage=false".to_owned(),
            ]
        });
        // It listens before it has read where things go.
        wait(until("the proxy knows its routes", async || {
            proxy.get("/", "").status != 404
        }));
        proxy
    }

    fn start(
        program: &Path,
        port: u16,
        config: &str,
        arguments: impl FnOnce(&str) -> Vec<String>,
    ) -> Self {
        let folder = folder();
        std::fs::write(folder.path().join("config.yaml"), config).unwrap();
        let log = folder.path().join("log");
        let home = folder.path().display().to_string();
        let mut child = Command::new(program)
            .args(arguments(&home))
            .current_dir(folder.path())
            .env_clear()
            .env("HOME", &home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&log).unwrap())
            .spawn()
            .unwrap();
        wait(until("the proxy listens", async || {
            if let Some(status) = child.try_wait().unwrap() {
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                panic!("{}: {status}: {said}", program.display());
            }
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        }));
        Self {
            child,
            port,
            folder,
        }
    }

    /// `head`: header lines, each with its end.
    pub fn send(&self, method: &str, path: &str, head: &str, body: &str) -> Answer {
        let length = if body.is_empty() {
            String::new()
        } else {
            format!("Content-Length: {}\r\n", body.len())
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: app.example.org:{}\r\nConnection: close\r\n{head}{length}\r\n{body}",
            self.port
        );
        exchange(self.port, request.as_bytes())
    }

    pub fn get(&self, path: &str, head: &str) -> Answer {
        self.send("GET", path, head, "")
    }

    /// A file that it wrote.
    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }

    /// As the browser writes the host in `Origin`.
    pub fn origin(&self) -> String {
        format!("http://app.example.org:{}", self.port)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Gone already is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Free when this returns; whoever takes it next is nearly always the one who asked.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}
