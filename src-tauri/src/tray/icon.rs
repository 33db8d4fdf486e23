//! The pixels of the tray icon.
//!
//! A pixmap and no icon name: desktops that draw by name recolour symbolic icons by filling every shape, which turns
//! these stroked drawings into blobs. A pixmap looks the same everywhere but cannot follow the panel's colour, so that
//! the drawings are a grey between a light and a dark panel.

use ksni::Icon;
use tauri::image::Image;
use tauri::include_image;

use super::text::State;

/// The drawing of `state` at 22 and 44 pixels; the host takes the better fit.
pub(crate) fn pixmaps(state: State) -> Vec<Icon> {
    match state {
        State::Stopped => {
            [include_image!("../icons/tray/stopped-22.png"), include_image!("../icons/tray/stopped-44.png")]
        }
        State::Running => {
            [include_image!("../icons/tray/running-22.png"), include_image!("../icons/tray/running-44.png")]
        }
        State::Exposed => {
            [include_image!("../icons/tray/exposed-22.png"), include_image!("../icons/tray/exposed-44.png")]
        }
        State::Halted => [include_image!("../icons/tray/halted-22.png"), include_image!("../icons/tray/halted-44.png")],
        State::Attention => {
            [include_image!("../icons/tray/attention-22.png"), include_image!("../icons/tray/attention-44.png")]
        }
    }
    .iter()
    .map(argb)
    .collect()
}

/// The bus wants alpha first.
fn argb(image: &Image<'_>) -> Icon {
    let mut data = image.rgba().to_vec();
    for pixel in data.chunks_exact_mut(4) {
        pixel.rotate_right(1);
    }
    Icon { width: image.width().cast_signed(), height: image.height().cast_signed(), data }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATES: [State; 5] = [State::Stopped, State::Running, State::Exposed, State::Attention, State::Halted];

    /// Relative luminance of an 8-bit sRGB colour (WCAG 2.2, definition of relative luminance).
    fn luminance(rgb: &[u8]) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(rgb[0]) + 0.7152 * linear(rgb[1]) + 0.0722 * linear(rgb[2])
    }

    fn contrast(one: f64, other: f64) -> f64 {
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn every_state_has_its_own_drawing_in_both_sizes() {
        for state in STATES {
            let icons = pixmaps(state);
            let sizes: Vec<_> = icons.iter().map(|icon| (icon.width, icon.height, icon.data.len())).collect();
            assert_eq!(sizes, [(22, 22, 22 * 22 * 4), (44, 44, 44 * 44 * 4)], "hosts ask for these sizes: {state:?}");
            let alike = STATES.into_iter().filter(|other| pixmaps(*other)[0].data == icons[0].data).count();
            assert_eq!(alike, 1, "{state:?} must not look like another state");
        }
    }

    #[test]
    fn the_drawing_is_readable_on_light_and_dark_panels() {
        // Panels of Breeze light, Breeze dark and GNOME.
        for panel in [[0xef, 0xf0, 0xf1], [0x2a, 0x2e, 0x32], [0, 0, 0]] {
            for state in STATES {
                let icon = pixmaps(state).remove(1);
                let opaque: Vec<_> = icon.data.chunks_exact(4).filter(|pixel| pixel[0] == 255).collect();
                assert!(opaque.len() > 50, "{state:?} has a body, with the alpha in front");
                for pixel in opaque {
                    let ratio = contrast(luminance(&pixel[1..]), luminance(&panel));
                    assert!(ratio >= 3.0, "{state:?} on {panel:?} has {ratio:.2}:1, WCAG 2.2 (1.4.11) asks for 3:1");
                }
            }
        }
    }
}
