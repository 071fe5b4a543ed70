//! Which lease a client gets: plan, show the plan, commit.
