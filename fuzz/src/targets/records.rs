//! Bytes of the ring buffer.

use std::rc::Rc;

use portbind::diagnosis::other_errors;
use portbind::event::Errno;
use portbind::host::BootClock;
use portbind::kernel::assemble::Evidence;
use portbind::kernel::record::Record;
use portbind::kernel::{evidence, name};
use portbind_abi::{Identity, Introduction, MAX_HOLDERS, Sample, kind};
use zerocopy::{FromBytes as _, IntoBytes as _};

use crate::diagnose::{self, Call};
use crate::print;

/// Bytes of the longest record of the input.
const LONGEST: usize = 4096;

/// The input is records one after the other: two bytes with the length of each, and what is in it.
pub(crate) fn run(data: &[u8]) {
    let mut process = Rc::default();
    let mut rest = data;
    while let Some((&[low, high], after)) = rest.split_first_chunk() {
        let len = (usize::from(u16::from_le_bytes([low, high])) % LONGEST).min(after.len());
        let (bytes, next) = after.split_at(len);
        rest = next;
        // The kernel aligns records to eight bytes (include/uapi/linux/bpf.h).
        let mut words = vec![0_u64; len.div_ceil(8)];
        if let Some(start) = words.as_mut_bytes().get_mut(..len) {
            start.copy_from_slice(bytes);
        }
        take(words.as_bytes().get(..len).unwrap_or_default(), &mut process);
    }
}

fn take(bytes: &[u8], process: &mut Rc<portbind::event::Process>) {
    if let Ok((sample, _)) = Sample::read_from_prefix(bytes) {
        let _who_and_what = evidence::sample(&sample);
    }
    let record = match Record::parse(bytes) {
        Ok(record) => record,
        Err(error) => {
            let _text = error.to_string();
            return;
        }
    };
    match record {
        Record::Introduction(introduction) => *process = introduced(introduction),
        Record::Bound(bound) => {
            let _port = (evidence::port_key(&bound.endpoint), evidence::ends(&bound.endpoint));
        }
        Record::Change(change) => {
            let _port = (evidence::socket_id(&change.endpoint), evidence::port_key(&change.endpoint));
        }
        Record::Ended(ended) => assert_eq!(ended.header.kind, kind::ENDED, "another kind of record"),
        Record::Refusal(..) | Record::Portless(_) => {}
    }
    if let Some(evidence) = Evidence::of(record) {
        refused(&evidence, process);
    }
}

fn introduced(record: &Introduction) -> Rc<portbind::event::Process> {
    let digest = evidence::digest(&record.caller);
    assert_eq!(digest, evidence::digest(&record.caller.clone()), "the digest depends on more than the bytes");
    let process = evidence::process(record, &BootClock::new());
    assert!(process.args.len() <= portbind_abi::ARGS_LEN, "more arguments than bytes");
    Rc::new(process)
}

fn refused(found: &Evidence, process: &Rc<portbind::event::Process>) {
    let record = &found.refusal;
    let holders = evidence::holders(found, 4_000_000);
    assert!(holders.len() <= MAX_HOLDERS as usize, "{} holders", holders.len());
    let identity: &Identity = &record.identity;
    let process = evidence::as_thread(Rc::clone(process), &record.header, identity);
    let socket = match &found.name {
        Some(name) => name::socket(&record.socket, &name.sockaddr),
        None => evidence::socket(&record.socket),
    };
    let error = match evidence::error(found) {
        Errno(0) => Errno::EADDRINUSE,
        error => error,
    };
    let facts = other_errors::Facts::unknown(evidence::socket_state(found));
    let operation = evidence::operation(found);
    print::in_all_formats(&diagnose::refusal(Call { error, operation, process, socket, holders, facts }));
}
