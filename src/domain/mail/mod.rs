//! Mail: what letters say (`letters`), the outbox they wait in (`outbox`), and the mail server
//! (`server`). No request waits for a mail server: letters are put into the outbox in the transaction
//! of what they are about, and the server's timer sends them.

mod letters;
mod outbox;
mod server;

pub use letters::{Letter, in_words};
pub(crate) use outbox::enqueue;
pub use outbox::{Outbox, deliver, drop_dead, outbox, retry_dead, sweep};
pub use server::{look, send_test};
