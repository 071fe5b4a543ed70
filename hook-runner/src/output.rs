//! What services write, line by line, with the name of the service in front.

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::sync::mpsc;

/// Lines that wait for the terminal or log; after them the services wait.
const QUEUE: usize = 1024;

/// A longer line is cut into several.
const LONGEST: u64 = 16 * 1024;

/// Where lines go.
#[derive(Debug, Clone)]
pub(crate) struct Output(mpsc::Sender<Vec<u8>>);

impl Output {
    /// Starts the one task that writes to standard error; it ends with the last clone.
    pub(crate) fn start() -> (Self, tokio::task::JoinHandle<()>) {
        let (lines, mut received) = mpsc::channel::<Vec<u8>>(QUEUE);
        let task = tokio::spawn(async move {
            let mut stderr = tokio::io::stderr();
            while let Some(line) = received.recv().await {
                // Nobody reads: the services are run all the same.
                let _ = stderr.write_all(&line).await;
                let _ = stderr.flush().await;
            }
        });
        (Self(lines), task)
    }

    /// Forwards lines until the stream ends.
    pub(crate) async fn forward(self, name: String, stream: impl AsyncRead + Unpin) {
        let mut stream = BufReader::new(stream);
        loop {
            let mut line = format!("{name}: ").into_bytes();
            let read = (&mut stream)
                .take(LONGEST)
                .read_until(b'\n', &mut line)
                .await;
            if matches!(read, Ok(0) | Err(_)) {
                return;
            }
            if !line.ends_with(b"\n") {
                line.push(b'\n');
            }
            if self.0.send(line).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_carry_the_name_and_long_ones_are_cut() {
        let (lines, mut received) = mpsc::channel(8);
        let long = "x".repeat(20_000);
        let text = format!("first\n\n{long}\nlast");
        Output(lines).forward("a".to_owned(), text.as_bytes()).await;
        let mut all = Vec::new();
        while let Some(line) = received.recv().await {
            all.push(String::from_utf8(line).unwrap());
        }
        let expected = [
            "a: first\n".to_owned(),
            "a: \n".to_owned(),
            format!("a: {}\n", &long[..16_384]),
            format!("a: {}\n", &long[16_384..]),
            "a: last\n".to_owned(),
        ];
        assert_eq!(all, expected);
    }
}
