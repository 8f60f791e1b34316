//! Which systemd unit must be stopped to keep a process from coming back.

use super::machine::Host;
use super::socket_units::{SYSTEM, USER};
use crate::diagnosis::freeing::Manager;
use crate::event::Process;
use crate::event::units::user_of_cgroup;

/// The longest unit file that is read.
const MAX_BYTES: u64 = 64 * 1024;

impl Host {
    /// The unit to stop instead of a process: the socket unit that systemd has a socket open for, or a service that
    /// would be restarted (`Restart=`, systemd.service(5)). `None` inside of containers, whose units do not belong to
    /// this machine.
    #[must_use]
    pub fn manager(&self, process: &Process) -> Option<Manager> {
        let unit = process.unit.as_ref().filter(|_| process.container.is_none())?;
        let user = process.cgroup.as_deref().and_then(user_of_cgroup);
        let is_managed = if process.comm == "systemd" {
            unit.ends_with(".socket")
        } else {
            unit.ends_with(".service") && self.restarts(unit, user.is_some())
        };
        is_managed.then(|| Manager { user, unit: unit.clone() })
    }

    /// Whether the files of a service make systemd restart it when it ends.
    fn restarts(&self, unit: &str, is_users: bool) -> bool {
        let folders: &[&str] = if is_users { &USER } else { &SYSTEM };
        let mut restart = None;
        for text in self.unit_texts(folders, unit) {
            restart = setting(&String::from_utf8_lossy(&text), "Restart").or(restart);
        }
        restart.is_some_and(|value| !value.is_empty() && value != "no")
    }

    /// The texts of a unit's file and its drop-ins; an instance without files of its own has the template's.
    fn unit_texts(&self, folders: &[&str], unit: &str) -> Vec<Vec<u8>> {
        let template = unit.split_once('@').map(|(name, _)| format!("{name}@.service"));
        let names: Vec<&str> = [Some(unit), template.as_deref()].into_iter().flatten().collect();
        let read = |path: String| self.files.read(&path, MAX_BYTES);
        let file =
            names.iter().find_map(|name| folders.iter().find_map(|folder| read(format!("{folder}/{name}"))));
        let mut texts: Vec<_> = file.into_iter().collect();
        for folder in names
            .iter()
            .rev()
            .flat_map(|name| folders.iter().rev().map(move |folder| format!("{folder}/{name}.d")))
        {
            let changes = self.files.names(&folder).into_iter().filter(|name| name.ends_with(".conf"));
            texts.extend(changes.filter_map(|name| read(format!("{folder}/{name}"))));
        }
        texts
    }
}

/// The last value of a setting in the section `[Service]` (systemd.syntax(7)).
fn setting(text: &str, wanted: &str) -> Option<String> {
    let mut in_section = false;
    let mut found = None;
    for line in text.lines().map(str::trim) {
        if line.starts_with('[') {
            in_section = line == "[Service]";
        } else if let Some((key, value)) = line.split_once('=').filter(|_| in_section)
            && key.trim_end() == wanted
        {
            found = Some(value.trim().to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn process(comm: &str, unit: &str, cgroup: &str) -> Process {
        Process {
            pid: 7,
            comm: comm.to_owned(),
            unit: Some(unit.to_owned()),
            cgroup: Some(cgroup.to_owned()),
            ..Process::default()
        }
    }

    #[test]
    fn services_that_come_back_are_stopped_by_their_manager() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("usr/lib/systemd/system/web.service", "[Unit]\nRestart=no\n[Service]\nRestart=on-failure\n");
        write("usr/lib/systemd/system/once.service", "[Service]\nRestart=no\n");
        write("usr/lib/systemd/system/mute.service", "[Service]\nRestart=always\n");
        write("etc/systemd/system/mute.service.d/10.conf", "[Service]\nRestart=no\n");
        write("usr/lib/systemd/system/job@.service", "[Service]\nRestart=always\n");
        write("etc/systemd/user/mine.service", "[Service]\nRestart=always\n");
        let host = Host::at(root.path());
        let system = |unit: &str| host.manager(&process("x", unit, "/system.slice")).map(|it| it.unit);
        for (unit, is_managed) in [
            ("web.service", true),
            ("once.service", false),
            ("mute.service", false),
            ("job@7.service", true),
            ("none.service", false),
            ("session-1.scope", false),
        ] {
            assert_eq!(system(unit).is_some(), is_managed, "{unit}");
        }
        let user = "/user.slice/user-1000.slice/user@1000.service/app.slice/mine.service";
        let expected = Manager { user: Some(1000), unit: "mine.service".to_owned() };
        assert_eq!(host.manager(&process("x", "mine.service", user)), Some(expected));
        // A cgroup name in a delegated tree does not identify the manager.
        let nested = "/system.slice/web.service/user@0.service/app.slice/web.service";
        let of_system = Manager { user: None, unit: "web.service".to_owned() };
        assert_eq!(host.manager(&process("x", "web.service", nested)), Some(of_system));
        let init = process("systemd", "web.socket", "/init.scope");
        assert_eq!(host.manager(&init).map(|it| it.unit).as_deref(), Some("web.socket"));
        assert_eq!(host.manager(&process("systemd", "init.scope", "/init.scope")), None);
    }
}
