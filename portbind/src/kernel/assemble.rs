//! Joins the records of one refusal.
//!
//! The holders of a refusal are of its task and come after it, but records of other tasks come between them.

use std::collections::HashMap;

use portbind_ebpf::abi::{Holder, Named, Refusal, Walk, operation, walk};
use zerocopy::FromZeros as _;

use super::record::Record;

/// All that the kernel said of one refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// Who asked for what, and what came of it.
    pub refusal: Box<Refusal>,
    /// The sockets on the port, each once, listeners first as they came.
    pub holders: Vec<Holder>,
    /// The sockaddr asked for, raw, of a socket without a port.
    pub name: Option<Vec<u8>>,
}

impl From<&Refusal> for Evidence {
    fn from(refusal: &Refusal) -> Self {
        Self { refusal: Box::new(*refusal), holders: Vec::new(), name: None }
    }
}

impl From<&Named> for Evidence {
    /// There was no search, and the call is known to have been a bind.
    fn from(named: &Named) -> Self {
        let Named { header, identity, socket, error, name_len, name } = *named;
        let len = usize::try_from(name_len).unwrap_or(usize::MAX).min(name.len());
        let walk = Walk { flags: walk::NOT_WALKED, ..Walk::new_zeroed() };
        let refusal = Refusal { header, identity, socket, error, operation: operation::BIND, walk };
        Self {
            refusal: Box::new(refusal),
            holders: Vec::new(),
            name: Some(name.get(..len).unwrap_or_default().to_vec()),
        }
    }
}

/// Refusals whose holders have not all come, by task.
#[derive(Debug, Default)]
pub struct Assembler {
    drafts: HashMap<u64, Draft>,
}

#[derive(Debug)]
struct Draft {
    evidence: Evidence,
    /// Holders that are still to come.
    left: u32,
}

impl Assembler {
    /// Takes one record; returns a refusal that it completes.
    pub fn push(&mut self, record: Record<'_>) -> Option<Evidence> {
        match record {
            Record::Refusal(refusal) => self.open(refusal),
            Record::Holder(holder) => self.add(holder),
            Record::Named(named) => Some(Evidence::from(named)),
            Record::Introduction(_) | Record::Bound(_) | Record::Change(_) | Record::Ended(_) => None,
        }
    }

    fn open(&mut self, refusal: &Refusal) -> Option<Evidence> {
        let (evidence, left) = (Evidence::from(refusal), refusal.walk.holders);
        if left == 0 {
            return Some(evidence);
        }
        // A task is in one call at a time: what it had open before will get no more records.
        let before = self.drafts.insert(refusal.header.task, Draft { evidence, left });
        before.map(|draft| draft.evidence)
    }

    fn add(&mut self, holder: &Holder) -> Option<Evidence> {
        let task = holder.header.task;
        let draft = self.drafts.get_mut(&task)?;
        let id = holder.socket.endpoint.id;
        if draft.evidence.holders.iter().all(|known| known.socket.endpoint.id != id) {
            draft.evidence.holders.push(*holder);
        }
        draft.left -= 1;
        if draft.left > 0 {
            return None;
        }
        self.drafts.remove(&task).map(|draft| draft.evidence)
    }

    /// Takes out every refusal, oldest first.
    pub fn take_all(&mut self) -> Vec<Evidence> {
        let mut taken: Vec<Evidence> = self.drafts.drain().map(|(_, draft)| draft.evidence).collect();
        taken.sort_by_key(|evidence| evidence.refusal.header.time);
        taken
    }
}

#[cfg(test)]
mod tests {
    use portbind_ebpf::abi::{self, Header, kind};

    use super::*;

    fn header(kind: u32, task: u64, time: u64) -> Header {
        Header { kind, reserved: 0, task, time }
    }

    fn refusal(task: u64, time: u64, holders: u32) -> Refusal {
        let mut refusal = Refusal { header: header(kind::REFUSAL, task, time), ..Refusal::new_zeroed() };
        refusal.walk.holders = holders;
        refusal
    }

    fn holder(task: u64, id: u64) -> Holder {
        let mut holder = Holder { header: header(kind::HOLDER, task, 0), ..Holder::new_zeroed() };
        holder.socket.endpoint.id = id;
        holder
    }

    #[test]
    fn joins_by_task_and_tells_each_holder_once() {
        let mut assembler = Assembler::default();
        assert_eq!(assembler.push(Record::Refusal(&refusal(1, 10, 4))), None);
        let second = assembler.push(Record::Refusal(&refusal(2, 11, 0))).unwrap();
        assert!(second.holders.is_empty());
        for id in [5, 6, 5] {
            assert_eq!(assembler.push(Record::Holder(&holder(1, id))), None);
        }
        let first = assembler.push(Record::Holder(&holder(1, 7))).unwrap();
        let ids: Vec<_> = first.holders.iter().map(|holder| holder.socket.endpoint.id).collect();
        assert_eq!((first.refusal.header.time, ids), (10, vec![5, 6, 7]));
        assert!(assembler.take_all().is_empty());
    }

    #[test]
    fn a_refusal_without_a_port_is_whole_at_once() {
        let mut assembler = Assembler::default();
        assembler.push(Record::Refusal(&refusal(1, 10, 1)));
        let mut named = Named { header: header(kind::NAMED, 1, 20), error: 98, ..Named::new_zeroed() };
        named.name = [7; abi::NAME_LEN];
        for (told, kept) in [(0, 0), (3, 3), (128, 128), (129, 128), (u32::MAX, 128)] {
            named.name_len = told;
            let Evidence { refusal, name, .. } = assembler.push(Record::Named(&named)).unwrap();
            assert_eq!(name.unwrap(), vec![7; kept]);
            assert_eq!((refusal.header.time, refusal.error, refusal.operation), (20, 98, operation::BIND));
        }
        // What the task had open before is still waiting.
        assert_eq!(assembler.push(Record::Holder(&holder(1, 5))).unwrap().refusal.header.time, 10);
    }

    #[test]
    fn a_refusal_whose_holders_do_not_come_is_not_lost() {
        let mut assembler = Assembler::default();
        assembler.push(Record::Refusal(&refusal(1, 10, 1)));
        let first = assembler.push(Record::Refusal(&refusal(1, 20, 1))).unwrap();
        assert_eq!(first.refusal.header.time, 10);
        assembler.push(Record::Refusal(&refusal(2, 15, 1)));
        let times: Vec<_> = assembler.take_all().iter().map(|left| left.refusal.header.time).collect();
        assert_eq!(times, [15, 20]);
        assert_eq!(assembler.push(Record::Holder(&holder(1, 5))), None);
    }
}
