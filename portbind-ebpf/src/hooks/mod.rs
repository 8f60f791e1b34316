//! The entry points, one file per backend. Each only fetches the arguments and calls the shared code.

mod debug;
mod descendants;
mod fexit;
mod files;
mod history;
mod kprobe;
mod portless;
mod system_call;
mod tracepoint;
