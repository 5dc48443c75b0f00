//! Webhooks of the real binary to a receiver that answers badly, and to one behind a private authority.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use simulators::hook::{Hook, Received, Reply};
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::{Instant, sleep};

use crate::interop::certificates::Certificates;

use super::gateway::{DEADLINE, Folder, Gateway, forewarn};

/// The gateway may need so much more memory, whatever a receiver does.
const GROWTH: u64 = 8 * 1024 * 1024;

const ALARM: &str = "CH4-101/high";

fn good() -> Reply {
    Reply::Good("ok".to_owned())
}

async fn device() -> Device {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=3")
        .expect("notation");
    Device::start(device).await.expect("a free port")
}

fn plant(device: &Device, output: &str) -> String {
    format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.CH4-101]\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n\
         [output.hook]\n{output}\n",
        device.address()
    )
}

/// Up over the limit and down again.
async fn swing(gateway: &Gateway, device: &Device) {
    device.put("holding:0 uint16 base=30").expect("notation");
    gateway.alarm_is(ALARM, "unacknowledged").await;
    device.put("holding:0 uint16 base=3").expect("notation");
    gateway.alarm_is(ALARM, "returned_unacknowledged").await;
}

pub(super) fn secret(folder: &Folder, name: &str, text: &str) {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("our own folder");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&path, mode).expect("our own file");
}

fn events(received: &[Received]) -> Vec<Value> {
    let parse = |one: &Received| serde_json::from_str::<Value>(&one.body).expect("JSON");
    let all = received.iter().map(parse);
    all.filter(|event| event.get("snapshot").is_none())
        .collect()
}

/// The longest row of bad answers here is six, and the pauses after them are a minute together.
const NEXT_WITHIN: Duration = DEADLINE.saturating_mul(2);

/// Waits until every event of the journal has been accepted; they are, and the requests. How many it takes nobody
/// knows beforehand, so it fails when there is no next one.
async fn all_accepted(gateway: &Gateway, hook: &Hook) -> Vec<Received> {
    let (mut before, mut since) = (0, Instant::now());
    loop {
        let received = hook.received();
        let accepted: Vec<_> = received.iter().filter(|it| it.accepted).cloned().collect();
        let have: BTreeSet<_> = events(&accepted)
            .iter()
            .filter_map(|event| event["seq"].as_u64())
            .collect();
        let all = gateway.events().await;
        if all
            .iter()
            .all(|event| have.contains(&event["seq"].as_u64().expect("a number")))
        {
            return received;
        }
        if have.len() > before {
            (before, since) = (have.len(), Instant::now());
        }
        let is_stuck = since.elapsed() > NEXT_WITHIN;
        assert!(!is_stuck, "not all arrived\n{}", gateway.log());
        sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_receiver_that_loses_a_third_of_its_answers_gets_every_event_in_order() {
    let mut dice = 7_u64;
    let hook = Hook::start(move |count| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let cast = (dice >> 33) % 100;
        match (count, cast) {
            (9, _) => Reply::Silence,
            (19, _) => Reply::Drip,
            (29, _) => Reply::Endless,
            (_, 0..30) => Reply::Lost,
            (_, 30..33) => Reply::Status(500, None),
            (_, 33..36) => Reply::Status(429, Some(1)),
            (_, 36..39) => Reply::Garbage,
            _ => good(),
        }
    });
    let hook = hook.await.expect("a free port");
    let device = device().await;
    let folder = Folder::new();
    let path = "services/T0SECRET/abcdef0123456789";
    secret(
        &folder,
        "hook-url",
        &format!("http://{}/{path}\n", hook.address()),
    );
    secret(&folder, "hook-key", "a shared secret\n");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("our own folder");
    let output = "webhook_file = \"hook-url\"\ntemplate = \"json\"\ntimeout = \"1s\"\n\
                  hmac = { secret_file = \"hook-key\" }\nheaders = { X-Plant = \"north\" }";
    let mut gateway = Gateway::start_in(folder, data, &plant(&device, output)).await;
    swing(&gateway, &device).await;
    let memory = gateway.resident();
    for _ in 0..6 {
        swing(&gateway, &device).await;
    }
    let received = all_accepted(&gateway, &hook).await;
    // Whatever was sent twice has one id; of each alarm live events come in order, and so does backlog.
    let mut last: BTreeMap<(String, bool), u64> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for event in events(&received) {
        let id = event["id"].as_str().expect("an id").to_owned();
        let seq = event["seq"].as_u64().expect("a number");
        let lane = (event["alarm"].to_string(), event["replayed"] == true);
        if seen.insert(id) {
            let before = last.insert(lane, seq);
            assert!(before.is_none_or(|before| before < seq), "{event}");
        }
    }
    assert_eq!(seen.len(), gateway.events().await.len());
    assert!(received.len() > seen.len(), "answers were lost");
    let grown = gateway.resident().saturating_sub(memory);
    assert!(grown < GROWTH, "{grown} bytes more");
    signed(&received[0]);
    assert_eq!(received[0].header("x-plant"), Some("north"));
    assert!(received[0].head.contains(path));
    let log = gateway.log();
    assert!(log.contains("not delivered"), "{log}");
    for part in ["T0SECRET", "abcdef0123456789", "a shared secret"] {
        assert!(!log.contains(part), "{part} in {log}");
    }
    let failures = "forewarn_output_failures_total{output=\"hook\",reason=\"closed\"}";
    assert!(gateway.metric(failures).await > 0.5);
    gateway.stop().await;
    device.stop().await;
}

/// An independent program agrees with the signature.
fn signed(received: &Received) {
    let header = received
        .header("x-forewarn-signature")
        .expect("a signature");
    let check = "import hashlib, hmac, sys\n\
                 header, body = sys.argv[1:]\n\
                 parts = dict(part.split('=', 1) for part in header.split(','))\n\
                 text = (parts['t'] + '.' + body).encode()\n\
                 good = hmac.new(b'a shared secret', text, hashlib.sha256).hexdigest()\n\
                 sys.exit(0 if hmac.compare_digest(good, parts['v1']) else 1)\n";
    let python = Command::new("python3")
        .args(["-c", check, header, &received.body])
        .status();
    assert!(python.expect("Python is there").success(), "{header}");
}

/// Runs `forewarn notify test`; exit code and what it printed.
fn notify(config: PathBuf, output: &'static str) -> (Option<i32>, String) {
    let mut command = forewarn();
    command
        .args(["notify", "test", output, "--config"])
        .arg(config);
    let done = command.output().expect("the program is built");
    let text = [done.stdout, done.stderr].concat();
    (done.status.code(), String::from_utf8(text).expect("text"))
}

/// The same while a receiver of this process is at work.
async fn notify_beside(folder: &Folder, output: &'static str) -> (Option<i32>, String) {
    let config = folder.config();
    let done = tokio::task::spawn_blocking(move || notify(config, output)).await;
    done.expect("no panic")
}

#[tokio::test]
async fn a_test_message_says_what_the_receiver_answered() {
    let hook = Hook::start(|_count| Reply::Good(r#"{"errcode":0}"#.to_owned())).await;
    let hook = hook.expect("a free port");
    let folder = Folder::new();
    secret(
        &folder,
        "chat-url",
        &format!("http://{}/cgi-bin/send?key=0123456789", hook.address()),
    );
    let patient = |timeout: &str| {
        let chat = "webhook_file = \"chat-url\", template = \"wecom\"";
        folder.configure(&format!(
            "[output]\nchat = {{ {chat}, timeout = \"{timeout}\" }}\n"
        ));
    };
    patient("30s");
    let (code, text) = notify_beside(&folder, "chat").await;
    assert_eq!(code, Some(0), "{text}");
    assert!(
        text.contains("HTTP 200: {\"errcode\":0}") && text.contains("ACCEPTED"),
        "{text}"
    );
    let received = hook.received();
    assert!(received[0].body.contains("TEST"), "{}", received[0].body);
    for (reply, words) in [
        (
            Reply::Good(r#"{"errcode":93000,"errmsg":"no 0123456789"}"#.to_owned()),
            "\"no ***\"",
        ),
        (Reply::Status(404, None), "HTTP 404: told"),
        (Reply::Status(429, Some(7)), "not before 7 s"),
        (
            Reply::Redirect("https://elsewhere.invalid/x".to_owned()),
            "at https://elsewhere.invalid/x",
        ),
        (Reply::Lost, "closed without an answer"),
        (Reply::Garbage, "no HTTP"),
        (Reply::Silence, "no answer within 1 s"),
    ] {
        if matches!(reply, Reply::Silence) {
            patient("1s");
        }
        hook.answer(move |_count| reply.clone());
        let (code, text) = notify_beside(&folder, "chat").await;
        assert_eq!(code, Some(1), "{text}");
        assert!(
            text.contains(words) && text.contains("NOT ACCEPTED"),
            "{words}: {text}"
        );
        assert!(!text.contains("0123456789"), "{text}");
    }
    let (code, text) = notify_beside(&folder, "chad").await;
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("there are chat"), "{text}");
    folder.configure("[output]\nchat = { webhook = \"nonsense\", template = \"wecom\" }\n");
    assert_eq!(notify_beside(&folder, "chat").await.0, Some(78));
}

/// An intermediary that shows what it was sent helps people with everything but the key.
#[tokio::test]
async fn what_a_receiver_repeats_of_a_secret_is_told_to_nobody() {
    let key = "R0123456789ABCDEF0123456789ABCDE";
    let echo = format!("unknown key {key}, token t0ken-of-20-letters");
    let hook = Hook::start(move |_count| Reply::Good(echo.clone())).await;
    let hook = hook.expect("a free port");
    let folder = Folder::new();
    secret(&folder, "pager-key", key);
    secret(
        &folder,
        "pager-headers",
        "Authorization: Bearer t0ken-of-20-letters\n",
    );
    folder.configure(&format!(
        "[output.pager]\nwebhook = \"http://{}/x\"\ntemplate = \"pagerduty\"\n\
         secret_file = \"pager-key\"\nheaders_file = \"pager-headers\"\n",
        hook.address()
    ));
    let (_, text) = notify_beside(&folder, "pager").await;
    assert!(text.contains("unknown key ***, token ***"), "{text}");
    let received = hook.received();
    assert!(received[0].body.contains(key), "{}", received[0].body);
    let token = received[0].header("authorization");
    assert_eq!(token, Some("Bearer t0ken-of-20-letters"));
}

/// Says where it listens, takes a POST and is content.
const RECEIVER: &str = r#"
import http.server, ssl, sys

class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        pass

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

#[test]
fn a_receiver_behind_a_private_authority_is_verified() {
    let certificates = Certificates::make();
    let (certificate, key) = (
        certificates.path("broker.pem"),
        certificates.path("broker.key"),
    );
    let mut python = Command::new("python3")
        .args(["-c", RECEIVER])
        .args([certificate, key])
        .stdout(Stdio::piped())
        .spawn()
        .expect("Python is there");
    let mut port = String::new();
    let said = python.stdout.take().expect("it is piped");
    BufReader::new(said).read_line(&mut port).expect("a port");
    let port = port.trim();
    let folder = Folder::new();
    let ask = |authority: &str| {
        folder.configure(&format!(
            "[output.chat]\nwebhook = \"https://127.0.0.1:{port}/x\"\ntemplate = \"slack\"\n{authority}\n"
        ));
        notify(folder.config(), "chat")
    };
    let authority = |name: &str| format!("ca_file = \"{}\"", certificates.path(name).display());
    let (trusted, stranger, nobody) = (
        ask(&authority("ca.pem")),
        ask(&authority("other.pem")),
        ask(""),
    );
    python.kill().expect("our child");
    python.wait().expect("our child");
    assert_eq!(trusted.0, Some(0), "{}", trusted.1);
    assert!(trusted.1.contains("tls      TLSv1_3"), "{}", trusted.1);
    assert_eq!(stranger.0, Some(1), "{}", stranger.1);
    assert!(
        stranger.1.contains("none of the trusted authorities"),
        "{}",
        stranger.1
    );
    assert_eq!(nobody.0, Some(1), "{}", nobody.1);
}
