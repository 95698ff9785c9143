//! How many sockets and event streams are open, in all and from one address.

use crate::listener::Peer;
use crate::problem::{Problem, problem};
use crate::state::App;
use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::StatusCode;
use axum::http::request::Parts;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio_util::sync::CancellationToken;

/// The counters.
#[derive(Debug)]
pub(crate) struct Sockets {
    limit: u32,
    limit_per_address: u32,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    by_address: HashMap<IpAddr, u32>,
    /// How each open socket is told to end.
    goodbyes: HashMap<u64, CancellationToken>,
    /// Sockets since the start of the process.
    taken: u64,
    /// The server ends; no socket is let in any more.
    refusing: bool,
}

impl Sockets {
    /// With these limits.
    pub(crate) fn new(limit: u32, limit_per_address: u32) -> Arc<Sockets> {
        Arc::new(Sockets { limit, limit_per_address, open: Mutex::default() })
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many are open.
    pub(crate) fn open(&self) -> u32 {
        self.lock().count()
    }

    /// Counts one more, or refuses it.
    pub(crate) fn take(self: &Arc<Self>, address: IpAddr) -> Result<SocketPermit, Problem> {
        let mut open = self.lock();
        if open.refusing {
            return Err(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "draining",
                "сервер завершает работу",
            )
            .retry_after(2));
        }
        if open.count() >= self.limit {
            return Err(problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "too_many_sockets",
                "открыто слишком много соединений",
            )
            .retry_after(5));
        }
        let of_address = open.by_address.entry(address).or_default();
        if *of_address >= self.limit_per_address {
            return Err(problem(
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_sockets_of_address",
                "с этого адреса открыто слишком много соединений",
            )
            .retry_after(5));
        }
        *of_address += 1;
        open.taken += 1;
        let (number, goodbye) = (open.taken, CancellationToken::new());
        open.goodbyes.insert(number, goodbye.clone());
        Ok(SocketPermit { sockets: Arc::clone(self), address, number, goodbye })
    }

    /// Lets nobody in any more; answers how those are told who are in.
    pub(crate) fn refuse_more(&self) -> Vec<CancellationToken> {
        let mut open = self.lock();
        open.refusing = true;
        open.goodbyes.values().cloned().collect()
    }
}

impl Open {
    fn count(&self) -> u32 {
        u32::try_from(self.goodbyes.len()).unwrap_or(u32::MAX)
    }
}

/// Counts as open until dropped.
#[derive(Debug)]
pub(crate) struct SocketPermit {
    sockets: Arc<Sockets>,
    address: IpAddr,
    number: u64,
    goodbye: CancellationToken,
}

impl SocketPermit {
    /// Cancelled when this socket has to end.
    pub(crate) fn goodbye(&self) -> &CancellationToken {
        &self.goodbye
    }
}

impl Drop for SocketPermit {
    fn drop(&mut self) {
        let mut open = self.sockets.lock();
        open.goodbyes.remove(&self.number);
        if let Some(count) = open.by_address.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                open.by_address.remove(&self.address);
            }
        }
    }
}

impl FromRequestParts<App> for SocketPermit {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<SocketPermit, Problem> {
        let address = parts.extensions.get::<ConnectInfo<Peer>>();
        let address = address.map_or(IpAddr::from([127, 0, 0, 1]), |info| info.0.address.ip());
        app.sockets.take(address)
    }
}

#[cfg(test)]
mod tests {
    use super::Sockets;
    use std::net::IpAddr;

    #[test]
    fn both_limits_hold_and_are_given_back() {
        let sockets = Sockets::new(3, 2);
        let (a, b) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        let first = sockets.take(a).unwrap();
        let _second = sockets.take(a).unwrap();
        assert_eq!(sockets.take(a).unwrap_err().code, "too_many_sockets_of_address");
        let _third = sockets.take(b).unwrap();
        assert_eq!(sockets.take(b).unwrap_err().code, "too_many_sockets");
        drop(first);
        assert_eq!(sockets.open(), 2);
        drop(sockets.take(a).unwrap());
    }
}
