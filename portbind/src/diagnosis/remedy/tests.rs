use super::*;
use crate::diagnosis::rule::Generation;
use crate::diagnosis::{cause, other_errors};
use crate::event::samples;

/// Codes of the remedies for a bind against java's listener, after `change`.
fn codes(search: Search, change: impl FnOnce(&mut Holder)) -> Vec<&'static str> {
    let refusal = samples::listener();
    let mut holders = [samples::held_by_java()];
    change(&mut holders[0]);
    let ports = PortFacts { free_port: Some(8081), ..PortFacts::default() };
    let bind_facts = other_errors::Facts::unknown(State::Bound);
    let case = Case {
        generation: Generation::NEWEST,
        error: refusal.error,
        operation: refusal.operation,
        process: &refusal.process,
        socket: &refusal.socket,
        search,
        connected_only: false,
        history: &[],
        ports: &ports,
        bind_facts: &bind_facts,
    };
    cause::find_conflicts(&case, &mut holders);
    let cause = cause::decide(&case, &holders);
    propose(&case, &cause, &holders).iter().map(|fix| fix.code).collect()
}

#[test]
fn a_listener_is_stopped_or_left_alone() {
    assert_eq!(codes(Search::Done, |_| {}), ["other-port", "stop-holder"]);
}

#[test]
fn where_holders_may_be_missing_only_independent_remedies_are_offered() {
    assert_eq!(codes(Search::Truncated, |_| {}), ["other-port"]);
}

#[test]
fn nobody_is_advised_to_kill_the_first_process_or_the_caller_s_own_parent() {
    for pid in [1, 48100] {
        let codes = codes(Search::Done, |holder| {
            for owner in &mut holder.processes {
                std::rc::Rc::make_mut(&mut owner.process).pid = pid;
            }
        });
        assert_eq!(codes, ["other-port"], "pid {pid}");
    }
}

#[test]
fn a_port_is_not_shared_with_a_stranger_who_never_wanted_to() {
    let codes = codes(Search::Done, |holder| holder.options.reuse_port = false);
    assert!(!codes.iter().any(|code| code.starts_with("reuse-port")), "{codes:?}");
}

#[test]
fn a_port_is_reserved_once() {
    let facts = |reserved: &str| PortFacts {
        ephemeral: Some((32768, 60999)),
        reserved: Some(reserved.to_owned()),
        ..PortFacts::default()
    };
    let command = |port, reserved: &str| {
        reservation(port, &facts(reserved)).and_then(|fix| fix.command).map(|command| command.to_string())
    };
    let sysctl = |value: &str| Some(format!("sysctl -w net.ipv4.ip_local_reserved_ports={value}"));
    assert_eq!(command(40_000, ""), sysctl("40000"));
    assert_eq!(command(40_000, "8080,9000-9010"), sysctl("8080,9000-9010,40000"));
    for (port, reserved) in [(40_000, "40000"), (40_000, "39999-40001"), (8080, ""), (61_000, "")] {
        assert_eq!(command(port, reserved), None, "{port} {reserved}");
    }
    assert_eq!(reservation(40_000, &PortFacts::default()), None);
}
