//! Parts for tests: clients, a simulated link, a clock and callouts.
