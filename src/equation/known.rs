//! What is known of some expressions, of which there are mostly few.

use rustc_hash::FxHashMap;

use super::ExprId;

/// What is known of expressions.
///
/// Most expressions have few parts: among few, one is found sooner by looking through them than in a table, above all where nothing is optimized.
#[derive(Clone, Debug)]
pub(crate) struct Known<T> {
    few: Vec<(ExprId, T)>,
    /// All, where there are more than [`FEW`].
    many: FxHashMap<ExprId, T>,
}

/// How many are looked through one by one.
const FEW: usize = 24;

impl<T> Default for Known<T> {
    fn default() -> Self {
        Self { few: Vec::new(), many: FxHashMap::default() }
    }
}

impl<T> Known<T> {
    fn position(&self, expr: ExprId) -> Option<usize> {
        let few = self.few.as_slice();
        let mut at = 0;
        while at < few.len() {
            if few[at].0.0 == expr.0 {
                return Some(at);
            }
            at += 1;
        }
        None
    }

    /// What is known of this one.
    pub(crate) fn get(&self, expr: ExprId) -> Option<&T> {
        if self.many.is_empty() { self.position(expr).map(|at| &self.few[at].1) } else { self.many.get(&expr) }
    }

    /// The same, to be changed; `first` where nothing is known yet.
    pub(crate) fn get_or(&mut self, expr: ExprId, first: T) -> &mut T {
        if self.many.is_empty() {
            if let Some(at) = self.position(expr) {
                return &mut self.few[at].1;
            }
            if self.few.len() < FEW {
                self.few.push((expr, first));
                let last = self.few.len() - 1;
                return &mut self.few[last].1;
            }
            self.many.extend(self.few.drain(..));
        }
        self.many.entry(expr).or_insert(first)
    }

    /// Lets this be known, in place of what was.
    pub(crate) fn insert(&mut self, expr: ExprId, value: T) {
        if self.many.is_empty() {
            if let Some(at) = self.position(expr) {
                self.few[at].1 = value;
                return;
            }
            if self.few.len() < FEW {
                self.few.push((expr, value));
                return;
            }
            self.many.extend(self.few.drain(..));
        }
        self.many.insert(expr, value);
    }
}

/// Expressions that were seen.
#[derive(Default)]
pub(crate) struct Seen(Known<()>);

impl Seen {
    /// Whether this one is new.
    pub(crate) fn insert(&mut self, expr: ExprId) -> bool {
        let is_new = self.0.get(expr).is_none();
        if is_new {
            self.0.insert(expr, ());
        }
        is_new
    }
}
