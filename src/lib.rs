//! Latchkey: users, API tokens and JWTs for your API, with an admin panel, in one binary.
//!
//! The ten-minute tour:
//! 1. [`web`] mounts every address; each file there answers some of them.
//! 2. A handler's signature says who may call it and what arrives; its body calls one function of
//!    [`domain`].
//! 3. A domain function holds the rule, its queries and its audit event.
//! 4. [`error`] names all that can go wrong, `web::error` says how it looks outside.
//! 5. [`app::App`] is what everything is handed: database, settings, clock, keys, governor.

pub mod app;
pub mod checks;
pub mod cli;
pub mod clock;
pub mod config;
pub mod db;
pub mod domain;
pub mod echo;
pub mod entity;
pub mod error;
pub mod keys;
pub mod metrics;
pub mod new_file;
pub mod news;
pub mod secret;
pub mod web;
