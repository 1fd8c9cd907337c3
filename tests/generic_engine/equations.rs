//! Equations of every form have the evaluator's values.

use crate::builder::{Builder, STEPS, agrees_with_the_evaluator};
use deltarule_compiler::equation::{
    Affine, Context, Elementary, Equation, ExprId, IndexId, ReduceKind, Relation, Role, TensorId,
};

#[test]
fn sums_of_products_equal_the_evaluators() {
    let mut b = Builder::new();
    let (x, z) = (b.input("x", &[4]), b.input("z", &[3, 4]));
    let (v, w, u) = (b.parameter("v", &[4]), b.parameter("w", &[4, 5]), b.parameter("u", &[5, 3]));
    let i = b.context.add_index("i", 0, 4);
    let j = b.context.add_index("j", 0, 5);
    let k = b.context.add_index("k", 0, 3);
    let dense = b.equation("dense", &[5], |c, at| {
        let (w, x) = (c.access_at(w, &[i, at[0]]), c.access_at(x, &[i]));
        let product = c.multiply([w, x]);
        c.sum(&[i], product)
    });
    let transposed = b.equation("transposed", &[4], |c, at| {
        let (w, s) = (c.access_at(w, &[at[0], j]), c.access_at(dense, &[j]));
        let half = c.number(deltarule_compiler::equation::Number::new(0.5).expect("a number"));
        let product = c.multiply([half, w, s]);
        c.sum(&[j], product)
    });
    let chain = b.equation("chain", &[4, 3], |c, at| {
        let (w, u, s) = (c.access_at(w, &[at[0], j]), c.access_at(u, &[j, at[1]]), c.access_at(dense, &[j]));
        let product = c.multiply([w, u, s]);
        c.sum(&[j], product)
    });
    let batched = b.equation("batched", &[3, 3], |c, at| {
        let (left, right) = (c.access_at(z, &[at[0], i]), c.access_at(z, &[at[1], i]));
        let product = c.multiply([left, right]);
        c.sum(&[i], product)
    });
    let vector = b.equation("vector", &[5], |c, at| {
        let (v, w) = (c.access_at(v, &[i]), c.access_at(w, &[i, at[0]]));
        let product = c.multiply([v, w]);
        c.sum(&[i], product)
    });
    let outer = b.equation("outer", &[4, 5], |c, at| {
        let (x, s, m) = (c.access_at(x, &[at[0]]), c.access_at(dense, &[at[1]]), c.access_at(z, &[k, i]));
        let product = c.multiply([x, s, m]);
        c.sum(&[k, i], product)
    });
    let mixed = b.equation("mixed", &[5], |c, at| {
        let (w, x, s) = (c.access_at(w, &[i, at[0]]), c.access_at(x, &[i]), c.access_at(dense, &[at[0]]));
        let product = c.multiply([w, x]);
        let body = c.add([product, s, x]);
        c.sum(&[i], body)
    });
    let absent = b.equation("absent", &[4], |c, at| {
        let x = c.access_at(x, &[at[0]]);
        c.sum(&[j], x)
    });
    let nested = b.equation("nested", &[3], |c, at| {
        let (z, x, w) = (c.access_at(z, &[at[0], i]), c.access_at(x, &[i]), c.access_at(w, &[i, j]));
        let product = c.multiply([x, w]);
        let inner = c.sum(&[j], product);
        let body = c.multiply([z, inner]);
        c.sum(&[i], body)
    });
    let all = b.equation("all", &[], |c, _| {
        let (z, x, v) = (c.access_at(z, &[k, i]), c.access_at(x, &[i]), c.access_at(v, &[i]));
        let product = c.multiply([z, x, v]);
        c.sum(&[k, i], product)
    });
    agrees_with_the_evaluator(b, vec![dense, transposed, chain, batched, vector, outer, mixed, absent, nested, all]);
}

#[test]
fn accesses_equal_the_evaluators() {
    let mut b = Builder::new();
    let (x, image) = (b.input("x", &[7]), b.input("image", &[5, 5, 2]));
    let (square, kernel) = (b.parameter("square", &[4, 4]), b.parameter("kernel", &[3, 3, 2, 3]));
    let label = b.tensor("label", &[6], Role::Input, true);
    let labels = b.tensor("labels", &[2, 3], Role::Input, true);
    let plus = |index: IndexId, factor: i64, constant: i64| Affine { terms: vec![(index, factor)], constant };
    let at_two = Affine::constant(2);
    let diagonal = b.equation("diagonal", &[4], |c, at| c.access_at(square, &[at[0], at[0]]));
    let transposed = b.equation("transposed", &[4, 4], |c, at| c.access_at(square, &[at[1], at[0]]));
    let row = b.equation("row", &[4], |c, at| c.access(square, vec![at_two.clone(), Affine::index(at[0])]));
    let outside = b.equation("outside", &[4], |c, at| {
        let gone = c.access(square, vec![Affine::constant(4), Affine::index(at[0])]);
        let there = c.access(square, vec![Affine::index(at[0]), Affine::constant(0)]);
        c.add([gone, there])
    });
    let strided = b.equation("strided", &[3], |c, at| c.access(x, vec![plus(at[0], 2, 1)]));
    let padded = b.equation("padded", &[7], |c, at| c.access(x, vec![plus(at[0], 1, -2)]));
    let reversed = b.equation("reversed", &[7], |c, at| c.access(x, vec![plus(at[0], -1, 6)]));
    let (u, v, channel) = (b.context.add_index("u", 0, 3), b.context.add_index("v", 0, 3), b.context.add_index("c", 0, 2));
    let window = |index: IndexId, offset: IndexId| {
        Affine::index(index).plus(1, &Affine::index(offset)).and_then(|sum| sum.plus(1, &Affine::constant(-1)))
    };
    let convolved = b.equation("convolved", &[5, 5, 3], |c, at| {
        let (row, column) = (window(at[0], u).expect("small"), window(at[1], v).expect("small"));
        let pixel = c.access(image, vec![row, column, Affine::index(channel)]);
        let weight = c.access_at(kernel, &[u, v, channel, at[2]]);
        let product = c.multiply([pixel, weight]);
        c.sum(&[u, v, channel], product)
    });
    let part = b.context.add_index("p", 2, 5);
    let some = b.equation("some", &[], |c, _| {
        let x = c.access_at(x, &[part]);
        let value = c.index_value(plus(part, 3, -1));
        let product = c.multiply([x, value]);
        c.sum(&[part], product)
    });
    let hot = b.equation("hot", &[6], |c, at| c.access_at(label, &[at[0]]));
    let hots = b.equation("hots", &[3, 2], |c, at| c.access_at(labels, &[at[1], at[0]]));
    let alias = b.equation("alias", &[7], |c, at| c.access_at(x, &[at[0]]));
    let constant = b.equation("constant", &[2, 3], |c, _| c.integer(7));
    let counted =
        b.equation("counted", &[2, 3], |c, at| c.index_value(Affine { terms: vec![(at[0], 3), (at[1], 1)], constant: 0 }));
    let outputs =
        vec![diagonal, transposed, row, outside, strided, padded, reversed, convolved, some, hot, hots, alias, constant, counted];
    agrees_with_the_evaluator(b, outputs);
}

/// `Σ coefficient · index + constant`.
fn affine(terms: &[(IndexId, i64)], constant: i64) -> Affine {
    terms
        .iter()
        .fold(Affine::constant(constant), |sum, &(index, factor)| sum.plus(factor, &Affine::index(index)).expect("small numbers"))
}

#[test]
fn sums_whose_terms_belong_to_places_equal_the_evaluators() {
    let mut b = Builder::new();
    let (dy, x) = (b.input("dy", &[3, 4, 2]), b.input("x", &[6, 8, 2]));
    let kernel = b.parameter("kernel", &[3, 3, 2, 2]);
    let [p, q, g, u, v] = [("p", 3), ("q", 4), ("g", 2), ("u", 2), ("v", 2)].map(|(name, end)| b.context.add_index(name, 0, end));
    // What a strided, padded convolution gives back to its input.
    let returned = b.equation("returned", &[6, 8, 2], |c, at| {
        let dy = c.access_at(dy, &[p, q, g]);
        let places =
            vec![affine(&[(at[0], 1), (p, -2)], 1), affine(&[(at[1], 1), (q, -2)], 1), Affine::index(at[2]), Affine::index(g)];
        let weight = c.access(kernel, places);
        let product = c.multiply([dy, weight]);
        c.sum(&[p, q, g], product)
    });
    // The same with the other sign, and with the free index in another factor too.
    let mirrored = b.equation("mirrored", &[6, 2], |c, at| {
        let weight = c
            .access(kernel, vec![affine(&[(at[0], -1), (p, 2)], 1), Affine::constant(0), Affine::index(g), Affine::index(at[1])]);
        let (dy, x) = (c.access_at(dy, &[p, q, g]), c.access_at(x, &[at[0], q, at[1]]));
        let product = c.multiply([dy, weight, x]);
        c.sum(&[p, q, g], product)
    });
    // What the greatest of each window gives back to it.
    let greatest = b.equation("greatest", &[6, 8, 2], |c, at| {
        let window = c.access(x, vec![affine(&[(p, 2), (u, 1)], 0), affine(&[(q, 2), (v, 1)], 0), Affine::index(at[2])]);
        let mut factors = vec![c.access_at(dy, &[p, q, at[2]])];
        for (axis, outer) in [(0, p), (1, q)] {
            let inside = c.arg_reduce(ReduceKind::Max, &[u, v], axis, window);
            let corner = c.index_value(affine(&[(outer, 2)], 0));
            let (place, free) = (c.add([corner, inside]), c.index_value(Affine::index(at[axis])));
            factors.push(c.compare(Relation::Equal, free, place));
        }
        let product = c.multiply(factors);
        c.sum(&[p, q], product)
    });
    // A row of all elements, and one that some of them do not reach.
    let flat = b.equation("flat", &[24], |c, at| {
        let (dy, free) = (c.access_at(dy, &[p, q, g]), c.index_value(Affine::index(at[0])));
        let place = c.index_value(affine(&[(p, 8), (q, 2), (g, 1)], 0));
        let delta = c.compare(Relation::Equal, free, place);
        let product = c.multiply([dy, delta]);
        c.sum(&[p, q, g], product)
    });
    let clipped = b.equation("clipped", &[5, 2], |c, at| {
        let (dy, free) = (c.access_at(dy, &[p, q, at[1]]), c.index_value(Affine::index(at[0])));
        let place = c.index_value(affine(&[(p, 3), (q, -1)], 0));
        let delta = c.compare(Relation::Equal, free, place);
        let product = c.multiply([dy, delta]);
        c.sum(&[p, q], product)
    });
    // A place that depends on another free index.
    let sheared = b.equation("sheared", &[4, 5], |c, at| {
        let (dy, free) = (c.access_at(dy, &[p, at[0], g]), c.index_value(Affine::index(at[1])));
        let place = c.index_value(affine(&[(p, 1), (at[0], 1)], -1));
        let delta = c.compare(Relation::Equal, free, place);
        let product = c.multiply([dy, delta]);
        c.sum(&[p, g], product)
    });
    let all = vec![returned, mirrored, greatest, flat, clipped, sheared];
    agrees_with_the_evaluator(b, all);
}

#[test]
fn recurrences_equal_the_evaluators() {
    let mut b = Builder::new();
    let x = b.input("x", &[STEPS, 3]);
    let (w, u) = (b.parameter("w", &[3, 2]), b.parameter("u", &[2, 2]));
    let (i, k) = (b.context.add_index("i", 0, 3), b.context.add_index("k", 0, 2));
    let [cell, state, count, back] = [("cell", 2), ("state", 2), ("count", 2), ("back", 2)]
        .map(|(name, extent)| b.tensor(name, &[STEPS, extent], Role::Value, false));
    let define = |b: &mut Builder, target: TensorId, value: &dyn Fn(&mut Context, &[IndexId]) -> ExprId| {
        let indices = b.context.fresh_axes(target);
        let value = value(&mut b.context, &indices);
        b.equations.push(Equation { target, indices, value, computed: value, number: 0, origin: None });
    };
    let at_step = |t: IndexId, distance: i64, other: IndexId| vec![affine(&[(t, 1)], distance), Affine::index(other)];
    define(&mut b, cell, &|c, at| {
        let (w, x) = (c.access_at(w, &[i, at[1]]), c.access_at(x, &[at[0], i]));
        let new = c.multiply([w, x]);
        let new = c.sum(&[i], new);
        let (u, old) = (c.access_at(u, &[k, at[1]]), c.access(state, at_step(at[0], -1, k)));
        let old = c.multiply([u, old]);
        let old = c.sum(&[k], old);
        let older = c.access(cell, at_step(at[0], -2, at[1]));
        c.add([new, old, older])
    });
    define(&mut b, state, &|c, at| {
        let (cell, time) = (c.access_at(cell, &[at[0], at[1]]), c.index_value(affine(&[(at[0], 2)], 1)));
        let tanh = c.call(Elementary::Tanh, cell);
        // A place that is no fixed distance from the step, in a tensor of its own.
        let far = c.access(x, vec![affine(&[(at[0], 2)], -1), affine(&[(at[1], 1)], 0)]);
        let scaled = c.multiply([tanh, time]);
        c.add([scaled, far])
    });
    // No example has a part in this one.
    define(&mut b, count, &|c, at| {
        let old = c.access(count, at_step(at[0], -1, at[1]));
        let one = c.integer(1);
        c.add([old, one])
    });
    // The last step comes first.
    define(&mut b, back, &|c, at| {
        let (later, state) = (c.access(back, at_step(at[0], 1, at[1])), c.access_at(state, &[at[0], at[1]]));
        let (half, limit) = (c.call(Elementary::Sin, later), c.integer(2));
        let time = c.index_value(Affine::index(at[0]));
        let early = c.compare(Relation::Less, time, limit);
        c.add([half, state, early])
    });
    agrees_with_the_evaluator(b, vec![cell, state, count, back]);
}

#[test]
fn functions_and_cases_equal_the_evaluators() {
    let mut b = Builder::new();
    let (x, z) = (b.input("x", &[4]), b.input("z", &[4]));
    let w = b.parameter("w", &[4]);
    let mut outputs = Vec::new();
    for function in Elementary::ALL {
        outputs.push(b.equation(function.name(), &[4], |c, at| {
            let x = c.access_at(x, &[at[0]]);
            // Inside every function's domain.
            let argument = match function {
                Elementary::Ln | Elementary::Sqrt | Elementary::Log1p => c.call(Elementary::Abs, x),
                _ => x,
            };
            c.call(function, argument)
        }));
    }
    for (name, relation) in [
        ("less", Relation::Less),
        ("less_equal", Relation::LessEqual),
        ("equal", Relation::Equal),
        ("not_equal", Relation::NotEqual),
        ("greater_equal", Relation::GreaterEqual),
        ("greater", Relation::Greater),
    ] {
        outputs.push(b.equation(name, &[4, 4], |c, at| {
            let (x, z) = (c.access_at(x, &[at[0]]), c.access_at(z, &[at[1]]));
            let zero = c.integer(0);
            let sides = c.compare(relation, x, z);
            let sign = c.compare(relation, z, zero);
            let w = c.access_at(w, &[at[0]]);
            let (both, either) = (c.and([sides, sign]), c.or([sides, sign]));
            let neither = c.not(either);
            let chosen = c.if_else(neither, w, x);
            let chosen = c.if_else(sign, chosen, z);
            c.add([both, chosen])
        }));
    }
    outputs.push(b.equation("powers", &[4], |c, at| {
        let (x, z) = (c.access_at(x, &[at[0]]), c.access_at(z, &[at[0]]));
        let three = c.integer(3);
        let cube = c.power(x, three);
        let size = c.call(Elementary::Abs, z);
        let general = c.power(size, x);
        let quotient = c.divide(cube, z);
        let inverse = c.reciprocal(quotient);
        c.add([cube, general, quotient, inverse])
    }));
    // The branch that is not taken is infinite or NaN, and does not show.
    outputs.push(b.equation("guarded", &[4], |c, at| {
        let x = c.access_at(x, &[at[0]]);
        let zero = c.integer(0);
        let positive = c.compare(Relation::Greater, x, zero);
        let logarithm = c.call(Elementary::Ln, x);
        c.if_else(positive, logarithm, zero)
    }));
    agrees_with_the_evaluator(b, outputs);
}

#[test]
fn reductions_equal_the_evaluators() {
    let mut b = Builder::new();
    let x = b.input("x", &[3, 4, 2]);
    let w = b.parameter("w", &[4]);
    let [i, j, k] = [("i", 3), ("j", 4), ("k", 2)].map(|(name, end)| b.context.add_index(name, 0, end));
    let mut outputs = Vec::new();
    let kinds = [("sum", ReduceKind::Sum), ("product", ReduceKind::Product), ("max", ReduceKind::Max), ("min", ReduceKind::Min)];
    for (name, kind) in kinds {
        outputs.push(b.equation(&format!("{name}_last"), &[3, 4], |c, at| {
            let x = c.access_at(x, &[at[0], at[1], k]);
            c.reduce(kind, &[k], x)
        }));
        outputs.push(b.equation(&format!("{name}_first"), &[4, 2], |c, at| {
            let x = c.access_at(x, &[i, at[0], at[1]]);
            c.reduce(kind, &[i], x)
        }));
        outputs.push(b.equation(&format!("{name}_ends"), &[4], |c, at| {
            let (x, w) = (c.access_at(x, &[i, at[0], k]), c.access_at(w, &[at[0]]));
            let body = c.add([x, w]);
            c.reduce(kind, &[i, k], body)
        }));
        outputs.push(b.equation(&format!("{name}_all"), &[], |c, _| {
            let x = c.access_at(x, &[i, j, k]);
            c.reduce(kind, &[i, j, k], x)
        }));
        outputs.push(b.equation(&format!("{name}_absent"), &[4], |c, at| {
            let w = c.access_at(w, &[at[0]]);
            c.reduce(kind, &[i, k], w)
        }));
    }
    for (name, kind) in &kinds[2..] {
        for position in 0..2 {
            outputs.push(b.equation(&format!("arg_{name}_{position}"), &[4], |c, at| {
                let x = c.access_at(x, &[i, at[0], k]);
                c.arg_reduce(*kind, &[k, i], position, x)
            }));
        }
    }
    // A tie goes to the first.
    outputs.push(b.equation("tie", &[], |c, _| {
        let part = c.add_index("p", 1, 4);
        let half = c.index_value(Affine { terms: vec![(part, 1)], constant: 0 });
        let one = c.integer(1);
        let big = c.compare(Relation::Greater, half, one);
        c.arg_reduce(ReduceKind::Max, &[part], 0, big)
    }));
    outputs.push(b.equation("empty", &[], |c, _| {
        let none = c.add_index("p", 2, 2);
        let w = c.access_at(w, &[none]);
        c.sum(&[none], w)
    }));
    agrees_with_the_evaluator(b, outputs);
}

#[test]
fn functions_that_are_also_reduced_equal_the_evaluators() {
    let mut b = Builder::new();
    let x = b.input("x", &[4]);
    let w = b.parameter("w", &[4, 4]);
    let (k, l) = (b.context.add_index("k", 0, 4), b.context.add_index("l", 0, 4));
    let exp = |c: &mut Context, index: IndexId| {
        let x = c.access_at(x, &[index]);
        c.call(Elementary::Exp, x)
    };
    let softmax = b.equation("softmax", &[4], |c, at| {
        let (own, all) = (exp(c, at[0]), exp(c, k));
        let sum = c.sum(&[k], all);
        c.divide(own, sum)
    });
    let nested = b.equation("nested", &[4], |c, at| {
        let (own, outer, inner) = (exp(c, at[0]), exp(c, k), exp(c, l));
        let inner = c.sum(&[l], inner);
        let body = c.multiply([outer, inner]);
        let outer = c.sum(&[k], body);
        c.multiply([own, outer])
    });
    let constant_inside = b.equation("constant_inside", &[4], |c, at| {
        let (own, inner) = (exp(c, at[0]), exp(c, l));
        let inner = c.sum(&[l], inner);
        let outer = c.reduce(ReduceKind::Sum, &[k], inner);
        let weight = c.access_at(w, &[k, l]);
        let both = exp(c, k);
        let both = c.multiply([both, weight]);
        let both = c.sum(&[k, l], both);
        c.add([own, outer, both])
    });
    let place = b.equation("place", &[4, 4], |c, at| {
        let (row, column, all) = (exp(c, at[0]), exp(c, at[1]), exp(c, k));
        let (greatest, least) = (c.reduce(ReduceKind::Max, &[k], all), c.arg_reduce(ReduceKind::Min, &[k], 0, all));
        let weight = c.access_at(w, &[at[0], k]);
        let weighted = c.multiply([weight, all]);
        let weighted = c.sum(&[k], weighted);
        let products = [c.multiply([row, greatest]), c.multiply([column, least]), weighted];
        c.add(products)
    });
    agrees_with_the_evaluator(b, vec![softmax, nested, constant_inside, place]);
}
