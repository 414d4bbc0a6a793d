#!/usr/bin/env bash
# with-postgres.sh COMMAND...: runs the command with LATCHKEY_TEST_POSTGRES_URL pointing to a new PostgreSQL
# cluster on a free loopback port, and removes the cluster afterwards.
set -euo pipefail
[ $# -gt 0 ] || { echo "usage: $0 COMMAND..." >&2; exit 2; }

initdb=$(compgen -G '/usr/lib/postgresql/*/bin/initdb' | sort -V | tail -n 1) || initdb=$(command -v initdb) || {
    echo 'PostgreSQL is not installed (Debian: apt-get install postgresql)' >&2
    exit 1
}
bin=$(dirname "$initdb")
dir=$(mktemp -d)

# PostgreSQL refuses to run as root.
as_owner() { "$@"; }
if [ "$(id -u)" -eq 0 ]; then
    chown postgres "$dir"
    as_owner() { runuser -u postgres -- "$@"; }
fi

stop() {
    (cd / && as_owner "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop) >/dev/null 2>&1 || true
    rm -rf "$dir"
}
trap stop EXIT
trap 'exit 130' INT TERM

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
password=$(python3 -c 'import secrets; print(secrets.token_hex(16))')
start() {
    cd / # the caller's folder may be closed to the cluster's owner
    as_owner bash -c 'umask 077; printf %s "$1" >"$2"' _ "$password" "$dir/password" &&
        as_owner "$bin/initdb" -D "$dir/data" -U latchkey -A scram-sha-256 --pwfile="$dir/password" \
            -E UTF8 --locale=C.UTF-8 --no-sync >/dev/null &&
        as_owner "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w -t 60 start -o "-c listen_addresses=127.0.0.1 \
            -c port=$port -c unix_socket_directories=$dir -c fsync=off" >/dev/null
}
(start) || {
    cat "$dir/log" >&2 2>/dev/null || true
    exit 1
}

export LATCHKEY_TEST_POSTGRES_URL="postgres://latchkey:$password@127.0.0.1:$port/postgres"
"$@"
