//! Units of a user's service manager, whose names the user chooses.

use std::path::PathBuf;

use anyhow::ensure;

use super::ask::{ask, done, list, listener};
use super::setting::Setting;
use crate::actor::Action;
use crate::actors::Actors;
use crate::ports::Ports;
use crate::sys::cgroup::Cgroup;

/// The user whose service manager has the units; the user need not exist.
const UID: u32 = 41_208;
/// The template, which every user of the machine has during the check.
const TEMPLATE: &str = "/run/systemd/user/portbind-h8@.service";

/// A template of a unit that is restarted when it ends.
struct Template {
    folder: Option<PathBuf>,
}

impl Template {
    fn new() -> anyhow::Result<Self> {
        let folder = PathBuf::from("/run/systemd/user");
        let is_new = !folder.exists();
        std::fs::create_dir_all(&folder)?;
        std::fs::write(TEMPLATE, "[Service]\nExecStart=/bin/true\nRestart=always\n")?;
        Ok(Self { folder: is_new.then_some(folder) })
    }
}

impl Drop for Template {
    fn drop(&mut self) {
        let _removed = std::fs::remove_file(TEMPLATE);
        if let Some(folder) = &self.folder {
            let _removed = std::fs::remove_dir(folder);
        }
    }
}

/// No command contains a name that systemd does not accept; any other unit is attributed to the user, never to the
/// system.
pub(super) fn made_up(setting: Setting<'_>) -> anyhow::Result<()> {
    let _template = Template::new()?;
    let plain = format!("systemctl --user --machine={UID}@.host stop -- portbind-h8@x.service");
    let folder = format!("user.slice/user-{UID}.slice/user@{UID}.service/app.slice");
    for (name, command) in [
        ("portbind-h8@x.service", Some(plain.as_str())),
        ("portbind-h8@$(touch PWNED).service", None),
        ("portbind-h8@a b.service", None),
        ("portbind-h8@\x1b[2J::error::b.service", None),
    ] {
        let (mut actors, mut ports) = (Actors::default(), Ports::new());
        let port = ports.take()?;
        let pid = done(&mut actors, "server", &listener("old", port))?.pid;
        let cgroup = Cgroup::new(&format!("{folder}/{name}"))?;
        cgroup.enter(pid)?;
        let shown = ask(setting, &["free", &port.to_string(), "--yes"], 1)?;
        ensure!(shown["command"].as_str() == command, "{name:?}: {shown}");
        let managed = list(&shown, "obstacles").iter().any(|obstacle| obstacle["reason"] == "managed");
        ensure!(managed && list(&shown, "stopped").is_empty(), "{name:?}: {shown}");
        done(&mut actors, "server", &Action::Exit)?;
    }
    Ok(())
}
