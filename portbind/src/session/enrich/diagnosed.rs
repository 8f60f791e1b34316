//! From the gathered facts about a refused call to the refusal that is shown.

use portbind_abi::{self as abi, walk};

use super::gathered::{Facts, Gathered};
use super::{Enricher, OwnProgram, limits};
use crate::diagnosis::cause::{Case, Search};
use crate::diagnosis::facts::PortFacts;
use crate::diagnosis::{Call, Diagnosis, diagnose, other_errors};
use crate::event::{Confidence, Moment, PortKey, Process, Refusal, Socket, State};
use crate::kernel::assemble::Evidence;
use crate::kernel::backend::Backend;
use crate::kernel::evidence;

/// How much later than the refusal the bind that caused it may be dated, in nanoseconds.
const LATE_NS: u64 = 5_000_000;

impl Enricher {
    /// Diagnoses a refused call.
    pub(in crate::session) fn diagnose(
        &self,
        evidence: &Evidence,
        gathered: Gathered,
        backend: Backend,
        lost: u64,
    ) -> Refusal {
        let Gathered { process, socket, holders, facts } = gathered;
        let record = &evidence.refusal;
        let case = self.case(evidence, &process, &socket);
        let (call, confidence) = match &facts {
            Facts::Port { key, ports, bind_facts } => {
                let history = self.history_until(*key, record.header.time);
                let is_remembered =
                    holders.first().is_some_and(|first| first.conflicts && first.is_of_the_past());
                let confidence = if is_remembered { Confidence::History } else { Confidence::Kernel };
                (Call::Port(Case { history, ports, bind_facts, ..case }), confidence)
            }
            Facts::Portless { unix, confidence } => {
                let (error, operation) = (case.error, case.operation);
                let unix = unix.as_ref();
                let call = Call::Portless { error, operation, process: &process, socket: &socket, unix };
                (call, *confidence)
            }
        };
        let Diagnosis { mut cause, relation, fixes } = diagnose(&call, &holders);
        if self.is_portbind(record, &process) {
            cause.summary.push_str("; portbind itself tried this bind (check, wait, free or doctor)");
        }
        let (history, holders_truncated, bystanders) = match &call {
            Call::Port(case) => (case.history.to_vec(), case.search == Search::Truncated, record.bystanders),
            Call::Portless { .. } => (Vec::new(), false, 0),
        };
        let mut refusal = Refusal {
            time: self.processes.host.clock.at(record.header.time),
            operation: case.operation,
            error: case.error,
            holders_truncated,
            bystanders,
            cause,
            relation,
            fixes,
            history,
            confidence,
            backend: backend.as_str(),
            lost,
            on_behalf: None,
            process,
            socket,
            holders,
        };
        limits::apply(&mut refusal);
        refusal
    }

    /// The refused call without the facts gathered from the host.
    pub(super) fn case<'a>(&self, evidence: &Evidence, process: &'a Process, socket: &'a Socket) -> Case<'a> {
        const NO_PORTS: &PortFacts =
            &PortFacts { ephemeral: None, reserved: None, free_port: None, usage: None };
        const NO_FACTS: &other_errors::Facts = &other_errors::Facts::unknown(State::Bound);
        let flags = evidence.refusal.flags;
        let search = if flags & walk::NOT_WALKED != 0 {
            Search::NotDone
        } else if flags & walk::TRUNCATED != 0 {
            Search::Truncated
        } else {
            Search::Done
        };
        Case {
            generation: self.generation,
            error: evidence::error(evidence),
            operation: evidence::operation(evidence),
            process,
            socket,
            search,
            connected_only: flags & walk::CONNECTED_ONLY != 0,
            history: &[],
            ports: NO_PORTS,
            bind_facts: NO_FACTS,
        }
    }

    /// Events on a port up to a time in nanoseconds since boot. The refusal may have waited since; a slightly later
    /// event may still be its cause, because a successful bind is only recorded when its system call returns.
    fn history_until(&self, key: PortKey, boot_ns: u64) -> &[Moment] {
        let until = self.processes.host.clock.at(boot_ns.saturating_add(LATE_NS));
        let moments = self.history.of(key);
        let count = moments.partition_point(|moment| moment.time.is_none_or(|time| time <= until));
        moments.get(..count).unwrap_or(moments)
    }

    /// Whether a process runs this file: `portbind check` and similar subcommands try binds that the kernel may refuse.
    /// The path alone would let any program in a mount namespace of its own pass for portbind, so that a process that
    /// has ended is not recognized.
    fn is_portbind(&self, record: &abi::Refusal, process: &Process) -> bool {
        let Some(OwnProgram { path, file }) = &self.own_program else { return false };
        let host = &self.processes.host;
        process.exe.as_ref() == Some(path)
            && host.procfs.executable_file(process.pid).as_ref() == Some(file)
            && host.is_the_one_started_at(process.pid, record.identity.start_time)
    }
}
