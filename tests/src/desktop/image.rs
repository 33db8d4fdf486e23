//! Pictures of the window: whether anything is on them, and where they are kept.

use std::collections::HashSet;
use std::fs;
use std::io::Cursor;
use std::path::Path;

/// Names the wish to keep the pictures, in `target/screenshots` of the checkout.
const KEEP_VARIABLE: &str = "CWTS_SCREENSHOTS";

/// How many different colours a PNG file has.
///
/// # Panics
/// It is no PNG file with eight bits per channel.
pub fn colours(png: &[u8]) -> usize {
    let mut reader = png::Decoder::new(Cursor::new(png)).read_info().expect("a picture is a PNG file");
    let mut pixels = vec![0; reader.output_buffer_size().expect("a picture of a screen fits the memory")];
    let frame = reader.next_frame(&mut pixels).expect("a picture is whole");
    assert_eq!(frame.bit_depth, png::BitDepth::Eight, "a screen has eight bits per channel");
    pixels.chunks_exact(frame.color_type.samples()).collect::<HashSet<_>>().len()
}

/// Whether the environment asks for pictures to keep.
pub fn are_kept() -> bool {
    std::env::var_os(KEEP_VARIABLE).is_some()
}

/// Keeps the picture as `NAME.png` where the environment asks for it.
///
/// # Panics
/// It cannot be written.
pub fn keep(name: &str, png: &[u8]) {
    if !are_kept() {
        return;
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    fs::create_dir_all(&folder).expect("a folder for pictures");
    fs::write(folder.join(name).with_extension("png"), png).expect("a picture can be kept");
}
