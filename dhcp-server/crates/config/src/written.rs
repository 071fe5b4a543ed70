//! What a configuration file says: known keywords with their positions, every value of its type, nothing inherited.
//!
//! Whatever concerns one keyword alone (type, range, form of an address) is checked here; whatever concerns several
//! of them in [`crate::resolve`].

pub(crate) mod accepted;
pub(crate) mod classes;
pub(crate) mod ddns;
pub(crate) mod global;
pub(crate) mod hook_service;
pub(crate) mod host;
pub(crate) mod libraries;
pub(crate) mod object;
pub(crate) mod option;
pub(crate) mod process;
pub(crate) mod scope;
pub(crate) mod server_api;
pub(crate) mod storage;
pub(crate) mod subnet;
mod suggest;

pub(crate) use object::{Object, Spanned};
pub(crate) use suggest::nearest;
