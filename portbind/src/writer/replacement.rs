//! A file that replaces another one when it is complete.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use super::place::{self, Opened, Rights, Temporary};
use super::received::{self, Expected};

/// A file that replaces another one when it is complete.
#[derive(Debug)]
pub(crate) struct Replacement {
    file: File,
    end: End,
}

/// How the replacement is completed.
#[derive(Debug)]
pub(super) enum End {
    /// The helper renames its temporary file with this number.
    OfHelper(u8),
    /// Rename the temporary file.
    Rename(Temporary),
    /// Truncate the file first: it is overwritten in place.
    Truncate,
    /// Nothing: the file is a pipe, a device, or the caller's own output.
    Keep,
}

impl Replacement {
    /// Creates the replacement in this process, which has no more rights than its caller.
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

    /// From a temporary file that the helper has created.
    pub(super) const fn of_helper(file: File, number: u8) -> Self {
        Self { file, end: End::OfHelper(number) }
    }

    /// From a file that is overwritten in place.
    pub(super) fn in_place(file: File) -> io::Result<Self> {
        let end = if file.metadata()?.is_file() { End::Truncate } else { End::Keep };
        Ok(Self { file, end })
    }

    /// From the output of this process.
    pub(super) const fn output(file: File) -> Self {
        Self { file, end: End::Keep }
    }

    /// The file, if it is a pipe or a device, which can keep a write waiting; otherwise the replacement itself.
    pub(crate) fn into_stream(self) -> Result<File, Self> {
        if matches!(self.end, End::Keep) { Ok(self.file) } else { Err(self) }
    }

    /// Writes the file, and renames it only when it is complete.
    ///
    /// # Errors
    /// The errors of `write` and of renameat(2). The earlier file still exists then, if it could be replaced rather
    /// than overwritten.
    pub(crate) fn write(self, write: impl FnOnce(&File) -> io::Result<()>) -> io::Result<()> {
        // A temporary file of the helper keeps its name here: only the helper can rename it.
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

/// A duplicate of this process's own output, if the path refers to it: reopening it would require rights to a pipe or a
/// terminal that the caller of sudo may lack.
pub(super) fn own_output(path: &Path) -> io::Result<Option<File>> {
    const AFTER_STANDARD: i32 = 3;
    let output = match path.to_str() {
        Some("/dev/stdout" | "/dev/fd/1" | "/proc/self/fd/1") => rustix::stdio::stdout(),
        Some("/dev/stderr" | "/dev/fd/2" | "/proc/self/fd/2") => rustix::stdio::stderr(),
        _ => return Ok(None),
    };
    Ok(Some(rustix::io::fcntl_dupfd_cloexec(output, AFTER_STANDARD)?.into()))
}
