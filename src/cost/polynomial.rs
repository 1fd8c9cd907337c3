//! Polynomials in the extents of a network.

use std::collections::BTreeMap;

/// The number of a symbol: `n_0`, `n_1`, ….
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Symbol(pub(super) u32);

impl Symbol {
    /// The number.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// A sum of products of symbols with integer coefficients. Each product is sorted; no coefficient is 0.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Polynomial {
    terms: BTreeMap<Vec<Symbol>, i128>,
    /// The value, from the symbols' values.
    value: i128,
}

impl Polynomial {
    /// A number.
    pub fn number(value: usize) -> Self {
        let value = value as i128;
        Self { terms: BTreeMap::from_iter((value != 0).then_some((Vec::new(), value))), value }
    }

    /// A symbol, whose value is given.
    pub fn symbol(symbol: Symbol, value: usize) -> Self {
        Self { terms: BTreeMap::from([(vec![symbol], 1)]), value: value as i128 }
    }

    /// The value.
    pub fn value(&self) -> i128 {
        self.value
    }

    /// The terms: coefficient and symbols, those of the highest degree first.
    pub fn terms(&self) -> Vec<(i128, Vec<Symbol>)> {
        let mut terms: Vec<_> = self.terms.iter().map(|(symbols, &coefficient)| (coefficient, symbols.clone())).collect();
        terms.sort_by_key(|(_, symbols)| std::cmp::Reverse(symbols.len()));
        terms
    }

    /// `self + other`.
    pub fn plus(&self, other: &Self) -> Self {
        self.plus_times(1, other)
    }

    /// `self - other`.
    pub fn minus(&self, other: &Self) -> Self {
        self.plus_times(-1, other)
    }

    fn plus_times(&self, factor: i128, other: &Self) -> Self {
        let mut sum = self.clone();
        for (symbols, coefficient) in &other.terms {
            let term = sum.terms.entry(symbols.clone()).or_insert(0);
            *term = term.saturating_add(factor.saturating_mul(*coefficient));
            if *term == 0 {
                sum.terms.remove(symbols);
            }
        }
        sum.value = sum.value.saturating_add(factor.saturating_mul(other.value));
        sum
    }

    /// `self * other`.
    pub fn times(&self, other: &Self) -> Self {
        let mut product = Self { terms: BTreeMap::new(), value: self.value.saturating_mul(other.value) };
        for (left, a) in &self.terms {
            for (right, b) in &other.terms {
                let mut symbols = [&left[..], right].concat();
                symbols.sort_unstable();
                let term = product.terms.entry(symbols).or_insert(0);
                *term = term.saturating_add(a.saturating_mul(*b));
            }
        }
        product.terms.retain(|_, coefficient| *coefficient != 0);
        product
    }

    /// Every symbol in it, once.
    pub fn symbols(&self) -> Vec<Symbol> {
        let mut symbols: Vec<Symbol> = self.terms.keys().flatten().copied().collect();
        symbols.sort_unstable();
        symbols.dedup();
        symbols
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_polynomial_has_the_value_of_its_formula() {
        let [n, m] = [Polynomial::symbol(Symbol(0), 3), Polynomial::symbol(Symbol(1), 5)];
        let product = n.plus(&Polynomial::number(2)).times(&m).minus(&m);
        assert_eq!(product.value(), 20);
        assert_eq!(product.terms(), vec![(1, vec![Symbol(0), Symbol(1)]), (1, vec![Symbol(1)])]);
        assert_eq!(product.minus(&product), Polynomial::default());
    }
}
