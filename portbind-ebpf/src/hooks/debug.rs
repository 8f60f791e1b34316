//! Debug lines (`-vv`): every bind and listen system call, and the fields of its socket as the layout locates them.
//!
//! This is a separate program, loaded only on request: it costs nothing otherwise, and the code of the log macros
//! (which calls memcpy) stays out of the search, see ARCHITECTURE.md.

use aya_ebpf::macros::raw_tracepoint;
use aya_ebpf::programs::RawTracePointContext;
use aya_log_ebpf::debug;
use portbind_abi::operation;

use super::system_call::SystemCall;
use super::tracepoint::sock_of_descriptor;
use crate::kernel::memory::Ptr;
use crate::kernel::task::current_ids;
use crate::kernel::volatile::opaque;

/// `TP_PROTO(struct pt_regs *regs, long ret)` of raw tracepoint `sys_exit`.
#[raw_tracepoint(tracepoint = "sys_exit")]
pub(crate) fn debug_sys_exit(context: RawTracePointContext) -> i32 {
    let registers = Ptr(context.arg(0));
    let register = |offset: usize| registers.read(offset as u32);
    let Some(call) = SystemCall::of_registers(register) else { return 0 };
    let sock = sock_of_descriptor(call.fd);
    if sock.0.is_null() {
        return 0;
    }
    let status: i64 = context.arg(1);
    let what = (sock.0.0, sock.family(), sock.protocol(), sock.state(), sock.port(), sock.netns());
    let (sock, family, protocol, state, port, netns) = what;
    let task = current_ids() as u32;
    macro_rules! tell {
        ($line:tt) => {
            debug!(&context, $line, call.fd, task, status, sock, family, protocol, state, port, netns)
        };
    }
    // One line for each operation: if one variable held either name, the verifier would not know the name's length.
    if opaque(u64::from(call.operation)) == u64::from(operation::BIND) {
        tell!(
            "bind(fd {}) of thread {} returned {}: sock {:x} family {} protocol {} state {} port {} netns {}"
        );
    } else {
        tell!(
            "listen(fd {}) of thread {} returned {}: sock {:x} family {} protocol {} state {} port {} netns {}"
        );
    }
    0
}
