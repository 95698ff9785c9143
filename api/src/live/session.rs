//! The HTTP side of Socket.IO: who gets in, and how a session is ended from outside.
//!
//! The protocol's own `disconnect` tells clients not to come back. A session that is slow, or that
//! has to leave a server that ends, must come back, so its transport is broken instead: the
//! WebSocket is cut and polls are answered as if the session were unknown.

use super::severable::Severable;
use super::socket::Allowance;
use super::socket_io::Joined;
use super::websocket::query_value;
use crate::problem::{Problem, problem};
use crate::sockets::SocketPermit;
use crate::state::App;
use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engineioxide::service::NotFoundService;
use hyper::service::Service;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use socketioxide::service::SocketIoService;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// The longest answer to the first request of a session.
const MAX_OPENING: usize = 4096;

/// One client over all its requests. It lives as long as the engine's socket, which keeps the
/// extensions of the first request.
pub(super) struct Session {
    permit: SocketPermit,
    /// The place in the stream of all jobs that was taken before the client was told `connect`.
    pub(super) joined: Mutex<Option<Joined>>,
    /// The one job that the client wants to see; `None` for all.
    pub(super) narrowed: watch::Sender<Option<Uuid>>,
    allowance: Mutex<Allowance>,
}

impl Session {
    /// Counts a message of the client; one that floods is broken off.
    pub(super) fn may_speak(&self) -> bool {
        let mut allowance = self.allowance.lock().unwrap_or_else(PoisonError::into_inner);
        let may = allowance.take();
        if !may {
            self.goodbye().cancel();
        }
        may
    }

    /// Cancelled when the client is to come back by another way; cancel it to send it away.
    pub(super) fn goodbye(&self) -> &CancellationToken {
        self.permit.goodbye()
    }
}

/// Sessions that poll, by the id that the engine gave them.
#[derive(Default)]
struct Polling(Mutex<HashMap<String, Weak<Session>>>);

impl Polling {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Weak<Session>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn find(&self, id: &str) -> Option<Arc<Session>> {
        self.lock().get(id)?.upgrade()
    }

    fn insert(&self, id: String, session: &Arc<Session>) {
        let mut sessions = self.lock();
        // Those that ended are removed when the map would grow; it never holds twice the open ones.
        if sessions.len() == sessions.capacity() {
            sessions.retain(|_, session| session.strong_count() > 0);
        }
        sessions.insert(id, Arc::downgrade(session));
    }
}

/// What the route needs.
#[derive(Clone)]
pub(super) struct Engine {
    app: App,
    service: SocketIoService<NotFoundService>,
    polling: Arc<Polling>,
}

impl Engine {
    pub(super) fn new(app: App, service: SocketIoService<NotFoundService>) -> Engine {
        Engine { app, service, polling: Arc::default() }
    }

    /// Everything that a client of Socket.IO asks.
    pub(super) async fn serve(State(engine): State<Engine>, request: Request) -> Response {
        engine.answer(request).await.unwrap_or_else(IntoResponse::into_response)
    }

    async fn answer(&self, request: Request) -> Result<Response, Problem> {
        let query = request.uri().query().unwrap_or_default();
        let is_websocket = query_value(query, "transport").as_deref() == Some("websocket");
        let (session, request, is_new) = match query_value(query, "sid") {
            Some(id) => {
                let session = self.polling.find(&id).ok_or_else(unknown_session)?;
                (session, request, false)
            }
            None => {
                let (mut parts, body) = request.into_parts();
                let session = Arc::new(Session {
                    permit: SocketPermit::from_request_parts(&mut parts, &self.app).await?,
                    joined: Mutex::default(),
                    narrowed: watch::Sender::new(None),
                    allowance: Mutex::new(Allowance::new()),
                });
                parts.extensions.insert(Arc::clone(&session));
                (session, Request::from_parts(parts, body), true)
            }
        };
        if is_websocket {
            return self.upgrade(request, session.goodbye());
        }
        let response = tokio::select! {
            response = self.service.call(request) => response,
            () = session.goodbye().cancelled() => return Err(unknown_session()),
        };
        let response = match response {
            Ok(response) => response.map(Body::new),
            Err(never) => match never {},
        };
        if is_new { self.opened(response, &session).await } else { Ok(response) }
    }

    /// Learns the id of a new session from the engine's answer.
    async fn opened(
        &self,
        response: Response,
        session: &Arc<Session>,
    ) -> Result<Response, Problem> {
        #[derive(Deserialize)]
        struct Opening {
            sid: String,
        }
        let (parts, body) = response.into_parts();
        let body = axum::body::to_bytes(body, MAX_OPENING).await.map_err(Problem::internal)?;
        // A packet of type 0; anything else is a refusal.
        let opening = body.strip_prefix(b"0").map(serde_json::from_slice::<Opening>);
        if let Some(Ok(opening)) = opening {
            self.polling.insert(opening.sid, session);
        }
        Ok(Response::from_parts(parts, Body::from(body)))
    }

    /// Hands the engine a connection that can be cut.
    fn upgrade(&self, request: Request, goodbye: &CancellationToken) -> Result<Response, Problem> {
        let (mut parts, _) = request.into_parts();
        let upgrade = parts.extensions.remove::<OnUpgrade>().ok_or_else(Problem::no_websocket)?;
        let key = parts.headers.get(header::SEC_WEBSOCKET_KEY).ok_or_else(Problem::no_websocket)?;
        let accept = HeaderValue::from_str(&derive_accept_key(key.as_bytes()));
        let accept = accept.map_err(Problem::internal)?;
        let (service, goodbye) = (self.service.clone(), goodbye.clone());
        tokio::spawn(async move {
            let Ok(connection) = upgrade.await else { return };
            let connection = Severable::new(TokioIo::new(connection), &goodbye);
            let request = hyper::Request::from_parts(parts, ());
            if let Err(error) = service.call((connection, request)).await {
                tracing::debug!(%error, "a Socket.IO connection was refused after its upgrade");
            }
        });
        let headers = [
            (header::CONNECTION, HeaderValue::from_static("upgrade")),
            (header::UPGRADE, HeaderValue::from_static("websocket")),
            (header::SEC_WEBSOCKET_ACCEPT, accept),
        ];
        Ok((StatusCode::SWITCHING_PROTOCOLS, headers).into_response())
    }
}

/// To a client of Socket.IO: begin a new session.
fn unknown_session() -> Problem {
    problem(StatusCode::BAD_REQUEST, "session_unknown", "такого сеанса Socket.IO нет")
}
