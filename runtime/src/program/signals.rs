//! What asks a process to end.

/// The signals, listened to from the moment it is made.
pub(super) struct Signals {
    #[cfg(unix)]
    listened: Option<[tokio::signal::unix::Signal; 2]>,
}

impl Signals {
    /// Ready at the first SIGINT or SIGTERM; a second one ends the process where it stands.
    pub(super) async fn asked_to_end(mut self) {
        self.next().await;
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(130);
        });
    }
}

#[cfg(unix)]
impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        use tokio::signal::unix::{SignalKind, signal};
        let both =
            signal(SignalKind::terminate()).and_then(|term| Ok([term, signal(SignalKind::interrupt())?]));
        Self { listened: both.ok() }
    }

    async fn next(&mut self) {
        match &mut self.listened {
            Some([terminate, interrupt]) => {
                tokio::select! {
                    _ = terminate.recv() => {}
                    _ = interrupt.recv() => {}
                }
            }
            None => std::future::pending().await,
        }
    }
}

#[cfg(not(unix))]
impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> Self {
        Self {}
    }

    async fn next(&mut self) {
        drop(tokio::signal::ctrl_c().await);
    }
}
