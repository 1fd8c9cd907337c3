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
    /// The hashes of all expressions, in the order of their ids.
    hashes: Vec<u64>,
    /// One more than the id of an expression, at the place of its hash or behind it; 0 where there is none. A power of two of places, half of
    /// which are free.
    places: Vec<u32>,
}

impl Lookup {
    /// The expression with that hash that is the one, or the place where it would be.
    fn find(&self, hash: u64, is_it: impl Fn(ExprId) -> bool) -> Result<ExprId, usize> {
        let (places, hashes) = (self.places.as_slice(), self.hashes.as_slice());
        if places.is_empty() {
            return Err(0);
        }
        let last = places.len() - 1;
        let mut at = hash as usize & last;
        while places[at] != 0 {
            let id = ExprId(places[at] - 1);
            if hashes[id.0 as usize] == hash && is_it(id) {
                return Ok(id);
            }
            at = (at + 1) & last;
        }
        Err(at)
    }

    /// Puts the next expression where it was looked for.
    fn push(&mut self, free: usize, hash: u64) {
        self.hashes.push(hash);
        let count = self.hashes.len();
        if self.places.len() >= 2 * count {
            self.places[free] = count as u32;
            return;
        }
        self.places = vec![0; (4 * count).next_power_of_two().max(64)];
        let (places, hashes) = (self.places.as_mut_slice(), self.hashes.as_slice());
        let last = places.len() - 1;
        let mut id = 0;
        while id < count {
            let mut at = hashes[id] as usize & last;
            while places[at] != 0 {
                at = (at + 1) & last;
            }
            id += 1;
            places[at] = id as u32;
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
        let mut fresh = Vec::new();
        for at in 0..self.tensor(tensor).shape.len() {
            let Tensor { shape, axes, .. } = self.tensor(tensor);
            let (name, extent) = (axes.get(at).map_or("i", String::as_str).to_owned(), shape[at]);
            fresh.push(self.add_index(name, 0, extent as i64));
        }
        fresh
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
        self.lookup.push(free, hash);
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
    pub(super) fn canonical_index(&mut self, level: u32, like: IndexId) -> IndexId {
        let &Index { start, end, .. } = self.index_of(like);
        if let Some(&id) = self.canonical.get(&(level, start, end)) {
            return id;
        }
        let id = self.fresh(like);
        self.indices[id.index()].canonical = true;
        self.canonical.insert((level, start, end), id);
        self.levels.insert(id, level);
        id
    }
}
