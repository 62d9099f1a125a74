//! A stream whose other side has to take what is written: one that takes nothing for too long is given up.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// A stream that does not wait for ever to write.
#[derive(Debug)]
pub struct Unstalled<S> {
    stream: S,
    patience: Duration,
    /// Runs out while nothing is taken.
    limit: Option<Pin<Box<Sleep>>>,
}

impl<S> Unstalled<S> {
    /// A stream whose other side may take nothing for this long.
    pub fn new(stream: S, patience: Duration) -> Self {
        Self { stream, patience, limit: None }
    }

    /// Waits on behalf of a write, which is an error once it has waited for too long.
    fn wait<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.limit = None;
            return written;
        }
        let patience = self.patience;
        ready!(self.limit.get_or_insert_with(|| Box::pin(sleep(patience))).as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Unstalled<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Unstalled<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.wait(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bytes);
        self.wait(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
    use tokio::time::Instant;

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn who_takes_nothing_is_given_up() {
        let (ours, _theirs) = duplex(16);
        let began = Instant::now();
        let error = Unstalled::new(ours, PATIENCE).write_all(&[0; 100]).await.expect_err("nobody reads");
        assert_eq!((error.kind(), began.elapsed()), (io::ErrorKind::TimedOut, PATIENCE));
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_slow_gets_all_of_it() {
        let (ours, mut theirs) = duplex(16);
        let reading = tokio::spawn(async move {
            let mut taken = Vec::new();
            while taken.len() < 100 {
                sleep(PATIENCE * 2 / 3).await;
                theirs.read_buf(&mut taken).await.expect("readable");
            }
        });
        let began = Instant::now();
        Unstalled::new(ours, PATIENCE).write_all(&[0; 100]).await.expect("all of it");
        reading.await.expect("read");
        assert!(began.elapsed() > PATIENCE * 3, "much longer than nothing may be taken");
    }
}
