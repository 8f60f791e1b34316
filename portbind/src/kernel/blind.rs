//! Self-test at every start of a tracer: the kernel half must count a bind of portbind that the kernel has to refuse.
//! No tracer reports refusals of the tested address, so they are in no output and no account.

use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::thread::sleep;
use std::time::Duration;

use portbind_abi::{Filter, PROOF_V4};
use rustix::io::Errno;
use rustix::net::sockopt::set_ip_freebind;
use rustix::net::{AddressFamily, SocketFlags, SocketType, bind, getsockname, socket_with};

use super::error::TraceError;

/// EADDRINUSE.
const ADDRINUSE: usize = 98;
/// Number of binds to try, and the pause after each. A kernel that interrupts programs (7.3) skips all calls on a CPU
/// as long as a thread waits there in the middle of the program; the pause lets that thread go on.
const TRIES: usize = 20;
const PAUSE: Duration = Duration::from_millis(5);

/// Whether the kernel half misses a refused bind of this process. `proofs` returns the number of refusals of
/// [`PROOF_V4`] that the kernel half has counted. Also false if the filter excludes EADDRINUSE, or no bind can be
/// tried.
///
/// # Errors
/// If `proofs` fails.
pub(super) fn is_blind(
    filter: &Filter,
    proofs: impl Fn() -> Result<u64, TraceError>,
) -> Result<bool, TraceError> {
    let is_wanted = filter.errors[ADDRINUSE / 64] >> (ADDRINUSE % 64) & 1 == 1;
    for _ in 0..TRIES {
        if !is_wanted || !is_refused_once().unwrap_or(false) {
            return Ok(false);
        }
        if proofs()? > 0 {
            return Ok(false);
        }
        sleep(PAUSE);
    }
    Ok(true)
}

/// Binds two sockets to the same port. Returns whether the kernel refused the second one. Neither socket listens.
fn is_refused_once() -> io::Result<bool> {
    let held = unbound()?;
    bind(&held, &SocketAddr::from((PROOF_V4, 0)))?;
    let port = SocketAddrV4::try_from(getsockname(&held)?)?.port();
    Ok(bind(&unbound()?, &SocketAddr::from((PROOF_V4, port))) == Err(Errno::ADDRINUSE))
}

/// A socket that can be bound to an address missing from this network namespace, because `lo` may be down.
fn unbound() -> io::Result<OwnedFd> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    set_ip_freebind(&socket, true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tracer_that_counts_nothing_is_blind() {
        assert!(is_blind(&Filter::ANY, || Ok(0)).unwrap());
        assert!(!is_blind(&Filter::ANY, || Ok(1)).unwrap());
    }

    #[test]
    fn a_tracer_of_other_errors_is_not_asked() {
        let other = Filter { errors: [1 << 13, 0, 0], ..Filter::ANY };
        assert!(!is_blind(&other, || Ok(0)).unwrap());
    }
}
