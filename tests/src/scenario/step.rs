//! A step: one line of a scenario.
//!
//! `ACTOR: VERB WORDS`, then `mark NAME` and `-> ERROR` where they are needed. tests/README.md describes it.

use anyhow::{Context as _, bail};

use super::expected::Expected;
use super::verb::{action, errno};
use super::words::Words;
use crate::actor::Action;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Who does it.
    pub actor: String,
    /// The errno it must get; success if absent.
    pub expect: Option<String>,
    /// What portbind must say; also without this, of every bind and listen that must fail.
    pub event: Option<Expected>,
    /// Who does it is another program: started from an executable of its own.
    pub stranger: bool,
    /// Remembers when this step was done.
    pub mark: Option<String>,
    /// What to do.
    pub action: Action,
}

impl Step {
    /// Reads a step whose variables are replaced; the event is not part of it.
    pub(super) fn parse(text: &str) -> anyhow::Result<Self> {
        let (who, what) =
            text.split_once(':').context("no actor is named: a step is \"ACTOR: VERB WORDS\"")?;
        let (actor, stranger) = actor(who)?;
        let mut words = Words::split(what)?;
        let expect = words.last_pair("->")?;
        if let Some(error) = &expect {
            errno(error)?;
        }
        let mark = words.last_pair("mark")?;
        Ok(Self { actor, expect, event: None, stranger, mark, action: action(&mut words)? })
    }
}

/// The name of the actor, and whether it is a stranger.
fn actor(who: &str) -> anyhow::Result<(String, bool)> {
    match who.split_whitespace().collect::<Vec<_>>().as_slice() {
        [name] => Ok(((*name).to_owned(), false)),
        [name, "(stranger)"] => Ok(((*name).to_owned(), true)),
        _ => bail!("\"{who}\" is not an actor, as server or server (stranger)"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_has_an_actor_a_mark_and_an_error() {
        let step = Step::parse("newcomer (stranger): bind new [::1]:80 -> EADDRINUSE").unwrap();
        assert_eq!((step.actor.as_str(), step.stranger, step.mark), ("newcomer", true, None));
        assert_eq!(step.expect.as_deref(), Some("EADDRINUSE"));
        assert!(matches!(step.action, Action::Bind { port: 80, .. }));
        let step = Step::parse("client: close far mark gone").unwrap();
        assert_eq!((step.stranger, step.mark.as_deref(), step.expect), (false, Some("gone"), None));
    }

    #[test]
    fn an_error_names_the_wrong_word() {
        for (text, expected) in [
            ("close far", "no actor is named"),
            (": close far", "\"\" is not an actor"),
            ("server (strange): exit", "\"server (strange)\" is not an actor"),
            ("server: exit -> EADDRINSUE", "\"EADDRINSUE\" is not an error that scenarios know"),
            ("server: exit -> EINVAL mark gone", "\"mark\" is one word too many"),
            ("server: exit now", "\"now\" is one word too many"),
        ] {
            let error = format!("{:#}", Step::parse(text).unwrap_err());
            assert!(error.contains(expected), "{text}: {error}");
        }
    }
}
