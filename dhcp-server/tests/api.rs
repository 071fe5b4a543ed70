//! The API for hook services, used by a service of a whole server whose packets the test injects.

mod access;
mod configuration;
mod every;
mod exchange;
mod hosts;
mod leases;
mod races;
mod service;
mod stage;
