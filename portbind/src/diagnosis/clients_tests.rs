use super::*;
use crate::event::Runtime;

fn client(line: &str) -> Client {
    let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
    Client::of(7, &args).expect(line)
}

fn process(args: &str) -> Process {
    let args = args.split_terminator(' ').map(str::to_owned).collect();
    Process { pid: 9, args, ..Process::default() }
}

#[test]
fn clients_are_known_by_their_program_and_their_script() {
    let rows = [
        ("docker run x", Some(("docker", "dockerd"))),
        ("/usr/bin/docker ps", Some(("docker", "dockerd"))),
        ("/usr/bin/python3 /usr/bin/supervisorctl start web", Some(("supervisorctl", "supervisord"))),
        ("node /usr/lib/node_modules/pm2/bin/pm2 start x", Some(("pm2", "pm2"))),
        ("systemctl restart web", Some(("systemctl", "systemd"))),
        ("python3 app.py docker", None),
        ("bash -c docker", None),
    ];
    for (line, expected) in rows {
        let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let found = Client::of(7, &args);
        let found = found.as_ref().map(|client| (client.name(), client.row.daemon));
        assert_eq!(found, expected, "{line}");
    }
    let found = ["dockerd", "docker-proxy", "containerd-shim", "systemd", "systemd-resolve", "bash"]
        .map(|comm| daemons(comm).next());
    let found = found.map(|row| row.map_or("", |row| row.daemon));
    assert_eq!(found, ["dockerd", "dockerd", "dockerd", "systemd", "", ""]);
}

#[test]
fn published_ports_are_those_of_the_host() {
    let rows: [(&str, &[(u16, u16)]); 9] = [
        ("docker run -p 8080:80 x", &[(8080, 8080)]),
        ("docker run -p127.0.0.1:8080:80/udp x", &[(8080, 8080)]),
        ("docker run --publish=[::1]:8080:80 x", &[(8080, 8080)]),
        ("docker run --publish 7000-7005:7000-7005 x", &[(7000, 7005)]),
        ("docker run -p 1:1 -p 2:2 x", &[(1, 1), (2, 2)]),
        ("docker run -p 80 x", &[]),
        ("docker run -p 127.0.0.1::80 x", &[]),
        ("docker run -P x", &[]),
        ("docker run -p", &[]),
    ];
    for (line, expected) in rows {
        assert_eq!(client(line).published(), expected, "{line}");
    }
}

#[test]
fn a_refusal_belongs_to_a_client_that_names_it() {
    let link =
        |line: &str, process: &Process, port| client(line).asked(process, port).map(|asking| asking.link);
    let proxy = process("/usr/sbin/docker-proxy -host-port 8080");
    assert_eq!(link("docker run -p 8080:80 x", &proxy, 8080), Some(Link::Port(8080)));
    assert_eq!(link("docker run -p 8081:80 x", &proxy, 8080), None);
    let container =
        Container { name: Some("web".to_owned()), ..Container::new("a".repeat(64), Some(Runtime::Docker)) };
    let inside = Process { container: Some(Box::new(container)), ..process("python3 server.py") };
    let named = Some(Link::Container("web".to_owned()));
    assert_eq!(link("docker exec web bash -c x", &inside, 80), named);
    assert_eq!(link("docker run --name=web x", &inside, 80), named);
    assert_eq!(link(&format!("docker start {}", "a".repeat(12)), &inside, 80), named);
    assert_eq!(link("docker run -p 80:80 x python3 server.py", &inside, 80), Some(Link::Arguments));
    assert_eq!(
        link("docker run -p 80:80 x", &inside, 80),
        None,
        "a port inside of a container is not published"
    );
    assert_eq!(link("docker run x web2", &inside, 80), None);
    let unit = Process { unit: Some("web.service".to_owned()), ..process("nginx") };
    assert_eq!(link("systemctl restart web", &unit, 80), Some(Link::Unit("web.service".to_owned())));
    assert_eq!(link("systemctl restart db", &unit, 80), None);
    assert_eq!(link("systemd-run --unit=web nginx", &unit, 80), Some(Link::Unit("web.service".to_owned())));
}
