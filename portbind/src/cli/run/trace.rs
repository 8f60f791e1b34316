//! The trace of a wrapped command. A trace that fails does not stop the command.

use std::cell::RefCell;
use std::convert::Infallible;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::time::Duration;

use jiff::Timestamp;
use tokio::runtime::{self, Runtime};
use tokio::time::sleep;

use super::args::Args;
use super::collector::{Collector, Findings};
use crate::cli::error::Error;
use crate::cli::{rights, stderr};
use crate::event::{CommandEnd, Leak};
use crate::host::broker_start::Helpers;
use crate::host::clock::boot_time;
use crate::host::confinement::Purpose;
use crate::host::{Failed, Host};
use crate::kernel::tracer::Tracer;
use crate::session::{self, End, Engine, Records};
use crate::sys::code;
use crate::wrapped::Child;
use crate::wrapped::Daemons;
use crate::wrapped::Identity;
use crate::wrapped::leaks;
use crate::writer::outlet::Haste;

/// The interval at which the descendants are searched for clients of daemons.
const LOOK: Duration = Duration::from_millis(100);

/// What can be prepared before the command starts.
pub(super) struct Trace {
    runtime: Runtime,
    tracer: Tracer,
    records: Records,
    /// The helper processes.
    helpers: Helpers,
}

impl Trace {
    /// Prepares the trace.
    pub(super) fn of(tracer: Tracer, helpers: Helpers) -> Result<Self, Error> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(Failed::at("cannot start the runtime"))?;
        let records = {
            let _inside = runtime.enter();
            session::records(&tracer)?
        };
        Ok(Self { runtime, tracer, records, helpers })
    }
}

/// What a run has seen by its end, or until it failed.
#[derive(Default)]
struct Seen {
    end: Option<Timestamp>,
    leaks: Vec<Leak>,
}

/// Follows the command to its end, and reports the findings. If the trace fails, reports the failure and returns
/// `None`; the caller must check whether the command has ended.
pub(super) fn follow(
    trace: Trace,
    args: &Args,
    collector: Collector,
    daemons: &RefCell<Daemons>,
    child: &mut Child,
    identity: &Identity,
) -> Option<Findings> {
    let Trace { runtime, tracer, records, helpers } = trace;
    let host = &Host::new().through(helpers.clone());
    let follow = async {
        tracer.adopt(child.pid())?;
        let host_of_engine = Host::new().through(helpers);
        let mut engine = Engine::new(args.settings(), host_of_engine, tracer, records, collector);
        rights::give_up(Purpose::Run { command: child.pid() }, false, |_| {})?;
        engine.begin(false)?;
        code::let_go();
        let command = args.describe(identity, host, child.pid());
        let started = command.time;
        *daemons.borrow_mut() = Daemons::beside(host, child.pid(), &command.args);
        for pid in daemons.borrow().pids() {
            // A daemon that has ended meanwhile is none to follow.
            let _followed = engine.adopt(pid);
        }
        engine.sink_mut().started(command);
        let mut seen = Seen::default();
        if let Err(error) = watch(&mut engine, child, host, daemons, &mut seen).await {
            report(&error);
        }
        let mut collector = engine.into_sink();
        let ending = child.wait().map_err(Failed::at(NO_STATUS))?;
        let now = host.clock.at(boot_time());
        let end = CommandEnd { time: seen.end.unwrap_or(now), started, ending };
        let haste = collector.haste();
        Ok(in_haste(collector.finish(&end, &seen.leaks, now, identity), child, &haste).await)
    };
    // A bug in portbind must not harm the command; the panic hook has already reported the panic.
    let followed = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(follow))).ok()?;
    followed.inspect_err(report).ok()
}

/// Why the status of the command cannot be reported.
pub(super) const NO_STATUS: &str = "cannot wait for the command";

async fn watch(
    engine: &mut Engine<Collector>,
    child: &mut Child,
    host: &Host,
    daemons: &RefCell<Daemons>,
    seen: &mut Seen,
) -> Result<(), Error> {
    let watched = child.watch().map_err(Failed::at(NO_STATUS))?;
    child.let_go();
    let end = until_end(engine, child.ended(&watched), host, daemons).await?;
    seen.end = Some(host.clock.at(boot_time()));
    child.forget_signals();
    let haste = engine.sink_mut().haste();
    let close = async {
        let is_own = |pid: &u32| !daemons.borrow().has(*pid, host);
        seen.leaks = leaks::find(engine, host, &is_own).await?;
        Ok(engine.close(end).await?)
    };
    in_haste(close, child, &haste).await
}

/// Handles events until the command has ended, and searches its descendants for clients of daemons.
async fn until_end(
    engine: &mut Engine<Collector>,
    ended: impl Future<Output = ()>,
    host: &Host,
    daemons: &RefCell<Daemons>,
) -> Result<End, Error> {
    let looks = daemons.borrow().has_clients_to_find();
    let mut ended = pin!(ended);
    loop {
        let mut has_ended = false;
        let step = async {
            tokio::select! {
                biased;
                () = &mut ended => has_ended = true,
                () = sleep(LOOK), if looks => {}
            }
        };
        let end = engine.follow(step).await?;
        if has_ended || end == End::ClosedPipe {
            return Ok(end);
        }
        daemons.borrow_mut().find_clients(&engine.descendants(), false, host);
    }
}

/// Does the work that is left after the end of the command. A signal shortens the waits for readers in it.
async fn in_haste<T>(work: impl Future<Output = T>, child: &Child, haste: &Haste) -> T {
    let signal = async {
        if !haste.has_begun()
            && let Ok(watched) = child.watch()
        {
            child.asked_to_end(&watched).await;
            haste.begin();
        }
        std::future::pending::<Infallible>().await
    };
    tokio::select! {
        biased;
        done = work => done,
        never = signal => match never {},
    }
}

fn report(error: &Error) {
    stderr::say(format_args!("not everything is seen of the command: {error}"));
}
