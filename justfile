# The front door. `just` lists what there is; each line is what you would type by hand.

_default:
    @just --list

# Serve on http://127.0.0.1:8000 with an SQLite file in data/
run *args:
    cargo run -- {{args}}

# All tests; the browser tests need chromium and chromedriver, the PostgreSQL ones its server programs, those of proxies nginx and caddy
test *args:
    cargo test --workspace --locked {{args}}

# Format, clippy, licences
lint:
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo deny check licenses bans sources

# What CI runs, installing what is missing (Debian, as root)
ci:
    bash .ci/run

# Bring the database up to date without serving
migrate:
    cargo run -- migrate

# Make a superuser at a prompt
superuser:
    cargo run -- createsuperuser

# The Postman collection against a fresh server
postman:
    cargo build --release --locked
    scripts/postman.sh

# Every call of the API description, by Schemathesis, against a fresh server
schemathesis *args:
    cargo build --release --locked
    scripts/schemathesis.sh {{args}}

# Every page in a browser, in all its states: accessibility, weight, console (docs/pages.md)
pages *args:
    cargo build --release --locked
    scripts/pages.sh {{args}}

# Pictures of every page, into screenshots/
screenshots *args:
    scripts/screenshots {{args}}

# Every goal of speed, on SQLite and PostgreSQL; needs wrk (docs/benchmarks.md)
bench *args:
    bench/run {{args}}
