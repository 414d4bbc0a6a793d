//! The audit log is a chain: what is changed, taken out, swapped or cut off is found, in the database and in
//! an exported file; and the database itself refuses it first.

use latchkey::{
    domain::{
        actor::Actor,
        audit::{self, Event, Verdict, public_key},
        transfer,
    },
    keys::Keyring,
};
use sea_orm::{ConnectionTrait, DbErr, Statement};

use crate::support::{Backend, Program, TestApp, parallel};

/// Writes so many events and seals them.
async fn sealed(app: &TestApp, events: u32) {
    write(app, events).await;
    audit::seal(&app.app).await.unwrap();
}

async fn write(app: &TestApp, events: u32) {
    let names: Vec<String> = (0..events)
        .map(|n| format!("thing {n} \"\u{1F511}\""))
        .collect();
    for batch in names.chunks(500) {
        let db = app.app.db.begin().await.unwrap();
        let events = batch
            .iter()
            .map(|name| Event::new("test.happened", Some(1), name));
        audit::record_all(&db, app.app.now(), &Actor::operator(), events)
            .await
            .unwrap();
        db.commit(latchkey::checks::Affects::Nobody).await.unwrap();
    }
}

async fn verdict(app: &TestApp) -> Verdict {
    let key = public_key(&app.app.keys).unwrap();
    audit::verify(&app.app, key).await.unwrap()
}

#[track_caller]
fn flaw(verdict: Verdict) -> String {
    verdict.unwrap_err().to_string()
}

async fn execute(app: &TestApp, sql: &str) -> Result<u64, DbErr> {
    // As somebody at the database does it, past the application.
    let db = app.app.db.begin().await.unwrap();
    let done = db.execute_unprepared(sql).await?.rows_affected();
    db.commit(latchkey::checks::Affects::Nobody).await.unwrap();
    Ok(done)
}

/// Past the triggers, too: who owns the database can take them away.
async fn tamper(app: &TestApp, sql: &[&str]) {
    let triggers: &[&str] = if app.backend == Backend::Postgres {
        &["DROP FUNCTION audit_is_kept() CASCADE"]
    } else {
        &[
            "DROP TRIGGER IF EXISTS audit_events_sealed_once",
            "DROP TRIGGER IF EXISTS audit_events_kept",
            "DROP TRIGGER IF EXISTS audit_checkpoints_kept",
            "DROP TRIGGER IF EXISTS audit_checkpoints_same",
        ]
    };
    for statement in triggers.iter().chain(sql) {
        execute(app, statement).await.unwrap();
    }
}

async fn ask(app: &TestApp, sql: &str) -> i64 {
    let read = app.app.db.read();
    let question = Statement::from_string(read.get_database_backend(), sql);
    let row = read.query_one_raw(question).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

fn lines(app: &TestApp, text: &str) -> Verdict {
    audit::verify_lines(text.as_bytes(), public_key(&app.app.keys).unwrap()).unwrap()
}

async fn exported(app: &TestApp) -> String {
    let mut file = Vec::new();
    audit::export(&app.app, &mut file).await.unwrap();
    String::from_utf8(file).unwrap()
}

both! {
    async fn what_is_written_gets_its_place_and_verifies(app: &TestApp) {
        app.user("ann").await;
        let before = verdict(app).await.unwrap();
        assert_eq!((before.events, before.unsealed.n), (0, 1));
        sealed(app, 2500).await;
        write(app, 2).await;
        let intact = verdict(app).await.unwrap();
        assert_eq!((intact.events, intact.unsealed.n), (2501, 2));
        assert_eq!((intact.checkpoints, intact.covered), (2, 2000));
        audit::checkpoint_now(&app.app).await.unwrap();
        audit::checkpoint_now(&app.app).await.unwrap();
        let intact = verdict(app).await.unwrap();
        assert_eq!((intact.checkpoints, intact.covered), (3, 2501));
        assert_eq!(audit::seal(&app.app).await.unwrap(), 2);
        assert_eq!(audit::seal(&app.app).await.unwrap(), 0);
        let state = audit::chain_state(&app.app).await.unwrap();
        assert_eq!((state.sealed, state.signed), (2503, Some((2501, app.app.now()))));
    }

    async fn an_hour_with_events_ends_with_a_checkpoint_and_a_quiet_one_without(app: &TestApp) {
        sealed(app, 1).await;
        audit::checkpoint_if_due(&app.app).await.unwrap();
        sealed(app, 1).await;
        app.clock.advance(3599);
        audit::checkpoint_if_due(&app.app).await.unwrap();
        assert_eq!(verdict(app).await.unwrap().covered, 1);
        app.clock.advance(1);
        audit::checkpoint_if_due(&app.app).await.unwrap();
        assert_eq!(verdict(app).await.unwrap().covered, 2);
        app.clock.advance(7200);
        audit::checkpoint_if_due(&app.app).await.unwrap();
        assert_eq!(verdict(app).await.unwrap().checkpoints, 2);
    }

    async fn nodes_that_seal_at_once_make_one_chain(app: &TestApp) {
        if app.backend == Backend::Sqlite {
            // One server, and commands beside it.
            let command = app.command().await;
            write(app, 30).await;
            let (here, there) = tokio::join!(audit::seal(&app.app), audit::seal(&command));
            assert_eq!(here.unwrap() + there.unwrap(), 30);
            command.db.close().await.unwrap();
        } else {
            let other = app.second_node(&[]).await;
            write(app, 3000).await;
            let seal = |app: TestApp| async move { audit::seal(&app.app).await.unwrap() };
            parallel([app, &other, app, &other].map(|app| seal(app.clone()))).await;
            audit::seal(&app.app).await.unwrap();
            other.close().await;
        }
        let intact = verdict(app).await.unwrap();
        assert_eq!(intact.unsealed.n, 0);
        assert_eq!(ask(app, "SELECT COUNT(*) FROM audit_events").await, intact.events);
    }

    async fn the_database_refuses_to_change_or_delete_events(app: &TestApp) {
        sealed(app, 3).await;
        write(app, 1).await;
        audit::checkpoint_now(&app.app).await.unwrap();
        for sql in [
            "UPDATE audit_events SET actor = 'x' WHERE id = 1",
            "UPDATE audit_events SET seq = 9 WHERE id = 1",
            "UPDATE audit_events SET seq = NULL, hash = NULL WHERE id = 1",
            "UPDATE audit_events SET object = 'x' WHERE seq IS NULL",
            "UPDATE audit_events SET object = 'x', seq = 9 WHERE seq IS NULL",
            "UPDATE audit_events SET address = '::1' WHERE seq IS NULL",
            "DELETE FROM audit_events WHERE id = 1",
            "DELETE FROM audit_checkpoints",
            "UPDATE audit_checkpoints SET at = 1",
        ] {
            let refused = execute(app, sql).await.unwrap_err().to_string();
            assert!(refused.contains("the audit log is only added to"), "{sql}: {refused}");
        }
        assert_eq!(audit::seal(&app.app).await.unwrap(), 1);
        verdict(app).await.unwrap();
    }

    async fn a_changed_event_is_named(app: &TestApp) {
        sealed(app, 5).await;
        tamper(app, &["UPDATE audit_events SET actor = 'somebody else' WHERE seq = 3"]).await;
        let flaw = flaw(verdict(app).await);
        assert!(flaw.starts_with("event #3 (id "), "{flaw}");
        assert!(flaw.contains("test.happened") && flaw.ends_with("is not what was sealed in that place"));
    }

    async fn a_deleted_event_is_named(app: &TestApp) {
        sealed(app, 8).await;
        tamper(app, &["DELETE FROM audit_events WHERE seq = 3"]).await;
        assert_eq!(flaw(verdict(app).await), "event #3 is missing");
        tamper_again(app, "DELETE FROM audit_events WHERE seq < 6").await;
        assert_eq!(flaw(verdict(app).await), "events #1 to #5 are missing");
    }

    async fn two_events_that_changed_places_are_found(app: &TestApp) {
        sealed(app, 5).await;
        tamper(app, &[
            "UPDATE audit_events SET seq = -2 WHERE seq = 2",
            "UPDATE audit_events SET seq = 2 WHERE seq = 4",
            "UPDATE audit_events SET seq = 4 WHERE seq = -2",
        ]).await;
        assert!(flaw(verdict(app).await).starts_with("event #2 "));
    }

    async fn a_tail_that_was_cut_off_is_found_once_a_checkpoint_covered_it(app: &TestApp) {
        sealed(app, 10).await;
        audit::checkpoint_now(&app.app).await.unwrap();
        tamper(app, &["DELETE FROM audit_events WHERE seq > 7"]).await;
        let cut = flaw(verdict(app).await);
        assert!(cut.starts_with("the log ends with #7, and a checkpoint covers #10"), "{cut}");
        // Nor does writing on hide it.
        sealed(app, 10).await;
        let overgrown = flaw(verdict(app).await);
        assert!(overgrown.starts_with("the chain up to #10 is not the one"), "{overgrown}");
    }

    async fn a_checkpoint_by_anybody_else_is_found(app: &TestApp) {
        sealed(app, 10).await;
        audit::checkpoint_now(&app.app).await.unwrap();
        tamper(app, &["UPDATE audit_checkpoints SET signature = hash"]).await;
        assert_eq!(
            flaw(verdict(app).await),
            "the signature of the checkpoint at #10 is not good"
        );
        tamper_again(app, "UPDATE audit_checkpoints SET seq = 4, key_id = 'mine'").await;
        assert!(flaw(verdict(app).await).starts_with("the checkpoint at #4 names the key mine"));
    }

    async fn a_chain_rewritten_without_checkpoints_is_found(app: &TestApp) {
        sealed(app, 2500).await;
        tamper(app, &["DELETE FROM audit_checkpoints"]).await;
        let flaw = flaw(verdict(app).await);
        assert!(flaw.starts_with("no checkpoint covers the events after #0"), "{flaw}");
    }

    async fn an_export_is_verified_alone_and_every_change_in_it_is_found(app: &TestApp) {
        app.user("ann").await;
        sealed(app, 1200).await;
        write(app, 2).await;
        let text = exported(app).await;
        let intact = lines(app, &text).unwrap();
        assert_eq!((intact.events, intact.checkpoints, intact.unsealed.n), (1201, 1, 2));
        assert_eq!(intact, verdict(app).await.unwrap());

        let all: Vec<&str> = text.lines().collect();
        let without = |gone: usize| {
            let kept = all.iter().enumerate().filter(|(n, _)| *n != gone);
            kept.map(|(_, line)| *line).collect::<Vec<_>>().join("\n")
        };
        assert!(flaw(lines(app, &without(5))).contains("event #5 is missing"));
        assert!(flaw(lines(app, &without(0))).contains("not the head"));
        assert!(flaw(lines(app, &without(all.len() - 1))).contains("its end was cut off"));
        let changed = text.replace("thing 700 ", "thing 7000 ");
        assert!(flaw(lines(app, &changed)).contains("event #702 "));
        let mut swapped = all.clone();
        swapped.swap(3, 4);
        assert!(flaw(lines(app, &swapped.join("\n"))).contains("event #3 is missing"));
        let other = Keyring::new(
            &latchkey::secret::SecretBytes::new(vec![7; 32]),
            &app.app.config,
        );
        let other = public_key(&other.unwrap()).unwrap();
        let foreign = audit::verify_lines(text.as_bytes(), other).unwrap();
        assert!(flaw(foreign).contains("names the key"));
        assert!(flaw(lines(app, "{}\n")).contains("line 1 is not what an export writes"));
    }

    async fn a_moved_log_verifies_and_goes_on_where_it_was(app: &TestApp) {
        app.user("ann").await;
        sealed(app, 1500).await;
        write(app, 1).await;
        let mut file = Vec::new();
        transfer::export(&app.app, &mut file).await.unwrap();
        let other = TestApp::with(Backend::Sqlite, &[]).await;
        transfer::import(&other.app, &Actor::operator(), file.as_slice()).await.unwrap();
        assert_eq!(verdict(&other).await, verdict(app).await.map(|mut intact| {
            intact.unsealed.n += 1;
            intact
        }));
        assert_eq!(audit::seal(&other.app).await.unwrap(), 2);
        assert_eq!(verdict(&other).await.unwrap().events, 1503);
        other.close().await;
    }
}

/// When the triggers are gone already.
async fn tamper_again(app: &TestApp, sql: &str) {
    execute(app, sql).await.unwrap();
}

#[test]
fn commands_seal_what_they_write_and_verify_tells_by_its_end() {
    let program = Program::with_root();
    program.succeeds(&["create-token", "root"]);
    let said = program.succeeds(&["audit", "verify"]);
    assert!(
        said.starts_with("Intact: 2 events, 0 checkpoints."),
        "{said}"
    );
    let key = program.succeeds(&["audit", "public-key"]);
    assert_eq!(key.trim().len(), 64);
    let server = program.serve();
    assert_eq!(server.get("/readyz", "").status, 200);
    server.stop();
    program.succeeds(&["audit", "export", "log.jsonl"]);
    let piped = program.succeeds(&["audit", "export"]);
    let file = program.folder().join("log.jsonl");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), piped);
    let said = program.succeeds(&["audit", "verify", "--export", "log.jsonl"]);
    assert!(
        said.contains("1 checkpoints"),
        "signed when the server stopped: {said}"
    );

    // Whoever has the public key needs neither database nor secret.
    let auditor = Program::new();
    std::fs::write(auditor.folder().join("copy.jsonl"), &piped).unwrap();
    let verify = [
        "audit",
        "verify",
        "--export",
        "copy.jsonl",
        "--public-key",
        key.trim(),
    ];
    assert_eq!(auditor.succeeds(&verify), said);
    assert_eq!(
        auditor.run(&verify[..4]).status.code(),
        Some(2),
        "no key, no judgement"
    );
    let forged = piped.replace("user.created", "user.crested");
    std::fs::write(auditor.folder().join("copy.jsonl"), forged).unwrap();
    let output = auditor.run(&verify);
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("NOT INTACT: line 2: event #1 "), "{said}");
}
