//! Masks the parts of a line that may contain secrets: the arguments of processes, and the names of tests and jobs.

use std::borrow::Cow;

use serde::Serialize;

use super::answer::{Check, Freed, Wait, Who};
use super::command::{Command, End, Leak, Outcome};
use super::comparison::Comparison;
use super::explanation::Explanation;
use super::people::{CiJob, Test};
use super::process::{HolderProcess, Opener, Process};
use super::refusal::{Moment, Refusal};
use super::report::Report;
use super::run::{Release, Repeat, Summary};
use super::socket::Holder;
use crate::secrets::{mask, mask_text};

/// A whole line of JSON. Only types with this trait are written as lines, so that no kind of line can skip the masking.
pub trait Line: Serialize {
    /// Replaces secrets by `***`.
    fn mask(&mut self);
}

impl Line for Refusal<'_> {
    fn mask(&mut self) {
        let Process { args, args_masked, test, .. } = &mut self.process;
        of_process(args, args_masked, test.as_mut());
        self.holders.iter_mut().for_each(of_holder);
        self.history.iter_mut().for_each(of_moment);
    }
}

impl Line for Command<'_> {
    fn mask(&mut self) {
        of_process(&mut self.args, &mut self.args_masked, self.test.as_mut());
    }
}

impl Line for Leak<'_> {
    fn mask(&mut self) {
        of_holder(&mut self.socket);
    }
}

/// In these lines, only the owners of holders have arguments.
macro_rules! with_holders {
    ($($type:ty),*) => {$(
        impl Line for $type {
            fn mask(&mut self) {
                self.holders.iter_mut().for_each(of_holder);
            }
        }
    )*};
}

with_holders!(Who<'_>, Check<'_>, Wait<'_>);

impl Line for Freed<'_> {
    fn mask(&mut self) {
        self.holders.iter_mut().chain(&mut self.holders_now).for_each(of_holder);
    }
}

impl Line for Explanation<'_> {
    fn mask(&mut self) {
        self.refusal.iter_mut().for_each(Line::mask);
    }
}

/// These lines contain no arguments; a report is made of masked ones.
macro_rules! without_arguments {
    ($($type:ty),*) => { $(impl Line for $type { fn mask(&mut self) {} })* };
}

without_arguments!(Release<'_>, Repeat<'_>, Summary, Outcome<'_>, End<'_>, Comparison<'_>, Report<'_>);

fn of_holder(holder: &mut Holder<'_>) {
    for process in &mut holder.processes {
        let HolderProcess { args, args_masked, test, .. } = process;
        of_process(args, args_masked, test.as_mut());
    }
    for opener in holder.opened_by.iter_mut().chain(&mut holder.left_by) {
        of_opener(opener);
    }
}

fn of_moment(moment: &mut Moment<'_>) {
    moment.process.iter_mut().for_each(of_opener);
}

fn of_opener(opener: &mut Opener<'_>) {
    of_process(&mut opener.args, &mut opener.args_masked, opener.test.as_mut());
}

fn of_process(args: &mut Cow<'_, [String]>, args_masked: &mut bool, test: Option<&mut Test<'_>>) {
    if let Some(masked) = mask(args) {
        *args = Cow::Owned(masked);
        *args_masked = true;
    }
    let Some(test) = test else { return };
    for text in test.name.iter_mut().chain(&mut test.suite) {
        of_text(text);
    }
    if let Some(CiJob { project, workflow, name, .. }) = &mut test.ci {
        for text in project.iter_mut().chain(workflow).chain(name) {
            of_text(text);
        }
    }
}

fn of_text(text: &mut Cow<'_, str>) {
    let masked = mask_text(text);
    if masked != **text {
        *text = Cow::Owned(masked);
    }
}
