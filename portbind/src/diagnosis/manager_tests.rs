use super::*;
use crate::event::{Ancestor, Runtime};

fn process(exe: &str, unit: &str, parent: (u32, &str)) -> Process {
    Process {
        pid: 7,
        comm: file_name(exe).to_owned(),
        exe: Some(exe.to_owned()),
        unit: Some(unit.to_owned()).filter(|unit| !unit.is_empty()),
        cgroup: Some(format!("/system.slice/{unit}")),
        ancestors: vec![Ancestor::new(parent.0, parent.1.to_owned())],
        ..Process::default()
    }
}

fn command(process: &Process, asker: Option<&Process>) -> Option<String> {
    Manager::of(process, asker)?.command().map(|command| command.to_string())
}

#[test]
fn units_stop_their_own_processes_and_not_those_of_their_daemons() {
    let systemd = (1, "systemd");
    let rows = [
        ("/usr/sbin/nginx", "nginx.service", systemd, Some("nginx.service")),
        ("/usr/sbin/nginx", "nginx.service", (50, "nginx"), Some("nginx.service")),
        ("/usr/sbin/sshd", "ssh.service", systemd, Some("ssh.service")),
        ("/usr/sbin/sshd", "ssh.service", (50, "sshd"), None),
        ("/usr/bin/dockerd", "docker.service", systemd, Some("docker.service")),
        ("/usr/bin/python3", "cron.service", systemd, None),
        ("/usr/bin/node", "actions.runner.org-repo.host.service", (9, "Runner.Worker"), None),
        ("/usr/bin/python3", "session-3.scope", systemd, None),
        ("/usr/lib/systemd/systemd", "web.socket", (0, ""), Some("web.socket")),
        ("/usr/bin/node", "", (9, "bash"), None),
    ];
    for (exe, unit, parent, expected) in rows {
        let shown = command(&process(exe, unit, parent), None);
        let expected = expected.map(|unit| format!("systemctl stop -- {unit}"));
        assert_eq!(shown, expected, "{exe} {unit}");
    }
}

#[test]
fn the_manager_of_the_asker_is_not_stopped() {
    let web = process("/usr/bin/node", "ci.service", (9, "bash"));
    assert_eq!(Manager::of(&web, Some(&web)), None);
    let container = Container::new("0".repeat(64), Some(Runtime::Docker));
    let inside = Process { container: Some(Box::new(container)), ..web };
    assert_eq!(Manager::of(&inside, Some(&inside)), None);
    assert!(Manager::of(&inside, None).is_some());
}

#[test]
fn containers_are_stopped_by_their_runtime() {
    let named =
        |runtime| Container { name: Some("web".to_owned()), ..Container::new("a".repeat(64), Some(runtime)) };
    let proxy = |runtime, uid| Process {
        proxy_for: Some(Box::new(named(runtime))),
        uid: Some(uid),
        ..process("/usr/bin/docker-proxy", "docker.service", (50, "dockerd"))
    };
    assert_eq!(command(&proxy(Runtime::Docker, 0), None).as_deref(), Some("docker stop web"));
    assert_eq!(command(&proxy(Runtime::Podman, 0), None).as_deref(), Some("podman stop web"));
    // The command would look for the container of the user who pastes it.
    assert_eq!(command(&proxy(Runtime::Podman, 1000), None), None);
    assert_eq!(command(&proxy(Runtime::CriO, 0), None), None);
    // Its container or service chose the name.
    let nested = Container { is_nested: true, ..named(Runtime::Docker) };
    let inside = Process { container: Some(Box::new(nested)), ..process("/usr/bin/node", "", (9, "sh")) };
    assert_eq!(command(&inside, None), None);
    let unknown = process("/usr/bin/docker-proxy", "docker.service", (50, "dockerd"));
    assert_eq!(Manager::of(&unknown, None), Some(Manager::PublishedPort(Runtime::Docker)));
    assert_eq!(Manager::of(&process("/home/eve/docker-proxy", "", (50, "sh")), None), None);
}

#[test]
fn supervisors_start_their_programs_again() {
    let supervisord =
        Ancestor { runs: Some("supervisord".to_owned()), ..Ancestor::new(50, "supervisord".to_owned()) };
    let web = process("/usr/bin/node", "", (50, "supervisord"));
    // Anybody can take such a name.
    assert_eq!(Manager::of(&web, None), None);
    let web = Process { ancestors: vec![supervisord.clone()], ..web };
    let manager = Manager::of(&web, None).unwrap();
    assert_eq!((manager.command(), manager.fix_code()), (None, "stop-program"));
    // The listing has the process that the supervisor started, and not those below it.
    let parent = |pid, comm: &str| Ancestor::new(pid, comm.to_owned());
    let below = vec![parent(60, "bash"), supervisord, parent(1, "systemd")];
    let advice = |process: &Process| stop_advice(&[&Manager::of(process, None).unwrap()], None);
    let shown = advice(&Process { ancestors: below, ..Process::default() });
    assert!(shown.ends_with("supervisorctl status shows it with pid 60"), "{shown}");
    // A cluster of node: pm2 has the socket open.
    let comm = "PM2 v7.0.4: God".to_owned();
    let god = Process { comm: comm.clone(), ..process("/usr/bin/node", "", (1, "systemd")) };
    assert!(advice(&god).contains("for which pm2 listens (pm2 list "), "{}", advice(&god));
    assert_eq!(Manager::of(&Process { comm: "supervisord".to_owned(), ..Process::default() }, None), None);
    assert_eq!(Manager::of(&Process { comm, ..process("/tmp/x", "", (1, "systemd")) }, None), None);
    let below = Process { ancestors: web.ancestors.clone(), ..Process::default() };
    assert_eq!(Manager::of(&web, Some(&below)), None);
}
