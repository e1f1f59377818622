//! This program, started once more as the process that something happens to.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Names what the process is to do.
pub(crate) const TASK: &str = "ASYNC_PROXY_FAULTS_TASK";
/// The database that it is to do it with.
pub(crate) const DATABASE: &str = "ASYNC_PROXY_FAULTS_DATABASE";

/// A process that does one task.
pub(crate) struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    pub(crate) fn start(task: &str, database: &Path) -> Self {
        let program = std::env::current_exe().expect("this program's path");
        Self::spawn(Command::new(program), task, database)
    }

    /// One whose files can't grow beyond so many blocks of 512 bytes, or 1024, as the shell has it: writing fails then, and
    /// does not kill it.
    #[cfg(unix)]
    pub(crate) fn start_with_small_files(task: &str, database: &Path, blocks: u32) -> Self {
        let program = std::env::current_exe().expect("this program's path");
        let mut shell = Command::new("sh");
        shell
            .arg("-c")
            .arg(format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\""))
            .arg(program);
        Self::spawn(shell, task, database)
    }

    fn spawn(mut command: Command, task: &str, database: &Path) -> Self {
        command.env(TASK, task).env(DATABASE, database);
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let output = child.stdout.take().expect("its output");
        let lines = read_lines(output);
        Self { child, lines }
    }

    /// The next line that it prints.
    pub(crate) fn line(&mut self) -> Option<String> {
        self.lines.recv_timeout(Duration::from_secs(30)).ok()
    }

    /// The last line that it has printed.
    pub(crate) fn last_line(&self) -> Option<String> {
        self.lines.iter().last()
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it ends");
    }

    /// Waits until it has ended by itself: its status, how long that took, and what it said on standard error.
    pub(crate) fn end(mut self) -> (ExitStatus, Duration, String) {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("its status") {
                let mut said = String::new();
                if let Some(mut errors) = self.child.stderr.take() {
                    let _ = errors.read_to_string(&mut said);
                }
                return (status, started.elapsed(), said);
            }
            if started.elapsed() > Duration::from_secs(30) {
                self.kill();
                panic!("the process does not end");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

fn read_lines(output: ChildStdout) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    receiver
}
