//! Prints each refused bind on this machine until Ctrl-C, and how many there were. Run it as root:
//! `cargo build --example watch && sudo target/debug/examples/watch`.
#![expect(clippy::print_stdout, reason = "an example for a terminal")]

use std::error::Error;
use std::io;

use portbind::session::{Event, Session};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(watch())
}

async fn watch() -> Result<(), Box<dyn Error>> {
    let mut session = Session::builder().start()?;
    let interrupted = interrupted()?;
    tokio::pin!(interrupted);
    loop {
        tokio::select! {
            event = session.next() => match event? {
                Some(Event::Refusal(refusal)) => {
                    let (process, socket) = (&refusal.process, &refusal.socket);
                    println!("{} ({}), port {}: {}", process.comm, process.pid, socket.port, refusal.cause.summary);
                }
                Some(_) => {}
                None => break,
            },
            () = &mut interrupted => break,
        }
    }
    let finished = session.finish().await?;
    println!("{} refused", finished.summary.account.refused);
    Ok(())
}

/// Is ready at Ctrl-C.
fn interrupted() -> io::Result<impl Future<Output = ()>> {
    let mut signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
    Ok(async move {
        signal.recv().await;
    })
}
