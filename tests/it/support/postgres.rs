//! One PostgreSQL cluster for the test process, started when the first test asks for it: no port,
//! a socket in a temporary folder. A watchdog stops and removes it when the process is gone.

use std::{
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use latchkey::{app::App, clock::Clock, config::Config, domain::installation};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use tokio::sync::OnceCell;

use super::test_app::{SECRET, environment};

const USER: &str = "latchkey";
/// The migrated database that each test gets a copy of.
const TEMPLATE: &str = "template_latchkey";

pub struct Cluster {
    folder: PathBuf,
    admin: DatabaseConnection,
    next: AtomicU32,
}

static CLUSTER: OnceCell<Option<Cluster>> = OnceCell::const_new();

/// None where PostgreSQL is not installed.
pub async fn cluster() -> Option<&'static Cluster> {
    CLUSTER
        .get_or_init(|| async {
            match binaries() {
                Some(folder) => Some(Cluster::start(&folder).await),
                None => None,
            }
        })
        .await
        .as_ref()
}

/// Where `initdb` and `pg_ctl` are: on the PATH, or where Debian keeps them, the newest first.
fn binaries() -> Option<PathBuf> {
    let path = super::variable("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    on_path.or_else(|| {
        let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.path().join("bin"))
            .filter(|bin| bin.join("initdb").exists())
            .collect();
        versions.sort();
        versions.pop()
    })
}

impl Cluster {
    async fn start(bin: &Path) -> Self {
        let folder = home();
        initialize(bin, &folder);
        let options = "-c listen_addresses='' -c max_connections=300 -c full_page_writes=off \
                       -c shared_buffers=64MB -c wal_level=minimal -c max_wal_senders=0 -c autovacuum=off";
        launch(bin, &folder, options);
        let admin = Database::connect(url_in(&folder, "postgres"))
            .await
            .unwrap();
        let cluster = Self {
            folder,
            admin,
            next: AtomicU32::new(1),
        };
        cluster.make_template().await;
        cluster
    }

    async fn make_template(&self) {
        self.execute(&format!("CREATE DATABASE {TEMPLATE}")).await;
        let env = environment(&[
            ("LATCHKEY_DATABASE_URL", &self.url(TEMPLATE)),
            ("LATCHKEY_SECRET_KEY", SECRET),
        ]);
        let config = Config::load(&latchkey::config::figment(&env), &env).unwrap();
        let app = App::open(config, Clock::default()).await.unwrap();
        app.db.migrate().await.unwrap();
        assert!(installation::secret_fits(&app).await.unwrap());
        app.db.close().await.unwrap();
    }

    /// A database of its own for one test: migrated, or empty.
    pub async fn database(&self, migrated: bool) -> String {
        let name = format!("t_{}", self.next.fetch_add(1, Ordering::SeqCst));
        let template = if migrated { TEMPLATE } else { "template0" };
        self.execute(&format!("CREATE DATABASE {name} TEMPLATE {template}"))
            .await;
        name
    }

    pub async fn drop_database(&self, name: &str) {
        self.execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
            .await;
    }

    pub fn url(&self, database: &str) -> String {
        url_in(&self.folder, database)
    }

    async fn execute(&self, sql: &str) {
        self.admin.execute_unprepared(sql).await.unwrap();
    }
}

/// A cluster of its own that takes encrypted connections only: its port of the loopback.
pub fn encrypted(certificate: &str, key: &str) -> Option<u16> {
    let bin = binaries()?;
    let folder = home();
    let [own_certificate, own_key] =
        [(certificate, "server.crt"), (key, "server.key")].map(|(from, name)| {
            let to = folder.join(name);
            std::fs::copy(from, &to).unwrap();
            to
        });
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&own_key, private).unwrap();
    if is_root() {
        succeed(
            Command::new("chown")
                .arg("postgres")
                .args([&own_certificate, &own_key]),
        );
    }
    initialize(&bin, &folder);
    let rule = "hostssl all all 127.0.0.1/32 trust\n";
    std::fs::write(folder.join("data/pg_hba.conf"), rule).unwrap();
    let port = super::free_port();
    let options = format!(
        "-c listen_addresses=127.0.0.1 -c port={port} -c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
        own_certificate.display(),
        own_key.display()
    );
    launch(&bin, &folder, &options);
    Some(port)
}

/// An empty database, for tests of the binary: its name and its URL.
pub async fn fresh() -> Option<(String, String)> {
    let cluster = cluster().await?;
    let name = cluster.database(false).await;
    let url = cluster.url(&name);
    Some((name, url))
}

/// Gives back what `fresh` made.
pub async fn gone(name: &str) {
    if let Some(cluster) = cluster().await {
        cluster.drop_database(name).await;
    }
}

fn url_in(folder: &Path, database: &str) -> String {
    format!(
        "postgres://{USER}@localhost/{database}?host={}",
        folder.display()
    )
}

/// Where a cluster lives.
fn home() -> PathBuf {
    // Short: the path of a socket has at most 107 bytes.
    let folder = tempfile::Builder::new()
        .prefix("latchkey-pg-")
        .tempdir()
        .unwrap()
        .keep();
    if is_root() {
        // PostgreSQL refuses to run as root.
        succeed(Command::new("chown").arg("postgres").arg(&folder));
    }
    folder
}

fn initialize(bin: &Path, folder: &Path) {
    succeed(
        as_postgres(&bin.join("initdb"))
            .args(["--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .args(["-U", USER, "-D"])
            .arg(folder.join("data")),
    );
}

/// Runs until this process is gone.
fn launch(bin: &Path, folder: &Path, options: &str) {
    let data = folder.join("data");
    let all = format!(
        "-c unix_socket_directories='{}' -c fsync=off {options}",
        folder.display()
    );
    watch(bin, folder, &data);
    succeed(
        as_postgres(&bin.join("pg_ctl"))
            .arg("-D")
            .arg(&data)
            .arg("-l")
            .arg(folder.join("log"))
            .args(["-w", "-o", &all, "start"]),
    );
}

/// Stops the cluster and removes its folder once this process is gone, however it went.
fn watch(bin: &Path, folder: &Path, data: &Path) {
    // In the background of a shell that ends at once: nobody has to wait for it.
    let script = r#"(
        while kill -0 "$1" 2>/dev/null; do sleep 1; done
        shift
        folder="$1"; shift
        "$@"
        rm -rf "$folder"
    ) </dev/null >/dev/null 2>&1 &
    "#;
    let stop = {
        let mut stop = as_postgres(&bin.join("pg_ctl"));
        stop.arg("-D").arg(data).args(["-m", "immediate", "stop"]);
        stop
    };
    // Its own process group, so that a Ctrl-C for the tests does not end it before its work.
    succeed(
        Command::new("sh")
            .args(["-c", script, "watchdog", &std::process::id().to_string()])
            .arg(folder)
            .arg(stop.get_program())
            .args(stop.get_args())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .current_dir("/"),
    );
}

fn as_postgres(program: &Path) -> Command {
    let mut command = if is_root() {
        let mut command = Command::new("runuser");
        command.args(["-u", "postgres", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.current_dir("/").stdin(Stdio::null());
    command
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

fn succeed(command: &mut Command) {
    // Not captured: the server that `pg_ctl` leaves behind would hold the pipe open.
    let status = command.stdout(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}: {status}");
}
