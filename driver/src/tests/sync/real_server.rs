//! The real server, `tursodb --sync-server`, on a free port.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running server. It ends when this is dropped.
pub(super) struct RealServer {
    process: Child,
    port: u16,
}

/// The program of the real server, if the variable `TURSODB` names it.
pub(super) fn program() -> Option<String> {
    let program = std::env::var("TURSODB").ok().filter(|program| !program.is_empty());
    if program.is_none() {
        eprintln!("left out: TURSODB does not name the program of the real server");
    }
    program
}

impl RealServer {
    /// Starts the server on a database file; `None` if there is no program.
    pub(super) fn start(database: &Path) -> Option<Self> {
        let program = program()?;
        let probe = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = probe.local_addr().expect("its address").port();
        drop(probe);
        Some(Self::start_at(&program, database, port))
    }

    fn start_at(program: &str, database: &Path, port: u16) -> Self {
        let process = Command::new(program)
            .arg(database)
            .args(["--sync-server", &format!("127.0.0.1:{port}")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server's program starts");
        let started = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(
                started.elapsed() < Duration::from_secs(30),
                "the server does not listen"
            );
            std::thread::sleep(Duration::from_millis(10));
        }
        Self { process, port }
    }

    /// Ends the server and starts it again, at the same place.
    pub(super) fn restart(self, database: &Path) -> Self {
        let port = self.port;
        drop(self);
        Self::start_at(&program().expect("there was one"), database, port)
    }

    pub(super) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for RealServer {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
