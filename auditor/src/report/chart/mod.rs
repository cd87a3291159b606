//! Charts as SVG that a page can style: plotters draws, classes take the place of its colours.

pub(super) mod over_time;
mod ruler;
pub(super) mod validity;

use plotters::coord::Shift;
use plotters::drawing::DrawingArea;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::FormatError;
use super::words::visible;

/// Width of every chart. Two units are about one CSS pixel on a wide screen.
const WIDTH: i32 = 1520;

/// Size of text, in the same units; plotters makes it a fifth smaller.
const TEXT: i32 = 29;

/// What something is drawn as. The page's style sheet decides how that looks: a colour and, so
/// that grey print can be read, a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    Axis,
    Bound,
    Grid,
    Measured,
    /// One of the shown networks, by position.
    Network(usize),
    Other,
    Outside,
    Text,
    Use,
    Valid,
}

const INKS: &[(Ink, &str)] = &[
    (Ink::Axis, "axis"),
    (Ink::Bound, "bound"),
    (Ink::Grid, "grid"),
    (Ink::Measured, "measured"),
    (Ink::Network(0), "n0"),
    (Ink::Network(1), "n1"),
    (Ink::Network(2), "n2"),
    (Ink::Network(3), "n3"),
    (Ink::Network(4), "n4"),
    (Ink::Network(5), "n5"),
    (Ink::Network(6), "n6"),
    (Ink::Network(7), "n7"),
    (Ink::Network(8), "n8"),
    (Ink::Other, "other"),
    (Ink::Outside, "outside"),
    (Ink::Text, "text"),
    (Ink::Use, "use"),
    (Ink::Valid, "valid"),
];

impl Ink {
    /// A colour that stands for the class until the drawing is done.
    fn stand_in(self) -> RGBColor {
        let position = INKS.iter().position(|(ink, _)| *ink == self).unwrap_or(INKS.len());
        RGBColor(0, 1, position as u8)
    }
}

/// Where a drawing goes.
struct Canvas<'a>(DrawingArea<SVGBackend<'a>, Shift>);

type Drawn = Result<(), FormatError>;

impl Canvas<'_> {
    /// Fills the rectangle between two corners; one without width or height is left out.
    fn fill(&self, ink: Ink, (left, top): (i32, i32), (right, bottom): (i32, i32)) -> Drawn {
        if left >= right || top >= bottom {
            return Ok(());
        }
        // plotters draws a rectangle from its first to its last pixel, both included.
        let corners = [(left, top), (right - 1, bottom - 1)];
        self.0.draw(&Rectangle::new(corners, ink.stand_in().filled())).map_err(drawing)
    }

    fn line(&self, ink: Ink, points: &[(i32, i32)]) -> Drawn {
        let style = ink.stand_in().stroke_width(2);
        self.0.draw(&PathElement::new(points.to_vec(), style)).map_err(drawing)
    }

    fn text(&self, text: &str, at: (i32, i32), across: HPos, down: VPos) -> Drawn {
        let style = ("sans-serif", TEXT).into_font().color(&Ink::Text.stand_in());
        let style = style.pos(Pos::new(across, down));
        self.0.draw(&Text::new(text.to_owned(), at, style)).map_err(drawing)
    }
}

fn drawing(error: impl std::fmt::Display) -> FormatError {
    FormatError::Chart { reason: error.to_string() }
}

/// What a screen reader says of a chart.
struct Spoken<'a> {
    /// Unique in the page.
    id: &'a str,
    title: &'a str,
    description: &'a str,
}

/// Draws an SVG element that scales with its box.
fn drawn(
    height: i32,
    spoken: &Spoken<'_>,
    draw: impl FnOnce(&Canvas<'_>) -> Drawn,
) -> Result<String, FormatError> {
    let mut svg = String::new();
    {
        let backend = SVGBackend::with_string(&mut svg, (WIDTH as u32, height as u32));
        let canvas = Canvas(backend.into_drawing_area());
        draw(&canvas)?;
        canvas.0.present().map_err(drawing)?;
    }
    for (ink, class) in INKS {
        let RGBColor(red, green, blue) = ink.stand_in();
        let colour = format!("#{red:02X}{green:02X}{blue:02X}");
        svg = svg.replace(&format!("fill=\"{colour}\""), &format!("class=\"f-{class}\""));
        svg = svg.replace(&format!("stroke=\"{colour}\""), &format!("class=\"s-{class}\""));
    }
    let body = svg.split_once('>').map_or("", |(_, body)| body);
    let Spoken { id, title, description } = spoken;
    Ok(format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-labelledby=\"{id}-title {id}-description\" xmlns=\"http://www.w3.org/2000/svg\">\n\
         <title id=\"{id}-title\">{}</title>\n<desc id=\"{id}-description\">{}</desc>{body}",
        escaped(title),
        escaped(description),
    ))
}

fn escaped(text: &str) -> String {
    let text = visible(text);
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
