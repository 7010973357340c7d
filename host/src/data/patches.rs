//! An image as tokens: square patches, row by row.
//!
//! An image is `channels` planes of side × side bytes. Each of its (side/p)² tokens has (p + 2o)² · channels features: the patch with `overlap` o pixels
//! around it, row by row, a pixel's channels side by side, each byte/255 less the channel's mean and divided by its standard deviation; 0 (the mean)
//! outside the image. With o = 1 a model's input layer holds every 3 × 3 convolution followed by an embedding of p × p patches, and more: the stem of
//! Mia, Bal, Sengupta (arXiv 2312.10925 v3) as one matrix product, on chip.
//!
//! ```
//! use astromorph_host::data::patches::{mirror, tokens};
//! let image: Vec<u8> = (0..16).map(|i| 255 * (i % 2)).collect();     // 4 × 4, one channel, stripes
//! let x = tokens(&image, 4, (2, 0), &[(0.5, 0.25)]);                  // four tokens of 2 × 2 pixels
//! assert_eq!(x[..4], [-2.0, 2.0, -2.0, 2.0]);
//! assert_eq!(x.len(), 16);
//! let wide = tokens(&image, 4, (2, 1), &[(0.5, 0.25)]);               // of 4 × 4: the first begins outside
//! assert_eq!(wide[..8], [0.0, 0.0, 0.0, 0.0, 0.0, -2.0, 2.0, -2.0]);
//! assert_eq!(tokens(&mirror(&image, 4), 4, (2, 0), &[(0.5, 0.25)])[..4], [2.0, -2.0, 2.0, -2.0]);
//! ```

/// Mean and standard deviation of a channel, of bytes/255.
pub type Channel = (f32, f32);

/// Features of a token, of `channels` a pixel.
pub fn width((patch, overlap): (usize, usize), channels: usize) -> usize {
    channels * (patch + 2 * overlap) * (patch + 2 * overlap)
}

/// The features of all tokens of one image; `patch` divides `side`, `overlap` pixels more on each of its sides.
pub fn tokens(image: &[u8], side: usize, (patch, overlap): (usize, usize), channels: &[Channel]) -> Vec<f32> {
    let (across, wide) = (side / patch, patch + 2 * overlap);
    let mut out = Vec::with_capacity(across * across * width((patch, overlap), channels.len()));
    for token in 0..across * across {
        let (top, left) = (token / across * patch, token % across * patch);
        for pixel in 0..wide * wide {
            // Pixel (row, column) of the image lies at (row + overlap, column + overlap) here.
            let (row, column) = (top + pixel / wide, left + pixel % wide);
            let within = |x: usize| (overlap..side + overlap).contains(&x);
            let at = (within(row) && within(column)).then(|| (row - overlap) * side + column - overlap);
            for (c, (mean, deviation)) in channels.iter().enumerate() {
                out.push(at.map_or(0.0, |at| {
                    (image[c * side * side + at] as f32 / 255.0 - mean) / deviation
                }));
            }
        }
    }
    out
}

/// The image with left and right exchanged.
pub fn mirror(image: &[u8], side: usize) -> Vec<u8> {
    image
        .chunks_exact(side)
        .flat_map(|row| row.iter().rev().copied())
        .collect()
}
