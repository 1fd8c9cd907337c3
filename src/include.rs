//! `include "other.spec"`: definitions from other files, in place of the statement.
//!
//! Files are asked for by their path below the spec's folder, `/` between its parts; who asks for a file outside of the
//! folder of the file that includes it is refused before any file is looked for.

use std::io::Read;
use std::path::Path;

use crate::diagnostic::{Diagnostic, Severity};
use crate::limits;
use crate::span::{SourceId, Sources, Span};
use crate::syntax::tree::{Spec, Statement, StatementKind};
use crate::syntax::{decode, parse};

/// Gives the text of a file by its path below the spec's folder, or the reason why not.
pub type Loader<'l> = &'l mut dyn FnMut(&str) -> Result<String, String>;

/// Reads a file at or below a folder.
///
/// # Errors
/// Why it cannot be read: it is missing, too long or no text, or a link leads out of the folder.
pub fn read_below(folder: &Path, path: &str) -> Result<String, String> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let real = folder.join(path).canonicalize().map_err(|error| reason(&error))?;
    let folder = folder.canonicalize().map_err(|error| reason(&error))?;
    if !real.starts_with(&folder) {
        return Err("a link leads out of the folder".to_owned());
    }
    if !real.is_file() {
        return Err("this is no file".to_owned());
    }
    let file = std::fs::File::open(&real).map_err(|error| reason(&error))?;
    let mut bytes = Vec::new();
    let limit = limits::SOURCE_BYTES as u64;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|error| reason(&error))?;
    if bytes.len() as u64 > limit {
        return Err(format!("it is longer than {limit} bytes"));
    }
    decode(bytes)
}

fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

/// Puts what a spec includes in the place of its `include` statements. Returns the paths of the files.
pub(crate) fn expand(
    spec: &mut Spec,
    main: SourceId,
    sources: &mut Sources,
    loader: Loader<'_>,
    messages: &mut Vec<Diagnostic>,
) -> Vec<String> {
    let name = sources.get(main).name.replace('\\', "/");
    let (folder, file) = name.rsplit_once('/').map_or(("", name.as_str()), |(folder, file)| (folder, file));
    let prefix = if name.contains('/') { format!("{folder}/") } else { String::new() };
    let mut expansion = Expansion { sources, loader, messages, prefix, around: vec![file.to_owned()], files: Vec::new() };
    spec.statements = expansion.statements(std::mem::take(&mut spec.statements));
    expansion.files
}

struct Expansion<'e, 'l> {
    sources: &'e mut Sources,
    loader: Loader<'l>,
    messages: &'e mut Vec<Diagnostic>,
    /// What the names of files begin with in messages.
    prefix: String,
    /// The files that are being read, outermost first.
    around: Vec<String>,
    /// All files so far.
    files: Vec<String>,
}

impl Expansion<'_, '_> {
    fn statements(&mut self, statements: Vec<Statement>) -> Vec<Statement> {
        let mut expanded = Vec::with_capacity(statements.len());
        for statement in statements {
            match &statement.kind {
                StatementKind::Include { path, span } => match self.included(path, *span) {
                    Ok(included) => expanded.extend(included),
                    Err(message) => self.messages.push(*message),
                },
                _ => expanded.push(statement),
            }
        }
        expanded
    }

    /// The definitions of a file; none where they have been read before.
    fn included(&mut self, written: &str, span: Span) -> Result<Vec<Statement>, Box<Diagnostic>> {
        let refused = |message: String| Box::new(Diagnostic::error(span, message));
        let path = self.path(written, span)?;
        if self.around.contains(&path) {
            let cycle: Vec<&str> = self.around.iter().skip_while(|around| **around != path).map(String::as_str).collect();
            let message = Diagnostic::error(span, format!("`{written}` includes itself"));
            let message = message.label(format!("{} → {path}", cycle.join(" → ")));
            return Err(Box::new(
                message.hint("one way round is enough: a definition is known in all files, whatever their order"),
            ));
        }
        if self.files.contains(&path) {
            return Ok(Vec::new());
        }
        if self.around.len() > limits::INCLUDE_DEPTH {
            let message = format!("files include each other more than {} deep", limits::INCLUDE_DEPTH);
            let hint = "a file that is included further out need not be included again: a definition is known in all files";
            return Err(Box::new(Diagnostic::error(span, message).hint(hint)));
        }
        if self.files.len() >= limits::INCLUDED_FILES {
            return Err(refused(format!("this spec includes more than {} files", limits::INCLUDED_FILES)));
        }
        let place = format!("{}{path}", self.prefix);
        let text = (self.loader)(&path).map_err(|reason| {
            let message = Diagnostic::error(span, format!("cannot include `{written}`: {reason}"));
            Box::new(if place == written { message } else { message.hint(format!("it is looked for at `{place}`")) })
        })?;
        let source = self.sources.add(place, text);
        self.files.push(path.clone());
        let (spec, messages) = parse(self.sources, source);
        let is_sound = messages.iter().all(|message| message.severity != Severity::Error);
        self.messages.extend(messages);
        if !is_sound {
            return Ok(Vec::new());
        }
        self.check(&spec);
        self.around.push(path);
        let statements = self.statements(spec.statements);
        self.around.pop();
        Ok(statements)
    }

    /// The path below the spec's folder of a file that the innermost file names.
    fn path(&self, written: &str, span: Span) -> Result<String, Box<Diagnostic>> {
        let refused = |message: String| Err(Box::new(Diagnostic::error(span, message)));
        if written.contains('\\') {
            return refused("the parts of a path are joined with `/`".to_owned());
        }
        let is_absolute = written.starts_with('/') || written.contains(':');
        if is_absolute || written.split('/').any(|part| part == "..") {
            let message = format!("`{written}` leaves the folder of the file that includes it");
            let hint = "only files in that folder and below are read; move the file there";
            return Err(Box::new(Diagnostic::error(span, message).hint(hint)));
        }
        let parts: Vec<&str> = written.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
        if parts.is_empty() || written.contains('\0') {
            return refused("the name of a file is wanted here, such as \"other.spec\"".to_owned());
        }
        let folder = self.around.last().and_then(|around| around.rsplit_once('/')).map(|(folder, _)| folder);
        Ok(folder.into_iter().chain(parts).collect::<Vec<_>>().join("/"))
    }

    /// Complains about what is no definition.
    fn check(&mut self, spec: &Spec) {
        let complaint = |span: Span| {
            Diagnostic::error(span, "an included file holds definitions, and this is none")
                .hint("`function`, `layer`, `optimizer … { … }`, `let` and `include` may stand there")
        };
        self.messages.extend(spec.network.as_ref().map(|name| complaint(name.span)));
        let others = spec.statements.iter().filter(|statement| {
            !matches!(
                statement.kind,
                StatementKind::Function(_)
                    | StatementKind::Layer(_)
                    | StatementKind::OptimizerDefinition(_)
                    | StatementKind::Let { .. }
                    | StatementKind::Include { .. }
            )
        });
        self.messages.extend(others.map(|statement| complaint(statement.span)));
    }
}
