//! Podman without a daemon: a container on the host's network, named by the monitor above it.

use anyhow::ensure;

use super::super::setting::Setting;
use super::world::{World, binder, command, holder, server_inside};
use crate::ports::Ports;
use crate::programs;

/// runc, because crun refuses a machine with both versions of cgroups; limits, because some machines allow no higher
/// ones.
const OPTIONS: [&str; 6] =
    ["--runtime", "runc", "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1000:1000"];

/// A container on the host's network is in the way of a program, and a program in it is refused, too.
pub(in crate::checks) fn host_network(setting: Setting<'_>) -> anyhow::Result<()> {
    programs::PODMAN.is_there()?;
    programs::RUNC.is_there()?;
    let world = World::new("podman", "exec sleep 600")?;
    world.wait(programs::SH.path, &["-c", "ip link show lo | grep -q UP"])?;
    let port = Ports::new().take()?;
    let (number, root) = (port.to_string(), world.at("root").display().to_string());
    let options = ["run", "-d", "--name", "pod", "--network", "host", "--volume", "/usr:/usr:ro"];
    let words = [&options[..], &OPTIONS, &["--rootfs", &root], &server_inside("tcp", &number)].concat();
    world.done(programs::PODMAN.path, &words)?;
    let check = format!("grep -q ':{port:04X} .* 0A ' /proc/net/tcp");
    world.wait(programs::SH.path, &["-c", &check])?;

    let wrapped = world.run(setting, &binder("tcp", "127.0.0.1", &number))?;
    let (refusal, shown) = (wrapped.refusal()?, &wrapped.shown);
    ensure!(refusal["cause"]["code"] == "wildcard" && refusal.get("on_behalf").is_none(), "{shown}");
    let container = &holder(refusal)["container"];
    ensure!(container["name"] == "pod" && container["runtime"] == "podman", "{shown}");
    ensure!(command(refusal) == Some(("stop-container", "podman stop pod")), "{shown}");
    let freed = world.refuses_to_free(setting, &[&number])?;
    ensure!(freed["command"] == "podman stop pod", "{freed}");

    // Without a daemon, a program in the container descends from the command.
    let exec = [&[programs::PODMAN.path, "exec", "pod"][..], &binder("tcp", "0.0.0.0", &number)].concat();
    let wrapped = world.run(setting, &exec)?;
    let (refusal, shown) = (wrapped.refusal()?, &wrapped.shown);
    ensure!(refusal["relation"]["code"] == "same-container" && command(refusal).is_none(), "{shown}");
    ensure!(refusal.get("on_behalf").is_none(), "{shown}");

    world.apply("podman stop pod")?;
    ensure!(world.binds("tcp", "127.0.0.1", port)?, "podman stop did not help");
    world.done(programs::PODMAN.path, ["rm", "--all"])?;
    Ok(())
}
