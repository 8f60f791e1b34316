//! Who is behind a process: container, unit, test and job, a few words each.

use super::super::words;
use crate::escape::{Escaped, TestName};
use crate::event::{CiJob, Container, Process, Test};
use crate::secrets::mask_text;

/// What is known of a process, most telling first. A unit says little of what runs in a container, and
/// a scope says nothing but that somebody started it.
pub(super) fn groups(process: &Process) -> Vec<String> {
    let mut groups = Vec::new();
    if let Some(container) = &process.container {
        groups.push(self::container(container));
        groups.extend(pod(container));
    }
    let unit = process.unit.as_deref().filter(|unit| !unit.ends_with(".scope"));
    groups.extend(unit.map(|unit| words::unit(unit, process.container.is_some(), process.cgroup.as_deref())));
    let job = process.job.as_ref();
    groups.extend(job.and_then(|job| job.test.as_ref()).map(test));
    groups.extend(job.and_then(|job| job.ci.as_ref()).map(ci));
    groups
}

fn container(container: &Container) -> String {
    let runtime = container.runtime.map_or_else(String::new, |runtime| format!(" ({})", runtime.as_str()));
    format!("container {}{runtime}", Escaped(container.label()))
}

fn pod(container: &Container) -> Option<String> {
    let pod = container.pod.as_ref()?;
    let name = pod.name.as_ref().or(pod.uid.as_ref())?;
    let namespace = pod.namespace.as_ref().map(|namespace| format!("{}/", Escaped(namespace)));
    Some(format!("pod {}{}", namespace.unwrap_or_default(), Escaped(name)))
}

fn test(test: &Test) -> String {
    let worker = test.worker.as_ref().map(|worker| Escaped(worker).to_string());
    let name = test.name.as_deref().map(mask_text);
    match (name, worker) {
        (Some(name), Some(worker)) => format!("test {} ({worker})", TestName(&name)),
        (Some(name), None) => format!("test {} ({})", TestName(&name), test.runner),
        (None, Some(worker)) => format!("{} worker {worker}", test.runner),
        (None, None) => format!("{} run", test.runner),
    }
}

fn ci(job: &CiJob) -> String {
    let run = job.run.as_ref().map_or_else(String::new, |run| format!(" {}", Escaped(run)));
    let name = job.name.as_ref().map_or_else(String::new, |name| format!(" {}", Escaped(&mask_text(name))));
    format!("job{name} ({}{run})", job.system)
}
