//! nginx in front of one instance or several.

use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::postgres::{free_port, give, unprivileged};

/// An nginx that runs; ended when dropped.
#[derive(Debug)]
pub(crate) struct Nginx {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    folder: TempDir,
    child: Child,
}

impl Nginx {
    /// Starts one that gives each request to one of these, and to another where that is gone.
    pub(crate) fn start(instances: &[SocketAddr]) -> Result<Self, String> {
        let location = "location / { proxy_pass http://service; proxy_set_header Host $http_host; }";
        Self::configured(instances, |_| (String::new(), location.to_owned()))
    }

    /// Starts one with this in `http {}` and that in `server {}`, made of a folder for its files; `http://service` is one of
    /// the instances.
    pub(crate) fn configured(
        instances: &[SocketAddr],
        written: impl FnOnce(&Path) -> (String, String),
    ) -> Result<Self, String> {
        let folder = TempDir::new().map_err(|e| e.to_string())?;
        let port = free_port()?;
        let file = folder.path().join("nginx.conf");
        let servers: String = instances
            .iter()
            .map(|at| format!("server {at} max_fails=0; "))
            .collect();
        let temporary: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .iter()
            .map(|name| format!("{name}_temp_path {}/{name}; ", folder.path().display()))
            .collect();
        let (http, server) = written(folder.path());
        let configuration = format!(
            "daemon off; worker_processes 1; pid {0}/pid; error_log {0}/error.log;\nevents {{}}\n\
             http {{\n  access_log off; {temporary}\n  upstream service {{ {servers} keepalive 16; }}\n  \
             proxy_http_version 1.1; proxy_set_header Connection '';\n  {http}\n\
             server {{\n    listen 127.0.0.1:{port};\n    {server}\n  }}\n}}\n",
            folder.path().display()
        );
        std::fs::write(&file, configuration).map_err(|e| e.to_string())?;
        give(folder.path())?;
        let child = unprivileged(Path::new("nginx"))?
            .arg("-c")
            .arg(&file)
            .arg("-e")
            .arg(folder.path().join("error.log"))
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|e| format!("nginx: {e}"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let nginx = Self {
            address,
            folder,
            child,
        };
        let start = Instant::now();
        while TcpStream::connect(address).is_err() {
            if start.elapsed() > Duration::from_secs(30) {
                return Err(format!("nginx doesn't start:\n{}", nginx.errors()));
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(nginx)
    }

    /// What it complained of.
    pub(crate) fn errors(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("error.log")).unwrap_or_default()
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // Its worker ends with it only where it is asked to end.
        let _ = std::process::Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let _ = self.child.wait();
    }
}
