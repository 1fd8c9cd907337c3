//! Builds the loop nest of one kernel.
//!
//! Loops are opened and closed like brackets. An expression is computed at the outermost loop that binds all its
//! indices, once, and named there; a branch of a conditional keeps what only it needs. That is what moves the
//! invariant part of a product, or a whole softmax denominator, out of the inner loop.

use rustc_hash::FxHashMap;

use super::statement::{Local, Position, Range, Statement};
use crate::equation::{Affine, Context, ExprId, IndexId, Known, TensorId, for_each_child};

/// How often what stands in a level is done.
#[derive(Debug)]
enum Opening {
    /// For some values of the index.
    Loop(Range),
    /// For one value of the index.
    At(Position),
}

/// A loop or branch that is open, or the function's body.
#[derive(Debug, Default)]
pub(super) struct Level {
    /// The loop's index; none for a branch and for the function's body.
    pub(super) index: Option<IndexId>,
    /// What it is; a plain loop if not given.
    opening: Option<Opening>,
    pub(super) statements: Vec<Statement>,
    /// Which expressions a local variable of this level holds.
    pub(super) bound: Known<Local>,
}

impl Level {
    /// The index of a loop.
    pub(super) fn loop_index(&self) -> Option<IndexId> {
        self.index.filter(|_| !matches!(self.opening, Some(Opening::At(_))))
    }
}

/// A kernel under construction.
#[derive(Debug)]
pub(super) struct Nest<'a> {
    pub(super) context: &'a mut Context,
    /// The function's body, then what is open, outermost first.
    pub(super) levels: Vec<Level>,
    /// The names of the local variables, not unique.
    pub(super) locals: Vec<String>,
    /// Arrays that hold intermediate results.
    pub(super) temporaries: &'a mut Vec<TensorId>,
    /// How many parts of the current equation read an expression.
    pub(super) uses: Known<u32>,
    free: Known<Vec<IndexId>>,
    /// Rows that are filled anew for each value of these indices: what reads them stays inside those loops.
    refilled: FxHashMap<TensorId, Vec<IndexId>>,
    /// What the steps of a recurrence write, in the loop that is outermost.
    pub(super) recurrent: Vec<TensorId>,
    /// Whether a number stands for those of several examples, in vectors: then no loop is to become one.
    pub(super) is_abreast: bool,
}

impl<'a> Nest<'a> {
    /// An empty function.
    pub(super) fn new(context: &'a mut Context, temporaries: &'a mut Vec<TensorId>) -> Self {
        Self {
            context,
            levels: vec![Level::default()],
            locals: Vec::new(),
            temporaries,
            uses: Known::default(),
            free: Known::default(),
            refilled: FxHashMap::default(),
            recurrent: Vec::new(),
            is_abreast: false,
        }
    }

    /// The finished body, with the names of its local variables.
    pub(super) fn finish(mut self) -> (Vec<Statement>, Vec<String>) {
        (std::mem::take(&mut self.levels[0].statements), self.locals)
    }

    /// Opens a loop.
    pub(super) fn open(&mut self, index: IndexId) {
        self.levels.push(Level { index: Some(index), ..Level::default() });
    }

    /// Opens a loop over some of the values of an index.
    pub(super) fn open_range(&mut self, index: IndexId, range: Range) {
        self.levels.push(Level { index: Some(index), opening: Some(Opening::Loop(range)), ..Level::default() });
    }

    /// Opens what is done for one value of an index.
    pub(super) fn open_at(&mut self, index: IndexId, position: Position) {
        self.levels.push(Level { index: Some(index), opening: Some(Opening::At(position)), ..Level::default() });
    }

    /// Closes the innermost loop; `make` turns its body into a statement.
    pub(super) fn close_as(&mut self, make: impl FnOnce(IndexId, Vec<Statement>) -> Statement) {
        if let Some(Level { index: Some(index), statements, .. }) = self.levels.pop() {
            self.push(make(index, statements));
        }
    }

    /// Closes the innermost loop.
    pub(super) fn close(&mut self) {
        let opening = self.levels.last_mut().and_then(|level| level.opening.take());
        self.close_as(|index, body| match opening {
            None => Statement::For { index, range: Range::default(), body },
            Some(Opening::Loop(range)) => Statement::For { index, range, body },
            Some(Opening::At(position)) => Statement::At { index, position, body },
        });
    }

    /// Closes loops until so many levels are open.
    pub(super) fn close_to(&mut self, levels: usize) {
        while self.levels.len() > levels {
            self.close();
        }
    }

    /// Appends a statement to the innermost level.
    pub(super) fn push(&mut self, statement: Statement) {
        let innermost = self.levels.len() - 1;
        self.levels[innermost].statements.push(statement);
    }

    /// Runs `work` as if only the levels up to `level` were open.
    pub(super) fn at_level<T>(&mut self, level: usize, work: impl FnOnce(&mut Self) -> T) -> T {
        let inner = self.levels.split_off(level + 1);
        let result = work(self);
        self.levels.extend(inner);
        result
    }

    /// A new local variable.
    pub(super) fn local(&mut self, name: &str) -> Local {
        self.locals.push(name.to_owned());
        Local(self.locals.len() - 1)
    }

    /// Lets a local variable of the innermost level stand for an expression.
    pub(super) fn bind(&mut self, expr: ExprId, local: Local) {
        let innermost = self.levels.len() - 1;
        self.levels[innermost].bound.insert(expr, local);
    }

    /// A new array over these indices.
    pub(super) fn temporary(&mut self, indices: &[IndexId]) -> TensorId {
        let name = format!("temporary{}", self.temporaries.len() + 1);
        let tensor = self.context.add_intermediate(name, indices);
        self.temporaries.push(tensor);
        tensor
    }

    /// The element of a temporary (or of any tensor whose axes start where these indices do).
    pub(super) fn element(&mut self, tensor: TensorId, indices: &[IndexId]) -> Vec<Affine> {
        indices
            .iter()
            .zip(&self.context.tensor(tensor).shape)
            .map(|(&index, &extent)| {
                let range = self.context.index_of(index);
                // An index that starts elsewhere than at 0 fills a temporary of its extent from 0.
                let shift = if range.extent() == extent { -range.start } else { 0 };
                Affine { terms: vec![(index, 1)], constant: shift }
            })
            .collect()
    }

    /// Counts the uses of all parts of an expression that is about to be lowered.
    pub(super) fn count_uses(&mut self, expr: ExprId) {
        let mut uses = std::mem::take(&mut self.uses);
        self.context.visit(expr, &mut |context, part| {
            for_each_child(context.node(part), |child| *uses.get_or(child, 0) += 1);
        });
        self.uses = uses;
    }

    /// A row over one index that is filled anew in each turn of the loops that are open.
    pub(super) fn row_temporary(&mut self, inner: IndexId) -> TensorId {
        self.refilled_temporary(&[inner])
    }

    /// An array over these indices that is filled anew in each turn of the loops that are open.
    pub(super) fn refilled_temporary(&mut self, indices: &[IndexId]) -> TensorId {
        let array = self.temporary(indices);
        let outer = self.levels.iter().filter_map(|level| level.index).collect();
        self.refilled.insert(array, outer);
        array
    }

    /// Whether a part of the current equation is an expression.
    pub(super) fn is_used(&self, expr: ExprId) -> bool {
        self.uses.get(expr).is_some()
    }

    /// The innermost level whose loop fills something that an expression reads.
    pub(super) fn filling_level(&self, expr: ExprId) -> usize {
        if self.refilled.is_empty() && self.recurrent.is_empty() {
            return 0;
        }
        let read = self.context.tensors_in(expr);
        if read.is_empty() {
            return 0;
        }
        // What the steps of a recurrence write is filled in the outermost loop.
        let first = usize::from(self.levels.len() > 1 && read.iter().any(|tensor| self.recurrent.contains(tensor)));
        let is_filled_in =
            |index: IndexId| read.iter().any(|tensor| self.refilled.get(tensor).is_some_and(|outer| outer.contains(&index)));
        let last = self.levels.iter().rposition(|level| level.index.is_some_and(is_filled_in));
        last.map_or(first, |last| last.max(first))
    }

    /// The indices on which an expression depends: those that occur free, and those for which a row that it reads is refilled.
    pub(super) fn free_indices(&mut self, expr: ExprId) -> Vec<IndexId> {
        self.find_free_indices(expr);
        self.free.get(expr).cloned().unwrap_or_default()
    }

    fn find_free_indices(&mut self, expr: ExprId) {
        if self.free.get(expr).is_some() {
            return;
        }
        let mut free = self.context.free_indices(expr);
        if !self.refilled.is_empty() {
            for tensor in self.context.tensors_in(expr) {
                for &outer in self.refilled.get(&tensor).into_iter().flatten() {
                    if !free.contains(&outer) {
                        free.push(outer);
                    }
                }
            }
        }
        self.free.insert(expr, free);
    }

    /// The level at which an expression is computed: the innermost that binds one of its indices, or a branch that is open
    /// there with no loop between.
    pub(super) fn home(&mut self, expr: ExprId) -> usize {
        self.find_free_indices(expr);
        let free = self.free.get(expr).map_or(&[][..], Vec::as_slice);
        let mut home = self.levels.len();
        while home > 0 {
            home -= 1;
            if self.levels[home].index.is_some_and(|index| free.contains(&index)) {
                break;
            }
        }
        while self.levels.get(home + 1).is_some_and(|level| level.index.is_none()) {
            home += 1;
        }
        home
    }
}
