//! Decides whether to use colours.

use std::ffi::{OsStr, OsString};

use clap::ValueEnum;

/// The value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, ValueEnum)]
#[non_exhaustive]
pub enum ColorChoice {
    /// On a terminal, unless the environment says otherwise
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// The environment that decides if `--color` does not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Surroundings {
    /// `NO_COLOR`: any value but the empty one means no.
    pub no_color: Option<OsString>,
    /// `CLICOLOR_FORCE`: any value but the empty one and `0` means yes.
    pub clicolor_force: Option<OsString>,
    /// `TERM`: `dumb` means no.
    pub term: Option<OsString>,
    /// The output is a terminal.
    pub terminal: bool,
}

impl Surroundings {
    /// The environment of this process, for an output that is a terminal or not.
    #[must_use]
    pub fn of_process(terminal: bool) -> Self {
        Self {
            no_color: std::env::var_os("NO_COLOR"),
            clicolor_force: std::env::var_os("CLICOLOR_FORCE"),
            term: std::env::var_os("TERM"),
            terminal,
        }
    }
}

impl ColorChoice {
    /// Whether to use colours. The order of precedence: `--color`, `NO_COLOR`, `CLICOLOR_FORCE`, `TERM=dumb`, and last
    /// whether the output is a terminal.
    #[must_use]
    pub fn resolve(self, surroundings: &Surroundings) -> bool {
        let is_set = |value: &Option<OsString>| value.as_deref().is_some_and(|value| !value.is_empty());
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto if is_set(&surroundings.no_color) => false,
            Self::Auto
                if is_set(&surroundings.clicolor_force)
                    && surroundings.clicolor_force.as_deref() != Some(OsStr::new("0")) =>
            {
                true
            }
            Self::Auto if surroundings.term.as_deref() == Some(OsStr::new("dumb")) => false,
            Self::Auto => surroundings.terminal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_of_precedence() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, no_color, force, term, terminal, expected) in [
            (Auto, None, None, Some("xterm"), true, true),
            (Auto, None, None, Some("xterm"), false, false),
            (Auto, None, None, None, true, true),
            (Auto, None, None, Some("dumb"), true, false),
            (Auto, Some(""), None, Some("xterm"), true, true),
            (Auto, Some("1"), None, Some("xterm"), true, false),
            (Auto, Some("0"), None, Some("xterm"), true, false),
            (Auto, None, Some("1"), Some("xterm"), false, true),
            (Auto, None, Some("1"), Some("dumb"), false, true),
            (Auto, None, Some("0"), None, false, false),
            (Auto, None, Some(""), None, false, false),
            (Auto, Some("1"), Some("1"), None, true, false),
            (Auto, Some(""), Some("1"), None, false, true),
            (Always, Some("1"), None, Some("dumb"), false, true),
            (Never, None, Some("1"), Some("xterm"), true, false),
        ] {
            let surroundings = Surroundings {
                no_color: no_color.map(OsString::from),
                clicolor_force: force.map(OsString::from),
                term: term.map(OsString::from),
                terminal,
            };
            assert_eq!(choice.resolve(&surroundings), expected, "{choice:?} {surroundings:?}");
        }
    }
}
