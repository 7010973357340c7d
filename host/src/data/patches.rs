//! An image as tokens: square patches, row by row.
//!
//! An image is `channels` planes of side × side bytes. Each of its (side/p)² tokens has p · p · channels features: the patch's pixels row by row, a
//! pixel's channels side by side, each byte/255 less the channel's mean and divided by its standard deviation.
//!
//! ```
//! use astromorph_host::data::patches::tokens;
//! let image: Vec<u8> = (0..16).map(|i| 255 * (i % 2)).collect();     // 4 × 4, one channel, stripes
//! let x = tokens(&image, 4, 2, &[(0.5, 0.25)]);                       // four tokens of 2 × 2 pixels
//! assert_eq!(x[..4], [-2.0, 2.0, -2.0, 2.0]);
//! assert_eq!(x.len(), 16);
//! ```

/// Mean and standard deviation of a channel, of bytes/255.
pub type Channel = (f32, f32);

/// The features of all tokens of one image; `patch` divides `side`.
pub fn tokens(image: &[u8], side: usize, patch: usize, channels: &[Channel]) -> Vec<f32> {
    let across = side / patch;
    let mut out = Vec::with_capacity(image.len());
    for token in 0..across * across {
        let (top, left) = (token / across * patch, token % across * patch);
        for pixel in 0..patch * patch {
            let at = (top + pixel / patch) * side + left + pixel % patch;
            for (c, (mean, deviation)) in channels.iter().enumerate() {
                out.push((image[c * side * side + at] as f32 / 255.0 - mean) / deviation);
            }
        }
    }
    out
}
