//! Netlink sockets, from `/proc/PID/net/netlink`.

use super::procfs::Procfs;

/// The sockfs inode of the netlink socket with this protocol and port id, in the network namespace of a process
/// (netlink_native_seq_show in net/netlink/af_netlink.c).
#[must_use]
pub fn find(procfs: &Procfs, process: &str, protocol: u16, port_id: u32) -> Option<u64> {
    const MOST: u64 = 16 << 20;
    let bytes = procfs.read_up_to(&format!("{process}/net/netlink"), MOST)?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let mut inodes = text.lines().skip(1).filter_map(|line| {
        // Columns: sk, Eth (the protocol), Pid (the port id), Groups, Rmem, Wmem, Dump, Locks, Drops, Inode.
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        let is_it = words.get(1)?.parse() == Ok(protocol) && words.get(2)?.parse() == Ok(port_id);
        is_it.then(|| words.get(9)?.parse().ok()).flatten()
    });
    inodes.next().filter(|&inode| inode != 0)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn finds_by_protocol_and_port_id() {
        let table = "\
sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode
0000000000000000 0   0          00000000 0        0        0     2        0        7
0000000000000000 0   4294963236 00000001 0        0        0     2        0        18093
0000000000000000 15  812        00000002 0        0        0     2        0        1071
0000000000000000 0   812        00000440 0        0        0     2        0        1072
0000000000000000 9   900
";
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("5/net")).unwrap();
        fs::write(root.path().join("5/net/netlink"), table).unwrap();
        let procfs = Procfs::at(root.path());
        let cases = [
            (0, 812, Some(1072)),
            (15, 812, Some(1071)),
            (0, 4_294_963_236, Some(18093)),
            (16, 812, None),
            (9, 900, None),
        ];
        for (protocol, port_id, inode) in cases {
            assert_eq!(find(&procfs, "5", protocol, port_id), inode, "{protocol} {port_id}");
        }
        assert_eq!(find(&procfs, "6", 0, 812), None);
    }
}
