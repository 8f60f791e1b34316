//! Runs the verbs that answer questions, and reads their answers.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, ensure};
use serde_json::Value;

use super::setting::Setting;
use crate::actor::{Action, Answer, Family, Protocol, SocketName, SocketOption, Way};
use crate::actors::Actors;
use crate::tracer::{Ended, Tracer};

/// The address in most questions.
pub(super) const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Runs a verb with this expected exit code, and reads the one line of its answer.
pub(super) fn ask(setting: Setting<'_>, words: &[&str], code: i32) -> anyhow::Result<Value> {
    let mut command = Command::new(setting.portbind);
    command.args(words).args(["-o", "json"]);
    answer(&Tracer::spawn(&mut command)?.end()?, code).with_context(|| words.join(" "))
}

/// The one line of an answer.
pub(super) fn answer(ended: &Ended, code: i32) -> anyhow::Result<Value> {
    let shown = || format!("{}\n{}", ended.stdout.join("\n"), ended.stderr.join("\n"));
    ensure!(ended.status.code() == Some(code), "{}, not {code}:\n{}", ended.status, shown());
    ensure!(ended.stdout.len() == 1, "not one line:\n{}", shown());
    Ok(serde_json::from_str(&ended.stdout[0])?)
}

/// The elements of an array.
pub(super) fn list<'a>(answer: &'a Value, key: &str) -> &'a [Value] {
    answer[key].as_array().map_or(&[], Vec::as_slice)
}

/// Pid and descriptors of each owner of a holder.
pub(super) fn people(holder: &Value) -> Vec<(u64, Vec<u64>)> {
    let numbers = |value: &Value| value.as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
    list(holder, "processes")
        .iter()
        .map(|one| (one["pid"].as_u64().unwrap_or(0), numbers(&one["fds"])))
        .collect()
}

/// An action that opens a socket on a port, with options.
pub(super) fn socket(
    label: &str,
    protocol: Protocol,
    options: &[SocketOption],
    (address, port): (IpAddr, u16),
    listen: bool,
) -> Action {
    Action::Socket {
        new: label.to_owned(),
        family: if address.is_ipv6() { Family::Inet6 } else { Family::Inet },
        protocol,
        options: options.to_vec(),
        address: Some(address),
        port: Some(port),
        listen,
    }
}

/// An action that opens a listener.
pub(super) fn listener(label: &str, port: u16) -> Action {
    socket(label, Protocol::Tcp, &[], (LOCALHOST, port), true)
}

/// Makes an actor perform an action that must succeed.
pub(super) fn done(actors: &mut Actors, actor: &str, action: &Action) -> anyhow::Result<Answer> {
    let answer = actors.perform(actor, action)?;
    ensure!(answer.error.is_none(), "{actor}: {action:?}: {:?}", answer.error);
    Ok(answer)
}

/// The option that selects the network namespace of an actor.
pub(super) fn of(actors: &Actors, actor: &str) -> anyhow::Result<String> {
    Ok(format!("pid:{}", actors.pid(actor).context("no actor")?))
}

/// An action that binds a socket to a name in the folder of the play.
pub(super) fn bind_name(label: &str, name: &SocketName) -> Action {
    Action::BindName { socket: label.to_owned(), name: name.clone(), folder: PathBuf::new(), by: Way::Call }
}
