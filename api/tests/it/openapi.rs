//! What is documented exists, and what exists is documented.

use crate::harness::Server;
use reqwest::Method;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_documented_operation_is_routed() {
    let server = Server::start().await;
    let (_, document) = server.get("/openapi.json").await;
    let mut operations = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let concrete = path
                .replace("{id}", &uuid::Uuid::nil().to_string())
                .replace("{job_id}", "x")
                .replace("{document}", &uuid::Uuid::nil().to_string())
                .replace("{address}", "5.10");
            let response =
                server.http.request(method.clone(), server.url(&concrete)).send().await.unwrap();
            let status = response.status().as_u16();
            let body = response.text().await.unwrap();
            assert!(status != 405 && !body.contains("route_not_found"), "{method} {path}: {body}");
            operations += 1;
        }
    }
    assert!(operations >= 37, "only {operations} operations are documented");
    let (status, page) = server.get("/docs").await;
    assert!(status == 200 && page.as_str().unwrap().contains("/openapi.json"));
    assert_eq!(server.get("/").await.0, 200);
}
