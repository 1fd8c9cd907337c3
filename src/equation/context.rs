//! The tables behind a list of equations.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHasher};

use super::rebuild::for_each_child;
use super::{ExprId, Index, IndexId, Node, Role, Table, Tensor, TensorId};

/// Expressions, indices and tensors, each in a table of its own.
#[derive(Clone, Debug, Default)]
pub struct Context {
    /// Shared with copies of the context.
    nodes: Vec<Arc<Node>>,
    /// How deeply reductions are nested in each node.
    depths: Vec<u32>,
    lookup: Lookup,
    indices: Vec<Index>,
    canonical: FxHashMap<(u32, i64, i64), IndexId>,
    /// The levels of those indices.
    levels: Table<IndexId, u32>,
    tensors: Vec<Tensor>,
}

/// Finds expressions by the hashes of their nodes: with one search for a node whether it is known or not, and none to make room.
#[derive(Clone, Debug, Default)]
struct Lookup {
    /// For each place the hash and the expression, at the place of its hash or behind it. A power of two of them, more than half of them free.
    places: Vec<Option<(u64, ExprId)>>,
    count: usize,
}

impl Lookup {
    /// The expression with that hash that is the one, or the place where it would be.
    fn find(&self, hash: u64, is_it: impl Fn(ExprId) -> bool) -> Result<ExprId, usize> {
        let places = self.places.as_slice();
        let Some(last) = places.len().checked_sub(1) else { return Err(0) };
        let mut at = hash as usize & last;
        while let Some((other, id)) = places[at] {
            if other == hash && is_it(id) {
                return Ok(id);
            }
            at = (at + 1) & last;
        }
        Err(at)
    }

    /// Puts an expression where it was looked for.
    fn insert(&mut self, free: usize, hash: u64, id: ExprId) {
        self.count += 1;
        if self.places.len() > 2 * self.count {
            self.places[free] = Some((hash, id));
            return;
        }
        let larger = vec![None; (4 * self.count).next_power_of_two().max(64)];
        let known = std::mem::replace(&mut self.places, larger);
        for (hash, id) in known.into_iter().flatten().chain([(hash, id)]) {
            if let Err(free) = self.find(hash, |_| false) {
                self.places[free] = Some((hash, id));
            }
        }
    }
}

fn hash_of(node: &Node) -> u64 {
    let mut hasher = FxHasher::default();
    node.hash(&mut hasher);
    hasher.finish()
}

impl Context {
    /// Empty tables.
    pub fn new() -> Self {
        Self::default()
    }

    /// The node of an expression.
    pub fn node(&self, expr: ExprId) -> &Node {
        &self.nodes[expr.index()]
    }

    /// How many different expressions there are.
    pub fn expression_count(&self) -> usize {
        self.nodes.len()
    }

    /// Adds a tensor.
    pub fn add_tensor(&mut self, tensor: Tensor) -> TensorId {
        let id = TensorId(self.tensors.len() as u32);
        self.tensors.push(tensor);
        id
    }

    /// Adds a tensor for intermediate values, an element for each value of these indices; without indices a scalar.
    pub fn add_intermediate(&mut self, name: impl Into<String>, indices: &[IndexId]) -> TensorId {
        self.add_tensor(Tensor {
            name: name.into(),
            shape: indices.iter().map(|&index| self.index_of(index).extent()).collect(),
            axes: indices.iter().map(|&index| self.index_of(index).name.clone()).collect(),
            role: Role::Value,
            label: false,
            origin: None,
        })
    }

    /// The tensor with this id.
    pub fn tensor(&self, id: TensorId) -> &Tensor {
        &self.tensors[id.index()]
    }

    /// The tensor with this id, to be changed before anything is derived from it.
    pub fn tensor_mut(&mut self, id: TensorId) -> &mut Tensor {
        &mut self.tensors[id.index()]
    }

    /// All tensors with their ids, in the order of their making.
    pub fn tensors(&self) -> impl Iterator<Item = (TensorId, &Tensor)> {
        self.tensors.iter().enumerate().map(|(at, tensor)| (TensorId(at as u32), tensor))
    }

    /// A new index over `start..end`, different from all others.
    pub fn add_index(&mut self, name: impl Into<String>, start: i64, end: i64) -> IndexId {
        let id = IndexId(self.indices.len() as u32);
        self.indices.push(Index { name: name.into(), start, end, canonical: false });
        id
    }

    /// The index with this id.
    pub fn index_of(&self, id: IndexId) -> &Index {
        &self.indices[id.index()]
    }

    /// A new index with the name and range of another.
    pub fn fresh(&mut self, like: IndexId) -> IndexId {
        let Index { name, start, end, .. } = self.index_of(like).clone();
        self.add_index(name, start, end)
    }

    /// New indices, one for each axis of a tensor, named as its declaration names them.
    pub fn fresh_axes(&mut self, tensor: TensorId) -> Vec<IndexId> {
        let Tensor { shape, axes, .. } = self.tensor(tensor).clone();
        shape
            .iter()
            .enumerate()
            .map(|(at, &extent)| self.add_index(axes.get(at).map_or("i", String::as_str), 0, extent as i64))
            .collect()
    }

    /// The id of a node in normal form, new or known.
    pub(super) fn intern(&mut self, node: Node) -> ExprId {
        let hash = hash_of(&node);
        let free = match self.lookup.find(hash, |id| *self.nodes[id.index()] == node) {
            Ok(id) => return id,
            Err(free) => free,
        };
        let mut depth = 0;
        for_each_child(&node, |child| depth = depth.max(self.depths[child.index()]));
        if let Node::Reduce { indices, .. } | Node::ArgReduce { indices, .. } = &node {
            depth += indices.len() as u32;
        }
        let id = ExprId(self.nodes.len() as u32);
        self.nodes.push(Arc::new(node));
        self.depths.push(depth);
        self.lookup.insert(free, hash, id);
        id
    }

    /// How deeply reductions are nested in an expression.
    pub(super) fn depth(&self, expr: ExprId) -> u32 {
        self.depths[expr.index()]
    }

    /// At which level of nesting a canonical index is bound; 0 for an index that is not canonical.
    pub(crate) fn binding_level(&self, index: IndexId) -> u32 {
        self.levels.get(index).copied().unwrap_or(0)
    }

    /// The canonical index of a level of nesting and a range; the name is for printing, and that of its first use.
    pub(super) fn canonical_index(&mut self, level: u32, index: Index) -> IndexId {
        let Index { name, start, end, .. } = index;
        if let Some(&id) = self.canonical.get(&(level, start, end)) {
            return id;
        }
        let id = self.add_index(name, start, end);
        self.indices[id.index()].canonical = true;
        self.canonical.insert((level, start, end), id);
        self.levels.insert(id, level);
        id
    }
}
