//! A terminal's text, with its colours, as an SVG: `redial demo 2>&1 | cargo run --example terminal_picture > docs/demo.svg`.

use std::io::{self, Read, Write};

fn main() -> io::Result<()> {
    let mut text = String::new();
    io::stdin().lock().read_to_string(&mut text)?;
    let picture = anstyle_svg::Term::new().render_svg(&text);
    io::stdout().lock().write_all(picture.as_bytes())
}
