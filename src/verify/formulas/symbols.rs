//! Which symbol stands for which tensor.

use std::collections::{BTreeMap, BTreeSet};

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
    /// The extents of the axes, for which indices follow.
    pub(super) shape: Vec<usize>,
    /// Whether the number of the update stands last below.
    pub(super) by_update: bool,
    /// Whether it is the number of the update or of examples.
    pub(super) is_counter: bool,
}

impl Symbol {
    /// What stands below it, in words.
    pub(super) fn needs(&self) -> String {
        let mut parts: Vec<String> = self.tags.iter().map(|tag| format!("`{}`", tag.trim_start_matches('\\'))).collect();
        match self.shape.len() {
            0 if parts.is_empty() => return "nothing".to_owned(),
            0 => {}
            1 => parts.push("one index (or none, for the whole)".to_owned()),
            2 => parts.push("two indices (or none, for the whole)".to_owned()),
            count => parts.push(format!("{count} indices")),
        }
        parts.join(" and ")
    }
}

/// The symbols of a derivation.
pub(in crate::verify) struct Symbols {
    pub(super) all: Vec<Symbol>,
    /// The number of a tensor's first element.
    pub(super) first_index: i64,
    /// The symbol of the number of examples.
    pub(super) batch_size: String,
    /// The letter that stands for the number of a layer in general.
    pub(super) layer: String,
    /// The numbers of all layers, upwards.
    pub(super) layers: Vec<i64>,
    /// Sizes that change from layer to layer: by their letter, and by the number of the layer.
    pub(super) sizes: BTreeMap<String, BTreeMap<i64, usize>>,
    /// Words and letters as they stand in text, the longest first, with their tokens.
    pub(super) words: Vec<(String, Vec<Kind>)>,
    /// For each tensor that an update defines, those whose new values are known before it: their symbols stand for these.
    renewed: Vec<(String, BTreeSet<String>)>,
}

impl Symbols {
    /// Those of one notation.
    pub(in crate::verify) fn new(derivation: &Derivation, table: &NotationTable) -> Symbols {
        let context = &derivation.model.context;
        let printed = Printed::new(derivation, table);
        let (mut all, mut words) = (Vec::new(), BTreeMap::new());
        for symbol in printed.symbols() {
            let (name, shape) = match symbol.tensor {
                Some(tensor) => (context.tensor(tensor).name.clone(), context.tensor(tensor).shape.clone()),
                None if derivation.objective.is_none() => continue,
                None => (objective_name(derivation).to_owned(), Vec::new()),
            };
            words.insert((usize::MAX - symbol.text.len(), symbol.text.clone()), kinds_of(&symbol.latex));
            let tags = symbol.tags.iter().map(|tag| key_of(tag)).collect();
            let (key, label) = (key_of(&symbol.latex), key_of(&symbol.label));
            let counters = [derivation.model.batch_size, derivation.model.update_number];
            let is_counter = symbol.tensor.is_some_and(|tensor| counters.contains(&tensor));
            let (tensor, by_update) = (symbol.tensor, symbol.by_update);
            all.push(Symbol { tensor, name, key, label, tags, shape, by_update, is_counter });
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
        let layers: BTreeSet<i64> = all.iter().filter_map(|symbol| symbol.label.parse().ok()).collect();
        let sizes = printed.sizes().into_iter().map(|(letter, values)| (key_of(&letter), values)).collect();
        Symbols {
            all,
            first_index: printed.first_index(),
            batch_size,
            layer: key_of(&printed.layer()),
            layers: layers.into_iter().collect(),
            sizes,
            words: words.into_iter().map(|((_, text), kinds)| (text, kinds)).collect(),
            renewed,
        }
    }

    /// The tensors whose new values are known where an update of this name is computed.
    pub(super) fn renewed_before(&self, target: &str) -> BTreeSet<String> {
        self.renewed.iter().find(|(name, _)| name == target).map(|(_, known)| known.clone()).unwrap_or_default()
    }
}

/// A printed letter or word as one text.
fn key_of(latex: &str) -> String {
    tokens(latex, NOWHERE).map(|tokens| text_of(&tokens)).unwrap_or_default()
}

/// The tokens of a letter or word that is given in LaTeX.
pub(super) fn kinds_of(latex: &str) -> Vec<Kind> {
    tokens(latex, NOWHERE).map(|tokens| tokens.into_iter().map(|token| token.kind).collect()).unwrap_or_default()
}

/// The place of what stands in no file.
const NOWHERE: Span = Span { source: SourceId(0), start: 0, end: 0 };

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
