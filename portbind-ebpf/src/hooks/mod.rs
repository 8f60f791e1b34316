//! The entry points, one file a backend. Each is a shell: it fetches arguments and hands over.

mod debug;
mod descendants;
mod fexit;
mod files;
mod history;
mod kprobe;
mod portless;
mod system_call;
mod tracepoint;
