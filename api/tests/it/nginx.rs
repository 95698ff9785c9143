//! Debian's nginx before several replicas, with the configuration that the documentation shows.

use crate::harness::LIMIT;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use testkit::{Process, free_port, wait_until};

/// Runs without privileges; killed on drop.
pub(crate) struct Nginx {
    pub(crate) address: SocketAddr,
    process: Process,
    _folder: tempfile::TempDir,
}

impl Nginx {
    /// In front of three servers.
    pub(crate) async fn before(servers: &[SocketAddr; 3]) -> Nginx {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let path = folder.path().to_str().unwrap();
        let documented = include_str!("../../../docs/nginx.conf");
        let mut http = documented.replace("listen 80;", &format!("listen {address};"));
        for (number, server) in (1..).zip(servers) {
            http = http.replace(&format!("10.0.0.{number}:8000"), &server.to_string());
        }
        assert!(!http.contains("10.0.0."), "{http}");
        let bodies = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {path}/{kind};\n"))
            .concat();
        let whole = format!(
            "daemon off;\nworker_processes 1;\npid {path}/nginx.pid;\nerror_log stderr;\n\
             events {{ worker_connections 8192; }}\n\
             http {{\naccess_log off;\n{bodies}{http}}}\n"
        );
        let file = format!("{path}/nginx.conf");
        std::fs::write(&file, whole).unwrap();
        std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
        let nginx = ["/usr/sbin/nginx", "-e", "stderr", "-p", path, "-c", &file];
        let process = if rustix::process::geteuid().is_root() {
            let nobody = ["--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"];
            Process::start("setpriv", &[&nobody[..], &nginx[..]].concat(), &[])
        } else {
            Process::start(nginx[0], &nginx[1..], &[])
        };
        let mut nginx = Nginx { address, process, _folder: folder };
        wait_until(LIMIT, async || {
            assert!(nginx.process.ended().is_none(), "{}", nginx.process.output());
            tokio::net::TcpStream::connect(address).await.is_ok()
        })
        .await;
        nginx
    }
}
