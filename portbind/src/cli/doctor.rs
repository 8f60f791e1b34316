//! `portbind doctor`: what this kernel and these privileges allow, and why not.

use std::io::{self, Write};
use std::time::Duration;

use portbind_abi::layout::Need;
use serde::Serialize;

use crate::cli::error::{Error, ExitStatus, few_descriptors};
use crate::host::Procfs;
use crate::host::call_cost::call_cost;
use crate::host::confinement::{Purpose, has_filter};
use crate::host::privileges::{Lockdown, Privileges};
use crate::kernel::backend::Backend;
use crate::kernel::btf::Btf;
use crate::kernel::error::TraceError;
use crate::kernel::layout;
use crate::kernel::proof::sees_refusal;
use crate::kernel::tracer::{Options, Tracer, read_kernel_btf};
use crate::output::{Document, Format, Printer, Style, Verbs};
use crate::sys::file_bytes::KERNEL_BTF;

/// How the findings are written.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Exit status: 0 tracing will work; 3 a capability is missing; 4 this kernel does not allow it.

Examples:
  sudo portbind doctor
  sudo portbind doctor -o json | jq .backends")]
pub struct Args {
    /// `text` for people, `json` as one object.
    #[arg(short, long, value_parser = Verbs::Findings, value_name = "FORMAT", default_value = "text")]
    output_format: Format,
}

/// All findings.
#[derive(Debug, Serialize)]
struct Findings {
    schema: &'static str,
    ready: bool,
    kernel: String,
    btf: Finding,
    missing_capabilities: Vec<&'static str>,
    /// Without these, processes of others are described in part only.
    missing_for_processes: Vec<&'static str>,
    /// What `trace` keeps once it has begun.
    kept_capabilities: Vec<&'static str>,
    /// System calls can be filtered.
    system_call_filter: bool,
    lockdown: Option<&'static str>,
    initial_pid_namespace: Option<bool>,
    /// Files that may be open at once.
    descriptors: Finding,
    backends: Vec<BackendFinding>,
    open_sockets: Option<Finding>,
    fields: Vec<FieldFinding>,
}

/// Something that works or does not.
#[derive(Debug, Serialize)]
struct Finding {
    ok: bool,
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct BackendFinding {
    name: &'static str,
    ok: bool,
    reason: Option<String>,
    blind_to: Option<&'static str>,
    missing: Vec<&'static str>,
    /// Nanoseconds that it adds to every system call of the machine, bind or not; measured, where it adds any by design.
    call_cost_ns: Option<u64>,
}

/// A kernel field that tracing reads.
#[derive(Debug, Serialize)]
struct FieldFinding {
    name: String,
    found: bool,
    needed_for: Option<&'static str>,
}

/// Runs the verb: success if tracing will work.
///
/// # Errors
/// If the findings cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let findings = Findings::gather();
    match Printer::new(args.output_format, Style::default(), io::stdout().lock()).document(&findings) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Error::Write(error)),
        _ if findings.ready => Ok(ExitStatus::Success),
        _ if !findings.missing_capabilities.is_empty() => Ok(ExitStatus::Permission),
        _ if !findings.descriptors.ok => Ok(ExitStatus::Failure),
        _ => Ok(ExitStatus::Unsupported),
    }
}

impl Findings {
    fn gather() -> Self {
        let privileges = Privileges::read();
        let (btf, fields) = fields();
        let reason = few_descriptors()
            .map(|limit| format!("only {limit} may be open at once, and about 40 are needed: ulimit -n 256"));
        let descriptors = Finding { ok: reason.is_none(), reason };
        let mut open_sockets = None;
        let backends: Vec<_> = Backend::ALL.map(|backend| probe(backend, &mut open_sockets)).into();
        Self {
            schema: "portbind.doctor/1",
            ready: descriptors.ok && backends.iter().any(|backend| backend.ok),
            descriptors,
            kernel: privileges.kernel_release.clone(),
            btf,
            missing_capabilities: privileges.missing(),
            missing_for_processes: privileges.missing_for_processes(),
            kept_capabilities: privileges.kept(Purpose::Trace),
            system_call_filter: has_filter(),
            lockdown: privileges.lockdown.map(lockdown_word),
            initial_pid_namespace: Procfs::new().in_initial_pid_namespace(),
            backends,
            open_sockets,
            fields,
        }
    }
}

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
        writeln!(out, "lockdown      {}", self.lockdown.unwrap_or("not told (securityfs is not mounted)"))?;
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

const fn lockdown_word(mode: Lockdown) -> &'static str {
    match mode {
        Lockdown::Off => "none",
        Lockdown::Integrity => "integrity",
        Lockdown::Confidentiality => "confidentiality",
    }
}

/// The kernel's type information, and every field that tracing reads of it.
fn fields() -> (Finding, Vec<FieldFinding>) {
    let bytes = match read_kernel_btf() {
        Ok(bytes) => bytes,
        Err(error) => return (Finding { ok: false, reason: Some(error.to_string()) }, Vec::new()),
    };
    let btf = match Btf::parse(&bytes) {
        Ok(btf) => btf,
        Err(error) => {
            return (Finding { ok: false, reason: Some(format!("{KERNEL_BTF}: {error}")) }, Vec::new());
        }
    };
    let fields = layout::report(&btf).into_iter().map(|report| FieldFinding {
        name: [report.row.type_name, report.row.path].join(".").trim_end_matches('.').to_owned(),
        found: report.answer.is_ok(),
        needed_for: match report.row.need {
            Need::Essential => None,
            Need::Optional(what) => Some(what),
        },
    });
    (Finding { ok: true, reason: None }, fields.collect())
}

/// Loads and attaches a backend, has it prove that it sees a refusal, and lets go of it again.
fn probe(backend: Backend, open_sockets: &mut Option<Finding>) -> BackendFinding {
    let mut finding = BackendFinding {
        name: backend.as_str(),
        ok: false,
        reason: None,
        blind_to: backend.blind_to(),
        missing: Vec::new(),
        call_cost_ns: None,
    };
    let (before, again) = (call_cost(), call_cost());
    let tracer = match Tracer::start(&Options::only(backend)) {
        Ok(tracer) => tracer,
        Err(error) => {
            finding.reason = Some(match &error {
                TraceError::NoBackend(tried) => tried.iter().map(|(_, error)| error.to_string()).collect(),
                error => error.to_string(),
            });
            return finding;
        }
    };
    if backend.costs_every_call() {
        finding.call_cost_ns = added_cost(before.min(again), before.abs_diff(again));
    }
    if open_sockets.is_none() {
        let loaded = tracer.open_sockets();
        let reason = loaded.as_ref().err().map(ToString::to_string);
        *open_sockets = Some(Finding { ok: loaded.is_ok(), reason });
    }
    finding.reason = match sees_refusal(&tracer) {
        Ok(Some(false)) => {
            Some("it attaches, and does not see that a bind of portbind's own is refused".to_owned())
        }
        Ok(_) => None,
        Err(error) => Some(error.to_string()),
    };
    finding.ok = finding.reason.is_none();
    finding.missing = tracer.missing;
    finding
}

/// What a system call takes longer than before, in nanoseconds, if that is more than two measurements of the same differ by.
fn added_cost(before: Duration, scatter: Duration) -> Option<u64> {
    let added = call_cost().saturating_sub(before);
    (added > scatter * 2).then(|| u64::try_from(added.as_nanos()).ok())?
}
