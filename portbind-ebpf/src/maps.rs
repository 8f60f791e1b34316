//! Every map, one line of purpose each. The read-only globals are in `kernel::globals`.

use aya_ebpf::macros::map;
use aya_ebpf::maps::{Array, HashMap, LruHashMap, PerCpuArray, RingBuf};
use portbind_abi::{
    Count, Inodes, MAX_COUNTS, MAX_INTRODUCED, MAX_PARTIES, MAX_QUOTAS, PORT_WORDS, Party, PartyQuota, Quota,
    RING_BYTES, RefusalKey, counter,
};

use crate::scratch::shape::{PLACES, Scratch};

/// Calls that can be in flight at once before the kprobe backend loses the arguments of some.
const CALLS_IN_FLIGHT: u32 = 10_240;

/// Descendants of a wrapped command that can live at once.
const PROCESSES_AT_ONCE: u32 = 32_768;

/// Records on their way to user space.
#[map]
pub(crate) static RECORDS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Where each program puts a refusal together.
#[map]
pub(crate) static SCRATCH: PerCpuArray<Scratch> = PerCpuArray::with_max_entries(PLACES, 0);

/// The account, by `portbind_abi::counter`.
#[map]
pub(crate) static COUNTERS: PerCpuArray<u64> = PerCpuArray::with_max_entries(counter::COUNT, 0);

/// The wanted ports, one bit each.
#[map]
pub(crate) static PORTS: Array<u64> = Array::with_max_entries(PORT_WORDS, 0);

/// kprobe: arguments of the bind, listen or autobind call that a task is in. What a task leaves behind is written over by
/// its next call: to take it out and in again would cost more than all else at a call's return.
#[map]
pub(crate) static CALLS: LruHashMap<u64, Call> = LruHashMap::with_max_entries(CALLS_IN_FLIGHT, 0);

/// kprobe: arguments of binds in flight of sockets without a port, by task.
#[map]
pub(crate) static PORTLESS_BINDS: HashMap<u64, PortlessBind> = HashMap::with_max_entries(CALLS_IN_FLIGHT, 0);

/// The wrapped command and its descendants, by thread group id.
#[map]
pub(crate) static DESCENDANTS: HashMap<u32, u32> = HashMap::with_max_entries(PROCESSES_AT_ONCE, 0);

/// How often the same was refused to the same process.
#[map]
pub(crate) static COUNTS: HashMap<RefusalKey, Count> = HashMap::with_max_entries(MAX_COUNTS, 0);

/// What each process had looked at and sent of late, by thread group id.
#[map]
pub(crate) static QUOTAS: HashMap<u32, Quota> = HashMap::with_max_entries(MAX_QUOTAS, 0);

/// What each party had of late.
#[map]
pub(crate) static PARTIES: LruHashMap<Party, PartyQuota> = LruHashMap::with_max_entries(MAX_PARTIES, 0);

/// What new values of maps are copied from.
#[map]
pub(crate) static BLANK: Array<Blank> = Array::with_max_entries(1, 0);

/// Processes that were introduced, by thread group id.
#[map]
pub(crate) static INTRODUCED: LruHashMap<u32, Introduced> = LruHashMap::with_max_entries(MAX_INTRODUCED, 0);

/// 1 while somebody waits for the end of a socket. User space writes it.
#[map]
pub(crate) static AWAITED: Array<u32> = Array::with_max_entries(1, 0);

/// The sockets that the iterator over open files is to tell. User space writes it between walks.
#[map]
pub(crate) static INODES: Array<Inodes> = Array::with_max_entries(1, 0);

/// Zeros, in the map [`BLANK`].
pub(crate) type Blank = [u64; 16];

/// A process that was introduced, as it was then.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Introduced {
    /// When it started, in nanoseconds since boot.
    pub(crate) start_time: u64,
    /// Whose process it is.
    pub(crate) party: Party,
    /// How often execve was called, as far as 32 bits tell.
    pub(crate) exec_id: u32,
    /// When it was introduced, by the lower half of the kernel's tick counter.
    pub(crate) since: u32,
}

/// Arguments of a call.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Call {
    /// 0 if it has returned.
    pub(crate) sock: u64,
    /// Kernel copy of the sockaddr; 0 if the call has none.
    pub(crate) address: u64,
    /// `portbind_abi::operation`.
    pub(crate) operation: u32,
    /// 1 if it is known to be refused, and counted.
    pub(crate) sent: u32,
}

/// Arguments of a bind of a socket without a port.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct PortlessBind {
    pub(crate) sock: u64,
    /// The sockaddr.
    pub(crate) address: u64,
    /// Bytes of it.
    pub(crate) len: u64,
}
