//! Calls of remote hook services: sessions, deadlines, failure policies and reply checks.
