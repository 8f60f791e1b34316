//! The rule as tables, one case per row, and the properties that hold for all sockets.

use std::net::IpAddr;

use proptest::prelude::*;

use super::*;

const OLD: Generation = Generation::new(5, 10);
const NEW: Generation = Generation::NEWEST;

/// A socket in short notation: `address [v6only] [RA] [RP] [uid=N] [dev=N] [vrf=N]`.
fn endpoint(words: &str) -> Endpoint {
    let mut words = words.split(' ');
    let address = words.next().unwrap().parse().unwrap();
    let mut endpoint = Endpoint {
        address,
        v6_only: false,
        device: 0,
        master: 0,
        reuse_address: false,
        reuse_port: false,
        uid: 0,
    };
    for word in words {
        match word.split_once('=') {
            None if word == "v6only" => endpoint.v6_only = true,
            None if word == "RA" => endpoint.reuse_address = true,
            None if word == "RP" => endpoint.reuse_port = true,
            Some(("uid", uid)) => endpoint.uid = uid.parse().unwrap(),
            Some(("dev", device)) => endpoint.device = device.parse().unwrap(),
            Some(("vrf", master)) => endpoint.master = master.parse().unwrap(),
            _ => panic!("{word} is no word of this table"),
        }
    }
    endpoint
}

fn asked(words: &str) -> Asked {
    Asked {
        transport: Transport::Tcp,
        endpoint: endpoint(words),
        port: Port::Given,
        listening: false,
        force_reuse: false,
        group: Group::None,
    }
}

fn held(stage: Stage, words: &str) -> Held {
    Held { endpoint: endpoint(words), stage }
}

#[test]
fn clauses_of_tcp() {
    use Clause as C;
    use Stage::{Detached, Listening, Open, TimeWait};
    let rows = [
        ("0.0.0.0", Listening, "0.0.0.0", C::NothingShared),
        ("0.0.0.0 RA", TimeWait, "0.0.0.0", C::NothingShared),
        ("0.0.0.0 RA", TimeWait, "0.0.0.0 RA", C::BothReuseAddress),
        ("0.0.0.0 RA", Open, "127.0.0.1 RA uid=7", C::BothReuseAddress),
        ("0.0.0.0 RA", Listening, "0.0.0.0 RA", C::HolderListens),
        ("0.0.0.0 RP", Listening, "0.0.0.0 RP", C::SameGroup),
        ("0.0.0.0 RP", Listening, "0.0.0.0 RA", C::NothingShared),
        ("0.0.0.0 RP", Listening, "0.0.0.0 RP uid=7", C::OtherUser),
        ("0.0.0.0 RA RP", Listening, "0.0.0.0 RA RP uid=7", C::OtherUser),
        ("0.0.0.0 RA RP", Open, "0.0.0.0 RA RP uid=7", C::BothReuseAddress),
        ("0.0.0.0 RP", TimeWait, "0.0.0.0 RP uid=7", C::TimeWaitOfAnyUser),
        ("0.0.0.0 RP uid=7", Detached, "0.0.0.0 RP uid=7", C::SameGroup),
        ("127.0.0.1", Listening, "127.0.0.2", C::AddressesApart),
        ("0.0.0.0 dev=1", Listening, "0.0.0.0 dev=2", C::DifferentDevices),
        ("0.0.0.0 dev=1", Listening, "0.0.0.0", C::NothingShared),
        ("0.0.0.0 dev=1 vrf=9", Listening, "0.0.0.0", C::OtherBucket),
    ];
    for (new, stage, old, clause) in rows {
        assert_eq!(judge(NEW, &asked(new), &held(stage, old)), clause, "{new} against {stage:?} {old}");
    }
}

#[test]
fn clauses_of_udp() {
    use Clause as C;
    let rows = [
        ("0.0.0.0", "0.0.0.0", C::NothingShared),
        ("0.0.0.0 RA", "0.0.0.0 RA uid=7", C::BothReuseAddress),
        ("0.0.0.0 RP", "0.0.0.0 RP", C::SameGroup),
        ("0.0.0.0 RP", "0.0.0.0 RP uid=7", C::OtherUser),
        ("0.0.0.0 vrf=9", "0.0.0.0", C::NothingShared),
        ("::ffff:127.0.0.1", "::ffff:0.0.0.0", C::NothingShared),
    ];
    for (new, old, clause) in rows {
        let asked = Asked { transport: Transport::Udp, ..asked(new) };
        for generation in [OLD, Generation::new(6, 1), NEW] {
            assert_eq!(judge(generation, &asked, &held(Stage::Open, old)), clause, "{new} against {old}");
        }
    }
}

#[test]
fn owner_of_a_detached_socket() {
    let connection = held(Stage::Detached, "0.0.0.0 RP uid=7");
    let (root, user) = (asked("0.0.0.0 RP"), asked("0.0.0.0 RP uid=7"));
    let before = Generation::new(6, 12);
    assert_eq!(judge(before, &root, &connection), Clause::SameGroup);
    assert_eq!(judge(before, &user, &connection), Clause::OtherUser);
    assert_eq!(judge(NEW, &root, &connection), Clause::OtherUser);
    assert_eq!(judge(NEW, &user, &connection), Clause::SameGroup);
}

#[test]
fn group_of_the_new_socket() {
    let holder = held(Stage::Open, "0.0.0.0 RP");
    let verdict = |generation, group| judge(generation, &Asked { group, ..asked("0.0.0.0 RP") }, &holder);
    assert_eq!(verdict(NEW, Group::Live), Clause::AskerInGroup);
    assert_eq!(verdict(NEW, Group::WithClosed), Clause::SameGroup);
    assert_eq!(verdict(OLD, Group::WithClosed), Clause::AskerInGroup);
}

#[test]
fn any_port() {
    let verdict = |relaxed, new, old| {
        judge(NEW, &Asked { port: Port::Any { relaxed }, ..asked(new) }, &held(Stage::Open, old))
    };
    assert_eq!(verdict(false, "0.0.0.0 RA RP", "0.0.0.0 RA RP"), Clause::PortTaken);
    assert_eq!(verdict(false, "127.0.0.1", "127.0.0.2"), Clause::AddressesApart);
    assert_eq!(verdict(true, "0.0.0.0 RA", "0.0.0.0 RA RP"), Clause::BothReuseAddress);
    assert_eq!(verdict(true, "0.0.0.0 RA RP", "0.0.0.0 RA RP"), Clause::PortOfOwnGroup);
    assert_eq!(verdict(true, "0.0.0.0 RA RP", "0.0.0.0 RA RP uid=7"), Clause::BothReuseAddress);
    assert_eq!(verdict(true, "0.0.0.0 RP", "0.0.0.0 RP"), Clause::PortTaken);
}

#[test]
fn udp_stops_at_its_own_group() {
    let (stranger, own) = (held(Stage::Open, "0.0.0.0 RA"), held(Stage::Open, "0.0.0.0 RA RP"));
    let udp = Asked { transport: Transport::Udp, ..asked("0.0.0.0 RP") };
    let clause = |asked: &Asked, holders: &[Held]| decide(NEW, asked, holders, &Memory::default()).clause;
    assert_eq!(clause(&udp, &[own, stranger]), Clause::SameGroup);
    assert_eq!(clause(&udp, &[stranger, own]), Clause::NothingShared);
    assert_eq!(clause(&asked("0.0.0.0 RP"), &[own, stranger]), Clause::NothingShared);
    let any = Asked { port: Port::Any { relaxed: false }, ..udp };
    assert_eq!(clause(&any, &[own, stranger]), Clause::NothingShared);
}

/// The founder (the last holder) decides for the whole list of 0.0.0.0 whether the kernel finds it.
#[test]
fn founder_of_the_wildcard_list() {
    let (plain, mapped) = (held(Stage::Open, "0.0.0.0"), held(Stage::Open, "::ffff:0.0.0.0"));
    let asked = asked("::ffff:127.0.0.1");
    let clause =
        |generation, holders: [Held; 2]| decide(generation, &asked, &holders, &Memory::default()).clause;
    let between = Generation::new(6, 1);
    assert_eq!(clause(between, [plain, mapped]), Clause::MappedWildcardMissed);
    assert_eq!(clause(between, [mapped, plain]), Clause::NothingShared);
    assert_eq!(clause(NEW, [plain, mapped]), Clause::NothingShared);
}

#[test]
fn memory_of_a_bucket() {
    let cleared = [held(Stage::Open, "0.0.0.0")];
    let first = |generation, words| Memory::default().after(generation, &asked(words), true);
    let clause =
        |generation, memory: Memory, asked: &Asked| decide(generation, asked, &cleared, &memory).clause;

    let reused = first(OLD, "0.0.0.0 RA");
    assert_eq!(clause(OLD, reused, &asked("0.0.0.0 RA")), Clause::RememberedReuseAddress);
    let listening = Asked { listening: true, ..asked("0.0.0.0 RA") };
    assert_eq!(clause(OLD, reused, &listening), Clause::NothingShared);
    assert_eq!(clause(NEW, first(NEW, "0.0.0.0 RA"), &asked("0.0.0.0 RA")), Clause::NothingShared);

    let group = first(OLD, "127.0.0.1 RP uid=7");
    assert_eq!(clause(OLD, group, &asked("0.0.0.0 RP uid=7")), Clause::RememberedGroup);
    assert_eq!(clause(OLD, group, &asked("0.0.0.0 RP uid=8")), Clause::NothingShared);
    let strict = first(NEW, "127.0.0.1 RP uid=7");
    assert_eq!(clause(NEW, strict, &asked("0.0.0.0 RP uid=7")), Clause::NothingShared);
    assert_eq!(clause(NEW, strict, &asked("127.0.0.1 RP uid=7")), Clause::RememberedGroup);
    let forgotten = strict.after(NEW, &asked("127.0.0.2"), false);
    assert_eq!(clause(NEW, forgotten, &asked("127.0.0.1 RP uid=7")), Clause::NothingShared);
}

#[test]
fn forced_reuse() {
    let forced = Asked { force_reuse: true, ..asked("0.0.0.0 RA") };
    assert_eq!(judge(NEW, &forced, &held(Stage::Listening, "0.0.0.0")), Clause::ForceReuse);
}

#[test]
fn helpful_changes() {
    use Change as Ch;
    use Stage::{Listening, Open, TimeWait};
    let rows: [(&str, Stage, &str, &[Change]); 7] = [
        ("0.0.0.0", Listening, "0.0.0.0", &[Ch::BothReusePort]),
        ("0.0.0.0", TimeWait, "0.0.0.0 RA", &[Ch::AskerReuseAddress, Ch::BothReusePort]),
        ("0.0.0.0 RA", TimeWait, "0.0.0.0", &[Ch::HoldersReuseAddress, Ch::BothReusePort]),
        ("127.0.0.1", TimeWait, "127.0.0.1", &[Ch::BothReuseAddress, Ch::BothReusePort]),
        (
            "0.0.0.0 RP",
            Open,
            "127.0.0.1 RP uid=7",
            &[Ch::AskerOwnAddress, Ch::SameUser, Ch::BothReuseAddress],
        ),
        ("::", Listening, "127.0.0.1", &[Ch::AskerV6Only, Ch::AskerOwnAddress, Ch::BothReusePort]),
        ("0.0.0.0 RA", Listening, "0.0.0.0 RA", &[Ch::HoldersNotListening, Ch::BothReusePort]),
    ];
    for (new, stage, old, expected) in rows {
        assert_eq!(changes(NEW, &asked(new), &[held(stage, old)]), expected, "{new} against {stage:?} {old}");
    }
}

#[test]
fn releases() {
    let rows = [
        ("6.12.107+deb13-cloud-amd64", Some((6, 12))),
        ("5.10.0-35-cloud-amd64", Some((5, 10))),
        ("7.3-rc1", Some((7, 3))),
        ("6", None),
        ("six.one", None),
        ("", None),
    ];
    for (release, expected) in rows {
        let expected = expected.map(|(major, minor)| Generation::new(major, minor));
        assert_eq!(Generation::of_release(release), expected, "{release}");
    }
}

fn any_address() -> impl Strategy<Value = IpAddr> {
    let pool =
        ["0.0.0.0", "127.0.0.1", "127.0.0.2", "::", "::1", "::2", "::ffff:0.0.0.0", "::ffff:127.0.0.1"];
    prop::sample::select(pool.map(|address| address.parse::<IpAddr>().unwrap()).to_vec())
}

prop_compose! {
    fn any_endpoint()(
        address in any_address(),
        dual_stack in any::<bool>(),
        device in 0..3_u32,
        reuse_address in any::<bool>(),
        reuse_port in any::<bool>(),
        uid in 0..3_u32,
    ) -> Endpoint {
        let v6_only = match address {
            IpAddr::V4(_) => false,
            IpAddr::V6(v6) if v6.is_unspecified() => !dual_stack,
            IpAddr::V6(v6) => v6.to_ipv4_mapped().is_none(),
        };
        Endpoint { address, v6_only, device, master: 0, reuse_address, reuse_port, uid }
    }
}

prop_compose! {
    fn any_held()(endpoint in any_endpoint(), stage in prop::sample::select(vec![
        Stage::Listening, Stage::Open, Stage::Detached, Stage::TimeWait,
    ])) -> Held {
        Held { endpoint, stage }
    }
}

prop_compose! {
    fn any_asked()(endpoint in any_endpoint(), is_udp in any::<bool>(), listening in any::<bool>()) -> Asked {
        let transport = if is_udp { Transport::Udp } else { Transport::Tcp };
        let listening = listening && !is_udp;
        Asked { transport, endpoint, port: Port::Given, listening, force_reuse: false, group: Group::None }
    }
}

fn any_generation() -> impl Strategy<Value = Generation> {
    prop::sample::select(vec![OLD, Generation::new(6, 1), Generation::new(6, 12), NEW])
}

proptest! {
    /// Two bound sockets are in each other's way, or neither is; only on 6.1 does the order matter.
    #[test]
    fn symmetric(generation in any_generation(), asked in any_asked(), holder in any_endpoint()) {
        prop_assume!(generation != Generation::new(6, 1));
        let turned = Asked { endpoint: holder, ..asked };
        let one = judge(generation, &asked, &Held { endpoint: holder, stage: Stage::Open });
        let other = judge(generation, &turned, &Held { endpoint: asked.endpoint, stage: Stage::Open });
        prop_assert_eq!(one, other);
    }

    /// Every proposed change helps, on every kernel and with any other holders of the port.
    #[test]
    fn changes_help(
        generation in any_generation(),
        asked in any_asked(),
        holders in prop::collection::vec(any_held(), 1..4),
    ) {
        let refused = |asked: &Asked, holders: &[Held]| {
            decide(generation, asked, holders, &Memory::default()).clause.refuses()
        };
        let helpful = changes(generation, &asked, &holders);
        prop_assert!(refused(&asked, &holders) || helpful.is_empty());
        for change in helpful {
            let mut asked = asked;
            let mut holders = holders.clone();
            match change {
                Change::AskerReuseAddress => asked.endpoint.reuse_address = true,
                Change::AskerReusePort => asked.endpoint.reuse_port = true,
                Change::AskerV6Only => asked.endpoint.v6_only = true,
                Change::HoldersReuseAddress | Change::BothReuseAddress => {
                    asked.endpoint.reuse_address = true;
                    holders.iter_mut().for_each(|held| held.endpoint.reuse_address = true);
                }
                Change::HoldersReusePort | Change::BothReusePort => {
                    asked.endpoint.reuse_port = true;
                    holders.iter_mut().for_each(|held| held.endpoint.reuse_port = true);
                }
                _ => continue,
            }
            prop_assert!(!refused(&asked, &holders), "{:?}", change);
        }
    }

    /// Popular advice that does not help: SO_REUSEADDR on the new socket alone changes nothing if the holder lacks it.
    #[test]
    fn one_side_is_not_enough(generation in any_generation(), asked in any_asked(), holder in any_held()) {
        let mut holder = holder;
        holder.endpoint.reuse_address = false;
        let mut with = asked;
        with.endpoint.reuse_address = !asked.endpoint.reuse_address;
        prop_assert_eq!(judge(generation, &asked, &holder), judge(generation, &with, &holder));
    }

    /// A call is refused if one of its holders refuses it (TCP, except for the omission in 6.1).
    #[test]
    fn one_holder_is_enough(
        generation in any_generation(),
        asked in any_asked(),
        holders in prop::collection::vec(any_held(), 0..4),
    ) {
        prop_assume!(asked.transport == Transport::Tcp && generation != Generation::new(6, 1));
        let outcome = decide(generation, &asked, &holders, &Memory::default());
        let refuses = holders.iter().position(|held| judge(generation, &asked, held).refuses());
        prop_assert_eq!(outcome.clause.refuses(), refuses.is_some());
        prop_assert!(refuses.is_none() || outcome.holder == refuses);
    }
}
