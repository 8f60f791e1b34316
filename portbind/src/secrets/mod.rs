//! Masks passwords and tokens in the arguments of programs.
//!
//! Recordings are uploaded, pages are published, logs have many readers: portbind writes [`MASK`] in place of a secret
//! in an argument, unless `--show-secrets` is given. A secret is recognised by the name in front of it (`names`), by an
//! option (`options`, `programs`), by its place (`places`), or by its own form (`forms`, `logins`). In doubt, a word is
//! masked: no diagnosis depends on it.

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
    /// Secrets are replaced by [`MASK`].
    #[default]
    Masked,
    /// Secrets are written unchanged.
    Shown,
}
