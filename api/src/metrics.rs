//! Counters of this process in Prometheus text form. Named once, here.

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// Adds 1.
    pub(crate) fn increment(&self) {
        self.add(1);
    }

    /// Adds `n`.
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The number now.
    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Upper bounds of the duration histogram, in seconds.
const BOUNDS_S: [f64; 9] = [0.001, 0.005, 0.02, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

#[derive(Debug, Default, Clone)]
struct Durations {
    /// One more than there are bounds: the last is unbounded.
    buckets: [u64; BOUNDS_S.len() + 1],
    sum_s: f64,
}

/// All counters of the process.
#[derive(Debug, Default)]
pub(crate) struct Metrics {
    requests: Mutex<BTreeMap<(String, String, u16), u64>>,
    durations: Mutex<BTreeMap<String, Durations>>,
    pub(crate) events_delivered: Counter,
    pub(crate) relay_gaps: Counter,
    pub(crate) relay_duplicates: Counter,
    pub(crate) relay_fills: Counter,
    pub(crate) relay_ring_misses: Counter,
    pub(crate) relay_resets: Counter,
    pub(crate) relay_generations: Counter,
    pub(crate) jobs_submitted: Counter,
    pub(crate) searches: Counter,
}

impl Metrics {
    fn observe(&self, method: &str, route: &str, status: u16, seconds: f64) {
        let mut requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner);
        *requests.entry((route.to_owned(), method.to_owned(), status)).or_default() += 1;
        drop(requests);
        let mut durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner);
        let of_route = durations.entry(route.to_owned()).or_default();
        let bucket = BOUNDS_S.iter().position(|bound| seconds <= *bound);
        of_route.buckets[bucket.unwrap_or(BOUNDS_S.len())] += 1;
        of_route.sum_s += seconds;
    }

    /// The counters of the process as Prometheus reads them.
    pub(crate) fn render(&self) -> String {
        let mut out = String::new();
        describe(&mut out, "ragtrain_http_requests_total", "counter", "HTTP requests answered");
        let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for ((route, method, status), count) in requests {
            sample(
                &mut out,
                "ragtrain_http_requests_total",
                &[("route", &route), ("method", &method), ("status", &status.to_string())],
                count as f64,
            );
        }
        self.render_durations(&mut out);
        for (name, help, counter) in [
            (
                "ragtrain_events_delivered_total",
                "Events written to sockets, streams and pages",
                &self.events_delivered,
            ),
            (
                "ragtrain_relay_gaps_total",
                "Messages that did not continue the ring; the stream was read",
                &self.relay_gaps,
            ),
            (
                "ragtrain_relay_duplicates_total",
                "Messages that the ring already had",
                &self.relay_duplicates,
            ),
            ("ragtrain_relay_fills_total", "Reads of a stream into a ring", &self.relay_fills),
            (
                "ragtrain_relay_ring_misses_total",
                "Reads of a stream for one viewer below the ring",
                &self.relay_ring_misses,
            ),
            (
                "ragtrain_relay_resets_total",
                "Viewers that had to start anew from a snapshot",
                &self.relay_resets,
            ),
            (
                "ragtrain_relay_connections_total",
                "Subscriber connections made to Redis",
                &self.relay_generations,
            ),
            ("ragtrain_jobs_submitted_total", "Jobs accepted", &self.jobs_submitted),
            ("ragtrain_searches_total", "Searches answered", &self.searches),
        ] {
            describe(&mut out, name, "counter", help);
            sample(&mut out, name, &[], counter.get() as f64);
        }
        out
    }

    fn render_durations(&self, out: &mut String) {
        let name = "ragtrain_http_request_duration_seconds";
        describe(out, name, "histogram", "Time from the request to the head of the answer");
        let durations = self.durations.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for (route, of_route) in durations {
            let mut below = 0;
            for (bound, count) in BOUNDS_S.iter().zip(of_route.buckets) {
                below += count;
                let labels = [("route", route.as_str()), ("le", &bound.to_string())];
                sample(out, &format!("{name}_bucket"), &labels, below as f64);
            }
            let all: u64 = of_route.buckets.iter().sum();
            let labels = [("route", route.as_str()), ("le", "+Inf")];
            sample(out, &format!("{name}_bucket"), &labels, all as f64);
            sample(out, &format!("{name}_sum"), &labels[..1], of_route.sum_s);
            sample(out, &format!("{name}_count"), &labels[..1], all as f64);
        }
    }
}

/// Writes the head of a metric.
pub(crate) fn describe(out: &mut String, name: &str, kind: &str, help: &str) {
    // Writing into a String cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

/// Writes one sample.
pub(crate) fn sample(out: &mut String, name: &str, labels: &[(&str, &str)], value: f64) {
    out.push_str(name);
    for (position, (label, text)) in labels.iter().enumerate() {
        out.push(if position == 0 { '{' } else { ',' });
        let text = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(out, "{label}=\"{text}\"");
    }
    if !labels.is_empty() {
        out.push('}');
    }
    let _ = writeln!(out, " {value}");
}

/// Counts every request by its route.
pub(crate) async fn count_requests(
    State(app): State<crate::state::App>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    // Paths of unknown routes are the client's invention: one label for all of them.
    let route = route.unwrap_or_else(|| "unmatched".to_owned());
    let method = match request.method().as_str() {
        known @ ("GET" | "POST" | "DELETE" | "HEAD" | "PUT" | "PATCH" | "OPTIONS") => {
            known.to_owned()
        }
        _ => "other".to_owned(),
    };
    let start = Instant::now();
    let response = next.run(request).await;
    let status = response.status();
    let seconds = start.elapsed().as_secs_f64();
    app.metrics.observe(&method, &route, status.as_u16(), seconds);
    tracing::debug!(
        http.method = method,
        http.route = route,
        http.status = status.as_u16(),
        duration_ms = seconds * 1000.0,
        "request answered"
    );
    response
}

#[cfg(test)]
mod tests {
    use super::{Metrics, sample};

    #[test]
    fn counts_and_escapes() {
        let metrics = Metrics::default();
        metrics.observe("GET", "/jobs", 200, 0.002);
        metrics.observe("GET", "/jobs", 200, 50.0);
        let text = metrics.render();
        for line in [
            r#"ragtrain_http_requests_total{route="/jobs",method="GET",status="200"} 2"#,
            r#"ragtrain_http_request_duration_seconds_bucket{route="/jobs",le="0.005"} 1"#,
            r#"ragtrain_http_request_duration_seconds_bucket{route="/jobs",le="+Inf"} 2"#,
            r#"ragtrain_http_request_duration_seconds_count{route="/jobs"} 2"#,
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let mut out = String::new();
        sample(&mut out, "m", &[("l", "a\"b\\")], 1.0);
        assert_eq!(out, "m{l=\"a\\\"b\\\\\"} 1\n");
    }
}
