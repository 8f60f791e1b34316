//! Joins the records of one refusal. Pure: it is told the time.
//!
//! The steps of one refusal are of one task and in order, but steps of other tasks come between
//! them, and a step that found the ring buffer full is missing.

use std::collections::HashMap;

use portbind_ebpf::abi::{Holder, Named, Outcome, Refusal, Walk, operation};

use super::record::Record;

/// How long a refusal waits for its call to return, in nanoseconds. Calls return within microseconds, unless
/// their task loses its processor; what has not by then was made inside the kernel, or its last step was lost.
pub const PATIENCE_NS: u64 = 200_000_000;
/// How long it waits for the end of the search: the program that searches is still running, or was unlucky.
const PATIENCE_WITH_SEARCH_NS: u64 = 10 * PATIENCE_NS;

/// All that the kernel said of one refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Who asked for what.
    pub refusal: Box<Refusal>,
    /// The sockets on the port, each once, listeners first as they came.
    pub holders: Vec<Holder>,
    /// What the search met; `None` if that step was lost.
    pub walk: Option<Walk>,
    /// How the call ended; `None` if it was not seen to.
    pub outcome: Option<Outcome>,
    /// The sockaddr asked for, raw, of a socket without a port.
    pub name: Option<Vec<u8>>,
}

impl From<&Named> for Evidence {
    /// A refusal of one record: there was no search, and the call is known to have been a bind.
    fn from(named: &Named) -> Self {
        let Named { header, caller, socket, error, name_len, name } = *named;
        let len = usize::try_from(name_len).unwrap_or(usize::MAX).min(name.len());
        Self {
            refusal: Box::new(Refusal { header, caller, socket }),
            holders: Vec::new(),
            walk: None,
            outcome: Some(Outcome { header, error, operation: operation::BIND, socket: socket.id }),
            name: Some(name.get(..len).unwrap_or_default().to_vec()),
        }
    }
}

/// Refusals whose records have not all come.
#[derive(Debug, Default)]
pub struct Assembler {
    drafts: HashMap<u64, Evidence>,
}

impl Assembler {
    /// Takes one record; returns a refusal that it completes.
    pub fn push(&mut self, record: Record<'_>) -> Option<Evidence> {
        match record {
            Record::Refusal(refusal) => {
                let draft = Evidence {
                    refusal: Box::new(*refusal),
                    holders: Vec::new(),
                    walk: None,
                    outcome: None,
                    name: None,
                };
                // A task is in one call at a time: what it had open before will get no more records.
                self.drafts.insert(refusal.header.task, draft)
            }
            Record::Holder(holder) => {
                if let Some(draft) = self.drafts.get_mut(&holder.header.task)
                    && draft.holders.iter().all(|known| known.socket.id != holder.socket.id)
                {
                    draft.holders.push(*holder);
                }
                None
            }
            Record::Walk(walk) => {
                if let Some(draft) = self.drafts.get_mut(&walk.header.task) {
                    draft.walk = Some(*walk);
                }
                None
            }
            Record::Outcome(outcome) => {
                let mut draft = self.drafts.remove(&outcome.header.task)?;
                draft.outcome = Some(*outcome);
                Some(draft)
            }
            Record::Introduction(_) | Record::Bound(_) | Record::Change(_) | Record::Ended(_) => None,
            // Whole already. It is no step of what the task may still have open.
            Record::Named(named) => Some(Evidence::from(named)),
        }
    }

    /// Nothing is waiting for a record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.drafts.is_empty()
    }

    /// Takes out every refusal that has waited long enough at `boot_time` (nanoseconds since boot), oldest first.
    pub fn take_overdue(&mut self, boot_time: u64) -> Vec<Evidence> {
        self.take(|draft| draft.is_overdue(boot_time))
    }

    /// Takes out every refusal, oldest first.
    pub fn take_all(&mut self) -> Vec<Evidence> {
        self.take(|_| true)
    }

    fn take(&mut self, is_wanted: impl Fn(&Evidence) -> bool) -> Vec<Evidence> {
        let mut taken: Vec<Evidence> =
            self.drafts.extract_if(|_, draft| is_wanted(draft)).map(|(_, draft)| draft).collect();
        taken.sort_by_key(|draft| draft.refusal.header.time);
        taken
    }
}

impl Evidence {
    fn is_overdue(&self, boot_time: u64) -> bool {
        let patience = if self.walk.is_some() { PATIENCE_NS } else { PATIENCE_WITH_SEARCH_NS };
        boot_time.saturating_sub(self.refusal.header.time) > patience
    }
}

#[cfg(test)]
mod tests {
    use portbind_ebpf::abi::{self, Header, kind};
    use zerocopy::FromZeros;

    use super::*;

    fn header(kind: u32, task: u64, time: u64) -> Header {
        Header { kind, reserved: 0, task, time }
    }

    fn refusal(task: u64, time: u64) -> Refusal {
        Refusal { header: header(kind::REFUSAL, task, time), ..Refusal::new_zeroed() }
    }

    fn holder(task: u64, id: u64) -> Holder {
        let mut holder = Holder { header: header(kind::HOLDER, task, 0), ..Holder::new_zeroed() };
        holder.socket.id = id;
        holder
    }

    fn outcome(task: u64) -> Outcome {
        Outcome { header: header(kind::OUTCOME, task, 0), error: 98, operation: 1, socket: 0 }
    }

    #[test]
    fn joins_by_task_and_tells_each_holder_once() {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.push(Record::Refusal(&refusal(1, 10))), None);
        assert_eq!(assembler.push(Record::Refusal(&refusal(2, 11))), None);
        for id in [5, 6, 5] {
            assert_eq!(assembler.push(Record::Holder(&holder(1, id))), None);
        }
        let first = assembler.push(Record::Outcome(&outcome(1))).unwrap();
        assert_eq!(first.holders.iter().map(|holder| holder.socket.id).collect::<Vec<_>>(), [5, 6]);
        let second = assembler.push(Record::Outcome(&outcome(2))).unwrap();
        assert!(second.holders.is_empty() && assembler.is_empty());
    }

    #[test]
    fn a_refusal_without_a_port_is_whole_at_once() {
        let mut assembler = Assembler::default();
        assembler.push(Record::Refusal(&refusal(1, 10)));
        let mut named = Named { header: header(kind::NAMED, 1, 20), error: 98, ..Named::new_zeroed() };
        named.name = [7; abi::NAME_LEN];
        for (told, kept) in [(0, 0), (3, 3), (128, 128), (129, 128), (u32::MAX, 128)] {
            named.name_len = told;
            let evidence = assembler.push(Record::Named(&named)).unwrap();
            assert_eq!(evidence.name.unwrap(), vec![7; kept]);
            let outcome = evidence.outcome.map(|outcome| (outcome.error, outcome.operation));
            assert_eq!((evidence.refusal.header.time, outcome), (20, Some((98, operation::BIND))));
        }
        // What the task had open before is still waiting.
        assert_eq!(assembler.push(Record::Outcome(&outcome(1))).unwrap().refusal.header.time, 10);
    }

    #[test]
    fn a_lost_outcome_loses_no_refusal() {
        let mut assembler = Assembler::default();
        assembler.push(Record::Refusal(&refusal(1, 10)));
        let first = assembler.push(Record::Refusal(&refusal(1, 20))).unwrap();
        assert_eq!((first.refusal.header.time, first.outcome), (10, None));
        assert!(assembler.take_overdue(20 + PATIENCE_WITH_SEARCH_NS).is_empty());
        assert_eq!(assembler.take_overdue(21 + PATIENCE_WITH_SEARCH_NS).len(), 1);
        assert_eq!(assembler.push(Record::Outcome(&outcome(1))), None);
    }

    #[test]
    fn a_search_that_has_ended_is_waited_for_less() {
        let mut assembler = Assembler::default();
        assembler.push(Record::Refusal(&refusal(1, 10)));
        let walk = Walk { header: header(kind::WALK, 1, 0), ..Walk::new_zeroed() };
        assembler.push(Record::Walk(&walk));
        assert!(assembler.take_overdue(10 + PATIENCE_NS).is_empty());
        assert_eq!(assembler.take_overdue(11 + PATIENCE_NS).len(), 1);
    }
}
