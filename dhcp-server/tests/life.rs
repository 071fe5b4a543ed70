//! The hook points of the server's life and of its commands, on a whole server that listens on no interface.

mod break_glass;
mod commands;
mod configurations;
mod stage;
