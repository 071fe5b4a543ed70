//! Processes killed at any moment, on a disk that forgets. Alone in its program: a process that is being started
//! holds the locks of the stores of the one that starts it for a moment.

#[cfg(test)]
mod kill;
