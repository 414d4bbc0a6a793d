//! The interpreter that has real Django: of the environment that `scripts/django-venv.sh` makes.

use std::{path::PathBuf, sync::Once};

use super::variable;

/// The interpreter, where there is one.
pub fn python() -> Option<PathBuf> {
    let home = || variable("HOME").map(|home| PathBuf::from(home).join(".cache"));
    let cache = variable("LATCHKEY_CI_CACHE")
        .map(PathBuf::from)
        .or_else(|| {
            let caches = variable("XDG_CACHE_HOME").map(PathBuf::from).or_else(home);
            caches.map(|caches| caches.join("latchkey-ci"))
        });
    let python = cache?.join("django/bin/python");
    python.exists().then_some(python)
}

/// Once, and past the capture of the test harness.
pub fn without_django() {
    static SAID: Once = Once::new();
    assert!(
        variable("CI").is_none(),
        "CI is set and there is no Django: run scripts/django-venv.sh"
    );
    SAID.call_once(|| {
        use std::io::Write;
        let text = "\n*** Django was not found (scripts/django-venv.sh makes it): what needs it was \
                    NOT tested ***\n";
        std::io::stderr().write_all(text.as_bytes()).unwrap();
    });
}
