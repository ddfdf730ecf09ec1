//! Whether a name is free, for children that are created: lists of the names in a namespace, which all MonitoredApis share
//! that are new there at the same time. Each list takes the place of many GETs.
//!
//! A list can only say that a name was not taken. It is at most a second old when it is used, and what appeared since is
//! seen in the answer to the apply, which is without force. Where a list is not to be had, or would cost more than it saves,
//! nothing is known here and the object is read by itself. See `docs/adr/0012-lists-of-names-before-first-creations.md`.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use controller_core::ChildKind;
use tokio::sync::OnceCell;
use tokio::time::Instant;

use crate::cluster::{Cluster, kinds};

/// Age up to which an answer is used.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Longest wait for a list. What takes longer saves nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// Questions about one kind in one namespace, within [`MAX_AGE`], that are answered by one GET each: a MonitoredApi that is
/// created alone needs no list.
const SINGLE_QUESTIONS: u32 = 4;
/// Names on a list at most. A namespace with more objects of the kind is not listed.
const MAX_NAMES: u32 = 1000;
/// Names on a list that cost the API server about as much as one GET. A list with more of them for each question that it
/// answers is not repeated.
const NAMES_A_QUESTION: usize = 100;
/// How long a namespace is not listed after a list that failed, was too long, or answered too few questions.
const NO_LISTS: Duration = Duration::from_secs(30);
/// Namespaces and kinds that are remembered without a look at which of them are outdated.
const MANY: usize = 256;

/// A list that was begun, and the names on it once it has arrived.
#[derive(Debug)]
struct NameList {
    begun: Instant,
    /// `None`: it failed, or was too long.
    names: OnceCell<Option<HashSet<Box<str>>>>,
    usage: Mutex<Usage>,
}

#[derive(Debug, Default)]
struct Usage {
    /// Names that we have written to since it began.
    written: HashSet<Box<str>>,
    questions: usize,
}

/// What is known of one kind in one namespace.
#[derive(Debug)]
struct Scope {
    /// When the first of the questions was asked that are counted.
    since: Instant,
    questions: u32,
    list: Option<Arc<NameList>>,
    no_lists_until: Instant,
    /// Names that a GET did not find, and when it was begun.
    not_found: HashMap<Box<str>, Instant>,
}

type Scopes = HashMap<(ChildKind, Box<str>), Scope>;

/// The lists.
#[derive(Debug, Default)]
pub(crate) struct NameLists(Mutex<Scopes>);

impl NameLists {
    /// Whether no object of this kind had this name within the last second. `false`: there is one, or it is not known.
    pub(crate) async fn is_free(&self, cluster: &Cluster, kind: ChildKind, namespace: &str, name: &str) -> bool {
        let asked = Instant::now();
        let list = match self.ask(kind, namespace, name, asked) {
            Answer::Free => return true,
            Answer::Unknown => return false,
            Answer::Listed(list) => list,
        };
        let read = list.names.get_or_init(|| read(cluster, kind, namespace));
        let Some(names) = read.await else {
            self.refrain(kind, namespace, &list);
            return false;
        };
        let fresh = list.begun >= asked || list.begun.elapsed() <= MAX_AGE;
        let mut usage = lock(&list.usage);
        usage.questions += 1;
        fresh && !names.contains(name) && !usage.written.contains(name)
    }

    /// Remembers that a GET that was begun then did not find the object.
    pub(crate) fn not_found(&self, kind: ChildKind, namespace: &str, name: &str, begun: Instant) {
        let mut scopes = lock(&self.0);
        let known = &mut scope(&mut scopes, kind, namespace, begun).not_found;
        known.retain(|_, begun| begun.elapsed() <= MAX_AGE);
        known.insert(name.into(), begun);
    }

    /// After a write of ours, whatever came of it: what was known of this name is outdated.
    pub(crate) fn written(&self, kind: ChildKind, namespace: &str, name: &str) {
        let mut scopes = lock(&self.0);
        let Some(scope) = scopes.get_mut(&(kind, namespace.into())) else {
            return;
        };
        scope.not_found.remove(name);
        if let Some(list) = &scope.list {
            lock(&list.usage).written.insert(name.into());
        }
    }

    fn ask(&self, kind: ChildKind, namespace: &str, name: &str, now: Instant) -> Answer {
        let mut scopes = lock(&self.0);
        let scope = scope(&mut scopes, kind, namespace, now);
        if scope.not_found.get(name).is_some_and(|begun| now - *begun <= MAX_AGE) {
            return Answer::Free;
        }
        scope.list(now).map_or(Answer::Unknown, Answer::Listed)
    }

    /// No more lists for a while after this one, unless another one was begun since.
    fn refrain(&self, kind: ChildKind, namespace: &str, failed: &Arc<NameList>) {
        let mut scopes = lock(&self.0);
        let Some(scope) = scopes.get_mut(&(kind, namespace.into())) else {
            return;
        };
        if scope.list.as_ref().is_some_and(|list| Arc::ptr_eq(list, failed)) {
            scope.list = None;
            scope.no_lists_until = Instant::now() + NO_LISTS;
        }
    }
}

enum Answer {
    Free,
    Unknown,
    Listed(Arc<NameList>),
}

impl Scope {
    fn new(now: Instant) -> Self {
        Self {
            since: now,
            questions: 0,
            list: None,
            no_lists_until: now,
            not_found: HashMap::new(),
        }
    }

    /// The list that answers a question that is asked now. `None`: a GET does.
    fn list(&mut self, now: Instant) -> Option<Arc<NameList>> {
        if now < self.no_lists_until {
            return None;
        }
        if let Some(list) = &self.list {
            if now - list.begun <= MAX_AGE {
                return Some(Arc::clone(list));
            }
            if !list.was_worth_it() {
                self.list = None;
                self.no_lists_until = now + NO_LISTS;
                return None;
            }
        }
        if now - self.since > MAX_AGE {
            (self.since, self.questions) = (now, 0);
        }
        self.questions = self.questions.saturating_add(1);
        // A burst that goes on goes on with lists.
        let goes_on = self.list.as_ref().is_some_and(|list| now - list.begun <= 2 * MAX_AGE);
        if self.questions <= SINGLE_QUESTIONS && !goes_on {
            self.list = None;
            return None;
        }
        let list = Arc::new(NameList {
            begun: now,
            names: OnceCell::new(),
            usage: Mutex::default(),
        });
        self.list = Some(Arc::clone(&list));
        Some(list)
    }

    /// Whether nothing is known here that matters still.
    fn is_outdated(&self, now: Instant) -> bool {
        let listed = self.list.as_ref().is_some_and(|list| now - list.begun <= 2 * MAX_AGE);
        !listed && now >= self.no_lists_until && now - self.since > MAX_AGE
    }
}

impl NameList {
    /// Whether it has spared the API server more than it cost.
    fn was_worth_it(&self) -> bool {
        let names = self.names.get().and_then(Option::as_ref).map_or(0, HashSet::len);
        names <= NAMES_A_QUESTION.saturating_mul(lock(&self.usage).questions)
    }
}

fn scope<'a>(scopes: &'a mut Scopes, kind: ChildKind, namespace: &str, now: Instant) -> &'a mut Scope {
    if scopes.len() >= MANY {
        scopes.retain(|_, scope| !scope.is_outdated(now));
    }
    scopes
        .entry((kind, namespace.into()))
        .or_insert_with(|| Scope::new(now))
}

/// All names in a namespace. `None`: they could not be read in time, or are too many.
async fn read(cluster: &Cluster, kind: ChildKind, namespace: &str) -> Option<HashSet<Box<str>>> {
    let names = cluster.names(kinds::resource(kind), namespace, MAX_NAMES);
    match tokio::time::timeout(PATIENCE, names).await {
        Ok(Ok(names)) => names,
        Ok(Err(error)) => {
            tracing::debug!(%error, "no list of names: objects are read one by one");
            None
        }
        Err(_) => None,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
