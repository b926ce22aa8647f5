//! The curve of a ramp as a picture: processor time, latency and underruns over the number of calls.
//!
//! SVG with the reader's own fonts: nothing is measured by a font of this machine, and none has to be there.

use std::ops::Range;
use std::path::Path;

use plotters::prelude::*;

use super::ramp::Step;
use super::ramp::climb::Report;
use super::{BenchError, Figures, Floor};

const SIZE: (u32, u32) = (720, 780);
const PANELS: usize = 3;
const LIMIT: RGBColor = RGBColor(120, 120, 120);

/// One panel: a curve, the limit that it must stay under, and the floor that it cannot go below.
struct Panel {
    title: &'static str,
    points: Vec<(f64, f64)>,
    limit: f64,
    floor: Option<f64>,
    colour: RGBColor,
}

/// Draws `report` into `path`, with the cost of a bare echo if it was measured.
pub(super) fn draw(report: &Report, floor: Option<&Floor>, path: &Path) -> Result<(), BenchError> {
    let picture = picture(&panels(report, floor)).map_err(|why| BenchError::Plot { path: path.to_owned(), why })?;
    std::fs::write(path, picture).map_err(|error| BenchError::Plot { path: path.to_owned(), why: error.to_string() })
}

fn panels(report: &Report, floor: Option<&Floor>) -> [Panel; PANELS] {
    let points = |pick: fn(&Figures) -> Option<f64>| {
        let steps = report.steps.iter().filter(|step| step.step != Step::Unmeasured);
        steps.filter_map(|step| Some((f64::from(step.figures.calls), pick(&step.figures)?))).collect()
    };
    [
        Panel {
            title: "CPU of the switch, ms per call-second (budget 3.0); dashed: a bare echo",
            points: points(|figures| Some(figures.cpu_ms_per_call_second)),
            limit: 3.0,
            floor: floor.map(|floor| floor.cpu_ms_per_call_second),
            colour: RGBColor(31, 119, 180),
        },
        Panel {
            title: "added latency in the caller's ear, p95, ms (service level 250)",
            points: points(|figures| figures.heard_latency_p95_ms),
            limit: 250.0,
            floor: None,
            colour: RGBColor(44, 140, 60),
        },
        Panel {
            title: "underruns, % of the agent's speech (service level 1)",
            points: points(|figures| Some(figures.underrun_share * 100.0)),
            limit: 1.0,
            floor: None,
            colour: RGBColor(200, 80, 30),
        },
    ]
}

/// The picture as SVG. The error is the drawing library's, in words.
fn picture(panels: &[Panel; PANELS]) -> Result<String, String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(words)?;
        for (area, panel) in root.split_evenly((PANELS, 1)).iter().zip(panels) {
            panel.draw(area)?;
        }
        root.present().map_err(words)?;
    }
    Ok(svg)
}

impl Panel {
    fn draw(&self, area: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>) -> Result<(), String> {
        let (across, up) = (self.across(), self.up());
        let mut chart = ChartBuilder::on(area)
            .caption(self.title, ("sans-serif", 16))
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(52)
            .build_cartesian_2d(across.clone(), up)
            .map_err(words)?;
        let whole = |calls: &f64| format!("{calls:.0}");
        chart
            .configure_mesh()
            .x_desc("calls")
            .x_label_formatter(&whole)
            .light_line_style(WHITE)
            .draw()
            .map_err(words)?;
        let level = |height: f64| [(across.start, height), (across.end, height)];
        chart.draw_series(LineSeries::new(level(self.limit), LIMIT.stroke_width(2))).map_err(words)?;
        if let Some(floor) = self.floor {
            chart.draw_series(DashedLineSeries::new(level(floor), 6, 4, self.colour.into())).map_err(words)?;
        }
        chart.draw_series(LineSeries::new(self.points.iter().copied(), self.colour.stroke_width(2))).map_err(words)?;
        let dots = self.points.iter().map(|point| Circle::new(*point, 3, self.colour.filled()));
        chart.draw_series(dots).map_err(words)?;
        Ok(())
    }

    /// From zero to a little beyond the last step.
    fn across(&self) -> Range<f64> {
        0.0..self.points.iter().map(|point| point.0).fold(10.0, f64::max) * 1.03
    }

    /// From zero to above both the curve and its limit.
    fn up(&self) -> Range<f64> {
        0.0..self.points.iter().map(|point| point.1).fold(self.limit, f64::max) * 1.1
    }
}

fn words(error: impl std::fmt::Display) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn panel(points: Vec<(f64, f64)>) -> Panel {
        Panel { title: "latency", points, limit: 250.0, floor: Some(20.0), colour: RGBColor(0, 0, 0) }
    }

    #[test]
    fn a_picture_has_its_curves_and_words() {
        let curve = || panel(vec![(40.0, 120.0), (80.0, 130.0), (120.0, 400.0)]);
        let svg = picture(&[curve(), curve(), curve()]).unwrap();
        assert!(svg.starts_with("<svg") && svg.trim_end().ends_with("</svg>"));
        assert_eq!(svg.matches("<circle").count(), 9);
        assert_eq!(svg.matches("latency").count(), 3);
    }

    #[test]
    fn a_ramp_that_broke_at_once_can_be_drawn() {
        let svg = picture(&[panel(vec![(40.0, 900.0)]), panel(Vec::new()), panel(Vec::new())]).unwrap();
        assert_eq!(svg.matches("<circle").count(), 1);
    }
}
