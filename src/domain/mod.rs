//! The rules. What happens here happens the same way for a browser, an API client and the command
//! line; it knows neither Rocket nor Tera, and nothing above it knows sea-orm.

pub mod actor;
pub mod attention;
pub mod audit;
pub mod authentication;
pub mod backup;
pub mod bulk;
pub mod daily_figures;
pub mod django_hashes;
pub mod families;
pub mod hashing;
pub mod import;
pub mod installation;
pub mod jwt;
pub mod login;
pub mod login_pauses;
pub mod mail;
pub mod oauth;
pub mod one_time_links;
pub mod paging;
pub mod passwords;
pub mod permissions;
pub mod refusals;
pub mod scopes;
pub mod sessions;
pub mod setup;
pub mod signed_data;
pub mod signing_keys;
pub mod slots;
pub mod status_lists;
pub mod students;
pub mod throttles;
pub mod tokens;
pub mod transfer;
pub mod usage;
pub mod users;
