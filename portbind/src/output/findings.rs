//! The findings of `portbind doctor`, as text and as JSON.

use std::io::{self, Write};

use super::format::Document;
use super::style::Style;
use crate::session::readiness::Findings;

impl Document for Findings {
    fn json(&self, _: &Style, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer(&mut *out, self)?;
        writeln!(out)
    }

    fn text(&self, _: &Style, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "kernel        {}", self.kernel)?;
        writeln!(out, "type info     {}", said(self.btf.ok, "found", self.btf.reason.as_deref()))?;
        let capabilities = match self.missing_capabilities.as_slice() {
            [] => "enough".to_owned(),
            missing => format!("missing {}; run it as root", missing.join(", ")),
        };
        writeln!(out, "privileges    {capabilities}")?;
        if !self.missing_for_processes.is_empty() {
            let names = self.missing_for_processes.join(" and ");
            writeln!(out, "              processes of others are described in part: {names} missing")?;
        }
        writeln!(
            out,
            "descriptors   {}",
            said(self.descriptors.ok, "enough", self.descriptors.reason.as_deref())
        )?;
        let kept = match self.kept_capabilities.as_slice() {
            [] => "no capability".to_owned(),
            kept => kept.join(", "),
        };
        let filter = if self.system_call_filter { "filtered" } else { "not filtered on this kernel" };
        writeln!(out, "then kept     {kept}; system calls are {filter}")?;
        writeln!(out, "lockdown      {}", self.lockdown.unwrap_or("unknown (securityfs is not mounted)"))?;
        if self.initial_pid_namespace == Some(false) {
            writeln!(
                out,
                "pid namespace not the first one: callers have the pids of the host; run follows no command"
            )?;
        }
        for backend in &self.backends {
            let name = backend.name;
            writeln!(out, "{name:<13} {}", said(backend.ok, "works", backend.reason.as_deref()))?;
            if let Some(ns) = backend.call_cost_ns {
                writeln!(out, "              makes every system call of the machine {ns} ns longer")?;
            }
            if let (true, Some(what)) = (backend.ok, backend.blind_to) {
                writeln!(out, "              does not see {what}")?;
            }
            for what in &backend.missing {
                writeln!(out, "              no hook for {what}")?;
            }
        }
        if let Some(found) = &self.open_sockets {
            let reason = found.reason.as_deref();
            writeln!(out, "open files    {}", said(found.ok, "works", reason))?;
        }
        for field in self.fields.iter().filter(|field| !field.found) {
            let cost = field.needed_for.map_or("tracing needs it", |what| what);
            writeln!(out, "field         {} not on this kernel: {cost}", field.name)?;
        }
        let found = self.fields.iter().filter(|field| field.found).count();
        writeln!(out, "fields        {found} of {} found", self.fields.len())?;
        writeln!(out, "tracing       {}", if self.ready { "will work" } else { "will not work" })
    }
}

fn said(ok: bool, yes: &str, reason: Option<&str>) -> String {
    if ok { yes.to_owned() } else { format!("cannot be used: {}", reason.unwrap_or("unknown")) }
}
