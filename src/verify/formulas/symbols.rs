//! Which symbol stands for which tensor.

use std::collections::BTreeSet;

use super::latex::tokens;
use super::tokens::{Kind, Token};
use crate::derivation::Derivation;
use crate::equation::{Role, TensorId};
use crate::sheet::{NotationTable, Printed};
use crate::span::{SourceId, Span};
use crate::verify::subject::objective_name;

/// What a tensor is written as.
pub(super) struct Symbol {
    /// What it stands for; `None` for the objective.
    pub(super) tensor: Option<TensorId>,
    /// Its name in the language.
    pub(super) name: String,
    /// The letter or word.
    pub(super) key: String,
    /// The layer, which stands above; may be empty.
    pub(super) label: String,
    /// What stands first below.
    pub(super) tags: Vec<String>,
    /// How many indices follow.
    pub(super) rank: usize,
    /// Whether the number of the update stands last below.
    pub(super) by_update: bool,
    /// Whether it is the number of the update or of examples.
    pub(super) is_counter: bool,
}

/// The symbols of a derivation.
pub(in crate::verify) struct Symbols {
    pub(super) all: Vec<Symbol>,
    /// The number of a tensor's first element.
    pub(super) first_index: i64,
    /// The symbol of the number of examples.
    pub(super) batch_size: String,
    /// For each tensor that an update defines, those whose new values are known before it: their symbols stand for these.
    renewed: Vec<(String, BTreeSet<String>)>,
}

impl Symbols {
    /// Those of one notation.
    pub(in crate::verify) fn new(derivation: &Derivation, table: &NotationTable) -> Symbols {
        let context = &derivation.model.context;
        let printed = Printed::new(derivation, table);
        let mut all = Vec::new();
        for symbol in printed.symbols() {
            let (name, rank) = match symbol.tensor {
                Some(tensor) => (context.tensor(tensor).name.clone(), context.tensor(tensor).shape.len()),
                None if derivation.objective.is_none() => continue,
                None => (objective_name(derivation).to_owned(), 0),
            };
            let tags = symbol.tags.iter().map(|tag| key_of(tag)).collect();
            let (key, label) = (key_of(&symbol.latex), key_of(&symbol.label));
            let counters = [derivation.model.batch_size, derivation.model.update_number];
            let is_counter = symbol.tensor.is_some_and(|tensor| counters.contains(&tensor));
            let (tensor, by_update) = (symbol.tensor, symbol.by_update);
            all.push(Symbol { tensor, name, key, label, tags, rank, by_update, is_counter });
        }
        let batch = all.iter().find(|symbol| symbol.tensor == Some(derivation.model.batch_size));
        let batch_size = batch.map_or_else(|| "m".to_owned(), |symbol| symbol.key.clone());
        let mut renewed = Vec::new();
        for optimizer in &derivation.model.optimizers {
            let mut known = BTreeSet::new();
            for equation in &optimizer.equations {
                renewed.push((context.tensor(equation.target).name.clone(), known.clone()));
                if let Role::Next { of } = context.tensor(equation.target).role
                    && !printed.is_primed(of)
                {
                    known.insert(context.tensor(of).name.clone());
                }
            }
        }
        Symbols { all, first_index: printed.first_index(), batch_size, renewed }
    }

    /// The tensors whose new values are known where an update of this name is computed.
    pub(super) fn renewed_before(&self, target: &str) -> BTreeSet<String> {
        self.renewed.iter().find(|(name, _)| name == target).map(|(_, known)| known.clone()).unwrap_or_default()
    }
}

/// A printed letter or word as one text.
fn key_of(latex: &str) -> String {
    let nowhere = Span { source: SourceId(0), start: 0, end: 0 };
    tokens(latex, nowhere).map(|tokens| text_of(&tokens)).unwrap_or_default()
}

/// Words and numbers without what stands around them.
pub(super) fn text_of(tokens: &[Token]) -> String {
    let mut text = String::new();
    for token in tokens {
        match &token.kind {
            Kind::Word(word) => text.push_str(word),
            Kind::Number(number) => text.push_str(&number.to_string()),
            Kind::Command(name) => text.push_str(&format!("\\{name}")),
            Kind::Sign(sign @ ('\'' | '+' | '-')) => text.push(*sign),
            Kind::Sign(_) | Kind::NewRow => {}
        }
    }
    text
}
