//! Tables of words, and a check that no word makes a parser panic.

use std::io;

use proptest::prelude::*;

use super::*;
use crate::event::Protocol;

/// Parses `word`; for a wrong word, returns the error's text.
fn parse<T: FromStr<Err = ValueError>>(word: &str) -> Result<T, String> {
    word.parse().map_err(|error: ValueError| error.to_string())
}

#[test]
fn ports() {
    for (word, canonical) in [
        ("8080", "8080"),
        ("8080,9000-9010", "8080,9000-9010"),
        ("0", "0"),
        ("80, 443 ,80", "80,443"),
        ("3-5,1-2", "1-5"),
        ("7-7", "7"),
        ("0-65535", "0-65535"),
        ("65535,65534", "65534-65535"),
        ("080", "80"),
    ] {
        assert_eq!(parse::<PortList>(word).unwrap().to_string(), canonical, "{word}");
    }
    for word in [
        "",
        ",",
        "80,",
        ",80",
        "65536",
        "99999999999999999999",
        "-1",
        "+80",
        "80-",
        "-80",
        "1-2-3",
        "http",
        "8 0",
        "٨",
    ] {
        assert!(matches!(word.parse::<PortList>(), Err(ValueError::Port(_))), "{word}");
    }
    assert_eq!("9010-9000".parse::<PortList>(), Err(ValueError::ReversedRange("9010-9000".to_owned())));
    assert_eq!(
        parse::<PortList>("80,htt\np").unwrap_err(),
        r#""htt\np" is not a port; give numbers from 0 to 65535 and ranges, as in 8080,9000-9010"#
    );
}

#[test]
fn port_bitmap() {
    let list: PortList = "0,63-64,65535".parse().unwrap();
    assert_eq!(list.iter().collect::<Vec<_>>(), [0, 63, 64, 65535]);
    assert_eq!(list.words()[0], 1 | 1 << 63);
    assert_eq!(list.words()[1], 1);
    assert_eq!(list.words()[1023], 1 << 63);
    assert!(list.contains(65535) && !list.contains(1));
}

#[test]
fn errors() {
    let bit = |number: u32| ErrorSet::EMPTY.with(Errno(number));
    assert_eq!(ErrorSet::default().words(), [0, 1 << (98 - 64), 0]);
    for (word, expected) in [
        ("eaddrinuse", ErrorSet::default()),
        ("EADDRINUSE", ErrorSet::default()),
        ("98", ErrorSet::default()),
        ("eacces,98", bit(13).with(Errno(98))),
        ("133", bit(133)),
        ("all", ErrorSet::all()),
        ("eacces,ALL", ErrorSet::all()),
    ] {
        assert_eq!(parse::<ErrorSet>(word), Ok(expected), "{word}");
    }
    assert_eq!(ErrorSet::all().words(), [!1, !0, (1 << 6) - 1]);
    assert!(ErrorSet::all().contains(Errno(133)) && !ErrorSet::all().contains(Errno(0)));
    assert!(!ErrorSet::all().contains(Errno(4095)));
    for word in ["", "0", "134", "-98", "eaddrinuse,", "enosucherror", "all,x"] {
        assert!(matches!(word.parse::<ErrorSet>(), Err(ValueError::Errno(_))), "{word}");
    }
}

#[test]
fn protocols() {
    for (word, bits) in [
        ("tcp", abi::protocol::TCP),
        ("TCP,udp", abi::protocol::TCP | abi::protocol::UDP),
        ("mptcp,ping,udplite", abi::protocol::MPTCP | abi::protocol::PING | abi::protocol::UDPLITE),
        ("sctp,vsock", abi::protocol::SCTP | abi::protocol::VSOCK),
        ("Unix, netlink", abi::protocol::UNIX | abi::protocol::NETLINK),
    ] {
        assert_eq!(parse::<ProtocolSet>(word).unwrap().bits(), bits, "{word}");
    }
    for word in ["", "dccp", "tcp,", "6"] {
        assert!(matches!(word.parse::<ProtocolSet>(), Err(ValueError::Protocol(_))), "{word}");
    }
}

#[test]
fn namespaces() {
    for (word, expected) in [
        ("4026531840", NetnsRef::Inode(4_026_531_840)),
        ("net:[4026531840]", NetnsRef::Inode(4_026_531_840)),
        ("pid:123", NetnsRef::Pid(123)),
        ("/proc/123/ns/net", NetnsRef::Path("/proc/123/ns/net".into())),
        ("./x", NetnsRef::Path("./x".into())),
        ("blue", NetnsRef::Name("blue".to_owned())),
    ] {
        assert_eq!(parse::<NetnsRef>(word), Ok(expected), "{word}");
    }
    for word in ["", "0", "4294967296", "pid:", "pid:0", "pid:x", "net:[x]", ".", "..", "a\0b"] {
        assert!(matches!(word.parse::<NetnsRef>(), Err(ValueError::Netns(_))), "{word:?}");
    }
}

#[test]
fn namespaces_resolve_to_inodes() {
    let own = NetnsRef::Path("/proc/self/ns/net".into()).resolve().unwrap();
    assert_eq!(NetnsRef::Pid(std::process::id()).resolve().unwrap(), own);
    assert_eq!(NetnsRef::Inode(own).resolve().unwrap(), own);
    assert_eq!(
        NetnsRef::Path("/proc/self/status".into()).resolve().unwrap_err().kind(),
        io::ErrorKind::InvalidInput
    );
    let missing = NetnsRef::Name("no-such-namespace-here".to_owned());
    assert_eq!(missing.resolve().unwrap_err().kind(), io::ErrorKind::NotFound);
}

#[test]
fn names() {
    assert_eq!(parse::<Comm>("java").unwrap().as_str(), "java");
    assert_eq!(parse::<Comm>("tokio-runtime w").unwrap().as_str(), "tokio-runtime w");
    assert_eq!(
        parse::<Comm>("tokio-runtime-worker").unwrap_err(),
        r#""tokio-runtime-worker" is too long; the kernel keeps 15 bytes of a name, so give "tokio-runtime-w""#
    );
    assert!(
        matches!("éééééééé".parse::<Comm>(), Err(ValueError::LongComm { kept, .. }) if kept == "ééééééé")
    );
    for word in ["", "a\0"] {
        assert!(matches!(word.parse::<Comm>(), Err(ValueError::Comm(_))), "{word:?}");
    }
}

#[test]
fn lengths_of_time() {
    for (word, millis) in [
        ("1", 1000),
        ("0.1", 100),
        (".5", 500),
        ("5.", 5000),
        ("2s", 2000),
        ("1.5m", 90_000),
        ("1h", 3_600_000),
    ] {
        assert_eq!(parse::<Seconds>(word), Ok(Seconds(Duration::from_millis(millis))), "{word}");
    }
    for word in [
        "",
        "0",
        "0.0s",
        "-1",
        "+1",
        "1e3",
        "inf",
        "nan",
        "s",
        ".",
        "1.2.3",
        "1 s",
        "1ms",
        "99999999999999999999d",
    ] {
        assert!(matches!(word.parse::<Seconds>(), Err(ValueError::Seconds(_))), "{word}");
    }
}

proptest! {
    #[test]
    fn no_word_panics(word in "\\PC{0,24}|[0-9a-z,.:\\-/\\[\\] ]{0,24}") {
        drop(parse::<PortList>(&word));
        drop(parse::<ErrorSet>(&word));
        drop(parse::<ProtocolSet>(&word));
        drop(parse::<NetnsRef>(&word));
        drop(parse::<Comm>(&word));
        drop(parse::<Seconds>(&word));
    }

    #[test]
    fn port_lists_print_as_they_parse(ports in proptest::collection::vec(any::<u16>(), 1..20)) {
        let list: Vec<String> = ports.iter().map(ToString::to_string).collect();
        let list: PortList = list.join(",").parse().unwrap();
        prop_assert!(ports.iter().all(|port| list.contains(*port)));
        prop_assert_eq!(list.to_string().parse::<PortList>().unwrap(), list);
    }
}

#[test]
fn targets() {
    use crate::event::Name;
    use crate::ports::PortOrName;
    for (word, place) in [
        ("8080", PortOrName::Port(8080)),
        ("/run/app.sock", PortOrName::Name(Name::Path(b"/run/app.sock".to_vec()))),
        ("./8080", PortOrName::Name(Name::Path(b"./8080".to_vec()))),
        ("@app", PortOrName::Name(Name::Abstract(b"app".to_vec()))),
        ("@", PortOrName::Name(Name::Abstract(Vec::new()))),
    ] {
        assert_eq!(parse::<Target>(word).unwrap().0, place, "{word}");
    }
    for word in ["", "0", "65536", "-1", "8080,9090", "http", "/a\0b"] {
        assert!(parse::<Target>(word).unwrap_err().contains("neither a port nor"), "{word}");
    }
    for (word, protocol) in [("tcp", Protocol::Tcp), ("UDP", Protocol::Udp), ("sctp", Protocol::Sctp)] {
        assert_eq!(parse::<PortProtocol>(word).unwrap().0, protocol, "{word}");
    }
    for word in ["", "unix", "tcp,udp", "6"] {
        assert!(parse::<PortProtocol>(word).is_err(), "{word}");
    }
}
