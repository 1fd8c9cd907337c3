//! `"net.spec"` or `spec = "…"`, `scalar = f64`, `examples = 8`, `scratch <= 16 KiB`, `values <= 2 KiB`, `crate = path`.

use deltarule_compiler::emit::{EXAMPLES, Purpose, ScalarType, bytes_of_unit};
use deltarule_compiler::limits::EXAMPLES_AT_ONCE;
use proc_macro2::{Ident, Span};
use syn::parse::{Parse, ParseStream};
use syn::{Error, LitInt, LitStr, Path, Token, parse_quote};

/// Where the spec's text is.
pub(crate) enum SpecSource {
    /// In a file, relative to the source file that names it.
    File(LitStr),
    /// In the attribute itself.
    Inline(LitStr),
}

impl SpecSource {
    /// The literal, at which messages point.
    pub(crate) fn literal(&self) -> &LitStr {
        match self {
            SpecSource::File(literal) | SpecSource::Inline(literal) => literal,
        }
    }
}

/// The arguments of the attribute.
pub(crate) struct Arguments {
    pub(crate) source: SpecSource,
    pub(crate) scalar: ScalarType,
    /// How many examples are computed at once.
    pub(crate) examples: usize,
    /// How much memory may be taken.
    pub(crate) budgets: Vec<Budget>,
    pub(crate) runtime: Path,
}

/// How many bytes may be taken.
pub(crate) struct Budget {
    pub(crate) purpose: Purpose,
    pub(crate) bytes: usize,
    /// Where the number stands.
    pub(crate) span: Span,
}

/// What arguments there are.
const EXPECTED: &str =
    "expected \"FILE\", `spec = \"…\"`, `scalar = f64`, `examples = 8`, `scratch <= 16 KiB`, `values <= 2 KiB` or `crate = PATH`";

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let (mut source, mut scalar, mut examples, mut runtime) = (None, None, None, None);
        let (mut scratch, mut values) = (None, None);
        while !input.is_empty() {
            if input.peek(LitStr) {
                let literal: LitStr = input.parse()?;
                let span = literal.span();
                set_once(&mut source, SpecSource::File(literal), span, "a spec")?;
            } else if input.peek(Token![crate]) {
                let key: Token![crate] = input.parse()?;
                input.parse::<Token![=]>()?;
                set_once(&mut runtime, input.call(Path::parse_mod_style)?, key.span, "`crate`")?;
            } else {
                let key: Ident = input.parse().map_err(|error| Error::new(error.span(), EXPECTED))?;
                let purpose = match key.to_string().as_str() {
                    "scratch" => Some((Purpose::Training, &mut scratch)),
                    "values" => Some((Purpose::Inference, &mut values)),
                    _ => None,
                };
                if let Some((purpose, budget)) = purpose {
                    set_once(budget, parse_budget(input, purpose, &key)?, key.span(), &format!("`{key}`"))?;
                    end_of_argument(input)?;
                    continue;
                }
                input.parse::<Token![=]>().map_err(|_| Error::new(key.span(), EXPECTED))?;
                match key.to_string().as_str() {
                    "spec" => set_once(&mut source, SpecSource::Inline(input.parse()?), key.span(), "a spec")?,
                    "examples" => set_once(&mut examples, parse_examples(input)?, key.span(), "`examples`")?,
                    "scalar" => set_once(&mut scalar, parse_scalar(input)?, key.span(), "`scalar`")?,
                    other => {
                        let message = format!("there is no argument `{other}`: {EXPECTED}");
                        return Err(Error::new(key.span(), message));
                    }
                }
            }
            end_of_argument(input)?;
        }
        let missing = || {
            Error::new(
                Span::call_site(),
                "which spec? Write #[derive_backprop(\"net.spec\")] or #[derive_backprop(spec = \"…\")]",
            )
        };
        Ok(Self {
            source: source.ok_or_else(missing)?,
            scalar: scalar.unwrap_or_default(),
            examples: examples.unwrap_or(EXAMPLES),
            budgets: scratch.into_iter().chain(values).collect(),
            runtime: runtime.unwrap_or_else(|| parse_quote!(::deltarule)),
        })
    }
}

fn parse_scalar(input: ParseStream<'_>) -> syn::Result<ScalarType> {
    let name: Ident = input.parse()?;
    ScalarType::from_name(&name.to_string()).ok_or_else(|| Error::new(name.span(), "expected `f32` or `f64`"))
}

fn parse_examples(input: ParseStream<'_>) -> syn::Result<usize> {
    let literal: LitInt = input.parse()?;
    let number = literal.base10_parse::<usize>().ok().filter(|number| (1..=EXAMPLES_AT_ONCE).contains(number));
    number.ok_or_else(|| Error::new(literal.span(), format!("expected a number from 1 to {EXAMPLES_AT_ONCE}")))
}

/// `<= 16 KiB`
fn parse_budget(input: ParseStream<'_>, purpose: Purpose, key: &Ident) -> syn::Result<Budget> {
    let wrong = |span: Span| Error::new(span, format!("expected a number of `bytes`, `KiB` or `MiB`: `{key} <= 16 KiB`"));
    input.parse::<Token![<=]>().map_err(|error| wrong(error.span()))?;
    let number: LitInt = input.parse().map_err(|error| wrong(error.span()))?;
    // `16KiB` is one token.
    let (unit, unit_span) = match number.suffix() {
        "" => {
            let unit: Ident = input.parse().map_err(|_| wrong(number.span()))?;
            (unit.to_string(), unit.span())
        }
        unit => (unit.to_owned(), number.span()),
    };
    let unit = bytes_of_unit(&unit).ok_or_else(|| wrong(unit_span))?;
    let bytes = number.base10_digits().parse::<usize>().ok().and_then(|number| number.checked_mul(unit));
    let bytes = bytes.ok_or_else(|| wrong(number.span()))?;
    Ok(Budget { purpose, bytes, span: number.span() })
}

fn end_of_argument(input: ParseStream<'_>) -> syn::Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}

fn set_once<T>(place: &mut Option<T>, value: T, span: Span, what: &str) -> syn::Result<()> {
    if place.replace(value).is_some() {
        return Err(Error::new(span, format!("{what} is given twice")));
    }
    Ok(())
}
