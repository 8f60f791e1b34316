//! Passwords and tokens in the arguments of programs, and how they are kept out of what is written.
//!
//! Recordings are uploaded, pages are published, logs are read by many: a secret in an argument is replaced by
//! [`MASK`] where a process is written, unless `--show-secrets` is given. What counts as a secret is decided by the
//! name in front of it (`names`), by an option (`options`, `programs`), by its place (`places`), or by its own form
//! (`forms`, `logins`).
//! A word too much is masked rather than one too few: nothing of a diagnosis depends on it.

mod forms;
mod logins;
mod names;
mod options;
mod places;
mod programs;
mod shell;
mod slashes;
#[cfg(test)]
mod tests;
mod words;

pub use forms::MASK;
pub use words::{mask, mask_text};

/// Whether secrets are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Secrets {
    /// As [`MASK`].
    #[default]
    Masked,
    /// As they are.
    Shown,
}
