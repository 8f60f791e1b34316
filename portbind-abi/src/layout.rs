//! The layout of the running kernel: where it keeps the fields that the programs read. Both halves use this table.
//!
//! Rust emits no relocations against the kernel's types, so the loader resolves every row from the kernel's own BTF and
//! passes the result as a read-only global ([`Layout`]): the verifier sees constants. No offset is ever guessed. A row
//! that BTF lacks is [`ABSENT`] if the row is optional; otherwise it causes an error that names the row.

/// Value of a row that the running kernel does not have.
pub const ABSENT: u32 = u32::MAX;

/// Bytes at the beginning of a socket that are read at once: `struct sock_common` up to its local address
/// (include/net/sock.h).
pub const COMMON_LEN: u32 = 88;

/// Bytes of a socket that are read at once: they include every field of `struct sock` that records use
/// (include/net/sock.h).
pub const SOCK_LEN: u32 = 896;

/// The kind of value that a row takes from the running kernel's BTF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Byte offset of a member.
    Offset,
    /// Bit offset of a bit field.
    Bits,
    /// Size of the type in bytes.
    Size,
}

/// Whether tracing works without a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No backend works without the row.
    Essential,
    /// Kernels differ: without the row, portbind loses at most the feature named here, or uses another method.
    Optional(&'static str),
}

/// One row: a query to the kernel's BTF, and where the result goes in [`Layout`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// Name of the field of [`Layout`].
    pub name: &'static str,
    /// Name of the kernel's struct.
    pub type_name: &'static str,
    /// Path of the member, with dots between embedded structs; empty for [`Ask::Size`].
    pub path: &'static str,
    /// The kind of value.
    pub ask: Ask,
    /// Whether the row must be present.
    pub need: Need,
    /// Index of the result in [`Layout`], seen as an array of `u32`.
    pub index: usize,
}

macro_rules! layout {
    ($( $name:ident: $ask:ident $type_name:literal $path:literal $( ?$without:literal )?; )*) => {
        /// The values of [`ROWS`] from the running kernel's BTF.
        #[repr(C)]
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[cfg_attr(feature = "zerocopy", derive(zerocopy::FromBytes, zerocopy::IntoBytes, zerocopy::Immutable))]
        pub struct Layout {
            $( #[doc = concat!(stringify!($ask), " of `", $path, "` in `struct ", $type_name, "`.")] pub $name: u32, )*
        }

        impl Layout {
            /// A layout without any value.
            pub const EMPTY: Self = Self { $( $name: ABSENT, )* };
        }

        /// All rows, in the order of [`Layout`]'s fields.
        pub const ROWS: &[Row] = &[
            $( Row {
                name: stringify!($name),
                type_name: $type_name,
                path: $path,
                ask: Ask::$ask,
                need: layout!(@need $( $without )?),
                index: core::mem::offset_of!(Layout, $name) / size_of::<u32>(),
            }, )*
        ];
    };
    (@need) => { Need::Essential };
    (@need $without:literal) => { Need::Optional($without) };
}

impl Layout {
    /// Whether all socket fields that are read lie within [`COMMON_LEN`] and [`SOCK_LEN`].
    #[must_use]
    pub const fn sock_fits(&self) -> bool {
        let common = [
            self.sock_family.wrapping_add(2),
            self.sock_state.wrapping_add(1),
            self.sock_reuse / 8 + 1,
            self.sock_reuseport / 8 + 1,
            self.sock_ipv6only / 8 + 1,
            self.sock_bound_dev_if.wrapping_add(4),
            self.sock_net.wrapping_add(8),
            self.sock_daddr.wrapping_add(4),
            self.sock_rcv_saddr.wrapping_add(4),
            // Absent without IPv6: then never read, and the wrapped sum is small.
            self.sock_v6_daddr.wrapping_add(16),
            self.sock_v6_rcv_saddr.wrapping_add(16),
            self.sock_num.wrapping_add(2),
            self.sock_dport.wrapping_add(2),
        ];
        let rest = [
            self.sock_flags.wrapping_add(8),
            self.sock_uid.wrapping_add(4),
            self.sock_socket.wrapping_add(8),
            self.sock_protocol.wrapping_add(2),
            self.sock_type.wrapping_add(2),
            self.sock_ack_backlog.wrapping_add(4),
            self.sock_max_ack_backlog.wrapping_add(4),
            self.sock_reuseport_cb.wrapping_add(8),
            self.time_wait_substate.wrapping_add(1),
            self.time_wait_expires.wrapping_add(8),
        ];
        fit(&common, COMMON_LEN) && fit(&rest, SOCK_LEN)
    }
}

const fn fit(ends: &[u32], len: u32) -> bool {
    let mut index = 0;
    while index < ends.len() {
        if ends[index] > len {
            return false;
        }
        index += 1;
    }
    true
}

layout! {
    sock_family: Offset "sock_common" "skc_family";
    sock_state: Offset "sock_common" "skc_state";
    sock_reuse: Bits "sock_common" "skc_reuse";
    sock_reuseport: Bits "sock_common" "skc_reuseport";
    sock_ipv6only: Bits "sock_common" "skc_ipv6only";
    sock_bound_dev_if: Offset "sock_common" "skc_bound_dev_if";
    sock_bind_node: Offset "sock_common" "skc_bind_node";
    sock_prot: Offset "sock_common" "skc_prot";
    sock_net: Offset "sock_common" "skc_net.net";
    sock_daddr: Offset "sock_common" "skc_daddr";
    sock_rcv_saddr: Offset "sock_common" "skc_rcv_saddr";
    sock_v6_daddr: Offset "sock_common" "skc_v6_daddr" ?"IPv6";
    sock_v6_rcv_saddr: Offset "sock_common" "skc_v6_rcv_saddr" ?"IPv6";
    sock_num: Offset "sock_common" "skc_num";
    sock_dport: Offset "sock_common" "skc_dport";
    sock_node: Offset "sock_common" "skc_node";
    sock_nulls_node: Offset "sock_common" "skc_nulls_node";
    sock_flags: Offset "sock_common" "skc_flags";
    sock_uid: Offset "sock" "sk_uid";
    sock_socket: Offset "sock" "sk_socket";
    sock_protocol: Offset "sock" "sk_protocol";
    sock_type: Offset "sock" "sk_type";
    sock_ack_backlog: Offset "sock" "sk_ack_backlog";
    sock_max_ack_backlog: Offset "sock" "sk_max_ack_backlog";
    sock_reuseport_cb: Offset "sock" "sk_reuseport_cb";
    time_wait_substate: Offset "inet_timewait_sock" "tw_substate";
    time_wait_expires: Offset "inet_timewait_sock" "tw_timer.expires";
    listen_portaddr_node: Offset "inet_connection_sock" "icsk_listen_portaddr_node"
        ?"the older listen hash (kernels before 5.19)";
    inet_sport: Offset "inet_sock" "inet_sport";
    sock_bind_hash: Offset "inet_connection_sock" "icsk_bind_hash";
    ulp_data: Offset "inet_connection_sock" "icsk_ulp_data" ?"MPTCP holders";
    is_mptcp: Bits "tcp_sock" "is_mptcp" ?"MPTCP holders";
    subflow_conn: Offset "mptcp_subflow_context" "conn" ?"MPTCP holders";
    socket_sk: Offset "socket" "sk";
    socket_file: Offset "socket" "file";
    socket_alloc_inode: Offset "socket_alloc" "vfs_inode";
    inode_ino: Offset "inode" "i_ino";
    inode_sb: Offset "inode" "i_sb";
    super_magic: Offset "super_block" "s_magic";
    super_dev: Offset "super_block" "s_dev";
    file_inode: Offset "file" "f_inode";
    file_path_mnt: Offset "file" "f_path.mnt";
    file_path_dentry: Offset "file" "f_path.dentry";
    file_private_data: Offset "file" "private_data";
    files_fdt: Offset "files_struct" "fdt";
    fdt_fd: Offset "fdtable" "fd";
    fdt_max_fds: Offset "fdtable" "max_fds";
    prot_hash: Offset "proto" "h";
    net_hash_mix: Offset "net" "hash_mix";
    net_inum: Offset "net" "ns.inum";
    net_tcp_hashinfo: Offset "net" "ipv4.tcp_death_row.hashinfo"
        ?"TCP holders where the protocol has no table of its own";
    net_udp_table: Offset "net" "ipv4.udp_table" ?"UDP tables of network namespaces (kernels from 6.2)";
    hashinfo_bhash: Offset "inet_hashinfo" "bhash";
    hashinfo_bhash_size: Offset "inet_hashinfo" "bhash_size";
    hashinfo_lhash2: Offset "inet_hashinfo" "lhash2";
    hashinfo_lhash2_mask: Offset "inet_hashinfo" "lhash2_mask";
    bind_hashbucket_size: Size "inet_bind_hashbucket" "";
    bind_hashbucket_chain: Offset "inet_bind_hashbucket" "chain";
    listen_hashbucket_size: Size "inet_listen_hashbucket" "";
    listen_hashbucket_head: Offset "inet_listen_hashbucket" "nulls_head";
    bucket_net: Offset "inet_bind_bucket" "ib_net";
    bucket_port: Offset "inet_bind_bucket" "port";
    bucket_l3mdev: Offset "inet_bind_bucket" "l3mdev";
    bucket_fastreuse: Offset "inet_bind_bucket" "fastreuse";
    bucket_fastreuseport: Offset "inet_bind_bucket" "fastreuseport";
    bucket_node: Offset "inet_bind_bucket" "node";
    bucket_owners: Offset "inet_bind_bucket" "owners" ?"the older bind bucket (kernels before 6.8)";
    bucket_bhash2: Offset "inet_bind_bucket" "bhash2" ?"the newer bind bucket (kernels from 6.8)";
    bucket2_node: Offset "inet_bind2_bucket" "bhash_node" ?"the newer bind bucket (kernels from 6.8)";
    bucket2_owners: Offset "inet_bind2_bucket" "owners" ?"the newer bind bucket (kernels from 6.8)";
    udp_table_hash: Offset "udp_table" "hash";
    udp_table_mask: Offset "udp_table" "mask";
    udp_slot_size: Size "udp_hslot" "";
    udp_slot_head: Offset "udp_hslot" "head";
    mount_mnt: Offset "mount" "mnt";
    mount_root: Offset "mount" "mnt.mnt_root";
    mount_parent: Offset "mount" "mnt_parent";
    mount_mountpoint: Offset "mount" "mnt_mountpoint";
    dentry_parent: Offset "dentry" "d_parent";
    dentry_name: Offset "dentry" "d_name.name";
    dentry_inode: Offset "dentry" "d_inode";
    task_tgid: Offset "task_struct" "tgid";
    task_comm: Offset "task_struct" "comm";
    task_real_parent: Offset "task_struct" "real_parent";
    task_group_leader: Offset "task_struct" "group_leader";
    task_start_boottime: Offset "task_struct" "start_boottime";
    task_exec_id: Offset "task_struct" "self_exec_id";
    task_files: Offset "task_struct" "files";
    task_fs: Offset "task_struct" "fs";
    task_nsproxy: Offset "task_struct" "nsproxy";
    task_cred: Offset "task_struct" "cred";
    task_mm: Offset "task_struct" "mm";
    task_exit_code: Offset "task_struct" "exit_code";
    task_signal: Offset "task_struct" "signal";
    signal_live: Offset "signal_struct" "live";
    signal_flags: Offset "signal_struct" "flags";
    signal_group_exit_code: Offset "signal_struct" "group_exit_code";
    cred_user_ns: Offset "cred" "user_ns";
    user_namespace_parent: Offset "user_namespace" "parent";
    user_namespace_level: Offset "user_namespace" "level";
    user_namespace_owner: Offset "user_namespace" "owner";
    fs_root_dentry: Offset "fs_struct" "root.dentry";
    fs_pwd_dentry: Offset "fs_struct" "pwd.dentry";
    nsproxy_mnt_ns: Offset "nsproxy" "mnt_ns";
    mnt_namespace_inum: Offset "mnt_namespace" "ns.inum";
    mm_exe_file: Offset "mm_struct" "exe_file";
    mm_arg_start: Offset "mm_struct" "arg_start";
    mm_arg_end: Offset "mm_struct" "arg_end";
}
