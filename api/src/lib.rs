//! HTTP, WebSocket, SSE, search.
