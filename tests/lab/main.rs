//! The harness itself: namespaces, processes and our own clients.

mod capture;
mod processes;
mod topology;
