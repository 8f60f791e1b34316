//! The entry points, one file a backend. Each is a shell: it fetches arguments and hands over.

mod debug;
mod family;
mod fexit;
mod files;
mod history;
mod kprobe;
mod named;
mod system_call;
mod tracepoint;
