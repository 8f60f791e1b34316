use std::net::IpAddr;

use super::*;
use crate::event::{Options, samples};

const RANGE: Option<(u16, u16)> = Some((32_768, 60_999));

fn listener() -> Holder {
    samples::held_by_java()
}

fn connection(port: u16) -> Holder {
    let peer: IpAddr = "192.0.2.1".parse().unwrap();
    Holder {
        state: State::Established,
        address: "192.0.2.7".parse().unwrap(),
        port,
        peer: Some((peer, 443)),
        ..listener()
    }
}

#[test]
fn clients_and_servers_are_distinct() {
    let at = |address: &str| Holder { address: address.parse().unwrap(), port: 40_000, ..listener() };
    let closed = |peer_port| Holder {
        state: State::TimeWait,
        ownership: Ownership::TimeWait,
        peer: Some(("192.0.2.1".parse().unwrap(), peer_port)),
        ..connection(40_000)
    };
    let rows = [
        (closed(443), vec![], false),
        (closed(50_000), vec![], true),
        (closed(443), vec![at("0.0.0.0")], true),
        (connection(40_000), vec![], false),
        (connection(8080), vec![], true),
        (connection(40_000), vec![at("0.0.0.0")], true),
        (connection(40_000), vec![at("::")], true),
        (connection(40_000), vec![at("192.0.2.7")], true),
        (connection(40_000), vec![at("127.0.0.1")], false),
        (connection(40_000), vec![Holder { state: State::Bound, ..at("0.0.0.0") }], false),
        (Holder { ownership: Ownership::NotAccepted, ..connection(40_000) }, vec![], true),
        (at("0.0.0.0"), vec![], true),
    ];
    for (holder, others, expected) in rows {
        assert_eq!(is_served(&holder, &others, RANGE), expected, "{holder:?}");
    }
    assert!(is_outgoing(&[connection(40_000), connection(40_000)], RANGE));
    assert!(!is_outgoing(&[connection(40_000), at("127.0.0.1")], RANGE));
    assert!(!is_outgoing(&[], RANGE));
}

#[test]
fn the_rule_is_asked_for_bind_and_listen() {
    let with = |reuse_address, reuse_port| Options { reuse_address, reuse_port, v6_only: false };
    let asked = |options| Socket { options, ..samples::listener().socket };
    let held = |state, options| Holder { state, options, ..listener() };
    let rows = [
        (with(false, false), State::Listen, with(true, false), false),
        (with(true, false), State::Listen, with(true, false), false),
        (with(true, false), State::Bound, with(true, false), true),
        (with(true, false), State::TimeWait, with(false, false), false),
        (with(false, true), State::Listen, with(false, true), true),
    ];
    for (asking, state, holding, expected) in rows {
        let holders = [held(state, holding)];
        assert_eq!(
            would_pass(Generation::NEWEST, &asked(asking), &holders),
            expected,
            "{asking:?} {state:?}"
        );
    }
    assert!(would_pass(Generation::NEWEST, &asked(with(false, false)), &[]));
}

#[test]
fn a_listener_accepts_on_all_that_it_covers() {
    let at = |address: &str, v6_only| Holder {
        address: address.parse().unwrap(),
        options: Options { v6_only, ..Options::default() },
        ..listener()
    };
    for (bound, v6_only, wanted, expected) in [
        ("0.0.0.0", false, "127.0.0.1", true),
        ("0.0.0.0", false, "::1", false),
        ("::", false, "127.0.0.1", true),
        ("::", true, "127.0.0.1", false),
        ("::", true, "::1", true),
        ("127.0.0.1", false, "127.0.0.1", true),
        ("127.0.0.1", false, "127.0.0.2", false),
        ("127.0.0.1", false, "0.0.0.0", false),
        ("::ffff:127.0.0.1", false, "127.0.0.1", true),
    ] {
        let wanted = wanted.parse().unwrap();
        assert_eq!(accepts(&at(bound, v6_only), Some(wanted)), expected, "{bound} {wanted}");
    }
    assert!(accepts(&at("127.0.0.1", false), None));
    assert!(!accepts(&Holder { state: State::Bound, ..listener() }, None));
    assert!(!accepts(&connection(8080), None));
}

#[test]
fn unknown_options_are_thought_well_of() {
    let asked = |reuse_address| Socket {
        options: Options { reuse_address, ..Options::default() },
        ..samples::listener().socket
    };
    let left = |options_known| Holder {
        state: State::TimeWait,
        ownership: Ownership::TimeWait,
        options: Options::default(),
        options_known,
        ..listener()
    };
    let may = |reuse_address, known| may_pass(Generation::NEWEST, &asked(reuse_address), &[left(known)]);
    assert!(may(true, false));
    assert!(!may(true, true) && !may(false, false));
    assert!(!may_pass(Generation::NEWEST, &asked(true), &[Holder { options_known: false, ..listener() }]));
}

#[test]
fn options_come_from_the_listener_or_a_trial() {
    let unknown = |address: &str| Holder {
        address: address.parse().unwrap(),
        options: Options::default(),
        options_known: false,
        ..connection(8080)
    };
    let server = Holder { address: "127.0.0.1".parse().unwrap(), ..listener() };
    for (passes_with, expected) in [((false, false), (false, false)), ((true, false), (true, false))] {
        let mut holders = [server.clone(), unknown("127.0.0.1"), unknown("127.0.0.2")];
        guess_options(&mut holders, passes_with);
        let shown = |holder: &Holder| (holder.options.reuse_address, holder.options.reuse_port);
        assert_eq!((shown(&holders[1]), shown(&holders[2])), ((true, false), expected));
    }
}
