//! The call that was refused: the values of `operation`.

/// bind(2), also through io_uring.
pub const BIND: u32 = 1;
/// listen(2), also through io_uring.
pub const LISTEN: u32 = 2;
/// The implicit bind of connect(2) or a send on an unbound datagram socket.
pub const AUTOBIND: u32 = 3;
