//! A record of every frame of a lab, in the file format of libpcap.

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::ifaddrs::getifaddrs;
use nix::sys::socket::{bind, recvfrom};
use socket2::{Domain, Protocol, Socket, Type};

use crate::host::Host;

/// `ETH_P_ALL`: frames of every protocol.
const EVERY_PROTOCOL: u16 = 3;
const LONGEST_FRAME: usize = 65_536;
/// How often the recorder looks whether it should stop.
const PAUSE: Duration = Duration::from_millis(20);

/// A running record; dropping it writes what has arrived until then and ends it.
#[derive(Debug)]
pub(crate) struct Capture {
    stop: Arc<AtomicBool>,
    recorder: Option<JoinHandle<()>>,
}

impl Capture {
    /// Records the frames that a host sees on an interface. Times in the file count from now.
    ///
    /// # Panics
    ///
    /// When the interface does not exist or the file cannot be written.
    pub(crate) fn start(host: &Host, interface: &str, path: &Path) -> Self {
        let socket = host
            .enter(|| open(interface))
            .unwrap_or_else(|error| panic!("cannot record {interface}: {error}"));
        let file = File::create(path)
            .unwrap_or_else(|error| panic!("cannot write {}: {error}", path.display()));
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let recorder = thread::spawn(move || {
            if let Err(error) = record(&socket, file, &stopped) {
                eprintln!("the capture is cut: {error}");
            }
        });
        Self {
            stop,
            recorder: Some(recorder),
        }
    }
}

impl Drop for Capture {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(recorder) = self.recorder.take() {
            let _ = recorder.join();
        }
    }
}

fn open(interface: &str) -> io::Result<Socket> {
    let protocol = Protocol::from(i32::from(EVERY_PROTOCOL.to_be()));
    let socket = Socket::new(Domain::PACKET, Type::RAW, Some(protocol))?;
    // This address names no protocol, so binding keeps the socket's own (packet(7)).
    let address = getifaddrs()?
        .filter(|found| found.interface_name == interface)
        .find_map(|found| found.address?.as_link_addr().copied())
        .ok_or(io::ErrorKind::NotFound)?;
    bind(socket.as_raw_fd(), &address)?;
    socket.set_read_timeout(Some(PAUSE))?;
    Ok(socket)
}

fn record(socket: &Socket, mut file: File, stop: &AtomicBool) -> io::Result<()> {
    let start = Instant::now();
    let mut frame = vec![0; LONGEST_FRAME];
    file.write_all(&file_header())?;
    loop {
        match recvfrom::<()>(socket.as_raw_fd(), &mut frame) {
            Ok((length, _)) => {
                let frame = frame.get(..length).unwrap_or_default();
                file.write_all(&packet(start.elapsed(), frame))?;
            }
            Err(_) if stop.load(Ordering::Relaxed) => return Ok(()),
            Err(nix::errno::Errno::EAGAIN | nix::errno::Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

/// Little-endian: magic: u32 | version: u16, u16 | zone, accuracy: u32, u32 | longest frame: u32 |
/// link type: u32 (1 is Ethernet).
fn file_header() -> [u8; 24] {
    let mut header = [0; 24];
    header[..8].copy_from_slice(&[0xD4, 0xC3, 0xB2, 0xA1, 2, 0, 4, 0]);
    header[16..].copy_from_slice(&[0, 0, 1, 0, 1, 0, 0, 0]);
    header
}

/// Little-endian: seconds: u32 | microseconds: u32 | recorded: u32 | length: u32 | the frame.
fn packet(time: Duration, frame: &[u8]) -> Vec<u8> {
    let seconds = u32::try_from(time.as_secs()).unwrap_or(u32::MAX);
    let length = u32::try_from(frame.len()).unwrap_or(u32::MAX);
    let mut bytes = Vec::with_capacity(16 + frame.len());
    for field in [seconds, time.subsec_micros(), length, length] {
        bytes.extend(field.to_le_bytes());
    }
    bytes.extend(frame);
    bytes
}
