//! A file that takes the place of another when it is complete.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::place::{self, Opened, Rights, Temporary};
use super::received::{self, Expected};

/// A file that takes the place of another when it is complete.
#[derive(Debug)]
pub(crate) struct Replacement {
    file: File,
    end: End,
}

/// What is to be done with the file besides writing it.
#[derive(Debug)]
pub(super) enum End {
    /// Have the helper give its temporary file of this number the name.
    OfHelper(u8),
    /// Give it the name.
    Rename(Temporary),
    /// Cut it before: it is itself what is replaced.
    Truncate,
    /// Nothing: a pipe, a device, the caller's own output.
    Keep,
}

impl Replacement {
    /// Makes it in this process, which has no more rights than its caller.
    ///
    /// # Errors
    /// As [`crate::writer::client::Writer::replace`].
    pub(crate) fn in_this_process(path: &Path) -> io::Result<Self> {
        if let Some(file) = own_output(path)? {
            return Ok(Self { file, end: End::Keep });
        }
        let Opened { file, temporary } = place::replace(path, Rights::of_thread())?;
        let file = received::take(file.into(), Expected::Stream, false)?;
        match temporary {
            Some(temporary) => Ok(Self { file, end: End::Rename(temporary) }),
            None => Self::in_place(file),
        }
    }

    /// Of a temporary file that the helper has made.
    pub(super) const fn of_helper(file: File, number: u8) -> Self {
        Self { file, end: End::OfHelper(number) }
    }

    /// Of a file that is itself what is replaced.
    pub(super) fn in_place(file: File) -> io::Result<Self> {
        let end = if file.metadata()?.is_file() { End::Truncate } else { End::Keep };
        Ok(Self { file, end })
    }

    /// Of this process' own output.
    pub(super) const fn output(file: File) -> Self {
        Self { file, end: End::Keep }
    }

    /// Writes it, and only then gives it the name.
    ///
    /// # Errors
    /// Those of `write` and of renameat(2); what was there before is still there then, if it is a file that could
    /// be replaced.
    pub(crate) fn write(self, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        // One of the helper's keeps its temporary name here: only the helper can change it.
        self.write_and(write, |_| Ok(()))
    }

    pub(super) fn write_and(
        mut self,
        write: impl FnOnce(&File) -> io::Result<()>,
        rename: impl FnOnce(u8) -> io::Result<()>,
    ) -> io::Result<()> {
        if matches!(self.end, End::Truncate) {
            self.file.set_len(0)?;
        }
        write(&self.file)?;
        self.file.flush()?;
        match self.end {
            End::OfHelper(number) => rename(number),
            End::Rename(temporary) => temporary.finish(),
            End::Truncate | End::Keep => Ok(()),
        }
    }
}

/// A copy of this process' own output, where the path names it: to open it again would take rights to a pipe or a
/// terminal that the caller of sudo need not have.
pub(super) fn own_output(path: &Path) -> io::Result<Option<File>> {
    const AFTER_STANDARD: i32 = 3;
    let output = match path.to_str() {
        Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => rustix::stdio::stdout(),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => rustix::stdio::stderr(),
        _ => return Ok(None),
    };
    Ok(Some(rustix::io::fcntl_dupfd_cloexec(output, AFTER_STANDARD)?.into()))
}
