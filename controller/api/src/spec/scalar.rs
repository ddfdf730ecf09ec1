//! Scalars that the API server accepts in more than one JSON type. What the schema accepts, these decode.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A quantity such as `50m`, `64Mi` or `1`. Kubernetes writes it as a string; people may write a number.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(
    /// As it was written; a number in its decimal form.
    pub String,
);

/// A number or a percentage, such as `1` or `25%`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IntOrString {
    /// A number.
    Int(i64),
    /// Text, such as a percentage.
    String(String),
}

/// What [`Quantity`] accepts, as its decoder says it.
pub const QUANTITY_EXPECTED: &str = "a quantity, for example 500m";
/// What [`IntOrString`] accepts, as its decoder says it.
const AMOUNT_EXPECTED: &str = "a whole number or a percentage, for example 1 or 25%";

/// Decodes a number or text; what else is given is told to be none of what it says.
struct ScalarVisitor(&'static str);

impl de::Visitor<'_> for ScalarVisitor {
    type Value = IntOrString;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(IntOrString::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| IntOrString::String(value.to_string()), IntOrString::Int))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Self::Value, E> {
        // The schema takes a whole number only.
        if value.fract() == 0.0 {
            return Ok(IntOrString::String(value.to_string()));
        }
        Err(E::invalid_type(de::Unexpected::Float(value), &self))
    }

    fn visit_str<E>(self, value: &str) -> Result<Self::Value, E> {
        Ok(IntOrString::String(value.to_owned()))
    }
}

impl<'de> Deserialize<'de> for IntOrString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor(AMOUNT_EXPECTED))
    }
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(number) => number.fmt(f),
            Self::String(text) => text.fmt(f),
        }
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scalar = deserializer.deserialize_any(ScalarVisitor(QUANTITY_EXPECTED))?;
        Ok(Self(scalar.to_string()))
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl JsonSchema for Quantity {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Quantity".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        crate::schema::quantity(generator)
    }
}

impl JsonSchema for IntOrString {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "IntOrString".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        crate::schema::number_or_percentage(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantity_may_be_written_as_a_number() {
        assert_eq!(serde_json::from_str::<Quantity>("1").unwrap(), Quantity("1".to_owned()));
        assert_eq!(
            serde_json::from_str::<Quantity>("\"50m\"").unwrap(),
            Quantity("50m".to_owned())
        );
        assert_eq!(serde_json::to_string(&Quantity("1".to_owned())).unwrap(), "\"1\"");
    }

    #[test]
    fn a_number_beyond_64_bits_decodes_as_text_instead_of_failing() {
        assert!(serde_json::from_str::<IntOrString>("18446744073709551615").is_ok());
    }
}
