//! Why portbind refuses a file, or a descriptor from the helper, although the kernel would allow it.

use std::path::PathBuf;

use crate::escape::Escaped;

/// A refusal by portbind itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refused {
    /// The path contains this symbolic link.
    #[error("{} is a symbolic link, which somebody else may have made", Escaped(&.0.to_string_lossy()))]
    Link(PathBuf),
    /// The file has several hard links.
    #[error("it is a hard link: the same file has another name")]
    HardLink,
    /// The file belongs to another user, in a folder such as /tmp.
    #[error("it belongs to another user, in a folder that every user may write to")]
    Foreign,
    /// A pipe without a reader.
    #[error("it is a pipe that nobody reads from")]
    NoReader,
    /// A directory, a socket, a disk, a kernel file.
    #[error("it is no regular file, pipe, terminal or /dev/null")]
    Special,
    /// The helper process ended too early.
    #[error("the helper process that opens files has ended")]
    Gone,
    /// The helper process did not answer in time.
    #[error("the helper process that opens files does not answer")]
    Silent,
    /// The helper process was stopped by a signal.
    #[error("the helper process that opens files was stopped by a signal")]
    Stopped,
    /// The helper process gave an answer that does not match the request.
    #[error("the helper process that opens files gave a wrong answer")]
    Nonsense,
}

impl Refused {
    /// What the user can do next.
    pub(crate) const fn hint(&self) -> &'static str {
        match self {
            Self::Link(_) => "name the file by the path to which the link leads",
            Self::HardLink => "name a file that is no hard link",
            Self::Foreign => "name a file in a folder of your own",
            Self::NoReader => "start the program that reads from the pipe first",
            Self::Special => "name a regular file",
            Self::Gone | Self::Silent | Self::Stopped | Self::Nonsense => {
                "the helper process is portbind itself with the rights of the caller: did somebody stop it?"
            }
        }
    }
}
