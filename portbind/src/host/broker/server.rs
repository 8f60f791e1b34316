//! The broker's side: answers one question after the other until the other end is closed.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::io::Errno;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use super::question::{ANSWER, Liveness, QUESTION, Question};
use crate::host::helper::{receive, send};

/// The result of a question.
#[derive(Debug)]
enum Given {
    Descriptor(OwnedFd),
    Liveness(Liveness),
}

/// Answers questions until the other end is closed.
///
/// # Errors
/// If the connection breaks, or this process cannot return to its own network namespace: the broker must not keep a
/// namespace alive that it entered.
pub fn serve(link: BorrowedFd<'_>) -> io::Result<()> {
    let own = openat(CWD, "/proc/self/ns/net", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    while let Some((bytes, with)) = receive::<QUESTION>(link)? {
        let given = bytes.and_then(|bytes| {
            let question = Question::of_bytes(&bytes).ok_or(Errno::INVAL)?;
            answer(question, with.as_ref().ok_or(Errno::BADF)?.as_fd(), own.as_fd())
        });
        // The received descriptor may be the last reference to a namespace.
        drop(with);
        reply(link, given)?;
    }
    Ok(())
}

fn answer(question: Question<'_>, with: BorrowedFd<'_>, own: BorrowedFd<'_>) -> Result<Given, Errno> {
    match question {
        Question::Socket(kind) => inside(with, own, || kind.open()).map(Given::Descriptor),
        Question::Setting(setting) => inside(with, own, || setting.open()).map(Given::Descriptor),
        Question::Path(look) => look.open(with).map(Given::Descriptor),
        Question::Liveness => Ok(Given::Liveness(Liveness::of(with))),
    }
}

/// Runs a function inside a network namespace, and returns to the previous one.
fn inside<T>(
    namespace: BorrowedFd<'_>,
    own: BorrowedFd<'_>,
    work: impl FnOnce() -> Result<T, Errno>,
) -> Result<T, Errno> {
    enter(namespace)?;
    let done = work();
    enter(own)?;
    done
}

fn enter(namespace: BorrowedFd<'_>) -> Result<(), Errno> {
    move_into_link_name_space(namespace, Some(LinkNameSpaceType::Network))
}

fn reply(link: BorrowedFd<'_>, given: Result<Given, Errno>) -> Result<(), Errno> {
    let mut bytes = [0; ANSWER];
    let (error, value) = bytes.split_at_mut(size_of::<i32>());
    let descriptor = match given {
        Ok(Given::Descriptor(descriptor)) => Some(descriptor),
        Ok(Given::Liveness(liveness)) => {
            value.fill(liveness.number());
            None
        }
        Err(errno) => {
            error.copy_from_slice(&errno.raw_os_error().to_ne_bytes());
            None
        }
    };
    send(link, &bytes, descriptor.as_ref().map(OwnedFd::as_fd))
}
