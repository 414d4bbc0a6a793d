//! The yardstick of sign-ins: password hashes and nothing else. The crate, the parameters and the
//! reused memory are the server's; so many threads for so many seconds. Prints hashes, seconds, and
//! seconds of CPU time of all threads (the last from `/proc`, as `bench/run` reads the server's).
//!
//!     cargo run --release -p argon2_loop -- THREADS SECONDS

use std::{
    io::Write,
    time::{Duration, Instant},
};

use argon2::{Algorithm, Argon2, Block, Params, Version};

type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |usual: u64| arguments.next().map_or(Ok(usual), |text| text.parse());
    let (threads, seconds) = (number(2)?, number(3)?);
    let begin = Instant::now();
    let end = begin + Duration::from_secs(seconds);
    let workers: Vec<_> = (0..threads)
        .map(|_| std::thread::spawn(move || hash_until(end)))
        .collect();
    let mut hashes = 0;
    for worker in workers {
        hashes += worker.join().map_err(|_| "a thread panicked")??;
    }
    writeln!(
        std::io::stdout(),
        "{hashes} {:.6} {:.2}",
        begin.elapsed().as_secs_f64(),
        cpu_seconds()?
    )?;
    Ok(())
}

fn hash_until(end: Instant) -> Result<u64, Failure> {
    // The settings' defaults: `hash_memory_kib` and `hash_iterations`.
    let params = Params::new(19_456, 2, 1, Some(32))?;
    let mut memory = vec![Block::default(); params.block_count()];
    let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut hashes = 0;
    while Instant::now() < end {
        let mut digest = [0; 32];
        argon2.hash_password_into_with_memory(
            b"bench Password 1",
            b"sixteen bytes...",
            &mut digest,
            &mut memory,
        )?;
        hashes += 1;
    }
    Ok(hashes)
}

/// User and system time, in hundredths of a second.
fn cpu_seconds() -> Result<f64, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields
        .split_whitespace()
        .skip(11)
        .take(2)
        .map(str::parse::<u32>)
        .sum::<Result<u32, _>>()?;
    Ok(f64::from(ticks) / 100.0)
}
