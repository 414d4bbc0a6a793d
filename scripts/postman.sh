#!/usr/bin/env bash
# Runs the Postman collection against a server of its own: a free loopback port, an empty database, a superuser and
# a token made by the command line. On SQLite, or on PostgreSQL where LATCHKEY_TEST_POSTGRES_URL is set.
#   LATCHKEY_BINARY  the binary, by default target/release/latchkey
#   NEWMAN           newman, by default through npx
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
binary=$(realpath "${LATCHKEY_BINARY:-$root/target/release/latchkey}")
newman=${NEWMAN:-npx --yes newman@6.2.2}
database=${LATCHKEY_TEST_POSTGRES_URL:-}

# Nothing of the caller's own installation may leak in: the collection makes users.
for name in "${!LATCHKEY_@}" "${!ROCKET_@}" DATABASE_URL; do unset "$name"; done

dir=$(mktemp -d)
server=
stop() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
export ROCKET_ADDRESS=127.0.0.1 ROCKET_PORT="$port" LATCHKEY_DATA_DIR="$dir/data"
if [ -n "$database" ]; then
    export LATCHKEY_DATABASE_URL="$database"
    LATCHKEY_SECRET_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
    export LATCHKEY_SECRET_KEY
fi

cd "$dir"
"$binary" >"$dir/log" 2>&1 &
server=$!
python3 - "http://127.0.0.1:$port/readyz" "$server" <<'PY' || { cat "$dir/log" >&2; exit 1; }
import os, sys, time, urllib.error, urllib.request
until = time.monotonic() + 60
while time.monotonic() < until:
    os.kill(int(sys.argv[2]), 0)
    try:
        with urllib.request.urlopen(sys.argv[1], timeout=5):
            sys.exit(0)
    except (urllib.error.URLError, OSError):
        time.sleep(0.1)
sys.exit("the server was not ready within 60 s")
PY

LATCHKEY_SUPERUSER_USERNAME=postman LATCHKEY_SUPERUSER_EMAIL=postman@example.org \
    LATCHKEY_SUPERUSER_PASSWORD=$(python3 -c 'import secrets; print(secrets.token_urlsafe(18))') \
    "$binary" createsuperuser --noinput
token=$("$binary" create-token postman)

# shellcheck disable=SC2086 # the default is a command with arguments
$newman run "$root/postman/latchkey.postman_collection.json" \
    --environment "$root/postman/latchkey.postman_environment.json" \
    --env-var "base_url=http://127.0.0.1:$port" --env-var "token=$token" \
    --reporters cli --reporter-cli-no-banner --reporter-cli-no-success-assertions --color off --timeout-request 15000 ||
    { printf '\nThe end of the server log:\n' >&2; tail -n 60 "$dir/log" >&2; exit 1; }
