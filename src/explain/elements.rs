//! Elements and numbers in print.

use crate::equation::{Context, ExprId, Node, TensorId};

/// The name of an element: `w[0, 1]`.
pub(crate) fn element_name(context: &Context, tensor: TensorId, place: &[i64]) -> String {
    let name = &context.tensor(tensor).name;
    let at: Vec<String> = place.iter().map(i64::to_string).collect();
    if at.is_empty() { name.clone() } else { format!("{name}[{}]", at.join(", ")) }
}

/// Six significant digits.
pub(crate) fn digits(value: f64) -> String {
    crate::trace::digits(value, 6)
}

/// The value of an element, if it is known.
pub(crate) type ValueOf<'a> = &'a dyn Fn(&Context, TensorId, &[i64]) -> Option<f64>;

/// An expression with numbers in place of the elements at known places, in the language of specs.
pub(crate) fn with_numbers(context: &mut Context, expr: ExprId, value: ValueOf<'_>) -> String {
    let mut elements = Vec::new();
    context.visit(expr, &mut |context, part| {
        if let Node::Access { tensor, indices } = context.node(part)
            && indices.iter().all(|index| index.terms.is_empty())
        {
            elements.push((part, *tensor, indices.iter().map(|index| index.constant).collect::<Vec<_>>()));
        }
    });
    let mut replaced = expr;
    for (part, tensor, place) in elements {
        let Some(number) = value(context, tensor, &place) else { continue };
        let text = digits(number);
        // A scalar that is called by its value: as a number it would be folded.
        let name = if number < 0.0 { format!("({text})") } else { text };
        let scalar = context.add_intermediate(name, &[]);
        let access = context.access(scalar, Vec::new());
        replaced = context.replace(replaced, part, access);
    }
    context.expression_text(replaced)
}
