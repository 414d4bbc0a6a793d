//! The test suite: one binary. `support` builds the application; each other file is about one thing,
//! and each test's name says what is true. Every test with a database runs on SQLite and PostgreSQL.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops at the first surprise"
)]

#[macro_use]
mod support;

mod account_pages;
mod api_errors;
mod api_generate_token;
mod api_jwt;
mod api_jwt_foreign;
mod api_own_tokens;
mod api_register;
mod api_students;
mod api_tokens;
mod attention;
mod audit_chain;
mod audit_pages;
mod backup;
mod check_path;
mod cli;
mod clients;
mod clients_django;
mod clients_django_asks;
mod clients_django_noise;
mod compression;
mod confirmation;
mod contract;
mod contract_differences;
mod contract_requests;
mod credentials;
mod database_tls;
mod domain_users;
mod durable;
mod export;
mod filters_together;
mod forward_auth;
mod hardened;
mod hashing;
mod house_rules;
mod import_django;
mod import_django_groups;
mod import_django_hashes;
mod import_real_django;
mod introspection;
mod jwt_interleavings;
mod kept_forms;
mod large_lists;
mod listening;
mod locks;
mod logs;
mod mail;
mod mail_tls;
mod metrics;
mod migrations;
mod move_database;
mod one_time_links;
mod openapi;
mod packaging;
mod pages;
mod pages_bulk;
mod pages_bulk_tokens;
mod pages_complaints;
mod pages_groups;
mod pages_health;
mod pages_lost;
mod pages_refusals;
mod pages_settings;
mod pages_students;
mod pages_tokens;
mod pages_users;
mod permission_needs;
mod permission_needs_api;
mod permissions;
mod permissions_taken;
mod promotion;
mod proxies;
mod readiness;
mod refusals;
mod revocation;
mod scaling;
mod scopes;
mod sessions_list;
mod settings;
mod setup;
mod signing_key_settings;
mod signing_keys;
mod status_lists;
mod stylesheet;
mod sweep_routes;
mod throttles;
mod token_evidence;
mod token_policies;
mod token_uses;
mod tokens_burn;
mod tokens_cli;
mod tokens_scan;
mod two_processes;
mod well_known;
