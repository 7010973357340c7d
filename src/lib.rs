//! The astromorphic Transformer.
