//! The network as a drawing: boxes where dagre lays them, arrows between, and the same in words for those who do not see it.

use super::escape;
use crate::sheet::document::{Diagram, DiagramNode};
use crate::sheet::text::math_text;
use dagre::graph::{Graph, GraphOptions};
use dagre::{EdgeLabel, LayoutOptions, NodeLabel, RankDir};

/// The width of a letter, on the average, and what stands around the text of a box.
const LETTER: f64 = 8.2;
const PADDING: f64 = 22.0;
/// The height of a line of text.
const LINE: f64 = 19.0;

/// What stands in a box, line by line.
fn lines(node: &DiagramNode) -> Vec<String> {
    let mut lines = vec![math_text(&node.symbol)];
    if !node.parameters.is_empty() {
        let parameters: Vec<String> = node.parameters.iter().map(math_text).collect();
        lines.push(format!("with {}", parameters.join(", ")));
    }
    lines.extend(node.layers.as_ref().map(math_text));
    lines.extend(node.number.map(|number| format!("({number})")));
    lines
}

/// The drawing in words: each value with what it is computed from.
fn words(diagram: &Diagram) -> String {
    let name = |at: usize| diagram.nodes.get(at).map(|node| math_text(&node.symbol)).unwrap_or_default();
    let mut sentences = Vec::new();
    for to in 0..diagram.nodes.len() {
        let from: Vec<String> = diagram.edges.iter().filter(|edge| edge.1 == to).map(|edge| name(edge.0)).collect();
        if !from.is_empty() {
            sentences.push(format!("{} from {}", name(to), from.join(" and ")));
        }
    }
    format!("What is computed from what: {}", sentences.join("; "))
}

/// The drawing as SVG; `None` where a box has no place.
pub(super) fn svg(diagram: &Diagram) -> Option<String> {
    let size = |node: &DiagramNode| {
        let lines = lines(node);
        let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
        (LETTER * widest as f64 + PADDING, LINE * lines.len() as f64 + 14.0)
    };
    let mut graph: Graph<NodeLabel, EdgeLabel> =
        Graph::with_options(GraphOptions { directed: true, multigraph: true, compound: false });
    for (at, node) in diagram.nodes.iter().enumerate() {
        let (width, height) = size(node);
        graph.set_node(at.to_string(), Some(NodeLabel { width, height, ..NodeLabel::default() }));
    }
    let edges = diagram.edges.iter().filter(|(from, to)| from != to);
    for &(from, to) in edges {
        graph.set_edge(from.to_string(), to.to_string(), Some(EdgeLabel::default()), None);
    }
    let options = LayoutOptions { rankdir: RankDir::LR, ..LayoutOptions::default() };
    dagre::layout(&mut graph, Some(options));
    let place = |at: usize| {
        let label = graph.node(&at.to_string())?;
        Some((label.x?, label.y?, label.width, label.height))
    };
    const MARGIN: f64 = 12.0;
    let (mut width, mut height, mut boxes) = (0.0_f64, 0.0_f64, String::new());
    for (at, node) in diagram.nodes.iter().enumerate() {
        let (x, y, w, h) = place(at)?;
        (width, height) = (width.max(x + w / 2.0), height.max(y + h / 2.0));
        let (left, top) = (x - w / 2.0 + MARGIN, y - h / 2.0 + MARGIN);
        let mut content = format!("<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{w:.1}\" height=\"{h:.1}\" rx=\"7\"></rect>");
        for (row, line) in lines(node).iter().enumerate() {
            let (x, y) = (x + MARGIN, top + LINE * (row as f64 + 1.0) + 2.0);
            content.push_str(&format!("<text x=\"{x:.1}\" y=\"{y:.1}\">{}</text>", escape(line)));
        }
        boxes.push_str(&match node.number {
            Some(number) => format!("<a href=\"#eq{number}\">{content}</a>\n"),
            None => format!("<g class=\"data\">{content}</g>\n"),
        });
    }
    let mut arrows = String::new();
    for &(from, to) in diagram.edges.iter().filter(|(from, to)| from != to) {
        let ((x1, y1, w1, _), (x2, y2, w2, _)) = (place(from)?, place(to)?);
        let (start, end) = (x1 + w1 / 2.0 + MARGIN, x2 - w2 / 2.0 + MARGIN - 5.0);
        let bend = ((end - start) / 2.0).max(12.0);
        arrows.push_str(&format!(
            "<path d=\"M{start:.1},{:.1} C{:.1},{:.1} {:.1},{:.1} {end:.1},{:.1}\" marker-end=\"url(#arrow)\"></path>\n",
            y1 + MARGIN,
            start + bend,
            y1 + MARGIN,
            end - bend,
            y2 + MARGIN,
            y2 + MARGIN,
        ));
    }
    let (width, height) = (width + 2.0 * MARGIN, height + 2.0 * MARGIN);
    Some(format!(
        "<svg viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" height=\"{height:.0}\" role=\"img\" aria-label=\"{}\">\n\
         <defs><marker id=\"arrow\" viewBox=\"0 0 8 8\" refX=\"3\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" orient=\"auto\">\
         <path d=\"M0,0 L8,4 L0,8 z\"></path></marker></defs>\n{arrows}{boxes}</svg>\n",
        escape(&words(diagram))
    ))
}
