//! What is seen of a wrapped command; that it can no longer be seen is no reason to leave the command alone.

use std::panic::{self, AssertUnwindSafe};

use jiff::Timestamp;
use tokio::runtime::{self, Runtime};

use super::args::Args;
use super::child::Child;
use super::collector::{Collector, Found};
use super::identity::Identity;
use super::leaks;
use crate::cli::error::Error;
use crate::cli::session::{self, Records, Session};
use crate::cli::stderr;
use crate::event::{CommandEnd, Leak};
use crate::host::clock::boot_time;
use crate::host::{Entrance, Host};
use crate::kernel::tracer::Tracer;

/// All that can be made ready before there is a command.
pub(super) struct Trace {
    runtime: Runtime,
    tracer: Tracer,
    records: Records,
    /// What the session looks into other namespaces by.
    entrance: Entrance,
}

impl Trace {
    /// Makes it ready.
    pub(super) fn of(tracer: Tracer, entrance: Entrance) -> Result<Self, Error> {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|source| Error::System { doing: "cannot start the runtime", source })?;
        let records = {
            let _inside = runtime.enter();
            session::records(&tracer)?
        };
        Ok(Self { runtime, tracer, records, entrance })
    }
}

/// What a session has found out by its end, or until it failed.
#[derive(Default)]
struct Seen {
    end: Option<Timestamp>,
    leaks: Vec<Leak>,
}

/// Follows the command to its end, and tells what was found. What goes wrong with that is reported, and `None` is
/// returned; whether the command has ended by then is for the caller to see.
pub(super) fn follow(
    trace: Trace,
    args: &Args,
    collector: Collector,
    child: &mut Child,
    identity: &Identity,
) -> Option<Found> {
    let Trace { runtime, tracer, mut records, entrance } = trace;
    let host = &Host::new().through(entrance.clone());
    let follow = async {
        tracer.adopt(child.pid())?;
        let settings = args.settings(child.pid());
        let mut session = Session::start(settings, Host::new().through(entrance), tracer, collector)?;
        let command = args.describe(identity, host, child.pid());
        let started = command.time;
        session.sink_mut().started(command);
        let mut seen = Seen::default();
        if let Err(error) = watch(&mut session, &mut records, child, host, &mut seen).await {
            report(&error);
        }
        let mut collector = session.into_sink();
        let ending = child.wait().map_err(|source| Error::System { doing: NO_STATUS, source })?;
        let now = host.clock.at(boot_time());
        let end = CommandEnd { time: seen.end.unwrap_or(now), started, ending };
        Ok(collector.finish(&end, &seen.leaks, now, identity).await)
    };
    // What is broken in portbind is to leave the command whole: the panic has been reported by its hook.
    let followed = panic::catch_unwind(AssertUnwindSafe(|| runtime.block_on(follow))).ok()?;
    followed.inspect_err(report).ok()
}

/// What makes it impossible to say how the command ended.
pub(super) const NO_STATUS: &str = "cannot wait for the command";

async fn watch(
    session: &mut Session<Collector>,
    records: &mut Records,
    child: &mut Child,
    host: &Host,
    seen: &mut Seen,
) -> Result<(), Error> {
    let watched = child.watch().map_err(|source| Error::System { doing: NO_STATUS, source })?;
    child.let_go();
    let end = session.follow(records, child.ended(&watched)).await?;
    seen.end = Some(host.clock.at(boot_time()));
    seen.leaks = leaks::find(session, records, host).await?;
    session.close(records, end).await
}

fn report(error: &Error) {
    stderr::say(format_args!("not everything is seen of the command: {error}"));
}
