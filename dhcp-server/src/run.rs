//! What each mode of the program does; returns the exit code.

use crate::arguments::Arguments;
use outrigger_config::model::{Config, LogSeverity, Logger};
use outrigger_proto::Family;
use outrigger_server::clock::Clock;
use outrigger_server::control::{Change, Done, MAX_ORDERS, Order, Wish, check as check_hooks};
use outrigger_server::server::{
    Chain, FamilyServer, LifeHooks, PATIENCE, StartError, import_leases, reach_services,
};
use outrigger_wire::{V4, V6};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;
use tokio::task::LocalSet;

/// sysexits.h: a wrong configuration.
const EX_CONFIG: u8 = 78;
/// sysexits.h: an input or output error.
const EX_IOERR: u8 = 74;

/// `-t` and `-T`.
pub(crate) fn check(arguments: &Arguments, file: &Path, services: bool) -> u8 {
    let Ok(config) = load(arguments, file) else {
        return EX_CONFIG;
    };
    if !services {
        return 0;
    }
    log_to(&[], arguments.debug);
    in_runtime(async {
        let reached = match &config {
            Config::V4(cfg) => reach_services::<V4>(cfg).await,
            Config::V6(cfg) => reach_services::<V6>(cfg).await,
        };
        match reached {
            Ok(()) => 0,
            Err(error) => complain(&error),
        }
    })
}

/// `--import-leases`.
pub(crate) fn import(arguments: &Arguments, files: &[PathBuf]) -> u8 {
    let Ok(configs) = load_all(arguments, files) else {
        return EX_CONFIG;
    };
    for config in configs {
        let imported = match &config {
            Config::V4(cfg) => import_leases::<V4>(&cfg.lease_database),
            Config::V6(cfg) => import_leases::<V6>(&cfg.lease_database),
        };
        match imported {
            Ok(leases) => println!("{leases} leases imported"),
            Err(error) => return complain(&error),
        }
    }
    0
}

/// `-c`.
pub(crate) fn serve(arguments: &Arguments, files: &[PathBuf]) -> u8 {
    let Ok(configs) = load_all(arguments, files) else {
        return EX_CONFIG;
    };
    let log_is_here = log_to(loggers(&configs), arguments.debug);
    in_runtime(async {
        // Before anything else, so that a server which is told to stop early stops in order.
        let Ok(mut signals) = Signals::new() else {
            return EX_IOERR;
        };
        let started = tokio::select! {
            started = Running::start(arguments, configs) => started,
            () = signals.stop() => return 0,
        };
        match started {
            Ok(running) => running.until_stopped(arguments, files, signals).await,
            Err(error) => {
                if !log_is_here {
                    tracing::error!("SERVER_FAILED: {}", Chain(&error));
                }
                complain(&error)
            }
        }
    })
}

fn in_runtime(work: impl Future<Output = u8>) -> u8 {
    match tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
    {
        Ok(runtime) => runtime.block_on(LocalSet::new().run_until(work)),
        Err(error) => {
            eprintln!("dhcp-server: cannot start: {error}");
            EX_IOERR
        }
    }
}

fn complain(error: &StartError) -> u8 {
    eprintln!("dhcp-server: {}", Chain(error));
    error.exit_code()
}

/// Reads a configuration and prints every problem; where it cannot be used they are returned as well.
fn load(arguments: &Arguments, file: &Path) -> Result<Config, String> {
    let loaded = check_hooks(outrigger_config::load(file));
    let mut problems: Vec<String> = loaded.diagnostics.iter().map(ToString::to_string).collect();
    let key = match &loaded.config {
        Some(Config::V4(_)) => "Dhcp4",
        Some(Config::V6(_)) => "Dhcp6",
        None => "",
    };
    let other = arguments
        .only
        .filter(|only| loaded.config.is_some() && *only != key);
    if let Some(only) = other {
        let file = file.display();
        problems.push(format!(
            "{file}: expected the top-level key {only}, because that is how this program was called"
        ));
    }
    for problem in &problems {
        eprintln!("{problem}");
    }
    match loaded.config {
        Some(config) if other.is_none() => Ok(config),
        _ => Err(problems.join("\n")),
    }
}

/// All files; at most one of each family.
fn load_all(arguments: &Arguments, files: &[PathBuf]) -> Result<Vec<Config>, String> {
    let loaded: Vec<_> = files.iter().map(|file| load(arguments, file)).collect();
    let configs = loaded.into_iter().collect::<Result<Vec<Config>, _>>()?;
    let of_v4 = configs
        .iter()
        .filter(|config| matches!(config, Config::V4(_)))
        .count();
    if of_v4 > 1 || configs.len() - of_v4 > 1 {
        let problem = "one configuration of each family may be given, not two of one";
        eprintln!("dhcp-server: {problem}");
        return Err(problem.to_owned());
    }
    Ok(configs)
}

fn loggers(configs: &[Config]) -> &[Logger] {
    match configs.first() {
        Some(Config::V4(cfg)) => &cfg.loggers,
        Some(Config::V6(cfg)) => &cfg.loggers,
        None => &[],
    }
}

/// The root logger's severity and first output. Says whether the log stands beside what this program prints.
fn log_to(loggers: &[Logger], debug: bool) -> bool {
    use tracing_subscriber::filter::LevelFilter;
    let root = loggers.iter().find(|logger| !logger.name.contains('.'));
    let level = match root.map_or(LogSeverity::Info, |logger| logger.severity) {
        _ if debug => LevelFilter::DEBUG,
        LogSeverity::Debug => LevelFilter::DEBUG,
        LogSeverity::Info => LevelFilter::INFO,
        LogSeverity::Warn => LevelFilter::WARN,
        LogSeverity::Error | LogSeverity::Fatal => LevelFilter::ERROR,
        LogSeverity::None => LevelFilter::OFF,
    };
    let format = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(false)
        .with_target(false);
    match root
        .and_then(|logger| logger.outputs.first())
        .map(String::as_str)
    {
        Some("stdout") => {
            format.with_writer(std::io::stdout).init();
            false
        }
        None | Some("stderr") => {
            format.with_writer(std::io::stderr).init();
            true
        }
        Some(other) if other.starts_with("syslog") => {
            format.with_writer(std::io::stderr).init();
            tracing::warn!(
                "LOG_TO_STDERR: output {other} is not built yet; the log goes to standard error"
            );
            true
        }
        Some(path) => match std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path)
        {
            Ok(file) => {
                format.with_writer(Arc::new(file)).init();
                false
            }
            Err(error) => {
                format.with_writer(std::io::stderr).init();
                tracing::warn!("LOG_TO_STDERR: cannot append to {path}: {error}");
                true
            }
        },
    }
}

/// SIGTERM and SIGINT stop, SIGHUP reloads, SIGUSR1 writes all counters to the log.
struct Signals {
    term: Signal,
    int: Signal,
    reload: Signal,
    counters: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            term: signal(SignalKind::terminate())?,
            int: signal(SignalKind::interrupt())?,
            reload: signal(SignalKind::hangup())?,
            counters: signal(SignalKind::user_defined1())?,
        })
    }

    /// Cancel safe.
    async fn next(&mut self) -> Told {
        tokio::select! {
            _ = self.term.recv() => Told::Stop,
            _ = self.int.recv() => Told::Stop,
            _ = self.reload.recv() => Told::Reload,
            _ = self.counters.recv() => Told::LogCounters,
        }
    }

    /// What ends the wait for a new configuration.
    async fn other_than_counters(&mut self) -> Told {
        loop {
            match self.next().await {
                Told::LogCounters => {}
                told => return told,
            }
        }
    }

    /// Waits for the word to stop alone; the others wait as well.
    async fn told_to_stop(&mut self) {
        tokio::select! {
            _ = self.term.recv() => {}
            _ = self.int.recv() => {}
        }
    }

    /// Waits for the word to stop, and passes over the others: nothing is there yet to reload or to count.
    async fn stop(&mut self) {
        while self.next().await != Told::Stop {}
    }
}

/// What a signal says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Told {
    Stop,
    Reload,
    LogCounters,
}

/// The servers of this process.
struct Running {
    v4: Option<FamilyServer<V4>>,
    v6: Option<FamilyServer<V6>>,
    /// From the control sockets.
    orders: mpsc::Receiver<Order>,
}

/// Who wants the servers to stop.
enum Stop {
    Signal,
    /// With this exit code.
    Command(u8),
}

impl Running {
    async fn start(arguments: &Arguments, configs: Vec<Config>) -> Result<Self, StartError> {
        let (sender, orders) = mpsc::channel(MAX_ORDERS);
        let mut running = Self {
            v4: None,
            v6: None,
            orders,
        };
        for config in configs {
            let (options, clock) = (&arguments.options, Clock::default());
            let orders = sender.clone();
            match config {
                Config::V4(cfg) => {
                    running.v4 = Some(FamilyServer::start(cfg, options, clock, orders).await?)
                }
                Config::V6(cfg) => {
                    running.v6 = Some(FamilyServer::start(cfg, options, clock, orders).await?)
                }
            }
        }
        Ok(running)
    }

    /// Serves until told to stop, or until a part has failed.
    async fn until_stopped(
        mut self,
        arguments: &Arguments,
        files: &[PathBuf],
        mut signals: Signals,
    ) -> u8 {
        let load = || load_all(arguments, files);
        loop {
            let stop = tokio::select! {
                told = signals.next() => match told {
                    Told::Stop => Some(Stop::Signal),
                    Told::Reload => self.reload(load, &mut signals).await,
                    Told::LogCounters => {
                        self.log_counters();
                        None
                    }
                },
                Some(order) = self.orders.recv() => self.obey(order, load, &mut signals).await,
                // What the journal could not keep must not be answered any more: out at once.
                code = failed(self.v4.as_ref()) => return code,
                code = failed(self.v6.as_ref()) => return code,
            };
            if let Some(stop) = stop {
                return self.stop(stop).await;
            }
        }
    }

    /// Takes what is in the files now. Says where it was told meanwhile to stop.
    async fn reload(
        &mut self,
        load: impl Fn() -> Result<Vec<Config>, String>,
        signals: &mut Signals,
    ) -> Option<Stop> {
        tracing::info!("CONFIG_RELOAD");
        let configs = match load() {
            Ok(configs) => configs,
            Err(problems) => {
                tracing::error!(
                    "CONFIG_REFUSED: the file has problems, printed above; the old configuration stays"
                );
                self.reloaded(Family::V4, Err(&problems));
                self.reloaded(Family::V6, Err(&problems));
                return None;
            }
        };
        for config in configs {
            let reloaded = tokio::select! {
                reloaded = self.take(&config, None) => reloaded,
                told = signals.other_than_counters() => {
                    tracing::warn!("CONFIG_RELOAD_ABANDONED: hook services were not ready; send SIGHUP to try once more");
                    return (told == Told::Stop).then_some(Stop::Signal);
                }
            };
            let refused = reloaded.map_err(|error| Chain(&error).to_string());
            if let Err(problems) = &refused {
                tracing::error!("CONFIG_REFUSED: {problems}; the old configuration stays");
            }
            let family = match config {
                Config::V4(_) => Family::V4,
                Config::V6(_) => Family::V6,
            };
            self.reloaded(family, refused.as_ref().copied().map_err(String::as_str));
        }
        None
    }

    /// Shows the services what came of a reload by a signal.
    fn reloaded(&self, family: Family, outcome: Result<(), &str>) {
        match (family, &self.v4, &self.v6) {
            (Family::V4, Some(server), _) => server.reloaded(outcome),
            (Family::V6, _, Some(server)) => server.reloaded(outcome),
            // Of a family that this process does not serve.
            _ => {}
        }
    }

    /// Does what a command asks for. Says where that, or a signal meanwhile, is to stop.
    async fn obey(
        &mut self,
        order: Order,
        load: impl Fn() -> Result<Vec<Config>, String>,
        signals: &mut Signals,
    ) -> Option<Stop> {
        let work = async {
            match order.wish {
                Wish::Stop(code) => Err(Stop::Command(code)),
                Wish::Change(change) => Ok(self.change(change).await),
                Wish::Reload => Ok(self.take_all(load()).await),
            }
        };
        let outcome = tokio::select! {
            outcome = work => outcome,
            () = signals.told_to_stop() => Err(Stop::Signal),
        };
        match outcome {
            Ok(outcome) => {
                if let Err(problems) = &outcome {
                    tracing::error!("CONFIG_REFUSED: {problems}; the old configuration stays");
                }
                // A client that did not wait for it does not want to know.
                let _ = order.done.send(outcome);
                None
            }
            Err(stop) => Some(stop),
        }
    }

    async fn change(&mut self, change: Change) -> Result<Done, String> {
        let changed = match (change.family, &mut self.v4, &mut self.v6) {
            (Family::V4, Some(server), _) => server.change(change).await,
            (Family::V6, _, Some(server)) => server.change(change).await,
            _ => Err(StartError::OtherFamily),
        };
        changed.map_err(|error| Chain(&error).to_string())
    }

    async fn take_all(&mut self, configs: Result<Vec<Config>, String>) -> Result<Done, String> {
        for config in configs? {
            let taken = self.take(&config, Some(PATIENCE)).await;
            taken.map_err(|error| Chain(&error).to_string())?;
        }
        Ok(Done::default())
    }

    async fn take(
        &mut self,
        config: &Config,
        patience: Option<Duration>,
    ) -> Result<(), StartError> {
        match (config, &mut self.v4, &mut self.v6) {
            (Config::V4(cfg), Some(server), _) => server.reload(Arc::clone(cfg), patience).await,
            (Config::V6(cfg), _, Some(server)) => server.reload(Arc::clone(cfg), patience).await,
            _ => Err(StartError::OtherFamily),
        }
    }

    fn log_counters(&self) {
        if let Some(server) = &self.v4 {
            server.log_counters();
        }
        if let Some(server) = &self.v6 {
            server.log_counters();
        }
    }

    async fn stop(self, stop: Stop) -> u8 {
        tracing::info!("SERVER_STOPPING");
        let Self { v4, v6, orders } = self;
        // Commands whose order is still to come are answered while the servers end.
        drop(orders);
        let (mut code, by_signal) = (0, matches!(stop, Stop::Signal));
        if let Some(server) = v4 {
            code = server.stop(by_signal).await.err().unwrap_or(code);
        }
        if let Some(server) = v6 {
            code = server.stop(by_signal).await.err().unwrap_or(code);
        }
        tracing::info!("SERVER_STOPPED");
        match (code, stop) {
            (0, Stop::Command(wanted)) => wanted,
            (code, _) => code,
        }
    }
}

/// Never ends for a family that is not served.
async fn failed<F: LifeHooks>(server: Option<&FamilyServer<F>>) -> u8 {
    match server {
        Some(server) => server.failed().await,
        None => std::future::pending().await,
    }
}
