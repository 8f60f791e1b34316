//! Self-test of a backend for `doctor`: a bind of this process that the kernel has to refuse must arrive in the ring
//! buffer. Every start of a tracer runs a quicker test, see `kernel/blind.rs`.

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread::sleep;
use std::time::Duration;

use super::error::TraceError;
use super::evidence;
use super::record::Record;
use super::tracer::Tracer;
use crate::sys::ring::Ring;

/// Number of binds to try: a kernel may skip several (7.3, see `kernel/blind.rs`).
const TRIES: usize = 10;
/// Number of reads of the ring buffer after each bind, and the pause between them. The programs of all backends write
/// their record before the bind returns.
const READS: usize = 10;
const PAUSE: Duration = Duration::from_millis(5);

/// Whether a tracer with the widest filter sees a refused bind of this process; `None` if that cannot be tested,
/// because this network namespace has no 127.0.0.1. Takes the ring buffer of the tracer.
///
/// # Errors
/// If the ring buffer cannot be read.
pub fn sees_refusal(tracer: &Tracer) -> Result<Option<bool>, TraceError> {
    let mut ring = tracer.take_records()?;
    let Ok(held) = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)) else { return Ok(None) };
    let Ok(address) = held.local_addr() else { return Ok(None) };
    for _ in 0..TRIES {
        let refused = TcpListener::bind(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse);
        if !refused {
            return Ok(None);
        }
        for _ in 0..READS {
            if has_refusal(&mut ring, address) {
                return Ok(Some(true));
            }
            sleep(PAUSE);
        }
    }
    Ok(Some(false))
}

/// Whether the ring buffer has a refusal of this address. The pid is not compared: within a pid namespace, this process
/// has another pid than the kernel half reports.
fn has_refusal(ring: &mut Ring, address: SocketAddr) -> bool {
    while let Some(bytes) = ring.next_record() {
        if let Ok(Record::Refusal(refusal, _)) = Record::parse(bytes) {
            let asked = evidence::socket(&refusal.socket);
            if (asked.address, asked.port) == (address.ip(), address.port()) {
                return true;
            }
        }
    }
    false
}
