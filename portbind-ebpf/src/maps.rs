//! All maps, each with its purpose. The read-only globals are in `kernel::globals`.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf};
use portbind_abi::{
    Count, Inodes, MAX_COUNTS, MAX_INTRODUCED, MAX_PARTIES, MAX_QUOTAS, PORT_WORDS, Party, PartyQuota, Quota,
    RING_BYTES, RefusalKey, counter,
};

use crate::scratch::shape::{PLACES, Scratch};

/// Maximum number of calls in flight; beyond it, the kprobe backend loses the arguments of some.
const CALLS_IN_FLIGHT: u32 = 10_240;

/// Maximum number of living descendants of a wrapped command.
const PROCESSES_AT_ONCE: u32 = 32_768;

/// Records on their way to user space.
#[map]
pub(crate) static RECORDS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Scratch memory in which programs assemble refusals.
#[map]
pub(crate) static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(PLACES, 0);

/// Counters, indexed by `portbind_abi::counter`.
#[map]
pub(crate) static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(counter::COUNT, 0);

/// The wanted ports, one bit each.
#[map]
pub(crate) static PORTS: Array<u64> = Array::with_max_entries(PORT_WORDS, 0);

/// kprobe: arguments of the bind, listen or autobind call that a task is in. A task's next call overwrites its old
/// entry: removing and adding entries would cost more than all other work at a call's return.
#[map]
pub(crate) static CALLS: LruHashMap<u64, Call> = LruHashMap::with_max_entries(CALLS_IN_FLIGHT, 0);

/// kprobe: arguments of binds of portless sockets in flight, by task.
#[map]
pub(crate) static PORTLESS_BINDS: HashMap<u64, PortlessBind> = HashMap::with_max_entries(CALLS_IN_FLIGHT, 0);

/// The wrapped command and its descendants, by thread group id.
#[map]
pub(crate) static DESCENDANTS: HashMap<u32, u32> = HashMap::with_max_entries(PROCESSES_AT_ONCE, 0);

/// Counts of equal refusals.
#[map]
pub(crate) static COUNTS: HashMap<RefusalKey, Count> = HashMap::with_max_entries(MAX_COUNTS, 0);

/// Quota of each process, by thread group id.
#[map]
pub(crate) static QUOTAS: HashMap<u32, Quota> = HashMap::with_max_entries(MAX_QUOTAS, 0);

/// Quota of each party.
#[map]
pub(crate) static PARTIES: LruHashMap<Party, PartyQuota> = LruHashMap::with_max_entries(MAX_PARTIES, 0);

/// Zeros, from which new values of maps are copied.
#[map]
pub(crate) static BLANK: Array<Blank> = Array::with_max_entries(1, 0);

/// Processes that were introduced, by thread group id.
#[map]
pub(crate) static INTRODUCED: LruHashMap<u32, Introduced> = LruHashMap::with_max_entries(MAX_INTRODUCED, 0);

/// 1 while user space waits for the end of a socket. User space writes it.
#[map]
pub(crate) static AWAITED: Array<u32> = Array::with_max_entries(1, 0);

/// The sockets that the iterator over open files reports. User space writes it between runs of the iterator.
#[map]
pub(crate) static INODES: Array<Inodes> = Array::with_max_entries(1, 0);

/// Zeros, in the map [`BLANK`].
pub(crate) type Blank = [u64; 16];

/// An introduced process, as it was at the introduction.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Introduced {
    /// When the process started, in nanoseconds since boot.
    pub(crate) start_time: u64,
    /// The party of the process.
    pub(crate) party: Party,
    /// Lower 32 bits of the number of execve calls.
    pub(crate) exec_id: u32,
    /// When the process was introduced: the lower half of the kernel's tick counter.
    pub(crate) since: u32,
}

/// Arguments of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// The socket; 0 if the call has returned.
    pub(crate) sock: u64,
    /// Kernel copy of the sockaddr; 0 if the call has none.
    pub(crate) address: u64,
    /// `portbind_abi::operation`.
    pub(crate) operation: u32,
    /// 1 if the refusal of this call was already counted.
    pub(crate) sent: u32,
}

/// Arguments of a bind of a portless socket.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PortlessBind {
    pub(crate) sock: u64,
    /// The sockaddr.
    pub(crate) address: u64,
    /// Length of the sockaddr.
    pub(crate) len: u64,
}
