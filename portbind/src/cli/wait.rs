//! `portbind wait`: until a port is free, or somebody listens on it.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use jiff::SignedDuration;

use super::asked::BindArgs;
use super::examine::examine;
use super::helper::{Common, Helper};
use super::values::Seconds;
use crate::cli::error::{Error, ExitStatus};
use crate::diagnosis::answer::{Unseen, Until, Wait};
use crate::diagnosis::foresight::{accepts, may_pass};
use crate::event::{Errno, Holder, Refusal, Socket};
use crate::host::port_sockets::{self, PortSocket, Protocols, Query};
use crate::host::{generation, trial};
use crate::output::answer::Answer;

/// The first and the longest pause between two looks.
const PAUSES: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));

/// What is waited for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
`free` is what `portbind check` answers with the same options: without --reuse-address, a TIME_WAIT is waited out, too.
The bind is tried only when the kernel's rule has nothing against it any more.
`listening` is a listener that takes what is sent to --address (any address, if none is given), or a socket of UDP
that receives from anybody. Nothing connects to it.

Exit status: 0 it has come; 1 it has not, when --timeout was over.

Examples:
  portbind wait 8080 --until listening --timeout 30
  portbind wait 8080 --until free --timeout 1m && ./server")]
pub struct Args {
    /// The port.
    #[arg(value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// What to wait for.
    #[arg(long, value_enum)]
    until: UntilWord,
    /// Give up after this long: 30, 0.5, 5m, 1h. Without it, wait for ever.
    #[arg(long, value_name = "SECS")]
    timeout: Option<Seconds>,
    #[command(flatten)]
    bind: BindArgs,
    #[command(flatten)]
    common: Common,
}

/// The word after `--until`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum UntilWord {
    /// A bind would succeed
    Free,
    /// Somebody listens
    Listening,
}

/// What a look at the port found.
enum Look {
    Reached,
    NotYet,
    /// The bind fails for another reason than a taken port.
    Hopeless(Box<Refusal>),
}

/// Runs the verb: success if what is waited for has come.
///
/// # Errors
/// If the namespace cannot be looked into, or the answer cannot be written.
pub fn run(args: &Args) -> Result<ExitStatus, Error> {
    let helper = Helper::new(&args.common)?;
    let mut waiting = Waiting {
        until: match args.until {
            UntilWord::Free => Until::Free,
            UntilWord::Listening => Until::Listening,
        },
        address: args.bind.address,
        socket: args.bind.socket(&helper, args.port),
        helper: &helper,
        known: Vec::new(),
        holders: Vec::new(),
        unseen: Unseen::default(),
    };
    let wait = waiting.run(args.timeout.map(|Seconds(timeout)| timeout))?;
    if !wait.reached {
        helper.tell_unseen(wait.unseen);
    }
    helper.answer(&Answer::Wait(&wait))?;
    Ok(if wait.reached { ExitStatus::Success } else { ExitStatus::Negative })
}

struct Waiting<'a> {
    helper: &'a Helper,
    until: Until,
    address: Option<IpAddr>,
    socket: Socket,
    /// Inodes of the sockets whose people are known.
    known: Vec<u64>,
    holders: Vec<Holder>,
    unseen: Unseen,
}

impl Waiting<'_> {
    fn run(&mut self, timeout: Option<Duration>) -> Result<Wait, Error> {
        let begin = Instant::now();
        let mut pause = PAUSES.0;
        let look = loop {
            let look = self.look()?;
            let left = timeout.map_or(Duration::MAX, |timeout| timeout.saturating_sub(begin.elapsed()));
            if !matches!(look, Look::NotYet) || left.is_zero() {
                break look;
            }
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(PAUSES.1);
        };
        let waited = SignedDuration::try_from(begin.elapsed()).unwrap_or(SignedDuration::MAX);
        if self.until == Until::Listening || !matches!(look, Look::Reached) {
            self.ask_people()?;
        }
        let (reached, hopeless) = match look {
            Look::Reached => (true, None),
            Look::NotYet => (false, None),
            Look::Hopeless(refusal) => (false, Some(*refusal)),
        };
        Ok(Wait {
            time: self.helper.now(),
            until: self.until,
            reached,
            waited,
            socket: self.shown(),
            holders: std::mem::take(&mut self.holders),
            hopeless,
            unseen: self.unseen,
        })
    }

    fn look(&mut self) -> Result<Look, Error> {
        match self.until {
            Until::Free => self.look_whether_free(),
            Until::Listening => self.look_for_listener(),
        }
    }

    fn look_for_listener(&self) -> Result<Look, Error> {
        let query = Query::listening(self.socket.port, Protocols::One(self.socket.protocol));
        let sockets = self.ask(&query)?;
        let is_there = sockets.iter().any(|socket| accepts(&socket.holder(), self.address));
        Ok(if is_there { Look::Reached } else { Look::NotYet })
    }

    fn look_whether_free(&mut self) -> Result<Look, Error> {
        let sockets = self.ask(&self.query())?;
        let holders: Vec<Holder> = sockets.iter().map(PortSocket::holder).collect();
        if may_pass(generation(), &self.socket, &holders) {
            let socket = &self.socket;
            let trial = self.helper.netns.inside(|| trial::serve(socket)).map_err(Error::Netns)?;
            match trial {
                Ok(()) => return Ok(Look::Reached),
                Err(refused) if refused.error != Errno::EADDRINUSE => {
                    let check = examine(self.helper, socket)?;
                    return Ok(check
                        .refusal
                        .map_or(Look::NotYet, |refusal| Look::Hopeless(Box::new(refusal))));
                }
                Err(_) => {}
            }
        }
        let inodes: Vec<u64> =
            sockets.iter().map(|socket| socket.inode).filter(|&inode| inode != 0).collect();
        // Who has it now may be gone when it is free.
        if inodes != self.known || self.holders.is_empty() {
            self.ask_people()?;
            self.known = inodes;
        }
        Ok(Look::NotYet)
    }

    fn ask(&self, query: &Query) -> Result<Vec<PortSocket>, Error> {
        port_sockets::ask(&self.helper.host.entrance, &self.helper.netns, query)
            .map_err(|error| self.helper.error(error))
    }

    const fn query(&self) -> Query {
        Query::port(self.socket.port, Protocols::One(self.socket.protocol))
    }

    fn ask_people(&mut self) -> Result<(), Error> {
        let found = self.helper.find(&self.query())?;
        self.holders = found.holders;
        if self.until == Until::Listening {
            self.holders.retain(|holder| accepts(holder, self.address));
        }
        self.unseen = found.unseen;
        Ok(())
    }

    /// The socket with the address that was asked about: of listeners any will do.
    fn shown(&self) -> Socket {
        let any = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
        match self.until {
            Until::Free => self.socket.clone(),
            Until::Listening => Socket { address: self.address.unwrap_or(any), ..self.socket.clone() },
        }
    }
}
