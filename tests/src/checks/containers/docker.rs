//! dockerd: ports that containers publish, binds inside of containers, and clients that only ask the daemon.

use anyhow::ensure;

use super::super::setting::Setting;
use super::world::{INSIDE, World, binder, command, holder, server_inside};
use crate::ports::Ports;
use crate::programs;

/// The programs of this machine, which the containers run.
const VOLUME: &str = "/usr:/usr:ro";
/// Where a container publishes its port.
const LOCALHOST: &str = "127.0.0.1";

/// dockerd with its own folders, which are not the default ones, and the default socket of its mount namespace.
struct Docker(World);

impl Docker {
    fn start(name: &str) -> anyhow::Result<Self> {
        programs::DOCKER.is_there()?;
        programs::DOCKERD.is_there()?;
        let daemon = programs::DOCKERD.path;
        let world = World::new(
            name,
            &format!(
                "exec {daemon} --storage-driver=vfs --data-root \"$1/data\" --exec-root \"$1/exec\" -p \"$1/pid\" \
                 -H unix:///run/docker.sock 2>&1 >/dev/null"
            ),
        )?;
        world.wait(programs::DOCKER.path, &["version"])?;
        let pack = format!(
            "{tar} -C '{root}' -cf '{file}' . && {docker} import '{file}' small",
            tar = programs::TAR.path,
            root = world.at("root").display(),
            file = world.at("root.tar").display(),
            docker = programs::DOCKER.path,
        );
        world.apply(&pack)?;
        Ok(Self(world))
    }

    /// The words that make a container with these options, and a server on the port inside.
    fn words<'a>(verb: &'a str, options: &[&'a str], kind: &'a str) -> Vec<&'a str> {
        let words = [verb, "--volume", VOLUME].into_iter().chain(options.iter().copied());
        words.chain(["small"]).chain(server_inside(kind, INSIDE)).collect()
    }

    fn docker(&self, words: &[&str]) -> anyhow::Result<String> {
        self.0.done(programs::DOCKER.path, words)
    }

    /// Ends all containers and the daemon.
    fn end(mut self) -> anyhow::Result<()> {
        let all = self.docker(&["ps", "--all", "--quiet"])?;
        if !all.is_empty() {
            let words: Vec<&str> = ["rm", "--force"].into_iter().chain(all.split_whitespace()).collect();
            self.docker(&words)?;
        }
        self.0.end()
    }
}

/// A container's published port in the way of a program, for TCP and UDP; a container on the host's network; a bind
/// inside of a container. Each printed command is applied, and the refused program then binds.
pub(in crate::checks) fn around(setting: Setting<'_>) -> anyhow::Result<()> {
    let docker = Docker::start("docker")?;
    let (world, mut ports) = (&docker.0, Ports::new());
    for kind in ["tcp", "udp"] {
        let port = ports.take()?;
        let (number, name) = (port.to_string(), format!("web-{kind}"));
        let publish = format!("{LOCALHOST}:{port}:{INSIDE}/{kind}");
        let words = ["-d", "--name", &name, "--restart", "always", "-p", &publish];
        docker.docker(&Docker::words("run", &words, kind))?;
        let wrapped = world.run(setting, &binder(kind, LOCALHOST, &number))?;
        let (refusal, shown) = (wrapped.refusal()?, &wrapped.shown);
        let stop = format!("docker stop {name}");
        ensure!(wrapped.status == Some(1) && refusal["cause"]["code"] == "listener", "{shown}");
        ensure!(
            holder(refusal)["proxy_for"]["name"] == *name && refusal.get("on_behalf").is_none(),
            "{shown}"
        );
        ensure!(command(refusal) == Some(("stop-container", &*stop)), "{shown}");
        let freed = world.refuses_to_free(setting, &[&number, "--proto", kind])?;
        ensure!(freed["command"] == *stop, "{freed}");
        ensure!(docker.docker(&["inspect", "--format", "{{.State.Running}}", &name])? == "true", "{freed}");
        world.apply(&stop)?;
        ensure!(world.binds(kind, LOCALHOST, port)?, "{stop} did not help");
    }
    on_host_network(setting, &docker, ports.take()?)?;
    inside(setting, &docker)?;
    docker.end()
}

/// A container that binds in the host's network namespace.
fn on_host_network(setting: Setting<'_>, docker: &Docker, port: u16) -> anyhow::Result<()> {
    let (world, number) = (&docker.0, port.to_string());
    let words = ["run", "-d", "--name", "hosted", "--network", "host", "--volume", VOLUME, "small"];
    docker.docker(&[&words[..], &server_inside("tcp", &number)].concat())?;
    world.wait(programs::SH.path, &["-c", &format!("! {}", bound(&number))])?;
    let wrapped = world.run(setting, &binder("tcp", LOCALHOST, &number))?;
    let (refusal, shown) = (wrapped.refusal()?, &wrapped.shown);
    ensure!(holder(refusal)["container"]["name"] == "hosted", "{shown}");
    ensure!(command(refusal) == Some(("stop-container", "docker stop hosted")), "{shown}");
    let freed = world.refuses_to_free(setting, &[&number])?;
    ensure!(freed["command"] == "docker stop hosted", "{freed}");
    world.apply("docker stop hosted")?;
    ensure!(world.binds("tcp", LOCALHOST, port)?, "docker stop did not help");
    Ok(())
}

/// A second program of a container: its first process is not to be killed, and the client of the daemon is named.
fn inside(setting: Setting<'_>, docker: &Docker) -> anyhow::Result<()> {
    docker.docker(&Docker::words("run", &["-d", "--name", "shared"], "tcp"))?;
    let check = format!("! {}", bound(INSIDE));
    docker.0.wait(programs::DOCKER.path, &["exec", "shared", programs::SH.path, "-c", &check])?;
    let exec = [&[programs::DOCKER.path, "exec", "shared"][..], &binder("tcp", "0.0.0.0", INSIDE)].concat();
    let wrapped = docker.0.run(setting, &exec)?;
    let (refusal, shown) = (wrapped.refusal()?, &wrapped.shown);
    ensure!(refusal["process"]["container"]["name"] == "shared", "{shown}");
    ensure!(holder(refusal)["container"]["name"] == "shared", "{shown}");
    ensure!(refusal["relation"]["code"] == "same-container" && command(refusal).is_none(), "{shown}");
    let (work, client) = (&refusal["on_behalf"], &refusal["on_behalf"]["client"]);
    ensure!(
        work["daemon"] == "dockerd" && work["by"] == "container" && client["comm"] == "docker",
        "{shown}"
    );
    Ok(())
}

/// The client of a daemon is refused nothing: the daemon is, or refuses by its own list.
pub(in crate::checks) fn clients(setting: Setting<'_>) -> anyhow::Result<()> {
    let docker = Docker::start("clients")?;
    let (world, port) = (&docker.0, Ports::new().take()?);
    let publish = format!("{LOCALHOST}:{port}:{INSIDE}");
    let run = |name| {
        let words = Docker::words("run", &["-d", "--name", name, "-p", &publish], "tcp");
        [&[programs::DOCKER.path][..], &words].concat()
    };

    // A program of this machine is in the way.
    let mut server = world.server("tcp", LOCALHOST, port)?;
    let wrapped = world.run(setting, &run("first"))?;
    let (refusal, shown) = (wrapped.refusal()?, &wrapped.shown);
    let work = &refusal["on_behalf"];
    ensure!(wrapped.status == Some(125) && refusal["process"]["comm"] == "docker-proxy", "{shown}");
    ensure!(
        work["daemon"] == "dockerd" && work["by"] == "port" && work["client"]["comm"] == "docker",
        "{shown}"
    );
    let kill = format!("kill {}", server.pid());
    ensure!(command(refusal) == Some(("stop-holder", &*kill)), "{shown}");
    // Another client of the same daemon: the refusal is not the command's.
    docker.docker(&["rm", "first"])?;
    docker.docker(&Docker::words("create", &["--name", "other", "-p", &publish], "tcp"))?;
    let script = "docker ps >/dev/null; docker start other; docker version >/dev/null; exit 0";
    let wrapped = world.run(setting, &[programs::SH.path, "-c", script])?;
    ensure!(wrapped.refusal()?["on_behalf"]["client"].is_null(), "{}", wrapped.shown);
    ensure!(wrapped.shown.contains("no bind of its own was refused"), "{}", wrapped.shown);
    ensure!(wrapped.shown.contains("meanwhile, docker-proxy ("), "{}", wrapped.shown);
    world.apply(&kill)?;
    ensure!(server.has_ended()?, "{kill} did not end the server");
    let wrapped = world.run(setting, &run("first"))?;
    ensure!(wrapped.status == Some(0) && wrapped.lines("refusal").is_empty(), "{}", wrapped.shown);
    ensure!(
        wrapped.lines("leak").is_empty(),
        "a container's socket is no leak of its client: {}",
        wrapped.shown
    );

    // A container is in the way: dockerd refuses the port by its list, without a bind.
    for program in [run("second"), [&[programs::ENV.path][..], &run("third")].concat()] {
        let wrapped = world.run(setting, &program)?;
        let list = format!("docker ps --filter publish={port}");
        ensure!(wrapped.status == Some(125) && wrapped.lines("refusal").is_empty(), "{}", wrapped.shown);
        ensure!(
            wrapped.shown.contains("without a bind") && wrapped.shown.contains(&list),
            "{}",
            wrapped.shown
        );
        let listed = world.apply(&list)?;
        ensure!(listed.lines().count() == 2 && listed.contains("first"), "{listed}");
    }
    docker.end()
}

/// A condition of a shell: whether a port can be bound.
fn bound(port: &str) -> String {
    let words = binder("tcp", "0.0.0.0", port).map(|word| format!("'{}'", word.replace('\'', "'\"'\"'")));
    format!("{} 2>/dev/null", words.join(" "))
}
