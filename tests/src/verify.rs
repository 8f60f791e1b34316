//! Compares what happened with what portbind said.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use crate::event::{self, Cause, Event};
use crate::play::{Holder, Refusal};

/// How far the told time in TIME_WAIT may be from the measured one.
const TIME_WAIT_TOLERANCE_MS: u64 = 1000;
/// What a complaint about a refusal that was not told has between the step and the call.
pub const NOT_TOLD: &str = ": not told: ";
/// How long TIME_WAIT lasts.
const TIME_WAIT_MS: u64 = 60_000;

/// The events of the given processes, in order.
///
/// # Errors
///
/// The line that is no event.
pub fn events_of(lines: &[String], is_ours: impl Fn(u32) -> bool) -> Result<Vec<Event>, String> {
    let mut events = Vec::new();
    for line in lines {
        let event = event::parse(line).map_err(|error| format!("not an event: {error}\n    {line}"))?;
        events.extend(event.filter(|event| is_ours(event.process.pid)));
    }
    Ok(events)
}

/// Complaints about the events of one play; none if they are right.
#[must_use]
pub fn compare(refusals: &[Refusal], events: &[Event]) -> Vec<String> {
    let mut told: BTreeMap<u32, VecDeque<&Event>> = BTreeMap::new();
    for event in events {
        told.entry(event.process.pid).or_default().push_back(event);
    }
    let mut complaints = Vec::new();
    for refusal in refusals {
        match told.get_mut(&refusal.pid).and_then(VecDeque::pop_front) {
            None => complaints.push(format!("{}{NOT_TOLD}{}", refusal.step, call_of(refusal))),
            Some(event) => {
                for complaint in differences(refusal, event) {
                    complaints.push(format!("{}: {complaint}\n    {}", refusal.step, event.line));
                }
            }
        }
    }
    for event in told.into_values().flatten() {
        complaints.push(format!("told, but did not happen (or was told before)\n    {}", event.line));
    }
    complaints
}

/// What is wrong with one event.
fn differences(refusal: &Refusal, event: &Event) -> Vec<String> {
    let told = format!("{} {} -> {}", event.operation, event.socket.asked(), event.error.name);
    let mut wrong = Vec::new();
    if told != call_of(refusal) {
        wrong.push(format!("expected {}, told {told}", call_of(refusal)));
    }
    if let Some(protocol) = &refusal.protocol
        && event.socket.protocol != protocol.as_str()
    {
        wrong.push(format!("expected protocol {protocol}, told {}", event.socket.protocol));
    }
    let Cause { code, summary } = &event.cause;
    if refusal.cause.as_ref().is_some_and(|cause| cause != code) {
        wrong.push(format!("expected cause {:?}, told {code}", refusal.cause));
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
        wrong.push(format!("expected remedies {expected:?}, told {fixes:?}"));
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

/// The told holder is the expected one: same inode, or for those that no actor opened, same state.
fn is_meant(expected: &Holder, told: &event::Holder) -> bool {
    match expected.inode {
        Some(inode) => told.inode == Some(inode),
        None => {
            let nobody_opened = told.inode.is_none() || told.ownership.as_deref() == Some("kernel");
            nobody_opened && expected.expected.state.as_ref().is_none_or(|state| *state == told.state)
        }
    }
}

/// What is wrong with one holder.
fn holder_differences(expected: &Holder, told: &event::Holder) -> Vec<String> {
    let name = &expected.name;
    let mut wrong = Vec::new();
    if let Some(state) = &expected.expected.state
        && *state != told.state
    {
        wrong.push(format!("{name}: expected state {state}, told {}", told.state));
    }
    if let Some(ownership) = &expected.expected.ownership
        && told.ownership.as_ref() != Some(ownership)
    {
        wrong.push(format!("{name}: expected ownership {ownership}, told {:?}", told.ownership));
    }
    if let Some(uid) = expected.expected.uid
        && told.uid != Some(uid)
    {
        wrong.push(format!("{name}: expected uid {uid}, told {:?}", told.uid));
    }
    let told_pids: Vec<u32> = told.processes.iter().map(|process| process.pid).collect();
    let mut sorted = told_pids.clone();
    sorted.sort_unstable();
    if !sorted.iter().eq(expected.owners.keys()) {
        wrong.push(format!("{name}: open in {:?}, told {told_pids:?}", expected.owners));
    }
    for process in &told.processes {
        let Some(fds) = expected.owners.get(&process.pid) else { continue };
        let mut told_fds = process.fds.clone().unwrap_or_else(|| process.fd.into_iter().collect());
        told_fds.sort_unstable();
        if !told_fds.iter().eq(fds) {
            wrong.push(format!("{name}: pid {} has it as {fds:?}, told {told_fds:?}", process.pid));
        }
        if process.fd.is_some() && process.fd.as_ref() != fds.first() {
            wrong.push(format!("{name}: pid {} has it first as {fds:?}, told {:?}", process.pid, process.fd));
        }
    }
    for (word, expected, told) in
        [("opened", expected.opened_by, &told.opened_by), ("left", expected.left_by, &told.left_by)]
    {
        let told = told.as_ref().map(|process| process.pid);
        if expected.is_some() && told != expected {
            wrong.push(format!("{name}: {word} by {expected:?}, told {told:?}"));
        }
    }
    if let Some(age) = &expected.time_wait_age {
        let left =
            |age: &Duration| TIME_WAIT_MS.saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
        let (least, most) = (left(age.end()), left(age.start()));
        let right = least.saturating_sub(TIME_WAIT_TOLERANCE_MS)..=most + TIME_WAIT_TOLERANCE_MS;
        if told.time_wait_left_ms.is_none_or(|told| !right.contains(&told)) {
            let told = told.time_wait_left_ms;
            wrong.push(format!("{name}: {least} to {most} ms of TIME_WAIT left, told {told:?}"));
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

    /// A bind of pid 7 to port 80, refused for a socket that pid 5 has open as 3.
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

    /// What is to be told of it, with a change.
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

    /// A told holder.
    fn holder(inode: u64) -> serde_json::Value {
        json!({
            "state": "listen", "conflicts": true, "address": "127.0.0.1", "port": 80, "inode": inode,
            "uid": 0, "ownership": "process", "time_wait_left_ms": null,
            "opened_by": { "pid": 5, "comm": "y" }, "left_by": null,
            "processes": [{ "pid": 5, "comm": "y", "fd": 3, "fds": [3] }],
        })
    }

    /// How many complaints there are about one event.
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
