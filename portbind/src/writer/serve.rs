//! A hidden verb: the helper process, which takes the rights of the caller and then opens files on request.

use std::fs::File;
use std::io::{self, IoSlice};
use std::mem::{self, MaybeUninit};
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::net::{RecvFlags, SendAncillaryBuffer, SendAncillaryMessage, SendFlags, recv, sendmsg};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

use super::agent;
use super::caller::Caller;
use super::message::{MAX_PACKET, Request, Response};
use super::place::{self, Opened, Rights, Temporary};
use crate::host::Failed;
use crate::host::confinement::{Errand, confine_helper, fence};

/// The limit for all stored parts: an environment has at most 6 MiB (execve(2)), a page 1 MiB.
const MAX_PARTS: usize = 8 << 20;
/// The most temporary files at a time.
const MAX_TEMPORARY: usize = 4;

/// The user whose rights to take; requests arrive on standard input, which is a socket.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// User id.
    #[arg(long)]
    uid: u32,
    /// Group id.
    #[arg(long)]
    gid: u32,
    /// A supplementary group; may be given several times.
    #[arg(long = "group", conflicts_with = "keep_groups")]
    groups: Vec<u32>,
    /// Keep this process's supplementary groups.
    #[arg(long)]
    keep_groups: bool,
    /// Keep the ability to start the Buildkite agent.
    #[arg(long)]
    agent: bool,
}

/// State from earlier requests.
#[derive(Default)]
struct State {
    parts: Vec<u8>,
    environment: Vec<u8>,
    temporary: Vec<Option<Temporary>>,
}

/// Runs the verb until the main process closes its end.
///
/// # Errors
/// If the rights cannot be taken, which the first answer reports, too; the errors of the socket.
pub(crate) fn run(args: &Args) -> Result<(), Failed> {
    let groups = (!args.keep_groups).then(|| args.groups.clone());
    let taken = Caller { uid: args.uid, gid: args.gid, groups }.take().and_then(|()| {
        // The caller must not read this process's memory or trace it.
        set_dumpable_behavior(DumpableBehavior::NotDumpable)?;
        confine_helper(if args.agent { Errand::Program } else { Errand::Files })
    });
    let main = rustix::stdio::stdin();
    let greeting = taken.as_ref().map_or_else(Response::from, |()| Response::Done);
    answer(main, &greeting, None).map_err(Failed::at("cannot greet the main process"))?;
    taken.map_err(Failed::at("cannot take the rights of the caller"))?;
    serve(main).map_err(Failed::at("cannot answer the main process"))
}

fn serve(main: BorrowedFd<'_>) -> io::Result<()> {
    let (rights, mut state) = (Rights::of_thread(), State::default());
    let mut packet = vec![0; MAX_PACKET];
    loop {
        let (_, length) = recv(main, packet.as_mut_slice(), RecvFlags::empty())?;
        // An invalid or empty request means that the main process has ended, or that the peer is not the main process.
        let Some(request) = packet.get(..length).and_then(Request::decode) else { return Ok(()) };
        if let Request::Part(part) = request {
            state.keep(&part);
            continue;
        }
        let done = state.perform(request, rights);
        let (response, file) = done.unwrap_or_else(|error| (Response::from(&error), None));
        answer(main, &response, file.as_ref())?;
    }
}

impl State {
    /// Stores a part; ignores parts beyond the limit.
    fn keep(&mut self, part: &[u8]) {
        if self.parts.len() + part.len() <= MAX_PARTS {
            self.parts.extend_from_slice(part);
        }
    }

    fn perform(&mut self, request: Request, rights: Rights) -> io::Result<(Response, Option<File>)> {
        let file = |file| (Response::File, Some(file));
        match request {
            Request::Append(path) => place::append(&path, rights).map(file),
            Request::AppendExisting(path) => place::append_existing(&path, rights).map(file),
            Request::Create(path) => place::create(&path, rights).map(file),
            Request::Replace(path) => self.replace(&path, rights),
            Request::Finish(number) => {
                let temporary = self.temporary.get_mut(usize::from(number)).and_then(Option::take);
                temporary.ok_or(io::ErrorKind::InvalidInput)?.finish()?;
                Ok((Response::Done, None))
            }
            Request::Seal(later) => {
                self.seal(later.as_deref(), rights)?;
                Ok((Response::Done, None))
            }
            Request::Part(_) => Ok((Response::Done, None)),
            Request::Environment => {
                self.environment = mem::take(&mut self.parts);
                Ok((Response::Done, None))
            }
            Request::Annotate => {
                let page = mem::take(&mut self.parts);
                Ok((agent::annotate(&self.environment, &page)?, None))
            }
        }
    }

    /// Allows changes only in the folders of the open temporary files and of the file `later`. If the folder of `later`
    /// does not exist, the file will not be created either.
    fn seal(&self, later: Option<&Path>, rights: Rights) -> io::Result<()> {
        let later = later.and_then(|path| place::folder_of(path, rights).ok());
        let folders = self.temporary.iter().flatten().map(Temporary::folder);
        fence(&folders.chain(later.as_ref().map(OwnedFd::as_fd)).collect::<Vec<_>>())
    }

    fn replace(&mut self, path: &Path, rights: Rights) -> io::Result<(Response, Option<File>)> {
        let number = u8::try_from(self.temporary.len()).ok().filter(|_| self.temporary.len() < MAX_TEMPORARY);
        let number = number.ok_or(io::ErrorKind::QuotaExceeded)?;
        let Opened { file, temporary } = place::replace(path, rights)?;
        let response = temporary.as_ref().map_or(Response::File, |_| Response::Temporary(number));
        if temporary.is_some() {
            self.temporary.push(temporary);
        }
        Ok((response, Some(file)))
    }
}

/// Sends an answer, with a descriptor if there is one.
fn answer(main: BorrowedFd<'_>, response: &Response, file: Option<&File>) -> io::Result<()> {
    let descriptors: Vec<BorrowedFd<'_>> = file.map(File::as_fd).into_iter().collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut attached = SendAncillaryBuffer::new(&mut space);
    if !descriptors.is_empty() {
        attached.push(SendAncillaryMessage::ScmRights(&descriptors));
    }
    sendmsg(main, &[IoSlice::new(&response.encode())], &mut attached, SendFlags::NOSIGNAL)?;
    Ok(())
}
