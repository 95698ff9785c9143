//! A text's vector as it is stored: one byte per dimension and a common scale.

/// A unit vector in int8: component `i` is `values[i] · scale`. Never all zeros.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector {
    /// The value of one step.
    pub scale: f32,
    /// −127..=127.
    pub values: Box<[i8]>,
}

impl Vector {
    /// Quantises to int8 with the largest component as 127. `None` for a vector that has no
    /// direction: zero, infinite or not a number.
    pub fn quantise(vector: &[f32]) -> Option<Vector> {
        let largest = vector.iter().fold(0.0_f32, |largest, value| largest.max(value.abs()));
        let usable = vector.iter().all(|value| value.is_finite()) && largest > f32::MIN_POSITIVE;
        if !usable {
            return None;
        }
        let scale = largest / 127.0;
        let values = vector.iter().map(|value| (value / scale).round() as i8).collect();
        Some(Vector { scale, values })
    }

    /// Back to floating point.
    pub fn to_f32(&self) -> Vec<f32> {
        self.values.iter().map(|value| f32::from(*value) * self.scale).collect()
    }

    /// The bytes for a BLOB column.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        self.values.iter().map(|value| value.cast_unsigned()).collect()
    }

    /// The inverse of `to_bytes`.
    pub(crate) fn from_bytes(scale: f32, bytes: &[u8]) -> Vector {
        Vector { scale, values: bytes.iter().map(|byte| byte.cast_signed()).collect() }
    }

    /// Cosine with another unit vector.
    pub fn cosine(&self, other: &Vector) -> f32 {
        dot(&self.values, &other.values) as f32 * self.scale * other.scale
    }
}

/// Integer scalar product. Written so that the compiler uses the vector unit: 16-bit products of
/// bytes, summed in 32 bits without checks, which would keep it from doing so. A product of
/// bytes fits 16 bits; 32 bits hold the sum for up to 130,000 dimensions.
pub(crate) fn dot(a: &[i8], b: &[i8]) -> i32 {
    a.iter().zip(b).fold(0, |sum: i32, (a, b)| {
        sum.wrapping_add(i32::from(i16::from(*a).wrapping_mul(i16::from(*b))))
    })
}

#[cfg(test)]
mod tests {
    use super::Vector;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn quantising_keeps_the_direction(values in prop::collection::vec(-1.0_f32..1.0, 384)) {
            let length = values.iter().map(|value| value * value).sum::<f32>().sqrt();
            prop_assume!(length > 0.1);
            let unit: Vec<f32> = values.iter().map(|value| value / length).collect();
            let stored = Vector::quantise(&unit).unwrap();
            let cosine: f32 = stored.to_f32().iter().zip(&unit).map(|(a, b)| a * b).sum();
            prop_assert!((cosine - 1.0).abs() < 0.01, "{}", cosine);
            prop_assert!((stored.cosine(&stored) - 1.0).abs() < 0.02);
            prop_assert_eq!(&Vector::quantise(&stored.to_f32()).unwrap().values, &stored.values);
            let copy = Vector::from_bytes(stored.scale, &stored.to_bytes());
            prop_assert_eq!(copy, stored);
        }
    }

    #[test]
    fn there_is_no_vector_without_a_direction() {
        assert_eq!(Vector::quantise(&[0.0; 384]), None);
        assert_eq!(Vector::quantise(&[f32::NAN, 1.0]), None);
        assert_eq!(Vector::quantise(&[f32::INFINITY, 1.0]), None);
    }
}
