//! Removes a stale socket file in steps, each with the rights of a user who could take the step without portbind. A
//! helper process takes the steps, because other threads of this process could use the rights of a single thread.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::helper::{VERB, word};
use crate::diagnosis::unix::Object;
use crate::host::Accounts;
use crate::host::identity::UserIds;
use crate::host::reexec::reexec;
use crate::host::stale::{Identity, Pinned, Rights, Spot, Step, Taken, aside};
use crate::ports::error::Error;
use crate::ports::inspector::Inspector;

/// Group for a user without an account: nogroup, which owns no files (`from_kgid_munged`, kernel/user_namespace.c).
const NO_GROUP: u32 = 65_534;

/// Parses the output of the helper process.
fn heard(said: &[u8]) -> io::Result<Taken> {
    let said = String::from_utf8_lossy(said);
    let said = said.trim_end();
    let every = [Taken::Done, Taken::Gone, Taken::Replaced, Taken::Occupied];
    if let Some(taken) = every.into_iter().find(|&taken| word(taken) == said) {
        return Ok(taken);
    }
    Err(match said.parse() {
        Ok(number) => io::Error::from_raw_os_error(number),
        Err(_) => io::Error::other("the helper process has ended before it was done"),
    })
}

/// Removes a file, or moves it back.
#[derive(Debug)]
pub(super) struct Remover {
    path: PathBuf,
    spot: Spot,
    starts_helpers: bool,
}

impl Remover {
    /// Opens the file's folder.
    pub(super) fn new(inspector: &Inspector, path: &[u8]) -> Result<Self, Error> {
        let path = Path::new(OsStr::from_bytes(path)).to_owned();
        match Spot::open(&path) {
            Ok(spot) => Ok(Self { path, spot, starts_helpers: inspector.starts_helpers }),
            Err(source) => Err(Error::Remove { path, source }),
        }
    }

    /// Pins the file; `None` if the file does not exist.
    pub(super) fn pin(&self) -> Result<Option<Pinned>, Error> {
        self.spot.pin().map_err(|source| self.error(source))
    }

    /// An error for the file that has the name to which files are moved aside; `None` if there is no such file.
    pub(super) fn in_the_way(&self) -> Result<Option<Error>, Error> {
        let path = aside(&self.path).unwrap_or_else(|| self.path.clone());
        if self.spot.leftover().map_err(|source| self.error(source))?.is_some() {
            return Ok(Some(Error::Aside(path)));
        }
        let there = self.spot.pin_aside().map_err(|source| self.error(source))?;
        Ok(there.map(|_| Error::NameTaken(path)))
    }

    /// Moves back the file that an interrupted removal has moved aside, or removes it if it is stale and its name is
    /// taken again.
    pub(super) fn recover(&self) -> Result<(), Error> {
        let Some(left) = self.spot.leftover().map_err(|source| self.error(source))? else { return Ok(()) };
        if self.take(Step::Restore, left.uid)? == Taken::Occupied && left.object == Object::StaleSocket {
            let _discarded = self.take(Step::Discard(left.identity), left.uid)?;
        }
        Ok(())
    }

    /// Takes a step, with only the rights that it needs.
    pub(super) fn take(&self, step: Step, file_uid: u32) -> Result<Taken, Error> {
        let taken = match self.spot.rights(file_uid).map_err(|source| self.error(source))? {
            Rights::Own => self.spot.take(step),
            Rights::Of(uid) => self.take_as(step, uid),
            Rights::Led(uid) => return Err(Error::Led { path: self.path.clone(), uid }),
        };
        taken.map_err(|source| self.error(source))
    }

    fn take_as(&self, step: Step, uid: u32) -> io::Result<Taken> {
        if !self.starts_helpers {
            let text = format!("that takes the rights of uid {uid}, which only the program portbind takes");
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        let accounts = Accounts::at(Path::new("/"));
        let account = accounts.of(uid);
        let groups = account.as_ref().map_or_else(Vec::new, |account| accounts.groups(account));
        let gid = account.map_or(NO_GROUP, |account| account.gid);
        let (folder, name) = self.spot.parts();
        let mut command = reexec(VERB);
        command.args(UserIds { uid, gid, groups }.words());
        let (word, file) = match step {
            Step::Remove(file) => ("remove", Some(file)),
            Step::Discard(file) => ("discard", Some(file)),
            Step::Restore => ("restore", None),
        };
        command.arg(format!("--step={word}"));
        if let Some(Identity { device, inode }) = file {
            command.arg(format!("--file={device},{inode}"));
        }
        command.arg("--").arg(name).stdin(Stdio::from(folder.try_clone()?));
        heard(&command.output()?.stdout)
    }

    fn error(&self, source: io::Error) -> Error {
        Error::Remove { path: self.path.clone(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_the_helper_says_is_understood() {
        for taken in [Taken::Done, Taken::Gone, Taken::Replaced, Taken::Occupied] {
            assert_eq!(heard(format!("{}\n", word(taken)).as_bytes()).unwrap(), taken);
        }
        assert_eq!(heard(b"13\n").unwrap_err().raw_os_error(), Some(13));
        for nonsense in [&b""[..], b"don", b"\xff", b"9999999999999"] {
            assert!(heard(nonsense).unwrap_err().raw_os_error().is_none());
        }
    }
}
