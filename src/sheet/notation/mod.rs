//! Which symbol each tensor goes by. No two tensors share one.
//!
//! A name such as `dense1.w` becomes a letter with the layer as a superscript in parentheses, `w⁽¹⁾`; Greek names become Greek
//! letters, and a table in [`super::names`] knows the letters of the lectures. Everything is decided from names, roles and what
//! reads what: a layer of the prelude has no advantage over a user's own.

mod families;
pub(super) mod names;
pub(super) mod table;

use std::collections::{BTreeMap, BTreeSet};

use super::math::{Fence, Math, Operator};
use crate::derivation::Derivation;
use crate::equation::{Context, Role, TensorId};
use crate::model::Optimizer;
use families::{FamilySymbol, Layers};
use names::{greek_letter, split_digits};
use table::{LayerMark, NotationTable};

/// How a tensor is written, apart from its indices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Symbol {
    /// The letter or word.
    pub(super) base: String,
    /// The superscript in parentheses: the number or name of a layer; may be empty.
    pub(super) label: String,
    /// What stands first in the subscript: the number in a name, the parameter that a state belongs to.
    pub(super) tag: Vec<String>,
    /// Whether the number of the update is a subscript: the value changes from update to update.
    pub(super) by_update: bool,
    /// The number of indices that follow.
    rank: usize,
}

impl Symbol {
    fn new(base: impl Into<String>, label: impl Into<String>, tag: &[&str], rank: usize) -> Self {
        let tag = tag.iter().filter(|part| !part.is_empty()).map(|part| (*part).to_owned()).collect();
        Self { base: base.into(), label: label.into(), tag, by_update: false, rank }
    }

    /// Whether a reader could take one for the other: `x₁` may be a tensor of its own or the first element of `x`.
    fn clashes(&self, other: &Symbol) -> bool {
        let same_tag = self.tag == other.tag;
        let element = |a: &Symbol, b: &Symbol| a.rank > 0 && a.tag.is_empty() && !b.tag.is_empty();
        self.base == other.base && self.label == other.label && (same_tag || element(self, other) || element(other, self))
    }
}

/// The symbols of a derivation.
pub(super) struct Notation<'a> {
    pub(super) derivation: &'a Derivation,
    pub(super) table: NotationTable,
    /// By [`TensorId::index`]; empty for tensors that are written in terms of another's symbol.
    symbols: Vec<Symbol>,
    /// The symbols of the families of tensors that repeat from layer to layer.
    families: Vec<FamilySymbol>,
    /// The letters of the sizes that change from layer to layer.
    sizes: Vec<String>,
    /// The symbols that are taken, by their letters and labels.
    taken: BTreeMap<(String, String), Vec<Symbol>>,
    /// The letters that are taken.
    letters: BTreeSet<String>,
    objective: Symbol,
    /// Parameters and states whose old value is read after the new one is known: the new one needs a prime.
    primed: BTreeSet<TensorId>,
}

impl<'a> Notation<'a> {
    /// Gives each tensor its symbol.
    pub(super) fn new(derivation: &'a Derivation, table: &NotationTable) -> Self {
        let context = &derivation.model.context;
        let count = context.tensors().count();
        let mut notation = Self {
            derivation,
            table: table.clone(),
            symbols: vec![Symbol::default(); count],
            families: vec![FamilySymbol::default(); derivation.folding.families.len()],
            sizes: Vec::new(),
            taken: BTreeMap::new(),
            letters: BTreeSet::new(),
            objective: Symbol::default(),
            primed: derivation.model.optimizers.iter().flat_map(|optimizer| read_after_update(context, optimizer)).collect(),
        };
        let layers = Layers::new(context);
        for tensor in allocation_order(derivation) {
            if notation.symbols[tensor.index()] != Symbol::default() || notation.name_family(&layers, tensor) {
                continue;
            }
            let candidates = notation.candidates(&layers, tensor);
            notation.symbols[tensor.index()] = notation.take_first_free(candidates);
        }
        notation.name_constants();
        let states: Vec<_> = derivation.model.optimizers.iter().flat_map(|optimizer| &optimizer.states).collect();
        for state in states {
            let candidates = notation.state_candidates(state.tensor);
            notation.symbols[state.tensor.index()] = notation.take_first_free(candidates);
        }
        let objectives = [table.objective.as_str(), "J", "F", "objective"].map(|base| Symbol::new(base, "", &[], 0));
        notation.objective = notation.take_first_free(objectives.to_vec());
        notation.name_sizes();
        notation
    }

    fn context(&self) -> &'a Context {
        &self.derivation.model.context
    }

    /// The letter that a name of the spec stands for, if there is one.
    fn letter_of(&self, name: &str) -> Option<String> {
        let known = self.table.symbols.iter().find(|(known, _)| known == name);
        known.map(|(_, letter)| letter.clone()).or_else(|| greek_letter(name))
    }

    fn candidates(&self, layers: &Layers, id: TensorId) -> Vec<Symbol> {
        let tensor = self.context().tensor(id);
        let rank = tensor.shape.len();
        let (prefix, name) = tensor.name.rsplit_once('.').unwrap_or(("", &tensor.name));
        let whole = Symbol::new(&tensor.name, "", &[], rank);
        if !self.table.uses_letters {
            return vec![whole];
        }
        let (letters, digits) = split_digits(name);
        let base = self.letter_of(letters).unwrap_or_else(|| letters.to_owned());
        let mut candidates = Vec::new();
        if self.derivation.model.loss == Some(id) {
            candidates.extend([Symbol::new(&self.table.loss, "", &[], rank), Symbol::new("L", "", &[], rank)]);
        }
        if let Some((first, rest)) = letters.split_once('_')
            && first.chars().count() == 1
            && !rest.is_empty()
        {
            candidates.push(Symbol::new(first, layers.label(prefix), &[rest, digits], rank));
        }
        if let Some(sum) = &self.table.weighted_sum
            && !prefix.is_empty()
            && letters.chars().count() == 1
            && families::is_weighted_sum(self.derivation, id)
        {
            candidates.push(Symbol::new(sum, layers.label(prefix), &[digits], rank));
        }
        if let Some(output) = &self.table.layer_output
            && !prefix.is_empty()
            && let Some(sum) = families::activated_sum(self.derivation, id)
        {
            candidates.push(Symbol::new(output, &self.symbol(sum).label, &[], rank));
        }
        if self.table.uses_matrices && rank == 2 && base.len() == 1 {
            candidates.push(Symbol::new(base.to_uppercase(), layers.label(prefix), &[digits], rank));
        }
        if prefix.is_empty() && rank > 0 {
            candidates.push(Symbol::new(&base, digits, &[], rank));
        } else {
            candidates.push(Symbol::new(&base, layers.label(prefix), &[digits], rank));
        }
        // Where the letter is taken, the layer's own word: `flatten²`.
        candidates.push(Symbol::new(split_digits(prefix).0, layers.label(prefix), &[digits], rank));
        candidates.push(Symbol::new(&base, prefix, &[digits], rank));
        candidates.push(whole);
        candidates.retain(|candidate| !candidate.base.is_empty());
        candidates
    }

    /// A state belongs to a parameter: the parameter's letter comes first in its subscript.
    fn state_candidates(&self, id: TensorId) -> Vec<Symbol> {
        let tensor = self.context().tensor(id);
        let rank = tensor.shape.len();
        let whole = Symbol::new(&tensor.name, "", &[], rank);
        let Role::State { of } = tensor.role else { return vec![whole] };
        if !self.table.uses_letters {
            return vec![whole];
        }
        let name = tensor.name.rsplit('.').next().unwrap_or(&tensor.name);
        let (letters, digits) = split_digits(name);
        let base = self.letter_of(letters).unwrap_or_else(|| letters.to_owned());
        let parameter = &self.symbols[of.index()];
        let mut tag = vec![digits];
        tag.push(&parameter.base);
        tag.extend(parameter.tag.iter().map(String::as_str));
        vec![Symbol::new(base, &parameter.label, &tag, rank), whole]
    }

    /// Constants that want the same letter are numbered through.
    fn name_constants(&mut self) {
        let constants: Vec<_> = self.derivation.model.constants.iter().map(|equation| equation.target).collect();
        let wanted: Vec<Symbol> = constants.iter().map(|&constant| self.wanted_constant(constant)).collect();
        for (at, (&constant, wish)) in constants.iter().zip(&wanted).enumerate() {
            let rivals = wanted.iter().filter(|other| *other == wish).count();
            let ordinal = 1 + wanted[..at].iter().filter(|other| *other == wish).count();
            let mut candidates = vec![wish.clone()];
            if rivals > 1 {
                let number = ordinal.to_string();
                let numbered = match wish.tag.is_empty() {
                    true => Symbol { tag: vec![number], ..wish.clone() },
                    false => Symbol { label: number, ..wish.clone() },
                };
                candidates.insert(0, numbered);
            }
            candidates.push(Symbol::new(&self.context().tensor(constant).name, "", &[], 0));
            let by_update = self.depends_on_update(constant);
            self.symbols[constant.index()] = Symbol { by_update, ..self.take_first_free(candidates) };
        }
    }

    fn wanted_constant(&self, id: TensorId) -> Symbol {
        let full = &self.context().tensor(id).name;
        if !self.table.uses_letters {
            return Symbol::new(full, "", &[], 0);
        }
        let name = full.rsplit('.').next().unwrap_or(full);
        let (letters, digits) = split_digits(name);
        // The word for a weighted sum is no other's.
        let letters = if self.table.weighted_sum.as_deref() == Some(letters) { "total" } else { letters };
        let regularizers = &self.derivation.model.regularizers;
        let base = match self.letter_of(letters) {
            Some(letter) => letter,
            // A factor of a regularizer is a λ, whatever its author called it.
            None if regularizers.iter().any(|regularizer| self.context().contains_tensor(regularizer.value, id)) => {
                "λ".to_owned()
            }
            None => letters.to_owned(),
        };
        Symbol::new(base, "", &[digits], 0)
    }

    /// Whether a constant's value changes from update to update.
    fn depends_on_update(&self, constant: TensorId) -> bool {
        let model = &self.derivation.model;
        let mut changing = vec![model.update_number];
        for equation in &model.constants {
            if changing.iter().any(|&tensor| self.context().contains_tensor(equation.value, tensor)) {
                changing.push(equation.target);
            }
        }
        changing.contains(&constant)
    }

    /// The first candidate that is no other tensor's symbol, which it then is no longer free to be; in the end the last one
    /// with a number.
    fn take_first_free(&mut self, candidates: Vec<Symbol>) -> Symbol {
        let pi = Symbol::new("π", "", &[], 0);
        let is_free = |candidate: &Symbol| *candidate != pi && self.is_free(candidate);
        let last = candidates.last().cloned().unwrap_or_default();
        let numbered = (2..).map(|number: u32| Symbol { label: number.to_string(), ..last.clone() });
        let symbol = candidates.into_iter().chain(numbered).find(is_free).unwrap_or_default();
        self.take(symbol.clone());
        symbol
    }

    fn is_free(&self, candidate: &Symbol) -> bool {
        let rivals = self.taken.get(&(candidate.base.clone(), candidate.label.clone()));
        !rivals.is_some_and(|rivals| rivals.iter().any(|rival| rival.clashes(candidate)))
    }

    fn take(&mut self, symbol: Symbol) {
        self.letters.insert(symbol.base.clone());
        self.taken.entry((symbol.base.clone(), symbol.label.clone())).or_default().push(symbol);
    }

    /// Whether a tensor goes by this letter.
    pub(super) fn is_taken(&self, letter: &str) -> bool {
        self.letters.contains(letter)
    }

    /// How a tensor is written, apart from its indices.
    pub(super) fn symbol(&self, tensor: TensorId) -> &Symbol {
        &self.symbols[tensor.index()]
    }

    /// Whether the new value of a parameter or state is told from the old one by a prime.
    pub(super) fn is_primed(&self, tensor: TensorId) -> bool {
        self.primed.contains(&tensor)
    }

    /// The objective.
    pub(super) fn objective(&self) -> Math {
        self.write(&self.objective, None, false, None, Vec::new())
    }

    /// What the backward pass differentiates: the loss of one example, or the expression of an `objective`. `example` names the
    /// example where there are several.
    pub(super) fn loss(&self, example: Option<&str>) -> Math {
        let model = &self.derivation.model;
        match model.loss.or(model.objective.as_ref().map(|objective| objective.value)) {
            Some(loss) => self.write(self.symbol(loss), None, false, example, Vec::new()),
            None => self.objective(),
        }
    }

    /// A tensor's symbol with these indices; `example` names the example where there are several. Seen from a layer (`center`), the
    /// tensors of all layers go by their distance from a general one.
    pub(super) fn element(
        &self,
        tensor: TensorId,
        prime: bool,
        example: Option<&str>,
        mut indices: Vec<Math>,
        center: Option<i64>,
    ) -> Math {
        let general = center.and_then(|center| self.general_symbol(tensor, center));
        let (symbol, label) = match &general {
            Some((symbol, label)) => (symbol, Some(label.clone())),
            None => (self.symbol(tensor), None),
        };
        if symbol.by_update {
            indices.push(self.element(self.derivation.model.update_number, false, None, Vec::new(), None));
        }
        self.write(symbol, label, prime, example, indices)
    }

    /// The letters that an index must not go by beside this tensor.
    pub(super) fn letter(&self, tensor: TensorId) -> &str {
        &self.symbol(tensor).base
    }

    /// Sets a symbol with its indices.
    fn write(&self, symbol: &Symbol, label: Option<Math>, prime: bool, example: Option<&str>, indices: Vec<Math>) -> Math {
        let mut sup = Vec::new();
        let label = label.or_else(|| (!symbol.label.is_empty()).then(|| word(&symbol.label)));
        if let Some(label) = label {
            let fence = match self.table.layer_mark {
                LayerMark::Bare if !matches!(&label, Math::Identifier(name) if name.chars().count() > 1) => Fence::Bare,
                LayerMark::Square => Fence::Square,
                LayerMark::Bare | LayerMark::Round => Fence::Round,
            };
            sup.push(Math::Fenced(fence, Box::new(label)));
        }
        sup.extend(example.map(|example| Math::Fenced(Fence::Round, Box::new(word(example)))));
        if prime {
            sup.push(Math::identifier("′"));
        }
        let mut sub: Vec<Math> = symbol.tag.iter().map(|part| word(part)).collect();
        if sub.len() > 1 || (!sub.is_empty() && !indices.is_empty()) {
            sub = vec![Math::list(sub)];
        }
        if !indices.is_empty() {
            if !sub.is_empty() {
                sub.push(Math::Operator(Operator::Comma));
            }
            let letters = indices.iter().all(|index| matches!(index, Math::Identifier(name) if name.chars().count() == 1));
            sub.extend(if letters { indices } else { vec![Math::list(indices)] });
        }
        let script = |mut parts: Vec<Math>| match parts.len() {
            0 => None,
            1 => parts.pop().map(Box::new),
            _ => Some(Box::new(Math::Row(parts))),
        };
        let base = Box::new(Math::identifier(&symbol.base));
        match (script(sub), script(sup)) {
            (None, None) => *base,
            (sub, sup) => Math::Scripts { base, sub, sup },
        }
    }
}

fn word(text: &str) -> Math {
    if text.chars().all(|character| character.is_ascii_digit()) { Math::number(text) } else { Math::identifier(text) }
}

/// The tensors that have symbols of their own, those first whose letter matters most to a reader.
fn allocation_order(derivation: &Derivation) -> Vec<TensorId> {
    let model = &derivation.model;
    let mut order: Vec<TensorId> = model.inputs.iter().chain(&model.targets).copied().collect();
    order.extend(model.parameters.iter().map(|parameter| parameter.tensor));
    order.extend(model.equations.iter().map(|equation| equation.target));
    let others = model.context.tensors().filter(|(_, tensor)| matches!(tensor.role, Role::Value | Role::Noise));
    order.extend(others.map(|(id, _)| id));
    order.extend([model.batch_size, model.update_number]);
    let mut seen = BTreeSet::new();
    order.retain(|&tensor| seen.insert(tensor));
    order
}

/// The parameters and states whose old value an equation reads after another has made the new one.
fn read_after_update(context: &Context, optimizer: &Optimizer) -> Vec<TensorId> {
    let mut found = Vec::new();
    for (at, equation) in optimizer.equations.iter().enumerate() {
        if let Role::Next { of } = context.tensor(equation.target).role
            && optimizer.equations[at + 1..].iter().any(|later| context.contains_tensor(later.value, of))
        {
            found.push(of);
        }
    }
    found
}
