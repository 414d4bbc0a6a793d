//! What can be told without a database: settings that are not safe, and the secret.

use super::Finding;
use crate::config::Config;

/// What OWASP recommends for Argon2id with two passes, in KiB.
const MEMORY: u32 = 19_456;

/// Nothing where all is well.
pub fn settings(config: &Config) -> Vec<Finding> {
    let mut found = Vec::new();
    if !config.throttles_enabled {
        let advice = "That is for load tests: take LATCHKEY_THROTTLES_ENABLED away.";
        found.push(Finding::look("settings", "throttles are off", advice));
    }
    if config.hash_memory_kib < MEMORY {
        let text = format!("hash_memory_kib is below what OWASP recommends ({MEMORY})");
        let advice = "Take LATCHKEY_HASH_MEMORY_KIB away: hashes are renewed at the next sign-in.";
        found.push(Finding::look("settings", text, advice));
    }
    found
}

/// Where the server secret is, and whether others can read it.
pub fn secret(config: &Config) -> Finding {
    if config.secret_key.is_some() {
        return Finding::good("secret", "from LATCHKEY_SECRET_KEY");
    }
    let path = config.data_dir.join("secret_key");
    let Ok(metadata) = std::fs::metadata(&path) else {
        return Finding::good("secret", "not made yet; the first start makes it");
    };
    #[cfg(unix)]
    {
        let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions());
        if mode & 0o077 != 0 {
            let text = format!("{} can be read by others", path.display());
            return Finding::bad("secret", text, "chmod 600 it");
        }
    }
    let text = format!("{} ({} bytes)", path.display(), metadata.len());
    Finding::good("secret", text)
}
