//! Finds the errors in the lines of a log, each reported once.

use std::collections::VecDeque;

use super::clean::clean;
use super::log_error::{Complaint, MAX_TEXT, Target};
use super::matcher::{Hit, Matcher, table};
use super::own::Own;
use super::prefix;
use super::quotes::Quotes;
use super::time::Clock;
use super::wording::{Role, Wording};

/// The greatest distance in lines between two lines about one refused bind. The frames of a stack trace do not count.
const WINDOW: u32 = 20;
/// The lines before an error in which a program may say where it starts to listen.
const LISTENING: usize = 8;
/// Bytes of an earlier line that are kept, to search them for an address.
const KEPT: usize = 512;
/// The most errors that wait for their neighbouring lines.
const MAX_WAITING: usize = 64;

/// Finds errors in a log.
pub struct Finder {
    clock: Clock,
    number: u64,
    any: bool,
    own: Own,
    quotes: Quotes,
    earlier: VecDeque<Vec<u8>>,
    waiting: VecDeque<Waiting>,
}

/// An error whose neighbouring lines are still to come.
struct Waiting {
    complaint: Complaint,
    /// Lines since the last line about this error.
    age: u32,
}

impl Finder {
    /// A finder for a log whose timestamps `clock` interprets.
    #[must_use]
    pub fn new(clock: Clock) -> Self {
        let (own, quotes) = (Own::default(), Quotes::default());
        Self { clock, number: 0, any: false, own, quotes, earlier: VecDeque::new(), waiting: VecDeque::new() }
    }

    /// Takes the next line, without its newline. Returns a complete error, if there is one; [`Finder::complete`] may
    /// return more.
    pub fn line(&mut self, line: &[u8]) -> Option<Complaint> {
        self.number += 1;
        let table = table()?;
        let line = clean(line);
        let is_seen = table.sees(&line);
        if self.own.takes(&line, is_seen) {
            self.forget_own_headline();
            return self.complete();
        }
        if self.quotes.takes(&line) {
            return self.complete();
        }
        match is_seen.then(|| table.find(&line)).flatten() {
            Some(hit) => self.hit(table, hit, &line),
            None => self.neighbour(table, &line),
        }
        self.remember(&line);
        self.complete()
    }

    /// Returns an error to which no later line can add.
    pub fn complete(&mut self) -> Option<Complaint> {
        let first = self.waiting.front()?;
        let is_done = first.age > WINDOW || self.waiting.len() > MAX_WAITING;
        is_done.then(|| self.waiting.pop_front()).flatten().map(|waiting| waiting.complaint)
    }

    /// The remaining errors at the end of the log, in order.
    pub fn finish(self) -> impl Iterator<Item = Complaint> {
        self.waiting.into_iter().map(|waiting| waiting.complaint)
    }

    fn hit(&mut self, table: &Matcher, hit: Hit, line: &[u8]) {
        if hit.wording.role == Role::Recap && self.any {
            return;
        }
        self.any = true;
        let Hit { wording, mut targets, pid } = hit;
        if targets.is_empty() {
            targets.push(Target::default());
        }
        // Of one line, no answer repeats another.
        let before = self.waiting.len();
        for target in targets {
            let complaint = self.complaint(wording, target, pid, line);
            self.take(table, complaint, before);
        }
    }

    fn take(&mut self, table: &Matcher, mut complaint: Complaint, before: usize) {
        let earlier = self.waiting.iter_mut().take(before).rev();
        if let Some(waiting) = earlier.into_iter().find(|waiting| waiting.repeats(&complaint)) {
            waiting.add(complaint);
            return;
        }
        if !complaint.target.is_known()
            && let Some(target) = self.detail_before(table, complaint.wording)
        {
            complaint.target.fill(target);
        }
        self.waiting.push_back(Waiting { complaint, age: 0 });
    }

    /// The address that an earlier line names: in the words of the same program, or because it says where it listens.
    fn detail_before(&self, table: &Matcher, wording: &Wording) -> Option<Target> {
        let listening = || self.earlier.iter().rev().take(LISTENING).find_map(|line| table.listening(line));
        self.earlier.iter().rev().find_map(|line| table.detail(wording, line)).or_else(listening)
    }

    /// Forgets the error that `explain` printed as a headline above its own lines.
    fn forget_own_headline(&mut self) {
        let last = self.waiting.back().map(|waiting| &waiting.complaint);
        if last.is_some_and(|last| last.line + 1 == self.number && is_headline(&last.text)) {
            self.waiting.pop_back();
        }
    }

    fn complaint(
        &self,
        wording: &'static Wording,
        target: Target,
        pid: Option<u32>,
        line: &[u8],
    ) -> Complaint {
        let (program, prefix) = prefix::program(line).unzip();
        let kept = line.get(..MAX_TEXT).unwrap_or(line);
        Complaint {
            line: self.number,
            repeats: 0,
            text: String::from_utf8_lossy(kept).trim().to_owned(),
            wording,
            time: self.clock.read(line),
            program,
            pid: pid.or(prefix),
            target,
        }
    }

    /// Takes a line without an error: it may contain the address for an earlier error.
    fn neighbour(&mut self, table: &Matcher, line: &[u8]) {
        let is_frame = is_frame(line);
        for waiting in &mut self.waiting {
            let complaint = &mut waiting.complaint;
            // PostgreSQL names the address in one line, and the port in the hint behind it.
            let hint = || complaint.target.address.is_some().then(|| table.hint(line)).flatten();
            if !complaint.target.is_known()
                && let Some(target) =
                    table.detail(complaint.wording, line).or_else(|| table.field(line)).or_else(hint)
            {
                complaint.target.fill(target);
            }
            waiting.age = waiting.age.saturating_add(u32::from(!is_frame));
        }
    }

    fn remember(&mut self, line: &[u8]) {
        let mut kept = match self.earlier.len() < usize::try_from(WINDOW).unwrap_or(usize::MAX) {
            true => Vec::new(),
            false => self.earlier.pop_front().unwrap_or_default(),
        };
        kept.clear();
        kept.extend_from_slice(line.get(..KEPT).unwrap_or(line));
        self.earlier.push_back(kept);
    }
}

impl Waiting {
    /// Whether `other` is about the same refused bind, or about another attempt of the same process.
    fn repeats(&self, other: &Complaint) -> bool {
        let this = &self.complaint;
        if !this.target.agrees(&other.target) || this.pid.zip(other.pid).is_some_and(|(one, two)| one != two)
        {
            return false;
        }
        let is_same_row = std::ptr::eq(this.wording, other.wording);
        let is_known = (this.target.is_known(), other.target.is_known());
        let is_retry = is_same_row && this.pid.is_some() && is_known == (true, true);
        let is_an_echo = other.wording.role == Role::Echo || this.wording.role == Role::Echo && !is_same_row;
        let is_echo = is_an_echo && this.wording.may_be_with(other.wording);
        let is_said_twice = is_known == (true, true)
            && !is_same_row
            && (this.wording.is_of_any() || other.wording.is_of_any());
        // Words that any program may print, and a line with more details.
        let is_of_any = this.wording.is_of_any() || other.wording.is_of_any();
        let adds =
            is_known.0 != is_known.1 && is_of_any && !is_same_row && !this.is_of_another_program(other);
        let is_next = is_known.0 != is_known.1 && is_same_row && is_of_any && this.line + 1 == other.line;
        is_retry || is_echo || is_said_twice || adds || is_next
    }

    fn add(&mut self, other: Complaint) {
        let this = &mut self.complaint;
        let is_known = this.target.is_known();
        // The line with the address is the most informative, unless only the other one is in known words.
        let is_better = !other.wording.is_of_any() || this.wording.is_of_any();
        if is_known && this.wording.is_of_any() && !other.wording.is_of_any() {
            this.wording = other.wording;
        }
        if !is_known && is_better && (other.target.is_known() || this.wording.is_of_any()) {
            this.wording = other.wording;
        }
        if !is_known && is_better && other.target.is_known() {
            this.text = other.text;
            this.line = other.line;
        }
        this.repeats += 1;
        this.time = this.time.or(other.time);
        this.program = this.program.take().or(other.program);
        this.pid = this.pid.or(other.pid);
        this.target.fill_address(other.target.clone());
        this.target.fill(other.target);
        self.age = 0;
    }
}

/// Whether `explain` may have printed the line above an explanation: `line 7: ...`.
fn is_headline(text: &str) -> bool {
    let number = text.strip_prefix("line ").and_then(|rest| rest.split_once(": "));
    number.is_some_and(|(number, _)| number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Whether the line is a stack frame of the JVM, Node.js, .NET, Ruby or Python.
fn is_frame(line: &[u8]) -> bool {
    let line = line.trim_ascii_start();
    [&b"at "[..], b"from ", b"... ", b"File \""].iter().any(|start| line.starts_with(start))
}
