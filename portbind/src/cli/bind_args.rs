//! The bind that `portbind check` and `portbind wait` try.

use std::net::IpAddr;

use super::values::PortProtocol;
use crate::event::Options;
use crate::ports::Bind;

/// Options of the bind.
#[derive(Debug, clap::Args)]
pub(super) struct BindArgs {
    /// The address to bind; the default is 0.0.0.0, or :: with --v6-only.
    #[arg(long, value_name = "ADDRESS")]
    address: Option<IpAddr>,
    /// The protocol: tcp, udp, mptcp, udplite or sctp.
    #[arg(long = "proto", value_name = "PROTO", default_value = "tcp")]
    protocol: PortProtocol,
    /// Set SO_REUSEADDR, as most servers do.
    #[arg(long)]
    reuse_address: bool,
    /// Set SO_REUSEPORT.
    #[arg(long)]
    reuse_port: bool,
    /// Set IPV6_V6ONLY.
    #[arg(long)]
    v6_only: bool,
    /// Bind the socket to this interface (SO_BINDTODEVICE).
    #[arg(long, value_name = "NAME")]
    interface: Option<String>,
}

impl BindArgs {
    /// The bind of `port` with these options.
    pub(super) fn bind(&self, port: u16) -> Bind {
        let options =
            Options { reuse_address: self.reuse_address, reuse_port: self.reuse_port, v6_only: self.v6_only };
        let PortProtocol(protocol) = self.protocol;
        Bind {
            address: self.address,
            options,
            interface: self.interface.clone(),
            ..Bind::new(protocol, port)
        }
    }
}
