//! Parameters that are trained in vain.

use super::{Fact, FactKind, Study};
use crate::equation::{Role, TensorId};

/// A fact for each parameter whose derivative is 0 whatever the data.
pub(super) fn facts(study: &Study<'_>) -> Vec<Fact> {
    let derivation = study.derivation;
    if derivation.model.loss.is_none() {
        return Vec::new();
    }
    let trained = derivation.model.parameters.iter().filter(|parameter| parameter.trained).map(|parameter| parameter.tensor);
    trained.filter(|&parameter| !is_reached(study, parameter)).map(|parameter| fact(study, parameter)).collect()
}

fn is_reached(study: &Study<'_>, parameter: TensorId) -> bool {
    let adjoints = study.derivation.backward.iter().map(|adjoint| &adjoint.equation);
    let own = adjoints.into_iter().find(|equation| study.role(equation.target) == Role::Adjoint { of: parameter });
    own.is_some_and(|equation| !study.context.is_integer(equation.value, 0))
}

fn fact(study: &Study<'_>, parameter: TensorId) -> Fact {
    let readers = study.readers(parameter);
    let reason = if readers.is_empty() {
        "no equation reads it".to_owned()
    } else if depends(study, parameter) {
        "each way from it to the loss goes through a function whose slope is 0".to_owned()
    } else {
        "the loss does not depend on what is computed from it".to_owned()
    };
    let gradient = study.derivation.gradient.iter().find(|gradient| gradient.parameter == parameter);
    let is_regularized = gradient.is_some_and(|gradient| !study.context.is_integer(gradient.equation.value, 0));
    let rest = if is_regularized { ", and only a regularizer changes it" } else { ", and no update changes it" };
    Fact {
        kind: FactKind::Unreached,
        is_mistake: true,
        what: format!("no gradient of the loss reaches `{}`{rest}", study.name(parameter)),
        reason,
        formulas: Vec::new(),
        equations: study.numbers(readers),
        origin: study.context.tensor(parameter).origin,
    }
}

/// Whether the loss is computed from a tensor.
fn depends(study: &Study<'_>, tensor: TensorId) -> bool {
    let mut known = vec![tensor];
    // More than once where equations need each other across steps.
    loop {
        let before = known.len();
        for equation in &study.derivation.forward {
            let reads = known.iter().any(|&tensor| study.context.contains_tensor(equation.value, tensor));
            if reads && !known.contains(&equation.target) {
                known.push(equation.target);
            }
        }
        if known.len() == before {
            return study.derivation.model.loss.is_some_and(|loss| known.contains(&loss));
        }
    }
}
