//! The helper's side: reads with the rights of the process that it is asked about.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::thread::{
    CapabilitySet, CapabilitySets, Gid, Uid, set_capabilities, set_thread_groups, set_thread_res_gid,
    set_thread_res_uid,
};

use super::git;
use super::question::{QUESTION, Question, answer};
use crate::host::helper::{receive, send};

/// How long one answer may take.
const PATIENCE: Duration = Duration::from_millis(50);
/// How many threads may wait for a file system that does not answer. After that, no question is answered.
const MOST_STUCK: usize = 4;
/// Bytes of the stack of a thread.
const STACK: usize = 64 * 1024;

/// Answers questions until the other end is closed.
///
/// # Errors
/// If the connection breaks.
pub fn serve(link: BorrowedFd<'_>) -> io::Result<()> {
    let mut stuck = 0;
    while let Some((bytes, root)) = receive::<QUESTION>(link)? {
        let question = bytes.ok().zip(root).filter(|_| stuck < MOST_STUCK);
        let found = question.map(|(bytes, root)| in_time(bytes, root));
        stuck += usize::from(found == Some(Reply::Late));
        let branch = if let Some(Reply::Branch(branch)) = &found { branch.as_deref() } else { None };
        send(link, &answer(branch), None)?;
    }
    Ok(())
}

#[derive(Debug, PartialEq, Eq)]
enum Reply {
    Branch(Option<String>),
    Late,
}

/// Reads in a thread of its own: user and group are kept per thread.
fn in_time(bytes: [u8; QUESTION], root: OwnedFd) -> Reply {
    let (done, is_done) = mpsc::sync_channel(1);
    let work = move || {
        let question = Question::of_bytes(&bytes);
        let branch = question.and_then(|question| {
            become_user(question.uid, question.gid).ok()?;
            git::branch(root.as_fd(), question.folder, question.uid)
        });
        // The other end is gone if this took too long.
        let _late = done.send(branch);
    };
    if thread::Builder::new().stack_size(STACK).spawn(work).is_err() {
        return Reply::Branch(None);
    }
    is_done.recv_timeout(PATIENCE).map_or(Reply::Late, Reply::Branch)
}

/// Gives this thread the rights of a user, and no capability.
fn become_user(uid: u32, gid: u32) -> rustix::io::Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
    set_thread_groups(&[])?;
    set_thread_res_gid(gid, gid, gid)?;
    set_thread_res_uid(uid, uid, uid)?;
    let none = CapabilitySet::empty();
    set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
}
