//! Symbols of tensors that repeat from layer to layer: one letter, and the number of the layer.

use std::collections::{BTreeMap, BTreeSet};

use super::{Notation, Symbol, split_digits};
use crate::derivation::Derivation;
use crate::equation::{Context, ExprId, Node, ReduceKind, Role, TensorId};
use crate::folding::{Extent, Family};
use crate::sheet::math::{Math, Operator};

/// How the tensors of a family are written in general.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::sheet) struct FamilySymbol {
    symbol: Symbol,
    /// What the number on paper is ahead of the number of the layer: names of the spec may begin with another one.
    pub(in crate::sheet) shift: i64,
}

impl Notation<'_> {
    /// Gives the family of a tensor its symbols, where it has one; a tensor that only the first layer reads in place of the layer before
    /// keeps a symbol of its own.
    pub(super) fn name_family(&mut self, layers: &Layers, tensor: TensorId) -> bool {
        let Some(place) = self.derivation.folding.place(tensor) else { return false };
        let family = &self.derivation.folding.families[place.family];
        if place.layer < 1 {
            return false;
        }
        let shift = self.shift_of(layers, family);
        let members: Vec<(i64, TensorId)> =
            family.members.iter().map(|(&layer, &tensor)| (layer, tensor)).filter(|(layer, _)| *layer >= 1).collect();
        for base in self.family_candidates(family, &members) {
            let symbols: Vec<Symbol> = (members.iter())
                .map(|(layer, tensor)| Symbol { label: (layer + shift).to_string(), rank: self.rank(*tensor), ..base.clone() })
                .collect();
            let is_new = self.families.iter().all(|known| (&known.symbol.base, &known.symbol.tag) != (&base.base, &base.tag));
            let concrete = self.table.uses_letters;
            if !is_new || (concrete && !symbols.iter().all(|symbol| self.is_free(symbol))) {
                continue;
            }
            self.letters.insert(base.base.clone());
            self.families[place.family] = FamilySymbol { symbol: base, shift };
            if concrete {
                for ((_, tensor), symbol) in members.into_iter().zip(symbols) {
                    self.symbols[tensor.index()] = symbol.clone();
                    self.take(symbol);
                }
            }
            return concrete;
        }
        false
    }

    fn rank(&self, tensor: TensorId) -> usize {
        self.context().tensor(tensor).shape.len()
    }

    /// The number that the user's names give the layers, where they do.
    fn shift_of(&self, layers: &Layers, family: &Family) -> i64 {
        let named = |family: &Family| {
            let mut shifts = family.members.iter().filter(|(layer, _)| **layer >= 1).map(|(layer, &tensor)| {
                let name = &self.context().tensor(tensor).name;
                let digits = match name.rsplit_once('.') {
                    Some((prefix, _)) => layers.label(prefix),
                    None => split_digits(name).1,
                };
                digits.parse::<i64>().ok().map(|number| number - layer)
            });
            let first = shifts.next().flatten()?;
            shifts.all(|shift| shift == Some(first)).then_some(first)
        };
        let own_names = family.members.values().all(|&tensor| !self.context().tensor(tensor).name.contains('.'));
        let of_stack = self.derivation.folding.families.iter().filter(|other| other.stack == family.stack && !other.is_defined);
        own_names.then(|| named(family)).flatten().or_else(|| of_stack.filter_map(named).next()).unwrap_or(0)
    }

    fn family_candidates(&self, family: &Family, members: &[(i64, TensorId)]) -> Vec<Symbol> {
        let names: Vec<&str> = members.iter().map(|(_, tensor)| self.context().tensor(*tensor).name.as_str()).collect();
        let Some(&first) = names.first() else { return Vec::new() };
        let rank = self.rank(members[0].1);
        if !self.table.uses_letters {
            let general: Vec<String> = names.iter().map(|name| without_digits(name)).collect();
            return vec![Symbol::new(&general[0], "", &[], rank), Symbol::new(format!("{}s", general[0]), "", &[], rank)];
        }
        let letters = |name: &str| {
            let name = name.rsplit('.').next().unwrap_or(name).to_owned();
            split_digits(&name).0.to_owned()
        };
        let own = letters(first);
        let are_alike = names.iter().all(|name| letters(name) == own && name.contains('.') == first.contains('.'));
        let mut bases = Vec::new();
        if family.is_defined {
            let is_inner = first.contains('.');
            if are_alike && !is_inner {
                bases.push(own.clone());
            } else if own.chars().count() == 1 && is_weighted_sum(self.derivation, members[0].1) {
                bases.extend(self.table.weighted_sum.clone());
            } else if activated_sum(self.derivation, members[0].1).is_some() || self.is_handed_on(family) {
                bases.extend(self.table.layer_output.clone());
            }
        }
        let letter = self.letter_of(&own).unwrap_or(own);
        if self.table.uses_matrices && rank == 2 && letter.len() == 1 {
            bases.push(letter.to_uppercase());
        }
        bases.push(letter);
        let plain = bases.iter().map(|base| Symbol::new(base, "", &[], rank));
        if members.len() == 1 {
            // It does as well with the number of its own layer.
            return plain.collect();
        }
        let kind = split_digits(first.rsplit_once('.').map_or("", |(layer, _)| layer)).0;
        let whole = Symbol::new(first.replace('.', "_"), "", &[], rank);
        plain.flat_map(|plain| [plain.clone(), Symbol::new(plain.base, "", &[kind], rank)]).chain([whole]).collect()
    }

    /// Whether each layer reads what the one before has made of it.
    fn is_handed_on(&self, family: &Family) -> bool {
        let folding = &self.derivation.folding;
        self.derivation.forward.iter().any(|equation| {
            let reader = folding.place(equation.target);
            self.context().tensors_in(equation.value).into_iter().any(|read| {
                let read_layer = family.members.iter().find(|(_, member)| **member == read).map(|(layer, _)| *layer);
                reader.zip(read_layer).is_some_and(|(reader, layer)| reader.layer == layer + 1)
            })
        })
    }

    /// The symbol that a tensor shares with those of all other layers, and the number of its layer as seen from a general one.
    pub(super) fn general_symbol(&self, tensor: TensorId, center: i64) -> Option<(Symbol, Math)> {
        let folding = &self.derivation.folding;
        let context = self.context();
        if let Role::State { of } = context.tensor(tensor).role {
            let place = folding.place(of)?;
            let parameter = &self.families[place.family];
            let mut own = self.symbol(tensor).clone();
            if !self.table.uses_letters
                && let Some((_, state)) = own.base.rsplit_once('.')
            {
                own.base = format!("{}.{state}", parameter.symbol.base);
            }
            return Some((own, self.layer_at(place.layer - center, parameter.shift - self.shift(of))));
        }
        let place = folding.place(tensor)?;
        let family = &self.families[place.family];
        if family.symbol == Symbol::default() {
            return None;
        }
        let stack_shift = self.stack_shift(folding.families[place.family].stack);
        Some((family.symbol.clone(), self.layer_at(place.layer - center, family.shift - stack_shift)))
    }

    /// The symbol that a tensor goes by in rules for several layers, with the number of its own.
    pub(in crate::sheet) fn symbol_among_layers(&self, tensor: TensorId) -> Option<Symbol> {
        let folding = &self.derivation.folding;
        let place = folding.place_of(self.context(), tensor)?;
        let family = &self.families[place.family];
        let (symbol, _) = self.general_symbol(tensor, place.layer)?;
        let shift = match self.context().tensor(tensor).role {
            Role::State { .. } => self.stack_shift(folding.families[place.family].stack),
            _ => family.shift,
        };
        Some(Symbol { label: (place.layer + shift).to_string(), rank: self.rank(tensor), ..symbol })
    }

    /// Whether a family goes by one symbol in all layers.
    pub(in crate::sheet) fn has_general_symbol(&self, family: usize) -> bool {
        self.families.get(family).is_some_and(|family| family.symbol != Symbol::default())
    }

    /// The symbol of a family in the layer that has this number on paper, without indices.
    pub(in crate::sheet) fn symbol_in_layer(&self, family: usize, layer: i64) -> Math {
        let symbol = &self.families[family].symbol;
        self.write(symbol, Some(Math::number(layer)), false, None, Vec::new())
    }

    fn shift(&self, tensor: TensorId) -> i64 {
        let place = self.derivation.folding.place(tensor);
        place.map_or(0, |place| self.families[place.family].shift)
    }

    /// What the numbers on paper are ahead of those of the layers: as in the first family that has a symbol.
    pub(in crate::sheet) fn stack_shift(&self, stack: usize) -> i64 {
        let families = &self.derivation.folding.families;
        let own = (families.iter().zip(&self.families))
            .find(|(family, symbol)| family.stack == stack && family.is_defined && symbol.symbol != Symbol::default());
        own.map_or(0, |(_, symbol)| symbol.shift)
    }

    /// `l`, `l − 1`, `l + 1`.
    fn layer_at(&self, distance: i64, shift: i64) -> Math {
        let layer = Math::identifier(&self.table.layer);
        let offset = distance + shift;
        let number = Math::number(offset.unsigned_abs());
        match offset {
            0 => layer,
            1.. => Math::Row(vec![layer, Math::Operator(Operator::Plus), number]),
            _ => Math::Row(vec![layer, Math::Operator(Operator::Minus), number]),
        }
    }

    /// Gives the sizes that change from layer to layer their letters.
    pub(super) fn name_sizes(&mut self) {
        for _ in &self.derivation.folding.sizes {
            let wanted = [self.table.size.as_str(), "s", "n", "d", "r", "q", "u"].map(str::to_owned);
            let numbered = (2..).map(|number: u32| format!("{}{number}", self.table.size));
            let letter = wanted.into_iter().chain(numbered).find(|letter| !self.letters.contains(letter)).unwrap_or_default();
            self.letters.insert(letter.clone());
            self.sizes.push(letter);
        }
    }

    /// The letter of a size.
    pub(in crate::sheet) fn size_letter(&self, size: usize) -> &str {
        self.sizes.get(size).map_or("", String::as_str)
    }

    /// An extent that changes from layer to layer: `s_l`.
    pub(in crate::sheet) fn extent(&self, extent: Extent) -> Math {
        Math::identifier(self.size_letter(extent.size)).with_subscript(self.layer_at(extent.offset, 0))
    }

    /// An extent of one layer: `s_2`.
    pub(in crate::sheet) fn extent_of(&self, size: usize, layer: i64) -> Math {
        let stack = self.derivation.folding.sizes.get(size).map_or(0, |size| size.stack);
        let layer = layer + self.stack_shift(stack);
        Math::identifier(self.size_letter(size)).with_subscript(Math::number(layer))
    }
}

/// A name without the number of its layer: `dense1.w` is `dense.w`.
fn without_digits(name: &str) -> String {
    let parts = name.split('.').map(|part| split_digits(part).0);
    parts.collect::<Vec<_>>().join(".")
}

/// Whether a value is the sum of products of a parameter and another value, perhaps with something added.
pub(super) fn is_weighted_sum(derivation: &Derivation, target: TensorId) -> bool {
    let context = &derivation.model.context;
    let Some(equation) = derivation.forward.iter().find(|equation| equation.target == target) else { return false };
    let is_sum = |&expr: &ExprId| match context.node(expr) {
        Node::Reduce { kind: ReduceKind::Sum, body, .. } => is_weighted(context, *body),
        _ => false,
    };
    match context.node(equation.value) {
        Node::Add(terms) => terms.iter().any(is_sum),
        _ => is_sum(&equation.value),
    }
}

fn is_weighted(context: &Context, body: ExprId) -> bool {
    let Node::Multiply(factors) = context.node(body) else { return false };
    let role = |expr: ExprId| match context.node(expr) {
        Node::Access { tensor, .. } => Some(context.tensor(*tensor).role),
        _ => None,
    };
    let roles: Vec<Option<Role>> = factors.iter().map(|&factor| role(factor)).collect();
    roles.contains(&Some(Role::Parameter)) && roles.iter().any(|role| matches!(role, Some(Role::Value | Role::Input)))
}

/// The weighted sum of another layer that a value is made of alone, element for element or, as a softmax, from all its elements: what
/// an activation does.
pub(super) fn activated_sum(derivation: &Derivation, target: TensorId) -> Option<TensorId> {
    let context = &derivation.model.context;
    let equation = derivation.forward.iter().find(|equation| equation.target == target)?;
    let [sum] = context.tensors_in(equation.value)[..] else { return None };
    let layer = |tensor: TensorId| context.tensor(tensor).name.rsplit_once('.').map(|(layer, _)| layer);
    let is_like = context.tensor(sum).shape == context.tensor(target).shape;
    (is_like && layer(sum).is_some() && layer(sum) != layer(target) && is_weighted_sum(derivation, sum)).then_some(sum)
}

/// The labels of layers: what stands before the last dot of a name.
pub(super) struct Layers {
    labels: BTreeMap<String, String>,
}

impl Layers {
    pub(super) fn new(context: &Context) -> Self {
        let (mut prefixes, mut seen, mut with_parameters) = (Vec::new(), BTreeSet::new(), BTreeSet::new());
        for (_, tensor) in context.tensors() {
            if matches!(tensor.role, Role::Input | Role::Target | Role::Parameter | Role::Noise | Role::Value)
                && let Some((prefix, _)) = tensor.name.rsplit_once('.')
            {
                if seen.insert(prefix) {
                    prefixes.push(prefix);
                }
                if tensor.role == Role::Parameter {
                    with_parameters.insert(prefix);
                }
            }
        }
        let number = |prefix: &str| split_digits(prefix).1.to_owned();
        let numbers: Vec<String> = prefixes.iter().map(|prefix| number(prefix)).filter(|number| !number.is_empty()).collect();
        let are_unique = numbers.iter().collect::<BTreeSet<_>>().len() == numbers.len();
        let mut count = 0;
        let labels = prefixes.into_iter().map(|prefix| {
            count += usize::from(with_parameters.contains(prefix));
            let label = match number(prefix) {
                number if number.is_empty() => prefix.to_owned(),
                number if are_unique => number,
                // `conv1` and `dense1` are both the first of their kind: layers with parameters are counted in their order, and what
                // has none, as a pool, belongs to the layer before it.
                _ => count.to_string(),
            };
            (prefix.to_owned(), label)
        });
        Self { labels: labels.collect() }
    }

    pub(super) fn label<'p>(&'p self, prefix: &'p str) -> &'p str {
        self.labels.get(prefix).map_or(prefix, String::as_str)
    }
}
