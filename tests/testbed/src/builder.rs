//! Starts a test bed or joins a running one, under one lock for each name.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::bed::Bed;
use crate::compile::Toolbox;
use crate::launch::{self, Lifetime, SupervisorProgram};
use crate::paths::{Cache, StateDir, write_atomically};
use crate::say::say;
use crate::started::{Started, read_started};
use crate::testbed::Testbed;
use crate::tools::Level;
use crate::{control_plane, node, prerequisites};

/// How long a shared test bed waits for its next driver: long enough to build the next test binary.
const SHARED_IDLE: Duration = Duration::from_secs(300);

/// Settings of a test bed that is to be started.
#[derive(Debug)]
pub struct TestbedBuilder {
    name: String,
    level: Level,
    nodes: usize,
    idle: Duration,
    supervisor: Option<SupervisorProgram>,
}

impl Testbed {
    /// Settings for a test bed called `name` (1 to 24 of a-z, 0-9 and -); test beds of different names are independent.
    pub fn builder(name: &str) -> TestbedBuilder {
        TestbedBuilder::new(name)
    }
}

impl TestbedBuilder {
    fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            level: Level::ControlPlane,
            nodes: 1,
            idle: SHARED_IDLE,
            supervisor: None,
        }
    }

    /// How much of Kubernetes; the control plane by default.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// How many real nodes at [`Level::Node`]; one by default.
    #[must_use]
    pub fn nodes(mut self, count: usize) -> Self {
        self.nodes = count;
        self
    }

    /// How long a shared test bed ([`TestbedBuilder::start_or_attach`]) lives without a driver; five minutes by default.
    #[must_use]
    pub fn idle(mut self, patience: Duration) -> Self {
        self.idle = patience;
        self
    }

    /// The program that serves as supervisor; by default the one beside the running program.
    #[must_use]
    pub fn supervisor(mut self, supervisor: SupervisorProgram) -> Self {
        self.supervisor = Some(supervisor);
        self
    }

    /// Starts a test bed that ends with the returned value, or with this process however it ends.
    pub fn start(self) -> Result<Testbed> {
        self.start_with(Lifetime::Driver)
    }

    /// Starts a test bed that stays until [`Testbed::shutdown`], or `cargo xtask testbed down`.
    pub fn start_detached(self) -> Result<Testbed> {
        self.start_with(Lifetime::Detached)
    }

    /// Joins the test bed of this name, or starts it first. It ends some minutes after the last driver is gone
    /// (see [`TestbedBuilder::idle`]).
    pub fn start_or_attach(self) -> Result<Testbed> {
        let state = StateDir::of(&Cache::locate()?, &self.name)?;
        // Held for the whole test run: it shows the supervisor that the test bed is in use.
        let user = state.users_lock()?;
        user.lock_shared().context("join as a driver")?;
        let lock = state.start_lock()?;
        let mut joined = match read_started(&state)? {
            Some(started) if started.level >= self.level => Testbed::attach(&self.name)?,
            Some(_) => bail!(
                "the test bed {0} runs at a lower level: end it with cargo xtask testbed down --name {0}",
                self.name
            ),
            None => {
                let lifetime = Lifetime::Shared(self.idle);
                self.start_locked(lifetime)?
            }
        };
        drop(lock);
        joined.hold_user_lock(user);
        Ok(joined)
    }

    fn start_with(self, lifetime: Lifetime) -> Result<Testbed> {
        let state = StateDir::of(&Cache::locate()?, &self.name)?;
        let _lock = state.start_lock()?;
        if read_started(&state)?.is_some() {
            bail!(
                "the test bed {0} runs already: end it with cargo xtask testbed down --name {0}",
                self.name
            );
        }
        self.start_locked(lifetime)
    }

    fn start_locked(self, lifetime: Lifetime) -> Result<Testbed> {
        prerequisites::ensure(self.level)?;
        let toolbox = Toolbox::open()?;
        toolbox.ensure_level(self.level)?;
        let supervisor = match self.supervisor {
            Some(program) => program,
            None => SupervisorProgram::find()?,
        };
        let begin = Instant::now();
        let cache = Cache::locate()?;
        let state = StateDir::of(&cache, &self.name)?;
        launch::clear(&state)?;
        launch::sweep(&cache)?;
        prerequisites::ensure_disk(cache.root(), self.level)?;
        let bed = Bed { state, toolbox };
        let child = launch::start(&bed, &supervisor, self.level, lifetime)?;
        // From here on an error drops this value, which ends the test bed.
        let mut starting = Testbed::starting(bed.clone(), child);
        let pki = control_plane::create_pki(&bed)?;
        control_plane::start(&bed, &pki)?;
        say(format_args!(
            "{}: control plane ready after {:.1} s",
            self.name,
            begin.elapsed().as_secs_f64()
        ));
        let nodes = match self.level {
            Level::ControlPlane => 0,
            Level::Node => self.nodes,
        };
        if nodes > 0 {
            node::start(&bed, &pki, nodes)?;
            say(format_args!(
                "{}: {nodes} node(s) ready after {:.1} s",
                self.name,
                begin.elapsed().as_secs_f64()
            ));
        }
        let started = Started {
            level: self.level,
            nodes,
        };
        write_atomically(&bed.state.file("state.json"), &serde_json::to_vec(&started)?)?;
        if lifetime != Lifetime::Driver {
            starting.detach()?;
        }
        Ok(starting)
    }
}
