//! What strangers and broken clients send.

use super::*;

#[tokio::test]
async fn every_changing_route_refuses_what_a_browser_of_a_stranger_can_send() {
    let port = Port::open().await;
    let own = format!("Origin: http://{}\r\n", port.address);
    let json = format!("Content-Type: {JSON}\r\n");
    let form = "Content-Type: application/x-www-form-urlencoded\r\n".to_owned();
    let text = "Content-Type: text/plain\r\n".to_owned();
    let foreign = format!("{json}Origin: http://evil.example\r\n");
    let sandboxed = format!("{json}Origin: null\r\n");
    let twice = format!("{json}{own}Origin: http://evil.example\r\n");
    let body = r#"{"by":"li-wei"}"#;
    for command in ["acknowledge", "reset"] {
        let path = format!("/api/v1/alarms/CH4-101/high/{command}");
        for (method, headers, body, expected) in [
            ("POST", "", "", 415),
            ("POST", &*json, "", 400),
            ("POST", &form, "by=li-wei", 415),
            ("POST", &text, body, 415),
            ("POST", &foreign, body, 403),
            ("POST", &sandboxed, body, 403),
            ("POST", &twice, body, 403),
            ("GET", &json, "", 405),
            ("PUT", &json, body, 405),
            ("DELETE", &foreign, "", 403),
        ] {
            let (status, reply) = port.ask(method, &path, headers, body).await;
            assert_eq!(status, expected, "{method} {path} {headers} {reply}");
            assert!(super::json(&reply)["message"].is_string(), "{reply}");
        }
    }
    let (status, _) = port.ask("POST", ACKNOWLEDGE, &(json + &own), body).await;
    assert_eq!(status, 200, "our own page may");
}

#[tokio::test]
async fn a_host_that_is_not_ours_gets_nothing() {
    let port = Port::open().await;
    for host in [
        "Host: evil.example\r\n",
        "",
        "Host: 127.0.0.1\r\nHost: evil.example\r\n",
    ] {
        for line in ["GET /metrics", &format!("POST {ACKNOWLEDGE}")] {
            let request = format!("{line} HTTP/1.1\r\n{host}Connection: close\r\n\r\n");
            let status = status_of(&port.send(request.as_bytes()).await);
            assert!(matches!(status, 400 | 421), "{line} {host}: {status}");
        }
    }
    let absolute =
        "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    assert_eq!(status_of(&port.send(absolute.as_bytes()).await), 421);
}

#[tokio::test]
async fn what_is_not_there_is_said_in_json() {
    let port = Port::open().await;
    for (method, path, expected) in [
        ("GET", "/nothing", 404),
        ("GET", "/api/v1/alarms/CH4-101/nothing", 404),
        ("GET", "/../../etc/passwd", 404),
        ("GET", "/api/v1/alarms/%ff/high", 400),
        ("GET", "/api/v1/alarms?state=wrong", 400),
        ("GET", "/api/v1/alarms?sate=active", 400),
        ("GET", "/api/v1/events?after=-1", 400),
        ("POST", "/metrics", 405),
    ] {
        let (status, body) = port.ask(method, path, "", "").await;
        assert_eq!(status, expected, "{method} {path} {body}");
        let reply = json(&body);
        assert!(
            reply["error"].is_string() && reply["message"].is_string(),
            "{body}"
        );
    }
}

#[tokio::test]
async fn replies_name_methods_forbid_sniffing_and_hide_versions() {
    let port = Port::open().await;
    let request = format!(
        "GET {ACKNOWLEDGE} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n",
        port.address
    );
    let reply = port.send(request.as_bytes()).await.to_ascii_lowercase();
    assert!(reply.contains("\r\nallow: post\r\n"), "{reply}");
    assert!(
        reply.contains("\r\nx-content-type-options: nosniff\r\n"),
        "{reply}"
    );
    for word in ["server:", "hyper", "axum", env!("CARGO_PKG_VERSION")] {
        assert!(!reply.contains(word), "{word}: {reply}");
    }
}

#[tokio::test]
async fn what_is_too_large_is_refused() {
    let port = Port::open().await;
    let huge = "x".repeat(200 * 1024);
    let (status, _) = port
        .ask("GET", "/healthz", &format!("X-Huge: {huge}\r\n"), "")
        .await;
    assert_eq!(status, 431);
    let body = format!(r#"{{"by":"{huge}"}}"#);
    let (status, _) = port.post(ACKNOWLEDGE, &body).await;
    assert_eq!(status, 413);
}

#[tokio::test(start_paused = true)]
async fn slow_headers_slow_bodies_and_idle_connections_are_cut() {
    let port = Port::open().await;
    for (begun, expected) in [("", ""), ("GET /healthz HTTP/1.1\r\nHost: local", "")] {
        assert_eq!(port.send(begun.as_bytes()).await, expected, "{begun}");
    }
    let slow = format!(
        "POST {ACKNOWLEDGE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: 99\r\n\r\n{{"
    );
    assert_eq!(status_of(&port.send(slow.as_bytes()).await), 408);
    let idle = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_eq!(status_of(&port.send(idle.as_bytes()).await), 200);
}

#[tokio::test]
async fn three_hundred_silent_connections_starve_nobody() {
    let port = Port::open().await;
    let mut silent = Vec::new();
    for _ in 0..300 {
        let mut stream = TcpStream::connect(port.address).await.expect("connected");
        stream.write_all(b"GET / HT").await.expect("written");
        silent.push(stream);
    }
    for _ in 0..5 {
        let asked = timeout(server::HEADER_LIMIT, port.get("/healthz")).await;
        let (status, _) = asked.expect("before the silent ones time out");
        assert_eq!(status, 200);
    }
    // Those who came first made room.
    assert_eq!(read_to_end(&mut silent[0]).await, "");
}

#[tokio::test]
async fn a_newcomer_waits_while_every_connection_is_at_work() {
    let port = Port::open().await;
    let slow = format!(
        "POST {ACKNOWLEDGE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {JSON}\r\nContent-Length: 99\r\nExpect: 100-continue\r\n\r\n"
    );
    let mut at_work = Vec::new();
    for _ in 0..server::MAX_CONNECTIONS {
        let mut stream = TcpStream::connect(port.address).await.expect("connected");
        stream.write_all(slow.as_bytes()).await.expect("written");
        // The route asks for the body, so the request is in hand.
        let mut go_on = [0; b"HTTP/1.1 100 Continue\r\n\r\n".len()];
        stream
            .read_exact(&mut go_on)
            .await
            .expect("asked for the body");
        at_work.push(stream);
    }
    tokio::time::pause();
    // Served as soon as the first of them has run out of time.
    let (status, _) = port.get("/").await;
    assert_eq!(status, 200);
    for stream in &mut at_work {
        // Nobody at work was thrown out for the newcomer.
        assert_eq!(status_of(&read_to_end(stream).await), 408);
    }
}
