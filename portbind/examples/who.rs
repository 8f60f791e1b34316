//! Prints who has a port. Run it as root, or see the processes of this user only:
//! `cargo build --example who && sudo target/debug/examples/who 8080`.
#![expect(clippy::print_stdout, reason = "an example for a terminal")]

use std::error::Error;

use portbind::ports::{Inspector, PortOrName, who};

fn main() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("name a port")?.parse()?;
    let answer = who(&Inspector::new()?, &PortOrName::Port(port), None)?;
    for socket in &answer.holders {
        println!("{} {}: {}", socket.protocol.as_str().unwrap_or("?"), socket.address, socket.state.as_str());
        for owner in &socket.processes {
            println!("  {} ({})", owner.process.comm, owner.process.pid);
        }
    }
    if answer.unseen.processes > 0 {
        println!("{} processes of others could not be looked at", answer.unseen.processes);
    }
    Ok(())
}
