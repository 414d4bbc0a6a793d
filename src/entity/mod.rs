//! Tables as sea-orm sees them, one a file. No logic here; times are Unix seconds.

pub mod audit_checkpoint;
pub mod audit_event;
pub mod daily_figure;
pub mod deleted_family;
pub mod group;
pub mod login_pause;
pub mod mail;
pub mod meta;
pub mod one_time_link;
pub mod refresh_family;
pub mod refusal;
pub mod secret_slot;
pub mod session;
pub mod setting;
pub mod signing_key;
pub mod student;
pub mod student_upload;
pub mod token;
pub mod token_address;
pub mod token_slot;
pub mod token_use;
pub mod user;
pub mod user_group;
