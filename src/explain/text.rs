//! An explanation in words and formulas.

use std::fmt::Write;

use super::{Explanation, Link, digits};

/// Ways that are written out one by one.
const WRITTEN_PATHS: u64 = 32;

impl Explanation {
    /// As the command prints it: the ways, the chain rule, its factors, the result.
    pub fn to_text(&self) -> String {
        let weight = &self.stops[0].name;
        let mut text = String::new();
        let Some(loss) = self.stops.last().filter(|_| self.path_count > 0) else {
            let _ = writeln!(text, "the loss does not depend on {weight}: its derivative is 0");
            return text;
        };
        let whole = self.derivative_name(0);
        let paths = if self.path_count <= WRITTEN_PATHS { self.paths() } else { Vec::new() };
        match self.path_count {
            1 => {}
            count => {
                let _ = writeln!(text, "{count} ways from {weight} to {}", loss.name);
            }
        }
        for path in &paths {
            let names = path.iter().map(|&link| self.stops[self.links[link].to].name.as_str());
            let names: Vec<&str> = std::iter::once(weight.as_str()).chain(names).collect();
            let _ = writeln!(text, "{}", names.join(" -> "));
        }
        text += "\nchain rule\n";
        if paths.is_empty() {
            self.write_stops(&mut text);
        } else {
            let products = paths.iter().map(|path| self.product(path, |link| self.partial_name(link)));
            write_sum(&mut text, &whole, products);
        }
        text += "\nfactors\n";
        for link in self.links.iter().rev() {
            let _ = write!(text, "  {} = {}", self.partial_name(link), link.factor);
            if let Some(substituted) = &link.substituted {
                let _ = write!(text, " = {substituted}");
            }
            match (link.value, &link.substituted) {
                (Some(value), Some(substituted)) if *substituted != digits(value) => {
                    let _ = write!(text, " = {}", digits(value));
                }
                _ => {}
            }
            let _ = writeln!(text, "   from ({})", link.equation);
        }
        if !paths.is_empty() {
            text += "\nresult\n";
            write_sum(&mut text, &whole, paths.iter().map(|path| self.product(path, factor_in_product)));
        }
        self.write_numbers(&mut text, &paths);
        if let Some(regularizer) = &self.regularizer {
            let _ = writeln!(text, "\nThe objective's derivative is the mean of this over the minibatch, plus {regularizer}.");
        }
        text
    }

    fn write_numbers(&self, text: &mut String, paths: &[Vec<usize>]) {
        let Some(derivative) = self.stops[0].derivative else { return };
        text.push_str("\nin numbers\n");
        if !paths.is_empty() {
            let number = |link: &Link| {
                let value = link.value.map_or_else(|| "?".to_owned(), digits);
                if value.starts_with('-') { format!("({value})") } else { value }
            };
            write_sum(text, &self.derivative_name(0), paths.iter().map(|path| self.product(path, number)));
        }
        let _ = writeln!(text, "  {} = {}", self.derivative_name(0), digits(derivative));
    }

    /// For each stop, the derivative by it from those of its readers.
    fn write_stops(&self, text: &mut String) {
        for from in (0..self.stops.len().saturating_sub(1)).rev() {
            let terms = self.links.iter().filter(|link| link.from == from).map(|link| {
                let last = self.stops.len() - 1;
                let partial = self.partial_name(link);
                if link.to == last { partial } else { format!("{} * {partial}", self.derivative_name(link.to)) }
            });
            let terms: Vec<String> = terms.collect();
            // With one term that is a partial derivative of the loss itself, both sides are one.
            if terms[..] != [self.derivative_name(from)] {
                let _ = writeln!(text, "  {} = {}", self.derivative_name(from), terms.join(" + "));
            }
        }
    }

    /// The ways, as positions of links, in order.
    fn paths(&self) -> Vec<Vec<usize>> {
        let mut paths = Vec::new();
        let mut open = vec![(0, Vec::new())];
        while let Some((stop, path)) = open.pop() {
            if stop + 1 == self.stops.len() {
                paths.push(path);
                continue;
            }
            for (at, link) in self.links.iter().enumerate().rev().filter(|(_, link)| link.from == stop) {
                open.push((link.to, [&path[..], &[at]].concat()));
            }
        }
        paths
    }

    /// The product along a way, the loss first.
    fn product(&self, path: &[usize], factor: impl Fn(&Link) -> String) -> String {
        path.iter().rev().map(|&link| factor(&self.links[link])).collect::<Vec<_>>().join(" * ")
    }

    fn derivative_name(&self, stop: usize) -> String {
        format!("d{}/d{}", self.stops[self.stops.len() - 1].name, self.stops[stop].name)
    }

    fn partial_name(&self, link: &Link) -> String {
        format!("d{}/d{}", self.stops[link.to].name, self.stops[link.from].name)
    }
}

fn factor_in_product(link: &Link) -> String {
    if link.is_sum { format!("({})", link.factor) } else { link.factor.clone() }
}

/// An equation with a term on each line.
fn write_sum(text: &mut String, left: &str, terms: impl Iterator<Item = String>) {
    for (at, term) in terms.enumerate() {
        let _ = match at {
            0 => writeln!(text, "  {left} = {term}"),
            _ => writeln!(text, "  {} + {term}", " ".repeat(left.chars().count())),
        };
    }
}
