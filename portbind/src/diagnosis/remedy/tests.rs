use super::*;
use crate::diagnosis::rule::Generation;
use crate::diagnosis::{cause, other_errors};
use crate::event::{Refusal, samples};
use std::rc::Rc;

/// Codes of the remedies for a bind against java's listener, after `change`.
fn codes(search: Search, change: impl FnOnce(&mut Holder)) -> Vec<&'static str> {
    fixes(search, |_, holder| change(holder)).iter().map(|fix| fix.code).collect()
}

/// The remedies for a bind against java's listener, after `change`.
fn fixes(search: Search, change: impl FnOnce(&mut Refusal, &mut Holder)) -> Vec<Fix> {
    let mut refusal = samples::listener();
    let mut holders = [samples::held_by_java()];
    change(&mut refusal, &mut holders[0]);
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
    propose(&case, &cause, &holders)
}

/// The process of a holder.
fn owner(holder: &mut Holder) -> &mut Process {
    Rc::make_mut(&mut holder.processes[0].process)
}

/// As [`codes`], with both processes changed.
fn codes_of(change: impl FnOnce(&mut Process, &mut Holder)) -> Vec<&'static str> {
    let fixes = fixes(Search::Done, |refusal, holder| change(Rc::make_mut(&mut refusal.process), holder));
    fixes.iter().map(|fix| fix.code).collect()
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
                Rc::make_mut(&mut owner.process).pid = pid;
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

/// Makes the holder run what the caller runs.
fn same_program(caller: &Process, holder: &mut Holder) {
    let owner = owner(holder);
    (owner.exe, owner.args, owner.comm) = (caller.exe.clone(), caller.args.clone(), caller.comm.clone());
}

#[test]
fn jobs_of_one_make_and_owners_of_a_received_socket_are_not_stopped() {
    let above = |comm: &str| {
        codes_of(|caller, holder| {
            caller.ancestors[0].comm = comm.to_owned();
            owner(holder).ancestors.clone_from(&caller.ancestors);
        })
    };
    assert_eq!(above("make"), ["other-port"]);
    assert_eq!(above("bash"), ["other-port", "stop-holder"]);
    let made_by = |uid: u32| {
        codes(Search::Done, |holder| {
            holder.uid = Some(uid);
            owner(holder).uid = Some(1000);
        })
    };
    assert_eq!(made_by(65_534), ["other-port"]);
    for uid in [0, 1000] {
        assert_eq!(made_by(uid), ["other-port", "stop-holder"]);
    }
}

#[test]
fn masters_are_stopped_and_not_their_workers() {
    let command = |comm: &str, above: &[(u32, &str)]| {
        let fixes = fixes(Search::Done, |_, holder| {
            let owner = owner(holder);
            owner.comm = comm.to_owned();
            let ancestor = |(pid, comm): &(u32, &str)| crate::event::Ancestor::new(*pid, (*comm).to_owned());
            owner.ancestors = above.iter().map(ancestor).collect();
        });
        fixes.last().and_then(|fix| fix.command.as_ref().map(ToString::to_string))
    };
    assert_eq!(command("haproxy", &[(444, "haproxy"), (9, "bash")]).as_deref(), Some("kill 444"));
    let honcho = [(450, "sh"), (449, "honcho"), (448, "honcho"), (9, "bash")];
    assert_eq!(command("python3", &honcho).as_deref(), Some("kill 448"));
    for comm in ["uwsgi-core", "postgres"] {
        assert_eq!(command(comm, &[(444, "bash")]).as_deref(), Some("kill -INT 47990"));
    }
}

#[test]
fn a_client_has_the_port_whatever_the_address() {
    let connected = codes(Search::Done, |holder| {
        holder.state = State::Established;
        holder.address = [127, 0, 0, 1].into();
        holder.peer = Some(([127, 0, 0, 1].into(), 9999));
    });
    assert!(!connected.contains(&"own-address"), "{connected:?}");
}

#[test]
fn code_that_runs_twice_opens_the_port_once() {
    let parent = codes_of(|caller, holder| {
        same_program(caller, holder);
        owner(holder).pid = 48100;
    });
    assert_eq!(parent, ["open-once"]);
    let other_script = codes_of(|caller, holder| {
        same_program(caller, holder);
        owner(holder).args = vec!["python3".to_owned(), "dev.py".to_owned()];
        owner(holder).pid = 48100;
    });
    assert_eq!(other_script, ["open-once", "other-port"]);
    let workers = codes_of(|caller, holder| {
        caller.ancestors[0].comm.clone_from(&caller.comm);
        same_program(caller, holder);
        owner(holder).ancestors.clone_from(&caller.ancestors);
    });
    assert_eq!(workers, ["open-once"]);
    let two_runs = codes_of(|caller, holder| same_program(caller, holder));
    assert_eq!(two_runs, ["other-port", "stop-holder"]);
}

#[test]
fn a_server_that_changes_its_address_is_restarted() {
    let reloads = |has_worker: bool| {
        fixes(Search::Done, |refusal, holder| {
            refusal.socket.address = [127, 0, 0, 1].into();
            let worker = holder.processes[0].clone();
            *owner(holder) = (*refusal.process).clone();
            if has_worker {
                holder.processes.push(worker);
                let ancestors = vec![crate::event::Ancestor::new(refusal.process.pid, "nginx".to_owned())];
                Rc::make_mut(&mut holder.processes[1].process).ancestors = ancestors;
            }
        })
    };
    let codes = |fixes: &[Fix]| fixes.iter().map(|fix| fix.code).collect::<Vec<_>>();
    assert_eq!(codes(&reloads(true)), ["restart"]);
    assert_eq!(codes(&reloads(false)), ["one-address", "close-first"]);
    assert!(reloads(false)[0].text.ends_with("0.0.0.0 serves 127.0.0.1 as well"));
}

#[test]
fn a_socket_that_was_passed_on_is_to_be_used() {
    let passed = |exe: &str| {
        fixes(Search::Done, |refusal, holder| {
            *owner(holder) = (*refusal.process).clone();
            let opener = Process { exe: Some(exe.to_owned()), ..(*refusal.process).clone() };
            holder.opened_by = Some(Rc::new(opener));
        })
    };
    let codes = |exe| passed(exe).iter().map(|fix| fix.code).collect::<Vec<_>>();
    assert_eq!(codes("/usr/bin/systemd-socket-activate"), ["use-passed-socket"]);
    assert_eq!(codes("/usr/bin/python3.11"), ["close-first"]);
}

#[test]
fn dnsmasq_can_leave_an_address_to_others() {
    let against = |exe: &str, address: [u8; 4]| {
        fixes(Search::Done, |refusal, holder| {
            refusal.socket.address = address.into();
            owner(holder).exe = Some(exe.to_owned());
        })
    };
    assert_eq!(against("/usr/sbin/dnsmasq", [10, 0, 0, 5])[0].code, "own-address-other");
    for (exe, address) in [("/usr/sbin/dnsmasq", [0; 4]), ("/usr/bin/java", [10, 0, 0, 5])] {
        assert_eq!(against(exe, address)[0].code, "other-port", "{exe} {address:?}");
    }
}

#[test]
fn a_suspended_process_is_resumed_after_its_signal() {
    let fixes = fixes(Search::Done, |_, holder| owner(holder).is_stopped = true);
    let command = fixes.last().and_then(|fix| fix.command.as_ref()).map(ShellCommand::as_str);
    assert_eq!(command, Some("kill 47990 && kill -CONT 47990"));
    assert_eq!(ShellCommand::recorded(command.unwrap()).as_ref().map(ShellCommand::as_str), command);
}

#[test]
fn sessions_of_sshd_are_ended_and_sshd_is_not() {
    let of = |comm: &str, title: &str, caller_title: &str| {
        codes_of(|caller, holder| {
            (caller.comm, caller.args) = (comm.to_owned(), vec![caller_title.to_owned()]);
            (owner(holder).comm, owner(holder).args) = (comm.to_owned(), vec![title.to_owned()]);
        })
    };
    assert_eq!(of("sshd", "sshd: root", "sshd: root"), ["stop-holder", "other-port"]);
    assert_eq!(
        of("sshd-session", "sshd-session: ann@notty", "sshd-session: ann"),
        ["stop-holder", "other-port"]
    );
    let listener = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups";
    assert_eq!(of("sshd", listener, "sshd: root"), ["other-port"]);
}

#[test]
fn each_program_on_a_shared_port_sets_the_option_of_the_others() {
    let code = |held: (bool, bool), asked: (bool, bool)| {
        let fixes = fixes(Search::Done, |refusal, holder| {
            for socket in [&mut refusal.socket.protocol, &mut holder.protocol] {
                *socket = Protocol::Udp;
            }
            holder.state = State::Bound;
            (refusal.socket.port, holder.port) = (5353, 5353);
            (refusal.socket.uid, holder.uid) = (1000, Some(1000));
            (holder.options.reuse_address, holder.options.reuse_port) = held;
            (refusal.socket.options.reuse_address, refusal.socket.options.reuse_port) = asked;
        });
        fixes[0].code
    };
    assert_eq!(code((false, true), (true, false)), "reuse-port");
    assert_eq!(code((true, false), (false, true)), "reuse-address");
    assert_eq!(code((false, false), (true, false)), "reuse-address-other");
    assert_eq!(code((false, false), (false, false)), "reuse-address-both");
}
