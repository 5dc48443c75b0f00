//! A real Prometheus scrapes the real gateway: does every query of the dashboard find something, and
//! do the alert rules work?

use std::net::{Ipv4Addr, SocketAddr};
use std::process::Command;

use serde_json::Value;

use super::bench::{DEADLINE, Program, Scratch, free_port, get, project, within};
use super::plant::Demo;

struct Prometheus {
    _program: Program,
    address: SocketAddr,
    _scratch: Scratch,
}

impl Prometheus {
    /// Scrapes and evaluates once a second, with the shipped rules.
    async fn start(target: SocketAddr) -> Self {
        let scratch = Scratch::new("prometheus");
        let rules = project("deploy/prometheus/alerts.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
             rule_files: [\"{}\"]\n\
             scrape_configs:\n\
             - job_name: forewarn\n\
             \x20 static_configs: [{{targets: [\"{target}\"]}}]\n",
            rules.display()
        );
        let config = scratch.write("prometheus.yml", &config);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let mut command = Command::new("prometheus");
        command
            .arg(format!("--config.file={}", config.display()))
            .arg(format!(
                "--storage.tsdb.path={}",
                scratch.path("tsdb").display()
            ))
            .arg(format!("--web.listen-address={address}"))
            .arg("--log.level=warn");
        let program = Program::start(&mut command, scratch.path("log"));
        within(DEADLINE, "Prometheus is ready", async || {
            get(address, "/-/ready")
                .await
                .map_err(|error| format!("{error}; {}", program.said()))
        })
        .await;
        Self {
            _program: program,
            address,
            _scratch: scratch,
        }
    }

    async fn api(&self, path: &str) -> Result<Value, String> {
        let body = get(self.address, path).await?;
        let answer: Value = serde_json::from_str(&body).map_err(|error| error.to_string())?;
        Ok(answer["data"].clone())
    }

    /// How many series an instant query finds.
    async fn count(&self, query: &str) -> Result<usize, String> {
        let escaped: String = query.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let found = self.api(&format!("/api/v1/query?query={escaped}")).await?;
        Ok(found["result"].as_array().map_or(0, Vec::len))
    }

    /// Name, health and state of every rule; fails while one has not been evaluated.
    async fn rules(&self) -> Result<Vec<Rule>, String> {
        let groups = self.api("/api/v1/rules").await?;
        let groups = groups["groups"].as_array().cloned().unwrap_or_default();
        let rules = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
        let text = |rule: &Value, key: &str| rule[key].as_str().unwrap_or_default().to_owned();
        let rules = rules.map(|rule| Rule {
            name: text(&rule, "name"),
            health: text(&rule, "health"),
            error: text(&rule, "lastError"),
            state: text(&rule, "state"),
        });
        let rules: Vec<Rule> = rules.collect();
        let waiting = rules.iter().find(|rule| rule.health == "unknown");
        match waiting {
            Some(rule) => Err(format!("{} is not evaluated yet", rule.name)),
            None if rules.is_empty() => Err("no rules loaded".to_owned()),
            None => Ok(rules),
        }
    }

    async fn until_in_state(&self, name: &str, states: &[&str]) {
        within(DEADLINE, &format!("{name} is {states:?}"), async || {
            let rules = self.rules().await?;
            let rule = rules.iter().find(|rule| rule.name == name);
            let state = rule.map_or("not there", |rule| &rule.state).to_owned();
            if states.contains(&state.as_str()) {
                Ok(())
            } else {
                Err(state)
            }
        })
        .await;
    }
}

#[derive(Debug)]
struct Rule {
    name: String,
    health: String,
    error: String,
    state: String,
}

/// What the script finds; `Err` with its words when it finds fault.
async fn ask_dashboard(url: &str) -> Result<String, String> {
    let mut command = Command::new("python3");
    command
        .arg(project("tests/interop/dashboard_queries.py"))
        .args(["--url", url, "--dashboard"])
        .arg(project("deploy/grafana/dashboards/forewarn-overview.json"));
    let asked = tokio::task::spawn_blocking(move || command.output()).await;
    let asked = asked.expect("no panic").expect("python3 runs");
    let words = [asked.stdout, asked.stderr].concat();
    let words = String::from_utf8_lossy(&words).into_owned();
    if asked.status.success() {
        Ok(words)
    } else {
        Err(words)
    }
}

#[tokio::test]
async fn every_panel_finds_something_and_every_rule_works() {
    let mut demo = Demo::start("").await;
    let prometheus = Prometheus::start(demo.daemon.http).await;

    within(DEADLINE, "the leak has raised alarms", async || {
        let raised = "forewarn_alarm_active{alarm=\"CH4-101/high\"} == 1";
        match prometheus.count(raised).await? {
            0 => Err("no alarm yet".to_owned()),
            _ => Ok(()),
        }
    })
    .await;
    let url = format!("http://{}", prometheus.address);
    within(DEADLINE, "every query finds something", async || {
        ask_dashboard(&url).await
    })
    .await;

    let rules = within(DEADLINE, "every rule is evaluated", async || {
        prometheus.rules().await
    })
    .await;
    for rule in &rules {
        assert_eq!((&*rule.health, &*rule.error), ("ok", ""), "{rule:?}");
    }
    prometheus.until_in_state("Watchdog", &["firing"]).await;
    prometheus
        .until_in_state("ForewarnDown", &["inactive"])
        .await;
    demo.daemon.program.kill();
    prometheus
        .until_in_state("ForewarnDown", &["pending", "firing"])
        .await;
    demo.plant.stop().await;
}
