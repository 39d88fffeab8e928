//! A wire to a server, which can be cut: nothing passes any more, and neither side is told.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A wire; it ends with the process.
#[derive(Debug)]
pub(crate) struct Wire {
    /// Where it begins.
    pub(crate) port: u16,
    /// How often it was cut and mended: odd while it is cut. What was connected before stays cut.
    cuts: Arc<AtomicUsize>,
}

impl Wire {
    /// A wire to a port on 127.0.0.1.
    pub(crate) fn to(port: u16) -> Result<Self, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|e| e.to_string())?;
        let own = listener.local_addr().map_err(|e| e.to_string())?.port();
        let cuts = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&cuts);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                let far = TcpStream::connect(SocketAddr::from(([127, 0, 0, 1], port)));
                if let Ok(far) = far {
                    let born = seen.load(Ordering::SeqCst);
                    for (from, to) in [(near.try_clone(), far.try_clone()), (Ok(far), Ok(near))] {
                        if let (Ok(from), Ok(to)) = (from, to) {
                            let seen = Arc::clone(&seen);
                            std::thread::spawn(move || pass(from, to, born, &seen));
                        }
                    }
                }
            }
        });
        Ok(Self { port: own, cuts })
    }

    /// Cuts it, or mends a cut one for those who connect anew.
    pub(crate) fn cut_or_mend(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream, born: usize, cuts: &AtomicUsize) {
    let mut bytes = [0; 8192];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        let is_whole = born.is_multiple_of(2) && cuts.load(Ordering::SeqCst) == born;
        if is_whole && to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
}
