//! `latchkey import-django` on databases that real Django made, judged over the API: with the
//! passwords, keys and JWTs from before. Needs the environment of `scripts/django-venv.sh`.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use sea_orm::{ConnectionTrait, Database, Statement};
use serde_json::{Value, json};

use crate::support::{
    Answer, Backend, Program, SECRET, folder, postgres, python, wait, without_django,
};

/// What `tests/django/project.py` answers; none where it fails.
fn django(python: &Path, arguments: &[&str]) -> Option<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/django/project.py");
    let output = Command::new(python)
        .arg(script)
        .args(arguments)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    if output.status.success() {
        return Some(serde_json::from_slice(&output.stdout).unwrap());
    }
    eprintln!("{}", String::from_utf8_lossy(&output.stderr));
    None
}

/// A new database: as Django and as Latchkey spell its address.
struct Place {
    django: String,
    url: String,
}

fn place(backend: Backend, folder: &Path, name: &str) -> Place {
    if backend == Backend::Sqlite {
        let url = format!("sqlite:{}", folder.join(name).display());
        return Place {
            django: url.clone(),
            url,
        };
    }
    let (database, url) = wait(async {
        let cluster = postgres::cluster().await.expect("asked for before");
        let database = cluster.database(false).await;
        (database.clone(), cluster.url(&database))
    });
    let (_, host) = url.split_once("?host=").expect("a socket's folder");
    Place {
        django: format!("postgres:dbname={database} user=latchkey host={host}"),
        url,
    }
}

fn text<'a>(made: &'a Value, path: &str) -> &'a str {
    made.pointer(path).and_then(Value::as_str).expect(path)
}

struct Client<'a>(&'a crate::support::Server, &'a Value);

impl Client<'_> {
    fn sign_in(&self, username: &str) -> Answer {
        let body = json!({"username": username, "password": self.1["password"]});
        self.0.post("/api/token/", "", &body)
    }

    fn students(&self, scheme: &str, credential: &str) -> Answer {
        let header = format!("Authorization: {scheme} {credential}\r\n");
        self.0.get("/studentapi/", &header)
    }

    fn refresh(&self, token: &str) -> Answer {
        let body = json!({"refresh": token});
        self.0.post("/api/token/refresh/", "", &body)
    }
}

/// The password strings of Latchkey's users, by name.
fn stored(url: &str, username: &str) -> String {
    wait(async {
        let db = Database::connect(url).await.unwrap();
        let sql = format!("SELECT password FROM users WHERE username = '{username}'");
        let question = Statement::from_string(db.get_database_backend(), sql);
        let row = db.query_one_raw(question).await.unwrap().unwrap();
        let password = row.try_get_by_index(0).unwrap();
        db.close().await.unwrap();
        password
    })
}

/// What the groups of somebody give, group by group.
fn rights(url: &str, username: &str) -> String {
    wait(async {
        let db = Database::connect(url).await.unwrap();
        let sql = format!(
            "SELECT groups.permissions FROM groups JOIN user_groups ON group_id = groups.id \
             JOIN users ON users.id = user_id WHERE username = '{username}' ORDER BY 1"
        );
        let question = Statement::from_string(db.get_database_backend(), sql);
        let rows = db.query_all_raw(question).await.unwrap();
        let texts = rows
            .iter()
            .map(|row| row.try_get_by_index::<String>(0).unwrap());
        let texts = texts.collect::<Vec<_>>().join(" | ");
        db.close().await.unwrap();
        texts
    })
}

fn everything_works_as_before(backend: Backend) {
    let Some(python) = python() else {
        return without_django();
    };
    if backend == Backend::Postgres && wait(postgres::cluster()).is_none() {
        return crate::support::without_postgres();
    }
    let folder = folder();
    let old = place(backend, folder.path(), "django.sqlite3");
    let new = place(backend, folder.path(), "latchkey.sqlite3");
    let made = django(&python, &["make", &old.django]).expect("Django makes its database");
    let program = Program::new()
        .set("LATCHKEY_DATABASE_URL", &new.url)
        .set("LATCHKEY_SECRET_KEY", SECRET)
        .set("LATCHKEY_THROTTLES_ENABLED", "false");
    let key = text(&made, "/secret_key");
    let import = [
        "import-django",
        "--from",
        &old.url,
        "--students-table",
        "school_student",
        "--secret-key",
        key,
    ];
    let with = |more: &[&'static str]| [&import[..], more].concat();

    // Two names that are one here: said, and nothing is written.
    for arguments in [with(&["--dry-run"]), with(&[])] {
        let output = program.run(&arguments);
        assert!(!output.status.success());
        let said = String::from_utf8(output.stdout).unwrap();
        let conflict = "user 15 \"upper\": its name is that of user 14 \"Upper\"";
        assert!(said.contains(conflict), "{said}");
        assert!(
            said.contains("15  users (16 read, 0 already there, 1 left out)"),
            "{said}"
        );
    }
    let said = program.succeeds(&with(&["--on-conflict", "skip"]));
    for line in [
        "15  users (16 read, 0 already there, 1 left out)",
        "3  tokens (4 read, 0 already there, 1 left out)",
        "4  refresh tokens (5 read, 0 already there, 1 left out) (1 of them blacklisted)",
        "2  students (2 read",
        "1  scrypt",
        "1  unusable",
        "2 unknown or too costly password hash",
        "2  groups (1 read",
        "group \"readers\": sessions.view_session",
        "\"clerk\": add users",
        "columns of school_student: house",
    ] {
        assert!(said.contains(line), "{line}: {said}");
    }
    let doctor = program.succeeds(&["doctor"]);
    assert!(
        doctor.contains("2 accounts have an unknown or too costly hash"),
        "{doctor}"
    );

    assert_eq!(
        rights(&new.url, "clerk"),
        "add_users | view_users change_tokens"
    );

    let server = program.serve();
    let client = Client(&server, &made);
    passwords(&client, &new.url);
    keys(&client, &made);
    jwts(&client, &made, &python);
    let again = program.succeeds(&with(&["--on-conflict", "skip"]));
    assert!(
        again.contains("0  users (16 read, 15 already there, 1 left out)"),
        "{again}"
    );
    assert!(
        again.contains("0  tokens (4 read, 3 already there, 1 left out)"),
        "{again}"
    );
    // What Django blacklists after the first import, the second one brings.
    let late = text(&made, "/pairs/by-scrypt/refresh");
    django(&python, &["blacklist", &old.django, late]).expect("Django blacklists");
    program.succeeds(&with(&["--on-conflict", "skip"]));
    client.refresh(late).is_detail(401, "Token is blacklisted");
    server.kill();
}

fn passwords(client: &Client<'_>, url: &str) {
    for name in [
        "by-pbkdf2_sha256",
        "by-pbkdf2_sha1",
        "by-argon2",
        "by-bcrypt_sha256",
        "by-bcrypt",
        "by-scrypt",
        "default",
        "root",
        "Upper",
        "with space",
    ] {
        client.sign_in(name).expect(200);
        assert!(
            stored(url, name).starts_with("$argon2id$"),
            "{name} is renewed"
        );
        client.sign_in(name).expect(200);
    }
    for name in ["gone", "nothing", "strange", "costly", "upper"] {
        let answer = client.sign_in(name);
        answer.is_detail(401, "No active account found with the given credentials");
    }
    assert!(stored(url, "costly").starts_with("pbkdf2_sha256$1000000000000$"));
}

fn keys(client: &Client<'_>, made: &Value) {
    let key = text(made, "/keys/default");
    client.students("Token", key).is(
        200,
        &json!({"status": true, "data": [
            {"id": 7, "name": "Nikhil Patil", "roll": 101, "city": "Nandurbar"},
            {"id": 8, "name": "Raj Gohel", "roll": 102, "city": "Nandurbar"},
        ]}),
    );
    let credential = format!("Authorization: Token {key}\r\n");
    let body = json!({"username": "default", "password": made["password"]});
    let same = client.0.post("/get-token/", &credential, &body);
    same.is(200, &json!({"status": true, "data": {"Token": key}}));
    client
        .students("Token", text(made, "/keys/gone"))
        .is_detail(401, "User inactive or deleted.");
    client
        .students("Token", text(made, "/keys/upper"))
        .is_detail(401, "Invalid token.");
    // The next account gets an id that nobody had.
    let body = json!({
        "username": "later", "password": made["password"], "confirm_password": made["password"],
    });
    let registered = client.0.post("/registerapi/", &credential, &body);
    registered.expect(200);
    let claims = crate::support::claims_of(&registered.string("access"));
    let id: i64 = claims["user_id"].as_str().unwrap().parse().unwrap();
    assert!(id > 16, "{claims}");
}

fn jwts(client: &Client<'_>, made: &Value, python: &Path) {
    let pair = |name: &str, kind: &str| text(made, &format!("/pairs/{name}/{kind}")).to_owned();
    client
        .students("Bearer", &pair("root", "access"))
        .expect(200);
    assert_eq!(
        client.students("Bearer", &pair("upper", "access")).status,
        401
    );
    client
        .refresh(text(made, "/blacklisted"))
        .is_detail(401, "Token is blacklisted");
    let refreshed = client.refresh(&pair("default", "refresh"));
    refreshed.expect(200);
    // And the other way round.
    for access in [
        refreshed.string("access"),
        client.sign_in("default").string("access"),
    ] {
        let claims = django(python, &["verify", &access]).expect("Django takes our JWTs");
        assert_eq!(claims["user_id"], made["ids"]["default"].to_string());
    }
}

#[test]
fn everything_works_as_before_sqlite() {
    everything_works_as_before(Backend::Sqlite);
}

#[test]
fn everything_works_as_before_postgres() {
    everything_works_as_before(Backend::Postgres);
}
