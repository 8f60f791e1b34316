//! What this kernel and these privileges permit, and the reason for each limit.

use std::time::Duration;

use portbind_abi::layout::Need;
use serde::Serialize;

use crate::host::call_cost::call_cost;
use crate::host::confinement::{Purpose, has_filter};
use crate::host::privileges::{Lockdown, Privileges, few_descriptors};
use crate::host::{Procfs, generation};
use crate::kernel::backend::Backend;
use crate::kernel::btf::Btf;
use crate::kernel::error::TraceError;
use crate::kernel::layout;
use crate::kernel::proof::sees_refusal;
use crate::kernel::tracer::{Options, Tracer, read_kernel_btf};
use crate::sys::file_bytes::KERNEL_BTF;

/// All findings.
#[derive(Debug, Serialize)]
pub(crate) struct Findings {
    pub(crate) schema: &'static str,
    pub(crate) ready: bool,
    pub(crate) kernel: String,
    pub(crate) btf: Finding,
    pub(crate) missing_capabilities: Vec<&'static str>,
    /// Missing capabilities without which other users' processes are described only in part.
    pub(crate) missing_for_processes: Vec<&'static str>,
    /// Capabilities that `trace` keeps after the start.
    pub(crate) kept_capabilities: Vec<&'static str>,
    /// Whether system calls can be filtered.
    pub(crate) system_call_filter: bool,
    pub(crate) lockdown: Option<&'static str>,
    pub(crate) initial_pid_namespace: Option<bool>,
    /// Whether enough files may be open at the same time.
    pub(crate) descriptors: Finding,
    pub(crate) backends: Vec<BackendFinding>,
    pub(crate) open_sockets: Option<Finding>,
    pub(crate) fields: Vec<FieldFinding>,
}

/// Whether something works, and if not, why.
#[derive(Debug, Serialize)]
pub(crate) struct Finding {
    pub(crate) ok: bool,
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Serialize)]
pub(crate) struct BackendFinding {
    pub(crate) name: &'static str,
    pub(crate) ok: bool,
    pub(crate) reason: Option<String>,
    pub(crate) blind_to: Option<&'static str>,
    pub(crate) missing: Vec<&'static str>,
    /// Measured cost for every system call of the machine (bind or not), in nanoseconds, if the backend adds one by
    /// design.
    pub(crate) call_cost_ns: Option<u64>,
}

/// A kernel field that tracing reads.
#[derive(Debug, Serialize)]
pub(crate) struct FieldFinding {
    pub(crate) name: String,
    pub(crate) found: bool,
    pub(crate) needed_for: Option<&'static str>,
}

impl Findings {
    /// Checks each backend: loads and attaches it, and makes it prove that it sees a refusal.
    pub(crate) fn gather() -> Self {
        let privileges = Privileges::read();
        let (btf, fields) = fields();
        let reason = few_descriptors()
            .map(|limit| format!("only {limit} may be open at once, and about 40 are needed: ulimit -n 256"));
        let descriptors = Finding { ok: reason.is_none(), reason };
        let mut open_sockets = None;
        let backends = Backend::preferred(generation());
        let backends: Vec<_> =
            backends.into_iter().map(|backend| probe(backend, &mut open_sockets)).collect();
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

const fn lockdown_word(mode: Lockdown) -> &'static str {
    match mode {
        Lockdown::Off => "none",
        Lockdown::Integrity => "integrity",
        Lockdown::Confidentiality => "confidentiality",
    }
}

/// The kernel's type information, and every field of it that tracing reads.
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

/// Loads and attaches a backend, makes it prove that it sees a refusal, and detaches it.
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

/// Added cost of a system call in nanoseconds, if it exceeds the scatter between two equal measurements.
fn added_cost(before: Duration, scatter: Duration) -> Option<u64> {
    let added = call_cost().saturating_sub(before);
    (added > scatter * 2).then(|| u64::try_from(added.as_nanos()).ok())?
}
