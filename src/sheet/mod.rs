//! The sheet: a derivation as a person reads it.
//!
//! One structure (`document`) over one tree of formulas ([`math`]), built from a [`Derivation`](crate::derivation::Derivation) alone: no layer,
//! loss or optimizer is known here by name. The back ends print the structure as LaTeX, HTML, Markdown or plain text and know nothing
//! of each other. Without the feature `sheet` there are only the formulas, as lines of text: the documentation of emitted code.

#[cfg(feature = "sheet")]
mod compose;
#[cfg(feature = "sheet")]
pub mod document;
mod equations;
mod formula;
#[cfg(feature = "sheet")]
mod html;
#[cfg(feature = "sheet")]
mod jacobian;
#[cfg(feature = "sheet")]
mod latex;
#[cfg(feature = "sheet")]
mod lines;
#[cfg(feature = "sheet")]
mod markdown;
pub mod math;
mod notation;
#[cfg(feature = "sheet")]
mod plain;
#[cfg(feature = "sheet")]
mod printed;
mod text;
#[cfg(feature = "sheet")]
mod whole;

pub use equations::{EquationTexts, equation_text};
#[cfg(feature = "sheet")]
pub(crate) use formula::Shown;
#[cfg(feature = "sheet")]
pub use jacobian::{jacobian_latex, jacobian_text};
pub use notation::table::{LayerMark, NotationTable};
#[cfg(feature = "sheet")]
pub(crate) use printed::identifier_latex;
#[cfg(feature = "sheet")]
pub use printed::{Printed, PrintedSymbol};
pub(crate) use text::{lowered, raised};
#[cfg(feature = "sheet")]
pub use whole::{Sheet, SheetOptions, Steps};
