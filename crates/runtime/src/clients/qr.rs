//! An address as a QR code, for what has a camera and no clipboard of this computer.

use std::fmt::Write as _;

use qrcodegen::QrCodeEcc;
use serde::Serialize;

/// A QR code as one shape (ISO/IEC 18004).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "wire", derive(ts_rs::TS))]
pub struct QrCode {
    /// What it says.
    pub text: String,
    /// Modules on each side, without the quiet zone of 4 that belongs around it.
    pub side: i32,
    /// The dark modules as a path of SVG, a module being 1 wide.
    pub path: String,
}

impl QrCode {
    /// `None` where the text is too long for any code.
    pub(super) fn of(text: &str) -> Option<Self> {
        let code = qrcodegen::QrCode::encode_text(text, QrCodeEcc::Medium).ok()?;
        let (side, mut path) = (code.size(), String::new());
        for y in 0..side {
            let mut x = 0;
            while x < side {
                let dark = (x..side).take_while(|&x| code.get_module(x, y)).count();
                if dark > 0 {
                    write!(path, "M{x} {y}h{dark}v1h-{dark}z").ok()?;
                }
                x += i32::try_from(dark).ok()? + 1;
            }
        }
        Some(Self { text: text.to_owned(), side, path })
    }
}
