//! Settings that are changed while the server runs. What they are is in `table` and `value`, what the
//! environment fixes in `given`, what is stored and counts in `kept`, changing it in `change`, what that
//! means for JWTs from before in `lives`.
//!
//! The environment wins over `Rocket.toml`, that over the database, that over the default. What counts is one
//! value in memory, `App::settings`, read without a question to anybody; every process reads it anew
//! when it hears of a change.

mod change;
mod given;
mod kept;
mod lives;
mod table;
mod value;

pub use change::{Changed, Wish, change, reset_all};
pub use given::{By, Given};
pub use kept::{Current, Ignored, Kept, kept, load};
pub use table::{Group, Setting, Settings, TABLE, find};
pub use value::{Kind, TIMES, Unit, Value, largest};
