//! The verbs of steps: the words that each verb takes, and the resulting action.

use std::net::SocketAddrV4;
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use rustix::io::Errno;

use super::endpoint::{Place, SocketKind, ip_and_port, options};
use super::words::{Words, one_of};
use crate::actor::{Action, Way, errno_name};

/// All verbs with their words, as errors show them; tests/README.md describes them.
pub(super) const FORMS: &[&str] = &[
    "socket LABEL KIND [OPTION...]",
    "bind LABEL PROTOCOL IP:PORT [OPTION...]",
    "bind LABEL IP:PORT [via WAY]",
    "bind LABEL NAME [via WAY]",
    "listen LABEL PROTOCOL IP:PORT [OPTION...]",
    "listen LABEL [via WAY]",
    "connect LABEL IP:PORT",
    "datagram LABEL IP:PORT",
    "crowd LABEL COUNT",
    "accept LABEL as LABEL",
    "shutdown LABEL",
    "drain LABEL",
    "close LABEL",
    "dup LABEL as LABEL",
    "inherit LABEL by CHILD",
    "give LABEL to ACTOR",
    "take LABEL",
    "exit",
    "new_netns",
    "join_netns ACTOR",
    "sysctl net.NAME=VALUE",
    "interface NAME IP",
    "kernel_listen IP:PORT",
    "setuid UID",
    "forbid [ERROR]",
    "chroot",
    "make OBJECT PATH",
];

/// Parses the words as an action.
pub(super) fn action(words: &mut Words) -> anyhow::Result<Action> {
    let verb = words.next("the verb")?;
    let forms: Vec<&str> = FORMS.iter().copied().filter(|form| word_of(form) == verb).collect();
    if forms.is_empty() {
        let mut verbs: Vec<&str> = FORMS.iter().copied().map(word_of).collect();
        verbs.dedup();
        bail!("\"{verb}\" is not a verb; the verbs are {}", verbs.join(", "));
    }
    read(&verb, words).with_context(|| format!("the form is {}", forms.join(" or ")))
}

/// The verb of a form.
fn word_of(form: &'static str) -> &'static str {
    form.split(' ').next().unwrap_or(form)
}

/// Parses the words of a verb as an action; all words must be used.
fn read(verb: &str, words: &mut Words) -> anyhow::Result<Action> {
    let action = match verb {
        "socket" => socket(words)?,
        "bind" => bind(words)?,
        "listen" => listen(words)?,
        "connect" | "datagram" => send(verb, words)?,
        "crowd" => Action::Crowd { socket: label(words)?, count: words.parse("a number")? },
        "accept" => Action::Accept { socket: label(words)?, new: behind("as", words)? },
        "shutdown" => Action::Shutdown { socket: label(words)? },
        "drain" => Action::Drain { socket: label(words)? },
        "close" => Action::Close { socket: label(words)? },
        "dup" => Action::Dup { socket: label(words)?, new: behind("as", words)? },
        "inherit" => {
            Action::Inherit { socket: label(words)?, child: behind("by", words)?, close_on_exec: false }
        }
        "give" => Action::Give { socket: label(words)?, to: behind("to", words)?, mailbox: String::new() },
        "take" => Action::Take { new: label(words)? },
        "exit" => Action::Exit,
        "new_netns" => Action::NewNetns,
        "join_netns" => Action::JoinNetns { of: words.next("an actor")?, pid: 0 },
        "sysctl" => sysctl(words)?,
        "interface" => {
            Action::Interface { name: words.next("a name")?, address: words.parse("an IPv6 address")? }
        }
        "kernel_listen" => {
            let address: SocketAddrV4 = words.parse("an IPv4 address with its port")?;
            Action::KernelListen { address: *address.ip(), port: address.port() }
        }
        "setuid" => Action::Setuid { uid: words.parse("the number of a user")? },
        "forbid" => forbid(words)?,
        "chroot" => Action::Chroot { folder: PathBuf::new() },
        "make" => make(words)?,
        _ => bail!("\"{verb}\" has no action"),
    };
    words.finish()?;
    Ok(action)
}

/// Opens a socket.
fn socket(words: &mut Words) -> anyhow::Result<Action> {
    let new = label(words)?;
    match SocketKind::parse(&words.next("the kind of socket")?)? {
        SocketKind::Port(family, protocol) => {
            let options = options(words)?;
            Ok(Action::Socket { new, family, protocol, options, address: None, port: None, listen: false })
        }
        SocketKind::Portless(kind) => Ok(Action::Open { new, kind }),
    }
}

/// Opens and binds a socket, or binds an open one.
fn bind(words: &mut Words) -> anyhow::Result<Action> {
    let socket = label(words)?;
    if is_kind(words) {
        return opened(socket, false, words);
    }
    let place = Place::parse(&words.next("what to bind the socket to")?)?;
    let by = way(words)?;
    Ok(match place {
        Place::Port(address, port, scope) => Action::Bind { socket, address, port, scope, by },
        Place::Name(name) => Action::BindName { socket, name, folder: PathBuf::new(), by },
    })
}

/// Opens a listening socket, or makes an open one listen.
fn listen(words: &mut Words) -> anyhow::Result<Action> {
    let socket = label(words)?;
    if is_kind(words) {
        return opened(socket, true, words);
    }
    Ok(Action::Listen { socket, by: way(words)? })
}

/// Whether the next word is the kind of a socket to open.
fn is_kind(words: &Words) -> bool {
    words.peek().is_some_and(|word| SocketKind::parse(word).is_ok())
}

/// Opens a socket with an address and a port.
fn opened(new: String, listen: bool, words: &mut Words) -> anyhow::Result<Action> {
    let kind = words.next("the protocol")?;
    let SocketKind::Port(family, protocol) = SocketKind::parse(&kind)? else {
        bail!("\"{kind}\" has no port: open it with socket first");
    };
    let word = words.next("address and port")?;
    let (address, port, scope) = ip_and_port(&word)?;
    if address.is_ipv6() != kind.ends_with('6') {
        bail!("\"{word}\" is not an address of \"{kind}\"");
    }
    if scope != 0 {
        bail!("\"{word}\" has an interface: open the socket with socket first");
    }
    let options = options(words)?;
    Ok(Action::Socket { new, family, protocol, options, address: Some(address), port: Some(port), listen })
}

/// Connects or sends to a peer.
fn send(verb: &str, words: &mut Words) -> anyhow::Result<Action> {
    let socket = label(words)?;
    let (address, port, scope) = ip_and_port(&words.next("address and port")?)?;
    if scope != 0 {
        bail!("a peer has no interface");
    }
    Ok(match verb {
        "connect" => Action::Connect { socket, address, port },
        _ => Action::Datagram { socket, address, port },
    })
}

/// Writes a setting, named as in sysctl(8); its value may contain blanks.
fn sysctl(words: &mut Words) -> anyhow::Result<Action> {
    let text = words.rest().join(" ");
    let setting = text.strip_prefix("net.").and_then(|text| text.split_once('='));
    let Some((name, value)) = setting.filter(|(name, value)| !name.contains(' ') && !value.is_empty()) else {
        bail!("\"{text}\" is not a setting, as net.ipv4.tcp_rfc1337=1");
    };
    Ok(Action::Sysctl { name: name.replace('.', "/"), value: value.to_owned() })
}

/// Creates an object at a path.
fn make(words: &mut Words) -> anyhow::Result<Action> {
    let object = one_of(&words.next("what to make")?)?;
    Ok(Action::Make { object, path: words.next("a path")?, folder: PathBuf::new() })
}

/// Makes a cgroup's socket program refuse binds; the default error is EPERM.
fn forbid(words: &mut Words) -> anyhow::Result<Action> {
    let error = match words.peek() {
        Some(_) => Some(errno(&words.next("an error")?)?),
        None => None,
    };
    Ok(Action::Forbid { error })
}

/// The label of a socket.
fn label(words: &mut Words) -> anyhow::Result<String> {
    words.next("the label of a socket")
}

/// The name after a keyword.
fn behind(word: &str, words: &mut Words) -> anyhow::Result<String> {
    words.skip(word)?;
    words.next("a name")
}

/// How to make a call.
fn way(words: &mut Words) -> anyhow::Result<Way> {
    if words.peek().is_none() {
        return Ok(Way::Call);
    }
    words.skip("via")?;
    one_of(&words.next("how the call is made")?)
}

/// The number of an errno.
pub(super) fn errno(name: &str) -> anyhow::Result<u16> {
    // EHWPOISON, 133, is the highest number (include/uapi/asm-generic/errno.h).
    let number = (1..=133).find(|number| errno_name(Errno::from_raw_os_error((*number).into())) == name);
    number.with_context(|| format!("\"{name}\" is not an error that scenarios know"))
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use super::*;
    use crate::actor::{Family, Protocol, SocketOption};

    /// One step for each form.
    const SAMPLES: &[&str] = &[
        "socket s tcp6 v6only",
        "bind s udp 0.0.0.0:80 reuseaddr",
        "bind s 0.0.0.0:80 via bad_pointer",
        "bind s abstract:app via io_uring",
        "listen s tcp 127.0.0.1:80 reuseport",
        "listen s via compat",
        "connect s [::1]:80",
        "datagram s 127.0.0.1:9",
        "crowd s 500",
        "accept s as t",
        "shutdown s",
        "drain s",
        "close s",
        "dup s as t",
        "inherit s by child",
        "give s to taker",
        "take s",
        "exit",
        "new_netns",
        "join_netns server",
        "sysctl net.ipv4.ip_local_port_range=42000 42001",
        "interface eth0 2001:db8::5",
        "kernel_listen 127.0.0.1:8080",
        "setuid 65534",
        "forbid EROFS",
        "chroot",
        "make dangling_link taken",
    ];

    /// Parses a text as an action.
    fn read(text: &str) -> anyhow::Result<Action> {
        action(&mut Words::split(text).unwrap())
    }

    /// The whole error of a text.
    fn error(text: &str) -> String {
        format!("{:#}", read(text).unwrap_err())
    }

    #[test]
    fn each_form_is_read_and_takes_no_other_word() {
        for (form, sample) in FORMS.iter().zip(SAMPLES) {
            assert_eq!(word_of(form), word_of(sample));
            read(sample).unwrap();
            // The value of a setting may have blanks.
            if word_of(sample) != "sysctl" {
                assert!(error(&format!("{sample} surplus")).contains("\"surplus\""), "{sample}");
            }
        }
        assert_eq!(FORMS.len(), SAMPLES.len());
    }

    #[test]
    fn each_form_is_explained() {
        let page = include_str!("../../README.md");
        for form in FORMS {
            assert!(page.contains(&format!("| `{form}` |")), "tests/README.md does not explain {form}");
        }
    }

    #[test]
    fn words_become_the_fields_of_an_action() {
        let opened = read("listen old tcp6 [::1]:80 v6only reuseaddr").unwrap();
        let Action::Socket { family, protocol, options, address, port, listen, .. } = opened else {
            panic!()
        };
        assert_eq!((family, protocol, listen), (Family::Inet6, Protocol::Tcp, true));
        assert_eq!((address, port), (Some(Ipv6Addr::LOCALHOST.into()), Some(80)));
        assert_eq!(options, [SocketOption::V6Only, SocketOption::ReuseAddress]);
        let setting = read("sysctl net.ipv4.ip_local_port_range=42000 42001").unwrap();
        assert!(matches!(setting, Action::Sysctl { name, value }
            if name == "ipv4/ip_local_port_range" && value == "42000 42001"));
        assert!(matches!(read("forbid EROFS").unwrap(), Action::Forbid { error: Some(30) }));
        assert!(matches!(read("forbid").unwrap(), Action::Forbid { error: None }));
        let bound = read("bind new [fe80::1%7]:80 via short_sockaddr").unwrap();
        assert!(matches!(bound, Action::Bind { port: 80, scope: 7, by: Way::Short, .. }));
    }

    #[test]
    fn an_error_names_the_word_and_the_form() {
        for (text, expected) in [
            ("", "the verb is missing"),
            ("bnid s 0.0.0.0:80", "\"bnid\" is not a verb; the verbs are socket, bind, listen, "),
            ("close", "the form is close LABEL: the label of a socket is missing"),
            ("accept s in t", "the form is accept LABEL as LABEL: \"in\" stands in the place of \"as\""),
            ("socket s tpc", "the form is socket LABEL KIND [OPTION...]: \"tpc\" is neither"),
            ("listen s tcp6 127.0.0.1:80", "\"127.0.0.1:80\" is not an address of \"tcp6\""),
            ("bind s unix_stream path:a", "\"unix_stream\" has no port"),
            ("bind s 127.0.0.1:80 by io_uring", "\"by\" stands in the place of \"via\""),
            ("listen s via uring", "\"uring\": unknown variant `uring`, expected one of `call`, `io_uring`"),
            ("make pipe taken", "\"pipe\": unknown variant"),
            ("crowd s many", "\"many\" is not a number"),
            ("forbid EWRONG", "\"EWRONG\" is not an error that scenarios know"),
            ("sysctl kernel.pid_max=5", "\"kernel.pid_max=5\" is not a setting"),
        ] {
            assert!(error(text).contains(expected), "{text}: {}", error(text));
        }
    }
}
