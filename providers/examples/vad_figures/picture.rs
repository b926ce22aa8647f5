//! The first table as a picture: a bar for each sound and engine, as long as its false speech, in one SVG without a library.

use std::collections::BTreeMap;
use std::fmt::Write;

/// Engines that are drawn, with their colours; the fall-back is left to the table.
const ENGINES: [(&str, &str, &str); 3] =
    [("neural", "earshot", "#2563eb"), ("silero", "silero", "#16a34a"), ("webrtc", "webrtc", "#d97706")];
const BAR: usize = 7;
const ROW: usize = 3 * BAR + 8;
const LEFT: usize = 270;
const WIDTH: usize = 480;
const TOP: usize = 56;

/// Draws `rows`: the sound, and seconds a minute by engine.
pub(crate) fn draw(rows: &[(String, BTreeMap<&'static str, f64>)]) -> String {
    let (width, height) = (LEFT + WIDTH + 60, TOP + rows.len() * ROW + 30);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n\
         <text x=\"12\" y=\"20\" font-size=\"14\" fill=\"#111\">Seconds a minute of false speech, sounds without a voice</text>\n"
    );
    let mut line = |text: std::fmt::Arguments<'_>| writeln!(svg, "{text}").expect("a string takes everything");
    for (number, (_, name, colour)) in ENGINES.iter().enumerate() {
        let x = LEFT + 90 * number;
        line(format_args!("<rect x=\"{x}\" y=\"32\" width=\"12\" height=\"9\" fill=\"{colour}\"/>"));
        line(format_args!("<text x=\"{}\" y=\"41\" fill=\"#333\">{name}</text>", x + 18));
    }
    for seconds in [0, 15, 30, 45, 60] {
        let x = LEFT + WIDTH * seconds / 60;
        let bottom = height - 26;
        line(format_args!("<line x1=\"{x}\" y1=\"{TOP}\" x2=\"{x}\" y2=\"{bottom}\" stroke=\"#ddd\"/>"));
        line(format_args!(
            "<text x=\"{x}\" y=\"{}\" text-anchor=\"middle\" fill=\"#666\">{seconds}</text>",
            height - 10
        ));
    }
    for (number, (sound, row)) in rows.iter().enumerate() {
        let top = TOP + number * ROW + 4;
        let middle = top + ROW / 2;
        line(format_args!("<text x=\"{}\" y=\"{middle}\" text-anchor=\"end\" fill=\"#111\">{sound}</text>", LEFT - 8));
        for (bar, (engine, _, colour)) in ENGINES.iter().enumerate() {
            let length = (row[engine] / 60.0 * WIDTH as f64).max(1.0);
            let y = top + bar * BAR;
            line(format_args!(
                "<rect x=\"{LEFT}\" y=\"{y}\" width=\"{length:.0}\" height=\"{}\" fill=\"{colour}\"/>",
                BAR - 1
            ));
        }
    }
    svg.push_str("</svg>\n");
    svg
}
