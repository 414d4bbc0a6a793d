//! The way to PostgreSQL, encrypted where the address says so, with a server that takes nothing else.

use crate::support::{
    Program, SECRET, certificate, find_program, folder, postgres, until, wait, without,
    without_postgres,
};

#[test]
fn the_way_to_postgresql_is_encrypted_and_its_end_is_made_sure_of() {
    let Some(openssl) = find_program("openssl") else {
        return without("openssl");
    };
    let folder = folder();
    let (own, key) = certificate(&openssl, folder.path(), "database");
    let (other, _) = certificate(&openssl, folder.path(), "somebody");
    let Some(port) = postgres::encrypted(&own, &key) else {
        return without_postgres();
    };
    let program = |mode: &str| {
        let url = format!("postgres://latchkey@localhost:{port}/postgres?sslmode={mode}");
        Program::new()
            .set("LATCHKEY_DATABASE_URL", &url)
            .set("LATCHKEY_SECRET_KEY", SECRET)
    };
    let said = program("disable").fails(&["migrate"]);
    assert!(said.contains("no encryption"), "{said}");
    let said = program(&format!("verify-full&sslrootcert={other}")).fails(&["migrate"]);
    assert!(said.contains("certificate"), "{said}");
    program("require").succeeds(&["migrate"]);
    let sure = program(&format!("verify-full&sslrootcert={own}"));
    let server = sure.serve();
    // The connection that listens is another one.
    wait(until("the node hears", async || {
        server.get("/readyz", "").expect(200)["other_nodes"] == "heard"
    }));
    server.stop();
}
