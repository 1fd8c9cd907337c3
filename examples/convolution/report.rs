//! The table of accuracies and the plot of learning curves.

use super::training::{Point, Results};
use plotters::coord::combinators::BindKeyPoints;
use plotters::prelude::*;
use std::error::Error;
use std::path::Path;

/// One line for each net.
pub(crate) fn print_table(all: &[Results], epochs: usize) {
    println!(
        "{:<10}{:>12}{:>16}{:>16}{:>14}{:>14}",
        "net", "parameters", "training loss", "test accuracy", "s per epoch", "s in all"
    );
    for results in all {
        let Some(last) = results.points.last() else { continue };
        let seconds = results.training.as_secs_f64();
        println!(
            "{:<10}{:>12}{:>16.4}{:>16.4}{:>14.1}{:>14.1}",
            results.name,
            results.parameters,
            last.loss,
            last.accuracy,
            seconds / epochs as f64,
            seconds
        );
    }
}

/// A quantity of a point.
type Quantity = fn(&Point) -> f64;

/// Draws loss and test error of all nets over the epochs.
pub(crate) fn draw_curves(all: &[Results], epochs: usize, file: &Path) -> Result<(), Box<dyn Error>> {
    let area = SVGBackend::new(file, (1100, 440)).into_drawing_area();
    area.fill(&WHITE)?;
    let (left, right) = area.split_horizontally(550);
    let charts: [(_, &str, Quantity); 2] = [
        (left, "mean loss of the training digits", |point| point.loss),
        (right, "test digits that are not recognized, %", |point| 100.0 * (1.0 - point.accuracy)),
    ];
    for (area, caption, quantity) in charts {
        let values = || all.iter().flat_map(|results| &results.points).map(quantity).filter(|value| *value > 0.0);
        let (least, most) = values().fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)));
        let ticks = logarithmic_ticks(least, most);
        let (Some(&bottom), Some(&top)) = (ticks.first(), ticks.last()) else { continue };
        let range = (bottom..top).log_scale().with_key_points(ticks);
        let mut chart = ChartBuilder::on(&area)
            .caption(caption, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(36)
            .y_label_area_size(48)
            .build_cartesian_2d(0.0..epochs as f64, range)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc("epochs")
            .y_label_formatter(&|value| value.to_string())
            .draw()?;
        for (results, color) in all.iter().zip([RED, BLUE, BLACK]) {
            let points = results.points.iter().map(|point| (point.epochs, quantity(point).max(bottom)));
            let series = chart.draw_series(LineSeries::new(points, color.stroke_width(2)))?;
            series.label(results.name).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], color.stroke_width(2)));
        }
        let labels = &mut chart.configure_series_labels();
        labels.position(SeriesLabelPosition::UpperRight).background_style(WHITE).border_style(BLACK).draw()?;
    }
    area.present()?;
    Ok(())
}

/// Ones, twos and fives times powers of ten, from the last below `least` to the first above `most`.
fn logarithmic_ticks(least: f64, most: f64) -> Vec<f64> {
    let all = (-9..=9).flat_map(|exponent| [1, 2, 5].map(|digit| format!("{digit}e{exponent}")));
    let ticks: Vec<f64> = all.filter_map(|tick| tick.parse().ok()).collect();
    let (first, last) = (ticks.iter().rposition(|tick| *tick < least), ticks.iter().position(|tick| *tick > most));
    let within = first.zip(last).and_then(|(first, last)| ticks.get(first..=last));
    within.map_or(Vec::new(), <[f64]>::to_vec)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ticks_of_an_axis_are_round_and_enclose_all_values() {
        assert_eq!(logarithmic_ticks(0.03, 0.4), [0.02, 0.05, 0.1, 0.2, 0.5]);
        assert_eq!(logarithmic_ticks(0.5, 0.5), [0.2, 0.5, 1.0]);
        assert!(logarithmic_ticks(f64::INFINITY, 0.0).is_empty(), "no values, no axis");
    }
}
