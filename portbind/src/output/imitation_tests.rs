//! Tests that names cannot imitate the text around them, and that secrets in arguments are not written.

use std::rc::Rc;

use super::text::command::{Beside, CommandReport};
use super::{Document as _, Format, Printer, Style, recorder};
use crate::diagnosis::by_cause::ByCause;
use crate::diagnosis::{cause, facts, other_errors};
use crate::event::{
    Code, Command, CommandEnd, Ending, Interface, Job, Leak, Process, Refusal, Repeat, Test, samples,
};
use crate::report::ci;
use crate::report::{Collector, print as report};
use crate::secrets::Secrets;
use crate::wire;

/// A name that continues like a sentence, a line and a remedy of portbind.
const NAME: &str = "x: kill -9 1 \u{2192} EADDRINUSE\n  fix       stop it: rm -rf /  [listener]";
const SECRET: &str = "hunter2hunter2";

fn renamed(process: &mut Process) {
    process.comm = NAME.to_owned();
    process.exe = Some(format!("/tmp/{NAME}"));
    process.user = Some(NAME.to_owned());
    process.unit = Some(format!("{NAME}.service"));
    process.ancestors.iter_mut().for_each(|ancestor| ancestor.comm = NAME.to_owned());
    process.args =
        ["srv", "--password", SECRET, "--url", "https://a:hunter2hunter2@b/"].map(str::to_owned).to_vec();
    if let Some(Job { test: Some(test), .. }) = process.job.as_deref_mut() {
        test.name = Some(format!("{NAME} token={SECRET}"));
    }
    if let Some(container) = &mut process.container {
        container.name = Some(NAME.to_owned());
    }
}

/// A refusal in which every name is [`NAME`].
fn refusal() -> Refusal {
    let mut refusal = samples::people();
    renamed(Rc::make_mut(&mut refusal.process));
    refusal.socket.netns_name = Some(NAME.to_owned());
    refusal.socket.interface = Some(Interface { index: 2, name: Some(NAME.to_owned()) });
    for holder in &mut refusal.holders {
        holder.processes.iter_mut().for_each(|owner| renamed(Rc::make_mut(&mut owner.process)));
        holder.interface = Some(Interface { index: 2, name: Some(NAME.to_owned()) });
        holder.user = Some(NAME.to_owned());
        holder.opened_by = Some(Rc::clone(&refusal.process));
        holder.left_by = Some(Rc::clone(&refusal.process));
    }
    refusal.fixes = samples::fixes();
    refusal.cause.summary = sentence();
    refusal
}

/// A sentence of a cause, made with [`NAME`].
fn sentence() -> String {
    let usage = facts::Usage {
        states: vec![(crate::event::State::Bound, 1)],
        processes: vec![(NAME.to_owned(), 7, 1)],
    };
    usage.summary().unwrap()
}

/// Whether the name appears only in double quotes.
fn is_quoted(line: &str) -> bool {
    line.match_indices("kill -9").all(|(at, _)| {
        let before = line[..at].replace("\\\\", "").replace("\\\"", "");
        before.matches('"').count() % 2 == 1
    })
}

fn command(refusal: &Refusal) -> (Command, CommandEnd, ByCause) {
    let mut tally = ByCause::default();
    tally.push(&Rc::new(refusal.clone()));
    let args = [NAME, "--token", SECRET].map(str::to_owned).to_vec();
    let command = Command { time: refusal.time, pid: 7, args, uid: 1000, user: None, job: None };
    let end = CommandEnd { time: refusal.time, started: refusal.time, ending: Ending::Exited(1) };
    (command, end, tally)
}

/// Everything that the text formats print of a refusal.
fn printed() -> Vec<String> {
    let refusal = refusal();
    let mut all = Vec::new();
    let formats = Format::ALL.iter().filter(|format| **format != Format::Json);
    for (&format, width) in formats.flat_map(|format| [None, Some(60), Some(80)].map(|width| (format, width)))
    {
        let mut printer =
            Printer::new(format, Style { width, history: true, ..Style::default() }, Vec::new());
        printer.event(&refusal).unwrap();
        let repeat = Repeat {
            time: refusal.time,
            first: refusal.time,
            last: refusal.time,
            refused: Some(refusal.time),
            count: 2,
            looked_at: true,
            process: Rc::clone(&refusal.process),
            socket: refusal.socket.clone(),
            cause: Some(refusal.cause.code),
        };
        printer.repeat(&repeat).unwrap();
        all.push(String::from_utf8(printer.into_inner()).unwrap());
    }
    let (command, end, tally) = command(&refusal);
    let groups = tally.groups(refusal.time);
    let leaks = [Leak { time: refusal.time, netns: 1, socket: refusal.holders[0].clone() }];
    let shown = CommandReport {
        command: &command,
        end: &end,
        groups: &groups,
        refusals: 1,
        lost: 0,
        leaks: &leaks,
        beside: Beside::default(),
    };
    for system in [
        ci::System::Github,
        ci::System::Gitlab,
        ci::System::Azure,
        ci::System::Buildkite,
        ci::System::Jenkins,
    ] {
        let mut out = Vec::new();
        ci::write(system, &shown, &ci::Page::Nowhere, &Style::default(), &mut out).unwrap();
        all.push(String::from_utf8(out).unwrap().replace("%0A", "\n"));
    }
    let mut out = Vec::new();
    collected(&refusal).text(&Style::default(), &mut out).unwrap();
    all.push(String::from_utf8(out).unwrap());
    all
}

fn collected(refusal: &Refusal) -> crate::report::Report {
    let mut collector = Collector::default();
    collector.command(&wire::Command::from(&command(refusal).0));
    collector.refusal(&wire::Refusal::from(refusal));
    collector.finish()
}

#[test]
fn names_are_delimited_in_every_line() {
    for text in printed() {
        assert!(text.contains("kill"), "{text}");
        for line in text.lines() {
            assert!(is_quoted(line), "{line}\n{text}");
            assert!(!line.trim_start().starts_with("fix       stop it"), "{text}");
        }
    }
}

/// A `brief` line has the same number of words for all names.
#[test]
fn names_shift_no_columns() {
    let words = |refusal: &Refusal| {
        let mut printer = Printer::new(Format::Brief, Style::default(), Vec::new());
        printer.event(refusal).unwrap();
        let text = String::from_utf8(printer.into_inner()).unwrap();
        text.lines().map(|line| line.split_whitespace().count()).collect::<Vec<_>>()
    };
    assert_eq!(words(&refusal()), words(&samples::listener()));
}

#[test]
fn sentences_are_made_with_delimited_names() {
    let mut refusal = refusal();
    assert!(is_quoted(&sentence()));
    let process = Rc::clone(&refusal.process);
    let (ports, facts) =
        (facts::PortFacts::default(), other_errors::Facts::unknown(crate::event::State::Bound));
    // Without an executable, the name of a process is the one that it chose.
    let opener = Process { pid: 99, exe: None, ..(*process).clone() };
    refusal.holders[0].processes.iter_mut().for_each(|owner| Rc::make_mut(&mut owner.process).exe = None);
    refusal.holders[0].opened_by = Some(Rc::new(opener));
    let case = cause::Case {
        generation: crate::diagnosis::rule::Generation::NEWEST,
        error: refusal.error,
        operation: refusal.operation,
        process: &process,
        socket: &refusal.socket,
        search: cause::Search::Done,
        connected_only: false,
        history: &[],
        ports: &ports,
        bind_facts: &facts,
    };
    let cause = cause::decide(&case, &refusal.holders);
    assert_eq!(cause.code, Code::Inherited);
    assert!(cause.summary.contains("kill -9") && is_quoted(&cause.summary), "{}", cause.summary);
    for fix in crate::diagnosis::remedy::propose(&case, &cause, &refusal.holders) {
        assert!(is_quoted(&fix.text.replace("kill 1", "")), "{}", fix.text);
    }
    let no_device =
        other_errors::explain(crate::event::Errno(19), refusal.operation, &refusal.socket, &facts);
    assert!(no_device.summary.contains("kill -9") && is_quoted(&no_device.summary), "{}", no_device.summary);
}

#[test]
fn secrets_are_in_no_output() {
    let refusal = refusal();
    for text in printed() {
        assert!(!text.contains(SECRET), "{text}");
    }
    let (command, ..) = command(&refusal);
    let mut page = Vec::new();
    report::html(&collected(&refusal), &mut page).unwrap();
    assert!(!String::from_utf8(page).unwrap().contains(SECRET));
    for (secrets, is_shown) in [(Secrets::Masked, false), (Secrets::Shown, true)] {
        let mut printer = Printer::new(Format::Json, Style { secrets, ..Style::default() }, Vec::new());
        printer.event(&refusal).unwrap();
        let mut recorder = recorder::Recorder::new(Vec::new()).with_secrets(secrets);
        recorder.write(recorder::Entry::Command(&command)).unwrap();
        for line in [printer.into_inner(), recorder.into_inner()].map(|line| String::from_utf8(line).unwrap())
        {
            assert_eq!(line.contains(SECRET), is_shown, "{line}");
            assert_eq!(line.contains("\"args_masked\":true"), !is_shown, "{line}");
        }
    }
}

/// Masking changes neither a test without secrets nor the line of a process without secrets.
#[test]
fn words_that_are_no_secrets_are_written_as_they_are() {
    let mut refusal = samples::people();
    Rc::make_mut(&mut refusal.process).job = Some(Box::new(Job {
        test: Some(Test { name: Some("t.py::t[a=b]".to_owned()), ..Test::default() }),
        ci: None,
    }));
    let line = |secrets| {
        let mut printer = Printer::new(Format::Json, Style { secrets, ..Style::default() }, Vec::new());
        printer.event(&refusal).unwrap();
        printer.into_inner()
    };
    assert_eq!(line(Secrets::Masked), line(Secrets::Shown));
}
