//! What a report adds if the command failed and no bind was refused.

use crate::diagnosis::clients::Client;
use crate::escape::Escaped;
use crate::event::ShellCommand;

/// The most refusals of other processes that may be a daemon's work for the command.
const FEW: u64 = 20;

/// Sentences about daemons that the command asked, and about refused processes that are not the command's.
pub(super) fn advice(clients: &[Client], filtered: u64) -> Vec<String> {
    let of_client = clients.last().and_then(of_client);
    // A daemon of an unknown client is refused a few times; a busy machine refuses thousands of binds.
    let of_others = (1..=FEW).contains(&filtered).then(|| {
        let binds = if filtered == 1 { "1 bind" } else { &format!("{filtered} binds") };
        format!(
            "meanwhile, other processes were refused {binds} (a daemon that the command asks does not descend from \
             it): portbind trace shows such refusals"
        )
    });
    of_client.into_iter().chain(of_others).collect()
}

fn of_client(client: &Client) -> Option<String> {
    let (name, pid, daemon) = (Escaped(client.name()), client.pid, client.row.daemon);
    let asks = format!("{name} ({pid}) binds no port, but asks {daemon}");
    if !client.row.has_allocator {
        return Some(format!("{asks}: portbind trace shows the refused binds of what {daemon} starts"));
    }
    if !client.may_publish() {
        return None;
    }
    let port = client.published().first().map(|(low, _)| *low);
    let shown = match port.and_then(ShellCommand::list_publishers) {
        Some(command) => format!("this names the container: {command}"),
        None => "docker ps lists the published ports".to_owned(),
    };
    Some(format!(
        "{asks}, which keeps a list of published ports, and refuses a port of the list without a bind. If {name} \
         reported \"port is already allocated\", {shown}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn docker_is_asked_for_the_container_that_publishes_the_port() {
        let client = |line: &str| {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            Client::of(7, &args).unwrap()
        };
        let shown = advice(&[client("docker run -p 127.0.0.1:8085:80 x")], 0);
        assert!(shown[0].ends_with("this names the container: docker ps --filter publish=8085"), "{shown:?}");
        let shown = advice(&[client("docker compose up")], 2);
        assert!(shown[0].ends_with("docker ps lists the published ports"), "{shown:?}");
        assert!(advice(&[client("docker run image false")], 0).is_empty());
        assert!(shown[1].starts_with("meanwhile, other processes were refused 2 binds"), "{shown:?}");
        assert!(advice(&[client("systemctl start x")], 0)[0].contains("asks systemd: portbind trace"));
        assert!(advice(&[], 0).is_empty() && advice(&[], FEW + 1).is_empty());
    }
}
