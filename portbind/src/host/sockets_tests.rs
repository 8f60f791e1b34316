use std::fs::{self, File};
use std::net::TcpListener;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;
use std::time::Instant;

use proptest::prelude::*;

use super::super::owners::OwnerFds;
use super::*;

fn owner(pid: u32, fds: &[u32]) -> OwnerFds {
    OwnerFds { pid, started: None, fds: fds.to_vec() }
}

fn open(root: &Path, process: &str, links: &[(&str, &str)]) {
    let folder = root.join(process).join("fd");
    fs::create_dir_all(&folder).unwrap();
    for (fd, target) in links {
        symlink(target, folder.join(fd)).unwrap();
    }
}

#[test]
fn finds_every_owner() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path();
    open(path, "7", &[("10", "socket:[5]"), ("9", "socket:[5]"), ("0", "/dev/null"), ("x", "socket:[5]")]);
    open(path, "3", &[("4", "socket:[5]"), ("5", "socket:[6]"), ("6", "socket:[55]"), ("7", "pipe:[5]")]);
    open(path, "8", &[]);
    open(path, "8/task/8", &[]);
    open(path, "8/task/12", &[("3", "socket:[6]")]);
    open(path, "self", &[("4", "socket:[5]")]);
    fs::write(path.join("11"), "").unwrap();
    let sockets = SocketOwners::new(Procfs::at(path));
    let scan = sockets.scan(&HashSet::from([5, 6, 77])).unwrap();
    assert_eq!(scan.owners[&5], [owner(3, &[4]), owner(7, &[9, 10])]);
    assert_eq!(scan.owners[&6], [owner(3, &[5]), owner(8, &[3])]);
    assert_eq!((scan.owners.len(), scan.unreadable), (2, 0));
    assert!(sockets.has_processes(4) && !sockets.has_processes(5));
    assert_eq!(sockets.descriptors_of(7, 5), [9, 10]);
    assert!(sockets.descriptors_of(7, 6).is_empty() && sockets.descriptors_of(99, 5).is_empty());
    assert!(sockets.verify(7, 9, 5));
    assert!(!sockets.verify(7, 9, 6) && !sockets.verify(7, 0, 5) && !sockets.verify(99, 9, 5));
}

#[test]
fn an_ended_process_is_not_unreadable() {
    let mut child = std::process::Command::new("true").spawn().unwrap();
    let pid = child.id();
    let table = File::open("/proc").unwrap();
    let wanted = |_: u64| true;
    let mut search = Search::new(&table, &wanted);
    let begun = Instant::now();
    while search.runs(pid) {
        assert!(begun.elapsed().as_secs() < 20, "it does not end");
    }
    // Now it is a zombie, and then it is gone.
    search.is_closed(pid);
    child.wait().unwrap();
    search.is_closed(pid);
    assert_eq!(search.unreadable, 0);
    search.is_closed(std::process::id());
    search.is_closed(std::process::id());
    assert_eq!(search.unreadable, 1);
}

#[test]
fn no_table_is_an_error_and_no_owner() {
    let root = tempfile::tempdir().unwrap();
    let sockets = SocketOwners::new(Procfs::at(root.path().join("none")));
    assert!(sockets.scan(&HashSet::from([5])).is_err());
    assert!(sockets.find(&HashSet::from([5])).is_empty());
    assert_eq!(sockets.scan(&HashSet::new()).unwrap(), Scan::default());
    assert!(!sockets.has_processes(1));
}

#[test]
fn reads_links() {
    let cases: [(&[u8], Option<u64>); 9] = [
        (b"socket:[1]", Some(1)),
        (b"socket:[18446744073709551615]", Some(u64::MAX)),
        (b"socket:[18446744073709551616]", None),
        (b"socket:[]", None),
        (b"socket:[+1]", None),
        (b"socket:[1", None),
        (b"socket:[1] (deleted)", None),
        (b"pipe:[1]", None),
        (b"", None),
    ];
    for (link, inode) in cases {
        assert_eq!(socket(link), inode, "{link:?}");
    }
}

#[test]
fn finds_a_socket_of_this_process() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let copy = listener.try_clone().unwrap();
    let mut fds = [listener.as_raw_fd(), copy.as_raw_fd()].map(|fd| u32::try_from(fd).unwrap());
    // A parallel test may have closed a lower descriptor in between.
    fds.sort_unstable();
    let inode = fs::metadata(format!("/proc/self/fd/{}", fds[0])).unwrap().ino();
    let sockets = SocketOwners::new(Procfs::new());
    let start = Instant::now();
    let scan = sockets.scan(&HashSet::from([inode])).unwrap();
    println!("a full scan took {:?}", start.elapsed());
    let pid = std::process::id();
    // A parallel test may be between fork and exec, with duplicates of all descriptors.
    assert!(scan.owners[&inode].contains(&owner(pid, &fds)), "{scan:?}");
    assert!(sockets.verify(pid, fds[0], inode));
    drop((listener, copy));
    assert!(!sockets.verify(pid, fds[0], inode));
}

proptest! {
    #[test]
    fn takes_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        let _ = socket(&bytes);
    }

    #[test]
    fn reads_any_inode(inode: u64) {
        let link = format!("socket:[{inode}]");
        prop_assert!(link.len() < LINK);
        prop_assert_eq!(socket(link.as_bytes()), Some(inode));
    }
}
