//! Opens, creates and replaces files, in the process that has the rights of the caller.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, Stat, StatxAttributes, StatxFlags, fchmod, fstat, openat, renameat,
    statat, statx, unlinkat,
};
use rustix::io::Errno;
use rustix::process::geteuid;

use super::refused::Refused;
use super::walk::{self, Place};

/// Only the owner may access a new file: a recording contains command lines of other users.
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);
/// Another program of the CI system reads the file.
const PUBLIC: Mode = PRIVATE.union(Mode::RGRP).union(Mode::ROTH);

/// How long the reader of a pipe may take to open it.
const READER: Duration = Duration::from_secs(5);
/// Interval at which portbind checks for the reader.
const OFTEN: Duration = Duration::from_millis(10);

/// Attempts to find a name that no other process creates or removes at the same time.
const ATTEMPTS: usize = 8;
/// Bytes of the original name in a temporary name; `NAME_MAX` is 255.
const NAME_PART: usize = 200;

/// The rights with which a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rights {
    /// The kernel refuses root nothing, so this module checks links, hard links and owners itself.
    Root,
    /// The kernel checks the user's rights.
    User,
}

impl Rights {
    /// The rights of this thread.
    pub(crate) fn of_thread() -> Self {
        if geteuid().is_root() { Self::Root } else { Self::User }
    }
}

/// A temporary file that will replace another one, or the file itself.
#[derive(Debug)]
pub(crate) struct Opened {
    /// The file to write.
    pub(crate) file: File,
    /// The temporary name; `None` if the file already has its final name.
    pub(crate) temporary: Option<Temporary>,
}

/// A file with a temporary name. It is renamed when it is complete, and removed if that never happens.
#[derive(Debug)]
pub(crate) struct Temporary {
    place: Place,
    name: Option<OsString>,
}

/// Opens a file to append to, and creates it if it does not exist.
///
/// # Errors
/// The errors of openat(2), or a [`Refused`].
pub(super) fn append(path: &Path, rights: Rights) -> io::Result<File> {
    if rights == Rights::Root && is_own_descriptor(path) {
        return own_descriptor(path);
    }
    let place = find(path, rights)?;
    let mut left = ATTEMPTS;
    loop {
        match place.with_reader(|| place.append(rights)) {
            // The file was created or removed between two calls.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && left > 1 => left -= 1,
            opened => return opened,
        }
    }
}

/// Opens an existing regular file to append to; a symbolic link is refused.
///
/// # Errors
/// The errors of openat(2), or a [`Refused`].
pub(super) fn append_existing(path: &Path, rights: Rights) -> io::Result<File> {
    let place = find(path, rights)?;
    let file = place.open(append_flags() | OFlags::NOFOLLOW, rights)?;
    is_regular(&fstat(&file)?).then_some(file).ok_or_else(|| io::Error::other(Refused::Special))
}

/// Creates a file that all users may read; the file must not exist.
///
/// # Errors
/// The errors of openat(2), or a [`Refused`].
pub(super) fn create(path: &Path, rights: Rights) -> io::Result<File> {
    find(path, rights)?.make(PUBLIC)
}

/// Opens the folder of a path.
///
/// # Errors
/// The errors of openat(2), or a [`Refused`].
pub(super) fn folder_of(path: &Path, rights: Rights) -> io::Result<OwnedFd> {
    Ok(find(path, rights)?.folder)
}

/// Creates a temporary file that will replace another one. A pipe or a device is opened instead, and so is a file that
/// cannot be replaced: a mount point, or a file in a folder that the caller may not write to.
///
/// # Errors
/// The errors of openat(2), or a [`Refused`].
pub(crate) fn replace(path: &Path, rights: Rights) -> io::Result<Opened> {
    if rights == Rights::Root && is_own_descriptor(path) {
        return Ok(Opened { file: own_descriptor(path)?, temporary: None });
    }
    let place = find(path, rights)?;
    let old = place.stat()?;
    let in_place = |place: Place| {
        let file = place.with_reader(|| place.open(write_flags() | OFlags::NOFOLLOW, rights))?;
        Ok(Opened { file, temporary: None })
    };
    let kind = old.as_ref().map(|old| FileType::from_raw_mode(old.st_mode));
    match kind {
        None | Some(FileType::Symlink) => Opened::beside(place, None),
        Some(FileType::RegularFile) if place.is_mount_point() => in_place(place),
        Some(FileType::RegularFile) => {
            place.may_be_replaced(old.as_ref(), rights)?;
            match Opened::beside(place, old.as_ref()) {
                Err(error) if is_closed_folder(&error) => {
                    in_place(find(path, rights)?).map_err(|_: io::Error| error)
                }
                other => other,
            }
        }
        Some(FileType::Fifo | FileType::CharacterDevice) => in_place(place),
        Some(FileType::Directory) => Err(Errno::ISDIR.into()),
        Some(_) => Err(io::Error::other(Refused::Special)),
    }
}

fn find(path: &Path, rights: Rights) -> io::Result<Place> {
    match rights {
        Rights::Root => walk::find(path),
        Rights::User => {
            let name = path.file_name().filter(|_| !path.as_os_str().as_bytes().ends_with(b"/"));
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let folder = openat(CWD, parent.unwrap_or(Path::new(".")), flags, Mode::empty())?;
            Ok(Place { folder, name: name.ok_or(Errno::ISDIR)?.to_owned() })
        }
    }
}

impl Place {
    fn append(&self, rights: Rights) -> io::Result<File> {
        let flags = append_flags();
        match rights {
            Rights::User => Ok(openat(&self.folder, &self.name, flags | OFlags::CREATE, PRIVATE)?.into()),
            Rights::Root => match self.open(flags | OFlags::NOFOLLOW, rights) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.make(PRIVATE),
                opened => opened,
            },
        }
    }

    /// Opens the file with `open`. A pipe that nobody reads from cannot be opened: its reader gets time to open it.
    fn with_reader(&self, open: impl Fn() -> io::Result<File>) -> io::Result<File> {
        let start = Instant::now();
        loop {
            match open() {
                Err(error) if error.raw_os_error() == Some(Errno::NXIO.raw_os_error()) => {
                    if !self.is_pipe() {
                        return Err(error);
                    }
                    if start.elapsed() > READER {
                        return Err(io::Error::other(Refused::NoReader));
                    }
                    sleep(OFTEN);
                }
                opened => return opened,
            }
        }
    }

    /// Opens the existing file.
    fn open(&self, flags: OFlags, rights: Rights) -> io::Result<File> {
        let file = match openat(&self.folder, &self.name, flags, Mode::empty()) {
            Err(Errno::LOOP) => return Err(io::Error::other(Refused::Link(self.name.clone().into()))),
            other => other?,
        };
        if rights == Rights::Root {
            guard(&fstat(&file)?, &fstat(&self.folder)?)?;
        }
        Ok(file.into())
    }

    /// Creates the file, which must not exist.
    fn make(&self, mode: Mode) -> io::Result<File> {
        Ok(openat(&self.folder, &self.name, make_flags(), mode)?.into())
    }

    fn stat(&self) -> io::Result<Option<Stat>> {
        match statat(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_pipe(&self) -> bool {
        let stat = statat(&self.folder, &self.name, AtFlags::empty());
        stat.is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
    }

    /// Whether the file is a mount point, as containers create for single files; rename(2) fails with EBUSY then.
    fn is_mount_point(&self) -> bool {
        let found = statx(&self.folder, &self.name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS);
        found.is_ok_and(|found| {
            let known = found.stx_attributes_mask & found.stx_attributes;
            known.contains(StatxAttributes::MOUNT_ROOT)
        })
    }

    /// In a sticky folder only the owner of the file or of the folder may replace a file. Checked before the command
    /// runs.
    fn may_be_replaced(&self, old: Option<&Stat>, rights: Rights) -> io::Result<()> {
        let folder = fstat(&self.folder)?;
        let is_sticky = Mode::from_raw_mode(folder.st_mode).contains(Mode::SVTX);
        let own = geteuid().as_raw();
        let is_anothers = old.is_some_and(|old| old.st_uid != own) && folder.st_uid != own;
        let is_refused = rights == Rights::User && is_sticky && is_anothers;
        if is_refused { Err(io::Error::other(Refused::Foreign)) } else { Ok(()) }
    }
}

impl Opened {
    /// Creates a temporary file beside the original. It takes over the original's permissions if the caller owns the
    /// original.
    fn beside(place: Place, old: Option<&Stat>) -> io::Result<Self> {
        let mut attempts = 0;
        let (file, name) = loop {
            let name = temporary_name(&place.name);
            match openat(&place.folder, &name, make_flags(), PRIVATE) {
                Err(Errno::EXIST) if attempts < ATTEMPTS => attempts += 1,
                made => break (File::from(made?), name),
            }
        };
        let temporary = Temporary { place, name: Some(name) };
        if let Some(old) = old.filter(|old| old.st_uid == geteuid().as_raw()) {
            fchmod(&file, Mode::from_raw_mode(old.st_mode & 0o777))?;
        }
        Ok(Self { file, temporary: Some(temporary) })
    }
}

impl Temporary {
    /// The folder of the file.
    pub(super) fn folder(&self) -> BorrowedFd<'_> {
        self.place.folder.as_fd()
    }

    /// Renames the file to its final name.
    ///
    /// # Errors
    /// The errors of renameat(2).
    pub(crate) fn finish(mut self) -> io::Result<()> {
        let Some(name) = &self.name else { return Ok(()) };
        renameat(&self.place.folder, name, &self.place.folder, &self.place.name)?;
        self.name = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(name) = &self.name {
            // Another process may have removed the file.
            let _gone = unlinkat(&self.place.folder, name, AtFlags::empty());
        }
    }
}

/// The checks that the kernel does for users through sysctls (fs.protected_hardlinks, fs.protected_regular,
/// fs.protected_fifos; `may_linkat` and `may_create_in_sticky` in fs/namei.c, 6.18), but not for root, or not by
/// default.
fn guard(file: &Stat, folder: &Stat) -> io::Result<()> {
    if is_regular(file) && file.st_nlink > 1 {
        return Err(io::Error::other(Refused::HardLink));
    }
    let is_shared = folder.st_mode & 0o022 != 0 && Mode::from_raw_mode(folder.st_mode).contains(Mode::SVTX);
    let is_anothers = file.st_uid != 0 && file.st_uid != folder.st_uid;
    let is_device = FileType::from_raw_mode(file.st_mode) == FileType::CharacterDevice;
    if is_shared && is_anothers && !is_device {
        return Err(io::Error::other(Refused::Foreign));
    }
    Ok(())
}

/// Whether a path refers to a descriptor that this process has inherited.
fn is_own_descriptor(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    let number = bytes.strip_prefix(b"/dev/fd/").or_else(|| bytes.strip_prefix(b"/proc/self/fd/"));
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

/// Reopens an inherited descriptor. The caller has opened it, so it gives access to nothing new: `--record >(gzip >
/// FILE)`.
fn own_descriptor(path: &Path) -> io::Result<File> {
    Ok(openat(CWD, path, append_flags(), Mode::empty())?.into())
}

fn is_regular(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile
}

fn is_closed_folder(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

/// A hidden name that other users cannot predict.
fn temporary_name(name: &OsStr) -> OsString {
    let start = &name.as_bytes()[..name.len().min(NAME_PART)];
    let mut hidden = OsString::from(".");
    hidden.push(OsStr::from_bytes(start));
    hidden.push(format!(".{:08x}", RandomState::new().build_hasher().finish() >> 32));
    hidden
}

/// Flags for writing: do not wait for a pipe's reader or a lease, and do not make a terminal the controlling one.
const fn write_flags() -> OFlags {
    OFlags::WRONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY).union(OFlags::CLOEXEC)
}

const fn append_flags() -> OFlags {
    write_flags().union(OFlags::APPEND)
}

const fn make_flags() -> OFlags {
    append_flags().union(OFlags::CREATE).union(OFlags::EXCL).union(OFlags::NOFOLLOW)
}
