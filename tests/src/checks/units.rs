//! Units of a user's own service manager: their names are what their user chooses.

use std::path::PathBuf;

use anyhow::ensure;

use super::ask::{ask, done, list, listener};
use super::setting::Setting;
use crate::actor::Action;
use crate::actors::Actors;
use crate::ports::Ports;
use crate::sys::cgroup::Cgroup;

/// The user whose service manager has the units; nobody has to be it.
const UID: u32 = 41_208;
/// The template that every user of the machine has, for as long as the check goes on.
const TEMPLATE: &str = "/run/systemd/user/portbind-h8@.service";

/// A template of a unit that is started again when it ends.
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

/// A name that systemd does not take is in no command; any other is of the user, and never of the system.
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
        let told = ask(setting, &["free", &port.to_string(), "--yes"], 1)?;
        ensure!(told["command"].as_str() == command, "{name:?}: {told}");
        let managed = list(&told, "obstacles").iter().any(|obstacle| obstacle["reason"] == "managed");
        ensure!(managed && list(&told, "stopped").is_empty(), "{name:?}: {told}");
        done(&mut actors, "server", &Action::Exit)?;
    }
    Ok(())
}
