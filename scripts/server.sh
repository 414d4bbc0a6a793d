# Sourced by scripts that need a server of their own: `start_server <binary>` on a free loopback port with an
# empty database, ready when it returns; it stops when the script ends. Sets server_url and server_dir, and exports
# what the commands of the binary need to find the same database.
# PostgreSQL where LATCHKEY_TEST_POSTGRES_URL is set, else SQLite.
# shellcheck shell=bash

server_database=${LATCHKEY_TEST_POSTGRES_URL:-}
# Nothing of the caller's own installation may leak in: these scripts make users.
for name in "${!LATCHKEY_@}" "${!ROCKET_@}" DATABASE_URL; do
    [ "$name" = LATCHKEY_BINARY ] || unset "$name"
done

server_dir=$(mktemp -d)
server=
stop_server() {
    if [ -n "$server" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
    rm -rf "$server_dir"
}
trap stop_server EXIT
trap 'exit 130' INT TERM

start_server() {
    local binary=$1 port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    server_url="http://127.0.0.1:$port"
    export ROCKET_ADDRESS=127.0.0.1 ROCKET_PORT="$port" LATCHKEY_DATA_DIR="$server_dir/data"
    if [ -n "$server_database" ]; then
        export LATCHKEY_DATABASE_URL="$server_database"
        LATCHKEY_SECRET_KEY=$(python3 -c 'import secrets; print(secrets.token_hex(32))')
        export LATCHKEY_SECRET_KEY
    fi
    (cd "$server_dir" && exec "$binary") >"$server_dir/log" 2>&1 &
    server=$!
    python3 - "$server_url/readyz" "$server" <<'PY' || { cat "$server_dir/log" >&2; exit 1; }
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
}
