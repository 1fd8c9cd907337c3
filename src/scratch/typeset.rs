//! LaTeX to PDF, by the pdflatex that is installed.

use super::{Folder, ScratchError};
use std::io::ErrorKind;
use std::process::{Command, Stdio};

/// Sets a LaTeX document; the same document gives the same bytes.
///
/// # Errors
/// Where pdflatex is not installed, or refuses the document; what it says is in the message.
pub fn typeset(latex: &str) -> Result<Vec<u8>, ScratchError> {
    let folder = Folder::new()?;
    let failed = |error: std::io::Error| ScratchError::Process(format!("cannot write the sheet for pdflatex: {error}"));
    std::fs::write(folder.path("sheet.tex"), latex).map_err(failed)?;
    let mut command = Command::new("pdflatex");
    command.args(["-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex"]);
    // A PDF carries the time of its making unless it is told another.
    command.env("SOURCE_DATE_EPOCH", "0").env("FORCE_SOURCE_DATE", "1").env("TZ", "UTC");
    command.current_dir(folder.path("")).stdin(Stdio::null());
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => ScratchError::Process(
            "a PDF needs pdflatex, and no program of this name is installed\n  try: install TeX Live (on Debian: \
             texlive-latex-recommended), or write the LaTeX with -o sheet.tex and set it elsewhere"
                .to_owned(),
        ),
        _ => ScratchError::Process(format!("cannot start pdflatex: {error}")),
    })?;
    if !output.status.success() {
        let log = String::from_utf8_lossy(&output.stdout);
        let said: Vec<&str> = log.lines().skip_while(|line| !line.starts_with('!')).take(6).collect();
        return Err(ScratchError::Process(format!("pdflatex cannot set the sheet\n{}", said.join("\n"))));
    }
    std::fs::read(folder.path("sheet.pdf"))
        .map_err(|error| ScratchError::Process(format!("pdflatex wrote no PDF that can be read: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pdf_is_the_same_each_time_or_the_message_names_what_is_missing() {
        let latex = "\\documentclass{article}\\begin{document}$x$\\end{document}\n";
        match (typeset(latex), typeset(latex)) {
            (Ok(first), Ok(second)) => {
                assert!(first.starts_with(b"%PDF"));
                assert!(first == second, "two runs give different bytes");
            }
            (Err(error), _) | (_, Err(error)) => assert!(error.to_string().contains("pdflatex"), "{error}"),
        }
    }
}
