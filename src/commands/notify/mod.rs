//! `forewarn notify test OUTPUT`: does a message arrive, and what does the far end say?

use std::io::{self, Write};
use std::path::PathBuf;

use clap::{Args, Subcommand};
use serde_json::json;

use super::run::runtime;
use super::{BAD_CONFIGURATION, FINDINGS, GOOD, USAGE, complain};
use crate::config::{self, Config, Source};
use crate::guidance::Directory;
use crate::output::trial::{self, Trial};
use crate::output::{OutputSettings, Target};
use crate::wording::{Context, Language};

/// Arguments of `forewarn notify`.
#[derive(Debug, Args)]
pub struct NotifyArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Send one test message over an output, without the daemon
    Test(TestArgs),
}

/// Arguments of `forewarn notify test`.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: forewarn notify test chat --config /etc/forewarn/forewarn.toml\n\nThe message says TEST and is marked so. The journal is not touched.\n\nExit codes: 0 the far end took it, 1 it did not, 2 no such output, 78 mistakes in the configuration"
)]
pub struct TestArgs {
    /// The output, as in [output]
    output: String,
    /// Mail: to this person, by their id, instead of to those in `to` of the output. Without either the relay is asked
    /// what it would take, and nothing is sent
    #[arg(long, value_name = "PERSON")]
    to: Option<String>,
    /// Configuration; `conf.d/*.toml` beside it is read, too
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// In this language instead of the output's: en or zh
    #[arg(long, value_parser = language)]
    language: Option<Language>,
    /// Print the outcome as JSON
    #[arg(long)]
    json: bool,
}

fn language(tag: &str) -> Result<Language, String> {
    let known = Language::WORDS.iter().find(|(word, _)| *word == tag);
    known
        .map(|(_, language)| *language)
        .ok_or_else(|| "write en or zh".to_owned())
}

/// Runs `forewarn notify` and gives the exit code.
pub fn run(args: NotifyArgs, out: impl Write) -> u8 {
    let What::Test(args) = args.what;
    test(args, out)
}

fn test(args: TestArgs, mut out: impl Write) -> u8 {
    let source = Source::file(args.config).environment(std::env::vars_os());
    let config = match config::load(&source) {
        Ok((config, _warnings)) => config,
        Err(mistakes) => {
            let _nobody = write!(io::stderr(), "{mistakes}").is_err();
            return BAD_CONFIGURATION;
        }
    };
    let Some(output) = find(&config, &args.output) else {
        return USAGE;
    };
    if let Some(mistake) = args
        .to
        .as_deref()
        .and_then(|to| unreached(output, to, &config))
    {
        let _nobody = writeln!(io::stderr(), "error: {mistake}").is_err();
        return USAGE;
    }
    let output = match args.language {
        Some(language) => in_language(output, language),
        None => output.clone(),
    };
    let runtime = match runtime() {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error);
            return FINDINGS;
        }
    };
    let guidance = Directory::new(config.guidance).into();
    let context = Context::new(config.site.as_str(), guidance, config.readers);
    let trial = runtime.block_on(trial::run(&output, args.to.as_deref(), &context));
    // A name that is looked up still holds a thread.
    runtime.shutdown_background();
    let told = if args.json {
        writeln!(out, "{}", as_json(&args.output, &trial))
    } else {
        out.write_all(in_words(&args.output, &trial).as_bytes())
    };
    if told.is_ok() && trial.accepted {
        GOOD
    } else {
        FINDINGS
    }
}

/// The output of this name; says which there are if there is none.
fn find<'c>(config: &'c Config, id: &str) -> Option<&'c OutputSettings> {
    let found = config.outputs.iter().find(|output| &*output.id == id);
    if found.is_none() {
        let ids: Vec<&str> = config.outputs.iter().map(|output| &*output.id).collect();
        let there = if ids.is_empty() {
            "there is none in the configuration".to_owned()
        } else {
            format!("there are {}", ids.join(", "))
        };
        let _nobody = writeln!(io::stderr(), "error: no output \"{id}\"; {there}").is_err();
    }
    found
}

/// Why no mail goes to this person over the output, if none does.
fn unreached(output: &OutputSettings, person: &str, config: &Config) -> Option<String> {
    if !matches!(output.target, Target::Email(_)) {
        return Some(format!(
            "`--to` is for mail, and \"{}\" sends none",
            output.id
        ));
    }
    let Some(known) = config.readers.persons.get(person) else {
        let ids: Vec<&str> = config.readers.persons.keys().map(String::as_str).collect();
        return Some(format!(
            "no person \"{person}\"; there are {}",
            ids.join(", ")
        ));
    };
    let unreached = known.email.is_none();
    unreached.then(|| format!("\"{person}\" has no `email`"))
}

/// The same in another language, where it speaks one.
fn in_language(output: &OutputSettings, language: Language) -> OutputSettings {
    let mut output = output.clone();
    output.target.speak(language);
    output
}

fn in_words(id: &str, trial: &Trial) -> String {
    let tls = trial.tls.as_ref();
    let tls = tls.map_or_else(String::new, |tls| format!("tls      {tls}\n"));
    format!(
        "output   {id}\nsent     {}\nanswer   {}\ntook     {} ms\n{tls}{}\n",
        trial.sent,
        trial.answer,
        trial.took.as_millis(),
        if trial.accepted {
            "ACCEPTED"
        } else {
            "NOT ACCEPTED"
        },
    )
}

fn as_json(id: &str, trial: &Trial) -> serde_json::Value {
    json!({
        "output": id,
        "accepted": trial.accepted,
        "sent": trial.sent,
        "answer": trial.answer,
        "took_ms": u64::try_from(trial.took.as_millis()).unwrap_or(u64::MAX),
        "tls": trial.tls,
    })
}
