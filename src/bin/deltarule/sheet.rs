//! `deltarule sheet`: the update-rule sheet.

use crate::common::{compile_file, deliver};
use crate::example::ExampleFiles;
use crate::failure::Failure;
use crate::notation::NotationOptions;
use clap::{Args, ValueEnum};
use deltarule_compiler::cost::Cost;
use deltarule_compiler::emit::ScalarType;
use deltarule_compiler::facts::facts;
use deltarule_compiler::files::write_whole;
use deltarule_compiler::scratch::typeset;
use deltarule_compiler::sheet::{Sheet, SheetOptions, Steps};
use deltarule_compiler::worked::work;
use std::path::{Path, PathBuf};

/// Write the sheet of update rules: notation, forward pass, backward pass, updates, all equations numbered
#[derive(Args)]
#[command(after_help = "Examples:
  deltarule sheet digits.spec -o digits.tex && pdflatex digits.tex
  deltarule sheet digits.spec -o digits.html --steps all
  deltarule sheet digits.spec --pdf --notation matrix
  deltarule sheet digits.spec --format txt --notation plain
  deltarule sheet digits.spec -o digits.md --facts --cost
  deltarule sheet net.spec -o net.html --worked --data d.safetensors --params p.safetensors")]
pub(crate) struct Arguments {
    /// The spec
    spec: PathBuf,
    /// Where to write the sheet; standard output if left out
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// The format; if left out, what FILE ends in (.tex, .html, .md, .pdf), else txt
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Write a PDF, by way of pdflatex where that is installed; without FILE beside the spec
    #[arg(long, conflicts_with = "format")]
    pdf: bool,
    #[command(flatten)]
    notation: NotationOptions,
    /// How much of each derivation is shown
    #[arg(long, value_enum, default_value_t = StepsChoice::Key)]
    steps: StepsChoice,
    /// Add a section with the numbers of one example in every equation; parameters that are not given are drawn
    #[arg(long, requires = "data")]
    worked: bool,
    #[command(flatten)]
    example: ExampleFiles,
    /// Add a section on facts about the network, each with its reason
    #[arg(long)]
    facts: bool,
    /// Add a section on operations and memory
    #[arg(long)]
    cost: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// LaTeX, for pdflatex
    Tex,
    /// One self-contained web page, formulas as MathML
    Html,
    /// Markdown, formulas as LaTeX between dollar signs
    Md,
    /// Plain Unicode text
    Txt,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StepsChoice {
    /// Results only
    None,
    /// The chain rule, its factors, and the result
    Key,
    /// Every step that was recorded
    All,
}

/// Runs the command.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Failure> {
    let compiled = compile_file(&arguments.spec)?;
    let options = SheetOptions {
        notation: arguments.notation.table()?,
        steps: match arguments.steps {
            StepsChoice::None => Steps::None,
            StepsChoice::Key => Steps::Key,
            StepsChoice::All => Steps::All,
        },
    };
    let mut sheet = if arguments.worked {
        let (given, sources) = arguments.example.given(&compiled.derivation, &[])?;
        Sheet::with_numbers(&compiled.derivation, &options, &work(&compiled.derivation, &given)?.from(sources))
    } else {
        Sheet::new(&compiled.derivation, &options)
    };
    if arguments.facts {
        sheet = sheet.with_facts(&facts(&compiled.derivation));
    }
    if arguments.cost {
        sheet = sheet.with_cost(&Cost::new(&compiled.derivation, ScalarType::default()));
    }
    let ends_in_pdf =
        arguments.output.as_deref().and_then(Path::extension).is_some_and(|ending| ending.eq_ignore_ascii_case("pdf"));
    if arguments.pdf || (ends_in_pdf && arguments.format.is_none()) {
        let path = arguments.output.clone().unwrap_or_else(|| arguments.spec.with_extension("pdf"));
        return Ok(write_whole(&path, &typeset(&sheet.to_latex())?)?);
    }
    let text = match arguments.format.unwrap_or_else(|| Format::of_file(arguments.output.as_deref())) {
        Format::Tex => sheet.to_latex(),
        Format::Html => sheet.to_html(),
        Format::Md => sheet.to_markdown(),
        Format::Txt => sheet.to_text(),
    };
    deliver(arguments.output.as_deref(), &text)
}

impl Format {
    fn of_file(path: Option<&Path>) -> Format {
        let ending = path.and_then(Path::extension).and_then(|ending| ending.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "tex" => Format::Tex,
            "html" | "htm" => Format::Html,
            "md" => Format::Md,
            _ => Format::Txt,
        }
    }
}
