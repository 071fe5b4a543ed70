//! The harness itself: namespaces, processes and our own clients.

mod processes;
mod topology;
