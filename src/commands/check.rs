//! `forewarn check`: is the configuration good, and what does it really say?
//!
//! It reads the configuration and nothing else: it is run by whoever edits, perhaps on another machine, and before
//! each start. So it does not say what an output that is taken out has not delivered: `forewarn status` does, and each
//! start. To open the journal for it was rejected: reading one that a gateway writes makes files beside it, which
//! would belong to whoever checked.

use std::io::{self, Write};
use std::path::PathBuf;

use super::{BAD_CONFIGURATION, FINDINGS, GOOD};
use crate::config::{self, Config, Finding, Mistakes, Source, explain};

/// Arguments of `forewarn check`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: forewarn check --config /etc/forewarn/forewarn.toml --explain\n\nExit codes: 0 good (there may be warnings), 1 the answer could not be written, 78 mistakes in the configuration"
)]
pub struct CheckArgs {
    /// Configuration file; its conf.d folder is read, too.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say for every alarm when it rises and clears, after all defaults.
    #[arg(long)]
    pub explain: bool,
}

/// Runs `forewarn check` on the real environment and streams; gives the exit code.
pub fn run(args: CheckArgs) -> u8 {
    let source = Source::file(args.config).environment(std::env::vars_os());
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    check(&source, args.explain, &mut out, &mut err)
}

/// Loads `source`, writes what it says to `out` and what is wrong with it to `err`; gives the exit
/// code: 0 good, 78 bad configuration, 1 when the answer cannot be written.
pub fn check(source: &Source, explain: bool, out: &mut impl Write, err: &mut impl Write) -> u8 {
    match config::load(source) {
        Ok((config, warnings)) => {
            let written = report(&config, &warnings, explain, out, err);
            if written.is_ok() { GOOD } else { FINDINGS }
        }
        Err(mistakes) => {
            // With nowhere to write to, the exit code still says what is to be said.
            let _unheard = complain(&mistakes, err);
            BAD_CONFIGURATION
        }
    }
}

fn report(
    config: &Config,
    warnings: &[Finding],
    explain: bool,
    out: &mut impl Write,
    err: &mut impl Write,
) -> io::Result<()> {
    err.write_all(config::warnings_in_words(warnings).as_bytes())?;
    writeln!(out, "{}", explain::summary(config))?;
    if explain {
        write!(out, "\n{}", explain::explain(config))?;
        let on_call = explain::on_call(config, crate::clock::now().wall);
        if !on_call.is_empty() {
            write!(out, "\n{on_call}")?;
        }
    }
    out.flush()
}

fn complain(mistakes: &Mistakes, err: &mut impl Write) -> io::Result<()> {
    let count = mistakes.errors();
    let plural = if count == 1 { "" } else { "s" };
    writeln!(
        err,
        "{mistakes}\n{count} mistake{plural}; nothing was started or changed"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(text: &str, explain: bool) -> (u8, String, String) {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let code = check(&Source::text("a.toml", text), explain, &mut out, &mut err);
        let text = |bytes| String::from_utf8(bytes).expect("what we write is text");
        (code, text(out), text(err))
    }

    #[test]
    fn a_good_configuration_is_explained_after_defaults() {
        let (code, out, err) = checked(
            "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[point.P]\nregister = \"input:0\"\n\
             type = \"uint16\"\nunit = \"bar\"\nhigh = { limit = 8 }\n",
            true,
        );
        assert_eq!((code, out.as_str()), (78, ""), "{err}");
        let (code, out, err) = checked(
            "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[point.P]\nregister = \"input:0\"\n\
             type = \"uint16\"\nunit = \"bar\"\nhigh = 8\nmeasures = \"pressure\"\nrange = [0, 10]\n",
            true,
        );
        assert_eq!(code, 0, "{err}");
        assert!(
            out.starts_with("1 device, 0 brokers, 1 point, 3 alarms, 0 outputs\n"),
            "{out}"
        );
        assert!(
            out.contains("Raised after 15s at or above 8 bar; clears after 15s below 7.8 bar."),
            "{out}"
        );
        assert!(err.contains("warning[no-guidance]"), "{err}");
    }

    #[test]
    fn a_bad_configuration_gives_78_and_the_number_of_mistakes() {
        let (code, out, err) = checked("sit = \"a\"\n", false);
        assert_eq!((code, out.as_str()), (78, ""));
        assert!(err.contains("did you mean `site`?"), "{err}");
        assert!(
            err.ends_with("2 mistakes; nothing was started or changed\n"),
            "{err}"
        );
    }
}
