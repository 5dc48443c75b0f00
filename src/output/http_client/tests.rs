//! The client against a far end that is scripted byte by byte. TLS has its tests with real certificates among
//! the tests of the daemon.

use std::net::Ipv4Addr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

/// Longer than any answer here takes, on any machine.
const PATIENT: Duration = Duration::from_secs(60);
/// For what never comes.
const IMPATIENT: Duration = Duration::from_millis(400);

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    (listener, format!("http://{address}/hook?key=1"))
}

fn client(url: &str) -> Client {
    Client::new(ClientSettings {
        url: Url::parse(url, false).expect(url),
        ca_file: None,
        timeout: PATIENT,
        insecure: false,
    })
}

fn post(client: &Client, body: &str) -> Request {
    Request {
        method: Method::POST,
        path: client.url().path().to_owned(),
        content_type: HeaderValue::from_static("application/json"),
        headers: vec![(
            HeaderName::from_static("x-shift"),
            HeaderValue::from_static("night"),
        )],
        body: Bytes::copy_from_slice(body.as_bytes()),
    }
}

/// Reads one request: to the end of the body, whose last byte is `!`.
async fn request(stream: &mut TcpStream) -> String {
    let mut taken = Vec::new();
    while taken.last() != Some(&b'!') {
        let mut piece = [0; 4096];
        let count = stream.read(&mut piece).await.expect("a live connection");
        if count == 0 {
            break;
        }
        taken.extend_from_slice(&piece[..count]);
    }
    String::from_utf8(taken).expect("we send text")
}

/// One connection of a far end that writes `answer` to each request, and closes after `requests`.
async fn serve(listener: &TcpListener, requests: usize, answer: &[u8]) -> Vec<String> {
    let (mut stream, _) = listener.accept().await.expect("it listens");
    let mut seen = Vec::new();
    for _ in 0..requests {
        seen.push(request(&mut stream).await);
        // A client that has enough closes.
        let _enough = stream.write_all(answer).await.is_err();
    }
    seen
}

async fn asked(answer: &[u8]) -> Result<Answer, Failure> {
    let (listener, url) = listen().await;
    let mut client = client(&url);
    let ask = post(&client, "{}!");
    let (_, answer) = tokio::join!(serve(&listener, 1, answer), client.ask(&ask));
    answer
}

#[tokio::test]
async fn a_request_is_whole_and_its_answer_too() {
    let (listener, url) = listen().await;
    let mut client = client(&url);
    let ask = post(&client, "{\"a\":1}!");
    let answer = b"HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\nlate";
    let (seen, got) = tokio::join!(serve(&listener, 1, answer), client.ask(&ask));
    let got = got.expect("an answer");
    assert_eq!(
        (got.status, got.body.as_str(), got.cut),
        (429, "late", false)
    );
    assert_eq!((got.retry_after.as_deref(), got.tls), (Some("7"), None));
    let seen = seen[0].to_ascii_lowercase();
    for part in [
        "post /hook?key=1 http/1.1\r\n",
        "content-type: application/json\r\n",
        "user-agent: forewarn/",
        "x-shift: night\r\n",
        "content-length: 8\r\n",
        "\r\n\r\n{\"a\":1}!",
    ] {
        assert!(seen.contains(part), "{part} in {seen}");
    }
}

#[tokio::test]
async fn a_connection_is_kept_and_made_anew_when_it_was_closed() {
    let (listener, url) = listen().await;
    let mut client = client(&url);
    let ask = post(&client, "1!");
    let answer = b"HTTP/1.1 204 No Content\r\n\r\n";
    let far_end = async {
        let first = serve(&listener, 2, answer).await;
        let second = serve(&listener, 1, answer).await;
        (first.len(), second.len())
    };
    let asking = async {
        for round in 0..3 {
            let answer = client.ask(&ask).await;
            assert_eq!(answer.map(|answer| answer.status), Ok(204), "{round}");
        }
    };
    let (served, ()) = tokio::join!(far_end, asking);
    assert_eq!(served, (2, 1));
}

#[tokio::test]
async fn an_endless_body_is_cut_and_its_connection_closed() {
    let mut answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for _ in 0..100 {
        answer.extend(b"1000\r\n");
        answer.extend([b'x'; 0x1000]);
        answer.extend(b"\r\n");
    }
    let answer = asked(&answer).await.expect("the head is there");
    assert_eq!(
        (answer.status, answer.cut, answer.body.len()),
        (200, true, ANSWER_LIMIT)
    );
}

#[tokio::test]
async fn what_is_no_answer_is_told_apart() {
    let failure = async |answer: &[u8]| asked(answer).await.expect_err("no answer");
    assert_eq!(failure(b"").await, Failure::Closed);
    assert!(matches!(
        failure(b"SSH-2.0-OpenSSH\r\n").await,
        Failure::Protocol(_)
    ));
    let long = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(50_000));
    assert!(matches!(
        failure(long.as_bytes()).await,
        Failure::Protocol(_)
    ));
    let half = failure(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf").await;
    assert_eq!(half, Failure::Closed);
}

#[tokio::test]
async fn the_deadline_is_a_total_one() {
    let (listener, url) = listen().await;
    let mut client = client(&url);
    client.settings.timeout = IMPATIENT;
    let ask = post(&client, "1!");
    // A byte now and then keeps no request alive.
    let dripping = async {
        let (mut stream, _) = listener.accept().await.expect("it listens");
        request(&mut stream).await;
        for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"
            .iter()
            .cycle()
        {
            if stream.write_all(&[*byte]).await.is_err() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let failed = tokio::select! {
        () = dripping => unreachable!("it drips for ever"),
        answer = timeout(PATIENT, client.ask(&ask)) => answer.expect("it ends"),
    };
    let failed = failed.expect_err("no whole answer");
    assert_eq!(failed.reason(), "timeout");
    assert!(
        failed.to_string().contains("no answer within 0.4 s"),
        "{failed}"
    );
}

#[tokio::test]
async fn nobody_there_is_told_in_words() {
    let (listener, url) = listen().await;
    drop(listener);
    let mut gone = client(&url);
    let ask = post(&gone, "1!");
    assert_eq!(gone.ask(&ask).await, Err(Failure::Refused));
    let mut unknown = client("http://no-such-host-anywhere.invalid/");
    unknown.settings.insecure = true;
    unknown.settings.timeout = IMPATIENT;
    let failure = unknown.ask(&ask).await.expect_err("no such name");
    // A machine without a resolver may take its time to find out.
    assert!(matches!(failure.reason(), "name" | "timeout"), "{failure}");
    let mut public = client("http://198.18.0.1/");
    assert_eq!(public.ask(&ask).await, Err(Failure::PublicAddress));
}

#[tokio::test]
async fn plain_http_is_no_tls() {
    let (listener, url) = listen().await;
    let mut client = client(&url.replace("http", "https"));
    client.settings.ca_file = Some("/nonexistent/ca.pem".into());
    let ask = post(&client, "1!");
    let failure = client.ask(&ask).await.expect_err("no trust");
    assert!(
        failure.to_string().contains("/nonexistent/ca.pem"),
        "{failure}"
    );
    client.trust = {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        Some(Arc::new(config))
    };
    let talking_plain = async {
        let (mut stream, _) = listener.accept().await.expect("it listens");
        let told = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
        told.expect("a live connection");
        let mut rest = Vec::new();
        let _closed = stream.read_to_end(&mut rest).await.is_err();
    };
    let (failure, ()) = tokio::join!(client.ask(&ask), talking_plain);
    let failure = failure.expect_err("no TLS");
    assert!(
        failure.to_string().contains("does not speak TLS"),
        "{failure}"
    );
}

/// Whoever can answer for the receiver must not lead our events, and the secret in the address, elsewhere.
#[tokio::test]
async fn a_redirect_is_an_answer_and_leads_nowhere() {
    for status in ["301 Moved", "302 Found", "307 Elsewhere", "308 Moved"] {
        let (elsewhere, place) = listen().await;
        let answer = format!("HTTP/1.1 {status}\r\nLocation: {place}\r\nContent-Length: 0\r\n\r\n");
        let got = asked(answer.as_bytes()).await.expect("an answer");
        assert_eq!(got.location.as_deref(), Some(&*place));
        assert!(got.status < 400, "{}", got.status);
        let nobody = timeout(Duration::ZERO, elsewhere.accept()).await;
        assert!(nobody.is_err(), "somebody came: {status}");
    }
}
