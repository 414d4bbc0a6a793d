#!/usr/bin/env bash
# Schemathesis against a server of its own: every check on every call of /openapi.json. On SQLite, a free loopback port.
#   LATCHKEY_BINARY  the binary, by default target/release/latchkey
#   SCHEMATHESIS     the program, by default `schemathesis`
# What is passed on goes to it, such as --seed 7.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=$(realpath "${LATCHKEY_BINARY:-$root/target/release/latchkey}")
schemathesis=${SCHEMATHESIS:-schemathesis}

# shellcheck source=scripts/server.sh
. "$root/scripts/server.sh"
# Thousands of calls from one address; and each registration may cost less than a real one.
export LATCHKEY_THROTTLES_ENABLED=false LATCHKEY_HASH_MEMORY_KIB=64 LATCHKEY_HASH_ITERATIONS=1
start_server "$binary"
LATCHKEY_SUPERUSER_USERNAME=schemathesis LATCHKEY_SUPERUSER_EMAIL=schemathesis@example.org \
    LATCHKEY_SUPERUSER_PASSWORD=$(python3 -c 'import secrets; print(secrets.token_urlsafe(18))') \
    "$binary" createsuperuser --noinput
token=$("$binary" create-token schemathesis)
cd "$server_dir" # it leaves files behind
"$schemathesis" --config-file "$root/scripts/schemathesis.toml" run "$server_url/openapi.json" \
    --header "Authorization: Token $token" "$@" ||
    { printf '\nThe end of the server log:\n' >&2; tail -n 40 "$server_dir/log" >&2; exit 1; }
