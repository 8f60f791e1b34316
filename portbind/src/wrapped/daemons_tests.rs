use std::rc::Rc;

use super::*;
use crate::event::{Ancestor, Container, Link, Runtime, samples};

fn process(pid: u32, args: &str, above: &[(u32, &str)]) -> Process {
    let ancestor = |(pid, comm): &(u32, &str)| Ancestor::new(*pid, (*comm).to_owned());
    let args = args.split(' ').map(str::to_owned).collect();
    Process { pid, args, ancestors: above.iter().map(ancestor).collect(), ..Process::default() }
}

fn refused(process: Process, port: u16) -> Refusal {
    let mut refusal = samples::listener();
    refusal.socket.port = port;
    refusal.process = Rc::new(process);
    refusal
}

/// dockerd 50, systemd 1 above everything, and the command 90.
fn beside(command: &str) -> Daemons {
    let args: Vec<String> = command.split(' ').map(str::to_owned).collect();
    Daemons {
        processes: vec![(1, daemons("systemd").next().unwrap()), (50, daemons("dockerd").next().unwrap())],
        above: vec![89, 1],
        command: 90,
        clients: Client::of(90, &args).into_iter().collect(),
        ..Daemons::default()
    }
}

#[test]
fn refusals_are_the_commands_unless_a_daemon_is_above() {
    let row = |pid, above: &[(u32, &str)]| {
        beside("make").daemon_of(&process(pid, "x", above)).map(|row| row.daemon)
    };
    assert_eq!(row(90, &[(89, "sh"), (1, "systemd")]), None);
    assert_eq!(row(91, &[(90, "make"), (89, "sh"), (1, "systemd")]), None);
    assert_eq!(row(92, &[(1, "systemd")]), None, "a daemon of the command's own");
    assert_eq!(row(50, &[(1, "systemd")]), Some("dockerd"));
    assert_eq!(row(51, &[(50, "dockerd"), (1, "systemd")]), Some("dockerd"));
    assert_eq!(row(52, &[(49, "containerd-shim"), (1, "systemd")]), Some("dockerd"));
    assert_eq!(row(54, &[(49, "conmon"), (1, "systemd")]), None, "podman without a service");
    let unit = Process { unit: Some("web.service".to_owned()), ..process(53, "x", &[(1, "systemd")]) };
    assert_eq!(beside("make").daemon_of(&unit).map(|row| row.daemon), Some("systemd"));
    let id = "a".repeat(64);
    let of_podman = Process {
        unit: Some(format!("libpod-{id}.scope")),
        container: Some(Box::new(Container::new(id, Some(Runtime::Podman)))),
        ..process(55, "x", &[(49, "conmon"), (1, "systemd")])
    };
    assert_eq!(beside("make").daemon_of(&of_podman), None, "podman starts containers as descendants");
    assert_eq!(Daemons::default().daemon_of(&unit), None);
}

#[test]
fn a_daemon_works_for_the_client_that_names_the_port() {
    let proxy = |port| refused(process(51, "docker-proxy -host-port", &[(50, "dockerd")]), port);
    let mut asked = beside("docker run -p 8080:80 x");
    let whose = |daemons: &mut Daemons, refusal: &Refusal| daemons.whose(refusal, Vec::new, &Host::new());
    let Whose::Daemon(work) = whose(&mut asked, &proxy(8080)) else { panic!("not dockerd's") };
    assert_eq!((work.daemon, work.client.map(|client| client.link)), ("dockerd", Some(Link::Port(8080))));
    assert_eq!(whose(&mut asked, &proxy(8081)), Whose::Daemon(OnBehalf::new("dockerd", None)));
    assert_eq!(whose(&mut beside("make"), &proxy(8080)), Whose::Other);
    assert_eq!(whose(&mut beside("systemctl start x"), &proxy(8080)), Whose::Other);
    let own = refused(process(91, "x", &[(90, "docker")]), 8080);
    assert_eq!(whose(&mut asked, &own), Whose::Command);
}
