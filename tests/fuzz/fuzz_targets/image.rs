//! `image.safetensors`: whatever is accepted can be written again, is the same, and runs.
#![no_main]

use astromorph::image::Image;
use astromorph::twin::Twin;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = Image::from_bytes(bytes) {
        let written = image.to_bytes().expect("an accepted image can be written");
        assert_eq!(
            Image::from_bytes(&written).expect("what was written can be read"),
            image
        );
        Twin::new(&image).expect("an accepted image is a model");
    }
});
