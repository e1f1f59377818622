//! The program around the server.

#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use sync_test_server::State;
use tokio::net::TcpListener;

/// Serves a database file to clients of the sync engine, and fails on command
#[derive(Parser)]
#[command(name = "sync-test-server", after_long_help = include_str!("help.txt"))]
struct CommandLine {
    /// The file of the database; made if it is not there
    database: PathBuf,

    /// Where to listen; port 0 is a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// The bearer token that requests must have; none is asked for otherwise
    #[arg(long)]
    token: Option<String>,

    /// End when standard input does, so that a test that is killed leaves no server behind
    #[arg(long)]
    until_input_ends: bool,
}

fn main() -> ExitCode {
    match run(CommandLine::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("sync-test-server: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: CommandLine) -> io::Result<()> {
    let state = State::open(&options.database, options.token).map_err(|error| {
        let file = options.database.display();
        io::Error::other(format!("{file} can't be opened: {error}"))
    })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    if options.until_input_ends {
        std::thread::spawn(|| {
            let _ = io::copy(&mut io::stdin(), &mut io::sink());
            std::process::exit(0);
        });
    }
    runtime.block_on(async {
        let listener = TcpListener::bind(options.listen).await.map_err(|error| {
            let address = options.listen;
            io::Error::new(error.kind(), format!("no listening on {address}: {error}"))
        })?;
        let mut output = io::stdout();
        writeln!(output, "listening on {}", listener.local_addr()?)?;
        output.flush()?;
        sync_test_server::serve(listener, state).await
    })
}
