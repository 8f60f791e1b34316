//! A step: one line of a scenario.
//!
//! `ACTOR: VERB WORDS`, then optionally `mark NAME` and `-> ERROR`. tests/README.md describes it.

use anyhow::{Context as _, bail};

use super::expected::Expected;
use super::verb::{action, errno};
use super::words::Words;
use crate::actor::Action;

/// One step.
#[derive(Clone, Debug)]
pub struct Step {
    /// The actor that performs the step.
    pub actor: String,
    /// The expected errno; success if absent.
    pub expect: Option<String>,
    /// The expected report; also without it, every bind and listen that must fail is checked.
    pub event: Option<Expected>,
    /// The actor is another program: it is started from a separate executable.
    pub stranger: bool,
    /// The name under which the time of this step is recorded.
    pub mark: Option<String>,
    /// The action.
    pub action: Action,
}

impl Step {
    /// Parses a step whose variables are replaced; the event is separate.
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
