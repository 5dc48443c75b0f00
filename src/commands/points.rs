//! `forewarn points export`: points as a list for a spreadsheet.

use std::io::{self, Write};
use std::path::PathBuf;

use super::{BAD_CONFIGURATION, FINDINGS, GOOD};
use crate::config::csv::export::{Exported, Words, export, template};
use crate::config::{self, Source};

/// Cells named in a warning at most.
const MOST_NAMED: usize = 8;

/// Arguments of `forewarn points`.
#[derive(Debug, clap::Args)]
pub struct PointsArgs {
    #[command(subcommand)]
    command: PointsCommand,
}

/// What to do with points.
#[derive(Debug, clap::Subcommand)]
enum PointsCommand {
    /// Write a list to begin with or, of a configuration, all its points
    Export(ExportArgs),
}

/// Arguments of `forewarn points export`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Example: forewarn points export --config forewarn.toml > points.csv\nThen name the list in the configuration, in place of its [point.*]: points_csv = \"points.csv\"\n\nExit codes: 0 good, 1 the list could not be written, 78 mistakes in the configuration"
)]
pub struct ExportArgs {
    /// Configuration whose points to write; without it a header and one example
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Name the columns in Chinese
    #[arg(long)]
    pub chinese: bool,
}

/// Runs `forewarn points` on the real environment and streams; gives the exit code.
pub fn run(args: PointsArgs) -> u8 {
    let PointsCommand::Export(args) = args.command;
    let source = args
        .config
        .map(|path| Source::file(Some(path)).environment(std::env::vars_os()));
    let (mut out, mut err) = (io::stdout().lock(), io::stderr().lock());
    write_list(source.as_ref(), args.chinese, &mut out, &mut err)
}

/// Writes the list to `out` and what is wrong or doubtful to `err`; gives the exit code: 0 good, 78 bad
/// configuration, 1 when the list cannot be written.
pub fn write_list(
    source: Option<&Source>,
    chinese: bool,
    out: &mut impl Write,
    err: &mut impl Write,
) -> u8 {
    let words = if chinese { Words::Chinese } else { Words::Keys };
    let exported = match source {
        None => Ok(Exported {
            text: template(words),
            formulas: Vec::new(),
            warnings: Vec::new(),
        }),
        Some(source) => export(source, words),
    };
    match exported {
        Ok(exported) => {
            let Err(error) = hand_out(&exported, out, err) else {
                return GOOD;
            };
            // With nowhere to write to, the exit code still says what is to be said.
            let _unheard = writeln!(
                err,
                "error: the list is not written, or not all of it: {error}"
            );
            FINDINGS
        }
        Err(mistakes) => {
            // With nowhere to write to, the exit code still says what is to be said.
            let _unheard = write!(err, "{mistakes}\nnothing was written\n");
            BAD_CONFIGURATION
        }
    }
}

fn hand_out(exported: &Exported, out: &mut impl Write, err: &mut impl Write) -> io::Result<()> {
    err.write_all(config::warnings_in_words(&exported.warnings).as_bytes())?;
    if !exported.formulas.is_empty() {
        let named = exported.formulas.iter().take(MOST_NAMED);
        let named = named.map(|(point, column)| format!("{column} of {point}"));
        let named = named.collect::<Vec<_>>().join(", ");
        let more = exported.formulas.len().saturating_sub(MOST_NAMED);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        writeln!(
            err,
            "warning: a spreadsheet takes for a formula what begins with = + - @: {named}{more}"
        )?;
    }
    out.write_all(exported.text.as_bytes())?;
    out.flush()
}
