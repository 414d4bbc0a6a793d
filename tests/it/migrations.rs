//! The schema: up, down and up again, on both databases, from nothing.

use latchkey::{
    app::App,
    clock::Clock,
    config::{self, Config},
    db::Opener,
    domain::permissions::Permissions,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, ConnectionTrait, Database};

use crate::support::{SECRET, environment, folder, postgres, wait, without_postgres};

async fn up_down_up(url: &str) {
    let env = environment(&[
        ("LATCHKEY_DATABASE_URL", url),
        ("LATCHKEY_SECRET_KEY", SECRET),
    ]);
    let config = Config::load(&config::figment(&env), &env).unwrap();
    let app = App::open_as(Opener::Command, config.clone(), Clock::default())
        .await
        .unwrap();
    assert!(!app.db.is_migrated().await.unwrap());
    app.db.migrate().await.unwrap();
    assert!(app.db.is_migrated().await.unwrap());
    app.db.migrate().await.unwrap();
    let all = u32::try_from(Migrator::migrations().len()).unwrap();
    // One connection: SQLite's others would judge by the schema as they last saw it.
    let mut options = ConnectOptions::new(if config.is_postgres() {
        url
    } else {
        "sqlite://file"
    });
    let path = config.sqlite_path().to_owned();
    options
        .max_connections(1)
        .map_sqlx_sqlite_opts(move |o| o.filename(&path));
    let alone = Database::connect(options).await.unwrap();
    for n in 1..=all {
        Migrator::down(&alone, Some(1))
            .await
            .unwrap_or_else(|e| panic!("down {n}: {e}"));
    }
    assert_eq!(
        Migrator::get_applied_migrations(&alone)
            .await
            .unwrap()
            .len(),
        0
    );
    alone.close().await.unwrap();
    app.db.close().await.unwrap();
    let app = App::open_as(Opener::Command, config, Clock::default())
        .await
        .unwrap();
    app.db.migrate().await.unwrap();
    assert!(app.db.is_migrated().await.unwrap());
    app.db.close().await.unwrap();
}

#[test]
fn up_down_up_on_sqlite() {
    let folder = folder();
    let file = folder.path().join("new folder").join("a b#c%20d.sqlite3");
    wait(up_down_up(&format!("sqlite:{}", file.display())));
    assert!(file.exists());
}

#[test]
fn up_down_up_on_postgres() {
    wait(async {
        let Some(cluster) = postgres::cluster().await else {
            return without_postgres();
        };
        let name = cluster.database(false).await;
        up_down_up(&cluster.url(&name)).await;
        cluster.drop_database(&name).await;
    });
}

/// Before there were groups, all staff could do all that staff can.
async fn staff_is_put_into_a_group(url: &str) {
    let env = environment(&[
        ("LATCHKEY_DATABASE_URL", url),
        ("LATCHKEY_SECRET_KEY", SECRET),
    ]);
    let config = Config::load(&config::figment(&env), &env).unwrap();
    let app = App::open_as(Opener::Command, config, Clock::default())
        .await
        .unwrap();
    app.db.migrate().await.unwrap();
    let db = Database::connect(url).await.unwrap();
    let later = Migrator::migrations()
        .iter()
        .rev()
        .position(|one| one.name() == "m20261126_000001_groups")
        .unwrap();
    let down = u32::try_from(later + 1).unwrap();
    for (people, expected) in [
        (&[("root", true, true), ("ann", false, false)][..], false),
        (&[("sam", true, false), ("kim", true, false)][..], true),
    ] {
        Migrator::down(&db, Some(down)).await.unwrap();
        for (name, staff, superuser) in people {
            let sql = format!(
                "INSERT INTO users (username, username_key, email, first_name, last_name, password, is_active, \
                 is_staff, is_superuser, epoch, epoch_at, last_login, date_joined, version) \
                 VALUES ('{name}', '{name}', '', '', '', '!', true, {staff}, {superuser}, 0, 0, 0, 0, 1)"
            );
            db.execute_unprepared(&sql).await.unwrap();
        }
        Migrator::up(&db, None).await.unwrap();
        let groups = latchkey::domain::groups::all(&app).await.unwrap();
        if !expected {
            assert!(groups.is_empty(), "there is nobody to put into it");
            continue;
        }
        assert_eq!((groups.len(), groups[0].group.name.as_str()), (1, "Staff"));
        let held = latchkey::domain::groups::permissions(&groups[0].group);
        assert_eq!(held, Permissions::all());
        assert_eq!(groups[0].members.n, 2, "and no superuser");
    }
    db.close().await.unwrap();
    app.db.close().await.unwrap();
}

#[test]
fn staff_keeps_what_it_could_do_on_sqlite() {
    let folder = folder();
    let file = folder.path().join("latchkey.sqlite3");
    wait(staff_is_put_into_a_group(&format!(
        "sqlite:{}",
        file.display()
    )));
}

#[test]
fn staff_keeps_what_it_could_do_on_postgres() {
    wait(async {
        let Some(cluster) = postgres::cluster().await else {
            return without_postgres();
        };
        let name = cluster.database(false).await;
        staff_is_put_into_a_group(&cluster.url(&name)).await;
        cluster.drop_database(&name).await;
    });
}

#[test]
fn nodes_that_start_at_once_migrate_once() {
    wait(async {
        let Some(cluster) = postgres::cluster().await else {
            return without_postgres();
        };
        let name = cluster.database(false).await;
        let url = cluster.url(&name);
        let start = |_| {
            let env = environment(&[
                ("LATCHKEY_DATABASE_URL", &url),
                ("LATCHKEY_SECRET_KEY", SECRET),
            ]);
            async move {
                let config = Config::load(&config::figment(&env), &env).unwrap();
                let app = App::open(config, Clock::default()).await.unwrap();
                app.db.migrate().await.unwrap();
                app.db.close().await.unwrap();
            }
        };
        crate::support::parallel((0..4).map(start)).await;
        cluster.drop_database(&name).await;
    });
}
