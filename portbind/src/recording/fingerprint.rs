//! The fingerprint of a recorded refusal.

use crate::diagnosis::fingerprint::{Fingerprint, FingerprintInput, Program};
use crate::wire::{Holder, Refusal};

/// What the refusal has in common with other refusals of its kind.
#[must_use]
pub fn fingerprint(refusal: &Refusal<'_>) -> Fingerprint {
    let socket = &refusal.socket;
    let process = &refusal.process;
    Fingerprint::of(&FingerprintInput {
        cause: &refusal.cause.code,
        operation: &refusal.operation,
        protocol: &protocol(&socket.family, &socket.protocol),
        port: socket.port,
        path: socket.path.as_deref(),
        caller: Program { comm: &process.comm, exe: process.exe.as_deref(), args: &process.args },
        holders: refusal.holders.iter().filter(|holder| holder.conflicts).flat_map(programs).collect(),
    })
}

/// The protocol of an internet socket; for other sockets preceded by the family.
fn protocol(family: &str, protocol: &str) -> String {
    match family {
        "inet" | "inet6" => protocol.to_owned(),
        family => format!("{family}-{protocol}"),
    }
}

/// The owners of a socket; without an owner, the process that left or opened it.
fn programs<'a>(holder: &'a Holder<'_>) -> Vec<Program<'a>> {
    if !holder.processes.is_empty() {
        let all = holder.processes.iter();
        return all
            .map(|process| Program { comm: &process.comm, exe: process.exe.as_deref(), args: &process.args })
            .collect();
    }
    let past = holder.left_by.as_ref().or(holder.opened_by.as_ref()).into_iter();
    past.map(|opener| Program { comm: &opener.comm, exe: opener.exe.as_deref(), args: &opener.args })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::fingerprint;
    use crate::event::samples;
    use crate::wire::Refusal;

    #[test]
    fn of_samples() {
        for (refusal, expected) in [
            (samples::listener(), "listener: python -m pytest, bind tcp 8080, held by java"),
            (samples::time_wait(), "time-wait: python -m pytest, bind tcp 8080"),
            (samples::exhausted(), "port-range-exhausted: python -m pytest, autobind tcp any"),
            (samples::ipv6(), "listener: python -m pytest, bind udp 5353, held by java"),
        ] {
            assert_eq!(fingerprint(&Refusal::from(&refusal)).to_string(), expected);
        }
    }

    /// Pids, times, namespaces, inodes and the order of holders do not matter.
    #[test]
    fn another_run() {
        let mut refusal = samples::several();
        let before = fingerprint(&Refusal::from(&refusal));
        refusal.socket.netns += 7;
        refusal.time = "2027-01-01T00:00:00Z".parse().unwrap();
        std::rc::Rc::make_mut(&mut refusal.process).pid = 9;
        refusal.holders[0].inode = Some(1);
        refusal.holders.reverse();
        assert_eq!(fingerprint(&Refusal::from(&refusal)), before);
        refusal.cause.code = crate::event::Code::Wildcard;
        assert_ne!(fingerprint(&Refusal::from(&refusal)), before);
    }
}
