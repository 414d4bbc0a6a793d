//! The schema: up, down and up again, on both databases, from nothing.

use latchkey::{
    app::App,
    clock::Clock,
    config::{self, Config},
    db::Opener,
};
use migration::{Migrator, MigratorTrait};
use sea_orm::{ConnectOptions, Database};

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
