//! Compares what happened with portbind's output.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::event::{self, Cause, Event};
use crate::play::{Holder, Refusal};

/// Tolerance of the reported time in TIME_WAIT.
const TIME_WAIT_TOLERANCE_MS: u64 = 1000;
/// The text between step and call in the message about a missing refusal.
pub const NOT_TOLD: &str = ": not shown: ";
/// How long TIME_WAIT lasts.
const TIME_WAIT_MS: u64 = 60_000;

/// The events of the given processes, in order.
///
/// # Errors
///
/// The line that is not an event.
pub fn events_of(lines: &[String], is_ours: impl Fn(u32) -> bool) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for line in lines {
        let event = event::parse(line).map_err(|error| format!("not an event: {error}\n    {line}"))?;
        events.extend(event.filter(|event| is_ours(event.process.pid)));
    }
    Ok(events)
}

/// The mismatches in the events of one play; empty if they are right.
#[must_use]
pub fn compare(refusals: &[Refusal], events: &[Event]) -> Vec<String> {
    let mut shown: BTreeMap<u32, VecDeque<&Event>> = BTreeMap::new();
    for event in events {
        shown.entry(event.process.pid).or_default().push_back(event);
    }
    let mut complaints = Vec::new();
    for refusal in refusals {
        match shown.get_mut(&refusal.pid).and_then(VecDeque::pop_front) {
            None => complaints.push(format!("{}{NOT_TOLD}{}", refusal.step, call_of(refusal))),
            Some(event) => {
                for complaint in differences(refusal, event) {
                    complaints.push(format!("{}: {complaint}\n    {}", refusal.step, event.line));
                }
            }
        }
    }
    for event in shown.into_values().flatten() {
        complaints.push(format!("shown, but did not happen (or was shown before)\n    {}", event.line));
    }
    complaints
}

/// The mismatches in one event.
fn differences(refusal: &Refusal, event: &Event) -> Vec<String> {
    let shown = format!("{} {} -> {}", event.operation, event.socket.asked(), event.error.name);
    let mut wrong = Vec::new();
    if shown != call_of(refusal) {
        wrong.push(format!("expected {}, shown {shown}", call_of(refusal)));
    }
    if let Some(protocol) = &refusal.protocol
        && event.socket.protocol != protocol.as_str()
    {
        wrong.push(format!("expected protocol {protocol}, shown {}", event.socket.protocol));
    }
    let Cause { code, summary } = &event.cause;
    if refusal.cause.as_ref().is_some_and(|cause| cause != code) {
        wrong.push(format!("expected cause {:?}, shown {code}", refusal.cause));
    }
    if refusal.says.as_ref().is_some_and(|says| !summary.contains(says.as_str())) {
        wrong.push(format!("expected {:?} in: {summary}", refusal.says));
    }
    let blamed = || event.holders.iter().filter(|holder| holder.conflicts);
    if refusal.no_holder && blamed().next().is_some() {
        wrong.push("nobody is to blame, but somebody is".to_owned());
    }
    for expected in &refusal.holders {
        match blamed().find(|holder| is_meant(expected, holder)) {
            None => wrong.push(format!("the holder {} ({:?}) is not blamed", expected.name, expected.inode)),
            Some(holder) => wrong.extend(holder_differences(expected, holder)),
        }
    }
    for (label, inode) in &refusal.not_blamed {
        if blamed().any(|holder| holder.inode == Some(*inode)) {
            wrong.push(format!("{label} is blamed, but does not stand in the way"));
        }
    }
    let fixes: Vec<&String> = event.fixes.iter().map(|fix| &fix.code).collect();
    if let Some(expected) = &refusal.fixes
        && !fixes.iter().copied().eq(expected)
    {
        wrong.push(format!("expected remedies {expected:?}, shown {fixes:?}"));
    }
    let first = event.fixes.first().map_or("", |fix| fix.text.as_str());
    if refusal.fix_says.as_ref().is_some_and(|says| !first.contains(says.as_str())) {
        wrong.push(format!("expected {:?} in the remedy: {first}", refusal.fix_says));
    }
    if !refusal.others && !refusal.holders.is_empty() {
        for holder in blamed() {
            if !refusal.holders.iter().any(|expected| is_meant(expected, holder)) {
                wrong.push(format!("a {} socket with inode {:?} is blamed, too", holder.state, holder.inode));
            }
        }
    }
    wrong
}

/// Whether the reported holder is the expected one: same inode, or for sockets that no actor opened, same state.
fn is_meant(expected: &Holder, shown: &event::Holder) -> bool {
    match expected.inode {
        Some(inode) => shown.inode == Some(inode),
        None => {
            let nobody_opened = shown.inode.is_none() || shown.ownership.as_deref() == Some("kernel");
            nobody_opened && expected.expected.state.as_ref().is_none_or(|state| *state == shown.state)
        }
    }
}

/// The mismatches in one holder.
fn holder_differences(expected: &Holder, shown: &event::Holder) -> Vec<String> {
    let name = &expected.name;
    let mut wrong = Vec::new();
    if let Some(state) = &expected.expected.state
        && *state != shown.state
    {
        wrong.push(format!("{name}: expected state {state}, shown {}", shown.state));
    }
    if let Some(ownership) = &expected.expected.ownership
        && shown.ownership.as_ref() != Some(ownership)
    {
        wrong.push(format!("{name}: expected ownership {ownership}, shown {:?}", shown.ownership));
    }
    if let Some(uid) = expected.expected.uid
        && shown.uid != Some(uid)
    {
        wrong.push(format!("{name}: expected uid {uid}, shown {:?}", shown.uid));
    }
    let shown_pids: Vec<u32> = shown.processes.iter().map(|process| process.pid).collect();
    let mut sorted = shown_pids.clone();
    sorted.sort_unstable();
    if !sorted.iter().eq(expected.owners.keys()) {
        wrong.push(format!("{name}: open in {:?}, shown {shown_pids:?}", expected.owners));
    }
    for process in &shown.processes {
        let Some(fds) = expected.owners.get(&process.pid) else { continue };
        let mut shown_fds = process.fds.clone().unwrap_or_else(|| process.fd.into_iter().collect());
        shown_fds.sort_unstable();
        if !shown_fds.iter().eq(fds) {
            wrong.push(format!("{name}: pid {} has it as {fds:?}, shown {shown_fds:?}", process.pid));
        }
        if process.fd.is_some() && process.fd.as_ref() != fds.first() {
            wrong
                .push(format!("{name}: pid {} has it first as {fds:?}, shown {:?}", process.pid, process.fd));
        }
    }
    for (word, expected, shown) in
        [("opened", expected.opened_by, &shown.opened_by), ("left", expected.left_by, &shown.left_by)]
    {
        let shown = shown.as_ref().map(|process| process.pid);
        if expected.is_some() && shown != expected {
            wrong.push(format!("{name}: {word} by {expected:?}, shown {shown:?}"));
        }
    }
    if let Some(age) = &expected.time_wait_age {
        let left =
            |age: &Duration| TIME_WAIT_MS.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let (least, most) = (left(age.end()), left(age.start()));
        let right = least.saturating_sub(TIME_WAIT_TOLERANCE_MS)..=most + TIME_WAIT_TOLERANCE_MS;
        if shown.time_wait_left_ms.is_none_or(|shown| !right.contains(&shown)) {
            let shown = shown.time_wait_left_ms;
            wrong.push(format!("{name}: {least} to {most} ms of TIME_WAIT left, shown {shown:?}"));
        }
    }
    wrong
}

/// The call and its result in one line.
fn call_of(refusal: &Refusal) -> String {
    format!("{} {} -> {}", refusal.operation, refusal.asked, refusal.error)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;
    use crate::scenario::ExpectedHolder;

    /// A refused bind of pid 7 to port 80; pid 5 has the holder open as descriptor 3.
    fn refusal() -> Refusal {
        Refusal {
            step: "step 1".to_owned(),
            pid: 7,
            operation: "bind".to_owned(),
            error: "EADDRINUSE".to_owned(),
            asked: "127.0.0.1:80".to_owned(),
            cause: Some("listener".to_owned()),
            says: Some("listens".to_owned()),
            protocol: None,
            holders: vec![Holder {
                name: "old".to_owned(),
                inode: Some(99),
                expected: ExpectedHolder::default(),
                owners: [(5, BTreeSet::from([3]))].into(),
                time_wait_age: None,
                opened_by: Some(5),
                left_by: None,
            }],
            no_holder: false,
            others: false,
            not_blamed: BTreeMap::from([("other".to_owned(), 98)]),
            fixes: Some(vec!["wait".to_owned()]),
            fix_says: Some("until".to_owned()),
        }
    }

    /// The expected event with a change.
    fn changed(change: impl FnOnce(&mut serde_json::Value)) -> Event {
        let mut value = json!({
            "kind": "refusal", "operation": "bind", "error": { "name": "EADDRINUSE" }, "backend": "fexit",
            "process": { "pid": 7, "comm": "x", "uid": 0 },
            "socket": { "family": "inet", "protocol": "tcp", "address": "127.0.0.1", "port": 80 },
            "holders": [holder(99)],
            "cause": { "code": "listener", "summary": "it listens there" },
            "fixes": [{ "code": "wait", "text": "wait until" }],
        });
        change(&mut value);
        event::parse(&value.to_string()).unwrap().unwrap()
    }

    /// A reported holder.
    fn holder(inode: u64) -> serde_json::Value {
        json!({
            "state": "listen", "conflicts": true, "address": "127.0.0.1", "port": 80, "inode": inode,
            "uid": 0, "ownership": "process", "time_wait_left_ms": null,
            "opened_by": { "pid": 5, "comm": "y" }, "left_by": null,
            "processes": [{ "pid": 5, "comm": "y", "fd": 3, "fds": [3] }],
        })
    }

    /// The number of mismatches in one event.
    fn complaints(change: impl FnOnce(&mut serde_json::Value)) -> usize {
        compare(&[refusal()], &[changed(change)]).len()
    }

    #[test]
    fn all_that_is_right_passes() {
        assert_eq!(complaints(|_| {}), 0);
    }

    #[test]
    fn all_that_is_wrong_is_seen() {
        assert_eq!(complaints(|event| event["operation"] = json!("listen")), 1);
        assert_eq!(complaints(|event| event["error"]["name"] = json!("EACCES")), 1);
        assert_eq!(complaints(|event| event["socket"]["port"] = json!(0)), 1);
        assert_eq!(complaints(|event| event["socket"]["path"] = json!("/a")), 1);
        assert_eq!(complaints(|event| event["cause"]["code"] = json!("vanished")), 1);
        assert_eq!(complaints(|event| event["cause"]["summary"] = json!("no idea")), 1);
        assert_eq!(complaints(|event| event["holders"] = json!([])), 1);
        assert_eq!(complaints(|event| event["holders"][0]["conflicts"] = json!(false)), 1);
        assert_eq!(complaints(|event| event["holders"][0]["processes"] = json!([])), 1);
        assert_eq!(complaints(|event| event["holders"][0]["processes"][0]["fds"] = json!([3, 4])), 1);
        assert_eq!(complaints(|event| event["holders"] = json!([holder(99), holder(97)])), 1);
        assert_eq!(complaints(|event| event["holders"] = json!([holder(99), holder(98)])), 2);
        assert_eq!(complaints(|event| event["process"]["pid"] = json!(8)), 2);
        assert_eq!(complaints(|event| event["cause"]["code"] = json!("wildcard")), 1);
        assert_eq!(complaints(|event| event["fixes"] = json!([])), 2);
        assert_eq!(complaints(|event| event["fixes"][0]["text"] = json!("stop")), 1);
        assert_eq!(complaints(|event| event["holders"][0]["opened_by"]["pid"] = json!(6)), 1);
    }

    #[test]
    fn each_refusal_is_shown_once() {
        assert_eq!(compare(&[refusal()], &[]).len(), 1);
        assert_eq!(compare(&[refusal()], &[changed(|_| {}), changed(|_| {})]).len(), 1);
    }

    #[test]
    fn the_time_left_is_measured() {
        let mut refusal = refusal();
        refusal.holders[0].inode = None;
        refusal.holders[0].owners.clear();
        refusal.holders[0].expected.state = Some("time_wait".to_owned());
        refusal.holders[0].time_wait_age = Some(Duration::from_secs(2)..=Duration::from_secs(3));
        let event = |left: u64| {
            changed(|event| {
                event["holders"][0]["state"] = json!("time_wait");
                event["holders"][0]["inode"] = json!(null);
                event["holders"][0]["processes"] = json!([]);
                event["holders"][0]["time_wait_left_ms"] = json!(left);
            })
        };
        assert_eq!(compare(std::slice::from_ref(&refusal), &[event(58_900)]).len(), 0);
        assert_eq!(compare(std::slice::from_ref(&refusal), &[event(56_000)]).len(), 0);
        assert_eq!(compare(std::slice::from_ref(&refusal), &[event(55_900)]).len(), 1);
        assert_eq!(compare(std::slice::from_ref(&refusal), &[event(59_100)]).len(), 1);
    }
}
