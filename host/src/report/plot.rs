//! The report's plots, as SVG text drawn by `plotters`.

use plotters::prelude::*;

const SIZE: (u32, u32) = (860, 300);

/// Draws into SVG text; an error in drawing becomes the caller's error.
fn svg(
    draw: impl FnOnce(&DrawingArea<SVGBackend, plotters::coord::Shift>) -> Result<(), String>,
) -> Result<String, String> {
    let mut text = String::new();
    {
        let area = SVGBackend::with_string(&mut text, SIZE).into_drawing_area();
        area.fill(&WHITE).map_err(|e| e.to_string())?;
        draw(&area)?;
        area.present().map_err(|e| e.to_string())?;
    }
    Ok(text)
}

fn text<E: std::fmt::Display>(e: E) -> String {
    e.to_string()
}

/// One bar a label, on an axis from `from` to `to`.
pub fn bars(title: &str, unit: &str, labels: &[String], values: &[f64], from: f64, to: f64) -> Result<String, String> {
    svg(|area| {
        let slots = labels.len().max(1) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(if labels.len() > 12 { 90 } else { 40 })
            .y_label_area_size(60)
            .build_cartesian_2d(0.0..slots, from..to)
            .map_err(text)?;
        let name = |x: &f64| {
            let k = *x as usize;
            if (x - k as f64 - 0.5).abs() < 0.01 {
                labels.get(k).cloned().unwrap_or_default()
            } else {
                String::new()
            }
        };
        let style = ("sans-serif", if labels.len() > 12 { 9 } else { 13 }).into_font();
        let style = if labels.len() > 12 {
            style.transform(FontTransform::Rotate90)
        } else {
            style
        };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .max_light_lines(1)
            .x_labels(2 * labels.len() + 1)
            .x_label_formatter(&name)
            .x_label_style(style)
            .y_desc(unit)
            .draw()
            .map_err(text)?;
        let bar = |(k, &v): (usize, &f64)| {
            let v = if v.is_finite() { v.clamp(from, to) } else { to };
            Rectangle::new(
                [(k as f64 + 0.15, from), (k as f64 + 0.85, v)],
                RGBColor(52, 101, 164).filled(),
            )
        };
        chart.draw_series(values.iter().enumerate().map(bar)).map_err(text)?;
        Ok(())
    })
}

/// Lines over one axis: (name, points).
pub fn lines(title: &str, x: &str, y: &str, series: &[(String, Vec<(f64, f64)>)]) -> Result<String, String> {
    svg(|area| {
        let points = || {
            series
                .iter()
                .flat_map(|(_, p)| p)
                .filter(|p| p.0.is_finite() && p.1.is_finite())
        };
        let bound = |f: fn(&(f64, f64)) -> f64| {
            let (lo, hi) = points()
                .map(f)
                .fold((f64::MAX, f64::MIN), |(lo, hi), v| (lo.min(v), hi.max(v)));
            match (lo == f64::MAX, lo < hi) {
                (true, _) => (0.0, 1.0), // no point at all
                (false, true) => (lo, hi),
                (false, false) => (lo.min(0.0), lo + 1.0),
            }
        };
        let ((x0, x1), (y0, y1)) = (bound(|p| p.0), bound(|p| p.1));
        let mut chart = ChartBuilder::on(area)
            .caption(title, ("sans-serif", 18))
            .margin(10)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d(x0..x1, y0.min(0.0)..y1 * 1.05)
            .map_err(text)?;
        chart
            .configure_mesh()
            .max_light_lines(1)
            .x_desc(x)
            .y_desc(y)
            .draw()
            .map_err(text)?;
        for (k, (name, points)) in series.iter().enumerate() {
            let colour = Palette99::pick(k).to_rgba();
            let drawn = chart
                .draw_series(LineSeries::new(points.iter().copied(), &colour))
                .map_err(text)?;
            if series.len() <= 8 {
                drawn
                    .label(name)
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour));
            }
        }
        if series.len() <= 8 {
            chart
                .configure_series_labels()
                .background_style(WHITE.mix(0.8))
                .border_style(BLACK)
                .draw()
                .map_err(text)?;
        }
        Ok(())
    })
}
