//! What an expression of the language means: an element for each place of some axes.

use crate::equation::{Affine, Context, ExprId, IndexId};

/// A tensor value, as an expression in one index for each axis; a scalar has none.
///
/// Besides its axes it may read indices of the equation it stands in.
#[derive(Clone, Debug)]
pub(super) struct Indexed {
    /// The indices that stand for the axes.
    pub(super) axes: Vec<IndexId>,
    /// The element there.
    pub(super) value: ExprId,
}

impl Indexed {
    /// A value without axes.
    pub(super) fn scalar(value: ExprId) -> Self {
        Self { axes: Vec::new(), value }
    }

    /// The extents of the axes.
    pub(super) fn shape(&self, context: &Context) -> Vec<usize> {
        self.axes.iter().map(|&axis| context.index_of(axis).extent()).collect()
    }

    /// The element at a place, an entry for each axis.
    pub(super) fn at(&self, context: &mut Context, place: &[Affine]) -> ExprId {
        let renaming: Vec<_> = self.axes.iter().copied().zip(place.iter().cloned()).collect();
        context.substitute_indices(self.value, &renaming)
    }

    /// The element at plain indices.
    pub(super) fn at_indices(&self, context: &mut Context, place: &[IndexId]) -> ExprId {
        let place: Vec<Affine> = place.iter().map(|&index| Affine::index(index)).collect();
        self.at(context, &place)
    }

    /// The same value with other indices for its first axes.
    pub(super) fn led_by(&self, context: &mut Context, leading: &[IndexId]) -> Indexed {
        let (first, rest) = self.axes.split_at(leading.len().min(self.axes.len()));
        let renaming: Vec<_> = first.iter().copied().zip(leading.iter().map(|&index| Affine::index(index))).collect();
        let axes = leading.iter().chain(rest).copied().collect();
        Indexed { axes, value: context.substitute_indices(self.value, &renaming) }
    }

    /// How many of the first axes are the leading ones of a definition's header: all of them, or none.
    pub(super) fn count_leading(&self, leading: &[IndexId]) -> usize {
        if self.axes.starts_with(leading) { leading.len() } else { 0 }
    }
}

/// A shape as messages print it.
pub(super) fn shape_text(shape: &[usize]) -> String {
    let extents: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("[{}]", extents.join(", "))
}

/// What has this shape: "shape [3, 4]" or "no axes".
pub(super) fn shape_words(shape: &[usize]) -> String {
    if shape.is_empty() { "no axes: it is one number".to_owned() } else { format!("shape {}", shape_text(shape)) }
}

/// `1 axis`, `2 axes`.
pub(super) fn axes_words(count: usize) -> String {
    if count == 1 { "1 axis".to_owned() } else { format!("{count} axes") }
}

/// `a`, `a and b`, `a, b and c`, each in backquotes.
pub(super) fn list_words<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}
