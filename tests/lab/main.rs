//! The harness itself: namespaces, processes and our own clients.

mod capture;
mod places;
mod processes;
mod topology;
