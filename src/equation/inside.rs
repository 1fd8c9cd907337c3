//! Where accesses lie: the range of an affine index, and whether it can leave its tensor.

use super::{Affine, Context, ExprId, Node, TensorId};

impl Context {
    /// The least and the greatest value of an affine expression in indices.
    pub fn affine_range(&self, affine: &Affine) -> (i64, i64) {
        let (mut low, mut high) = (affine.constant, affine.constant);
        for &(index, coefficient) in &affine.terms {
            let (first, last) = (self.index_of(index).start, self.index_of(index).end - 1);
            low = low.saturating_add(coefficient.saturating_mul(if coefficient > 0 { first } else { last }));
            high = high.saturating_add(coefficient.saturating_mul(if coefficient > 0 { last } else { first }));
        }
        (low, high)
    }

    /// Whether places are inside a tensor, whatever the values of their indices.
    pub fn is_inside(&self, tensor: TensorId, places: &[Affine]) -> bool {
        places.iter().zip(&self.tensor(tensor).shape).all(|(place, &extent)| {
            let (low, high) = self.affine_range(place);
            low >= 0 && high < extent as i64
        })
    }

    /// Whether every access of a tensor in an expression is inside of it.
    pub(crate) fn reads_inside(&self, expr: ExprId, read: TensorId) -> bool {
        let mut inside = true;
        self.visit(expr, &mut |context, part| {
            if let Node::Access { tensor, indices } = context.node(part)
                && *tensor == read
            {
                inside &= context.is_inside(read, indices);
            }
        });
        inside
    }
}
