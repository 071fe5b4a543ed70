//! Byte buffers that are used again.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

/// Buffers that a thread keeps for its next packets.
const KEPT: usize = 1024;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

/// A growable byte buffer that goes back to its thread's pool when dropped. In the steady state taking one allocates
/// nothing.
#[derive(Default)]
pub struct Buffer(Vec<u8>);

impl Buffer {
    /// Largest datagram that is received or sent, in bytes; also the capacity of a new buffer.
    pub const CAPACITY: usize = 4096;

    /// An empty buffer.
    #[must_use]
    pub fn take() -> Self {
        let pooled = POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten();
        Self(pooled.unwrap_or_else(|| Vec::with_capacity(Self::CAPACITY)))
    }

    /// A buffer with a copy of `bytes`.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut buffer = Self::take();
        buffer.extend_from_slice(bytes);
        buffer
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let mut bytes = std::mem::take(&mut self.0);
        if bytes.capacity() < Self::CAPACITY || bytes.capacity() > 16 * Self::CAPACITY {
            return;
        }
        bytes.clear();
        // A thread that is ending has no pool any more: the buffer is then simply freed.
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(bytes);
            }
        });
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Self::copy_of(self)
    }
}

impl Deref for Buffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl fmt::Debug for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
