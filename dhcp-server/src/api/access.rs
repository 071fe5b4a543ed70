//! Who may ask what: tokens, grants, and how much at a time.

use outrigger_config::model::{Grant, HookService};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::hint::black_box;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::{Request, Status};

/// Calls of one service that may be under way at a time.
const MAX_CALLS: usize = 64;

/// Streams of one service that may be open at a time.
const MAX_STREAMS: usize = 4;

/// A secret of 256 bits. Has no text form but the one that its service is given.
struct Token([u8; 32]);

impl Token {
    fn new() -> Self {
        // The generator of `rand` for secrets: seeded by the system.
        Self(rand::random())
    }

    fn hex(&self) -> String {
        self.0
            .iter()
            .fold(String::with_capacity(64), |mut text, byte| {
                // Writing to a string cannot fail.
                let _ = write!(text, "{byte:02x}");
                text
            })
    }

    /// Takes the same time wherever the first difference is.
    fn is(&self, other: &[u8; 32]) -> bool {
        let pairs = self.0.iter().zip(other);
        black_box(pairs.fold(0, |difference, (a, b)| black_box(difference | (a ^ b)))) == 0
    }
}

/// A service that may ask something.
struct Service {
    name: Arc<str>,
    token: Token,
    grants: Vec<Grant>,
    calls: Arc<Semaphore>,
    streams: Arc<Semaphore>,
}

/// Who may ask, by name.
#[derive(Default)]
pub(super) struct Access(Mutex<BTreeMap<String, Service>>);

/// A call that was let in. It counts until this is dropped.
pub(super) struct Call {
    /// Name of the service.
    pub(super) service: Arc<str>,
    _place: OwnedSemaphorePermit,
}

impl Access {
    /// Adds what a service is granted to what it was granted before; returns its token.
    pub(super) fn let_in(&self, settings: &HookService) -> String {
        let mut services = self.services();
        let service = services
            .entry(settings.name.clone())
            .or_insert_with(|| Service {
                name: settings.name.as_str().into(),
                token: Token::new(),
                grants: Vec::new(),
                calls: Arc::new(Semaphore::new(MAX_CALLS)),
                streams: Arc::new(Semaphore::new(MAX_STREAMS)),
            });
        service.grants.extend(&settings.server_api);
        service.token.hex()
    }

    /// From now on these services may ask what they are granted, and nobody anything else.
    pub(super) fn settle(&self, settings: &[HookService]) {
        self.services().retain(|name, service| {
            let Some(settings) = settings.iter().find(|settings| settings.name == *name) else {
                return false;
            };
            service.grants.clone_from(&settings.server_api);
            !service.grants.is_empty()
        });
    }

    /// Lets a call in.
    ///
    /// # Errors
    /// UNAUTHENTICATED, PERMISSION_DENIED or RESOURCE_EXHAUSTED.
    pub(super) fn call<T>(&self, request: &Request<T>, grant: Grant) -> Result<Call, Status> {
        self.admit(request, grant, |service| &service.calls, "calls", MAX_CALLS)
    }

    /// Lets a stream in.
    ///
    /// # Errors
    /// As [`Self::call`].
    pub(super) fn stream<T>(&self, request: &Request<T>, grant: Grant) -> Result<Call, Status> {
        self.admit(
            request,
            grant,
            |service| &service.streams,
            "streams",
            MAX_STREAMS,
        )
    }

    /// Whether a service is granted this now.
    pub(super) fn is_granted(&self, service: &str, grant: Grant) -> bool {
        let services = self.services();
        services
            .get(service)
            .is_some_and(|service| service.grants.contains(&grant))
    }

    fn admit<T>(
        &self,
        request: &Request<T>,
        grant: Grant,
        places: impl Fn(&Service) -> &Arc<Semaphore>,
        what: &str,
        most: usize,
    ) -> Result<Call, Status> {
        const WANTED: &str = "send the token of Load as metadata \"authorization: Bearer TOKEN\"";
        let token = token(request).ok_or_else(|| Status::unauthenticated(WANTED))?;
        let services = self.services();
        // All of them, so that the time does not tell which one it was.
        let mut caller = None;
        for service in services.values() {
            if service.token.is(&token) {
                caller = Some(service);
            }
        }
        let Some(caller) = caller else {
            return Err(Status::unauthenticated(
                "the token is of no hook service of the running configuration",
            ));
        };
        if !caller.grants.contains(&grant) {
            let (name, grant) = (&caller.name, grant.name());
            return Err(Status::permission_denied(format!(
                "\"server-api\" of hook service {name} does not grant {grant}"
            )));
        }
        let place = Arc::clone(places(caller)).try_acquire_owned();
        let place = place.map_err(|_| {
            Status::resource_exhausted(format!("{most} {what} of this service are open already"))
        })?;
        Ok(Call {
            service: Arc::clone(&caller.name),
            _place: place,
        })
    }

    fn services(&self) -> MutexGuard<'_, BTreeMap<String, Service>> {
        // Nothing in here panics halfway.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The bearer token of a request.
fn token<T>(request: &Request<T>) -> Option<[u8; 32]> {
    let value = request.metadata().get("authorization")?.to_str().ok()?;
    let (scheme, digits) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("bearer") || digits.len() != 64 {
        return None;
    }
    let mut digits = digits.bytes().map(|digit| char::from(digit).to_digit(16));
    let mut token = [0; 32];
    for byte in &mut token {
        let (high, low) = (digits.next()??, digits.next()??);
        *byte = u8::try_from(high << 4 | low).ok()?;
    }
    Some(token)
}
